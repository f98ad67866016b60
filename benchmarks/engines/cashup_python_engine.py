"""CashUp: the same strategy as Python callbacks, as under a debugger."""

from __future__ import annotations

from benchmarks.engines import cashup_engine
from benchmarks.engines.cashup_engine import prepare as prepare
from benchmarks.engines.market import Outcome

NAME = "CashUp, Python callbacks"
ROUNDS = 5


def run(backtest: object, fast: int, slow: int) -> Outcome:
    return cashup_engine.run(backtest, fast, slow, mode="python")  # type: ignore[arg-type]
