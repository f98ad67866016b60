"""CashUp: the same strategy through the event path that paper and live use."""

from __future__ import annotations

from benchmarks.engines import cashup_engine
from benchmarks.engines.cashup_engine import prepare as prepare
from benchmarks.engines.market import Outcome

NAME = "CashUp, event path"
ROUNDS = 2


def run(backtest: object, fast: int, slow: int) -> Outcome:
    return cashup_engine.run(backtest, fast, slow, mode="event")  # type: ignore[arg-type]
