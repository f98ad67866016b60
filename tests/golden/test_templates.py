"""Every shipped template on one synthetic market: compiled, free of look-ahead, and with the numbers it had before.

After a deliberate change, write the numbers anew with CASHUP_WRITE_GOLDEN=1 and read the difference.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cashup import Backtest
from cashup.backtest.checks import check_strategy
from cashup.backtest.result import Result
from cashup.data.synthetic import SyntheticMarket
from cashup.strategies.gallery import template_class, template_names, templates

GOLDEN = Path(__file__).with_name("templates.json")
PERPETUAL = {"funding_carry", "pairs", "supertrend", "zscore_reversion"}


@cache
def market() -> SyntheticMarket:
    return SyntheticMarket(minutes=300 * 1440, seed=11)


def backtest(name: str, mode: str) -> Backtest:
    legs = {item.name: item.instruments for item in templates()}[name]
    names = ["demo:BTC/USDT", "demo:ETH/USDT"][:legs]
    options: dict[str, object] = {}
    params: dict[str, object] = {}
    if name in PERPETUAL:
        options = {"leverage": 2.0, "funding": market().funding(names[0])}
        params = {} if name == "funding_carry" else {"allow_short": 1}
    data = {item: market().bars(item, "15m") for item in names}
    return Backtest(template_class(name), data, params=params, mode=mode, **options)


def fingerprint(result: Result) -> dict[str, object]:
    orders = result.orders.select("side", "type", "created_ts", pl.col("quantity").round(6))
    digest = hashlib.sha256("\n".join(map(str, orders.rows())).encode()).hexdigest()[:16]
    return {
        "final_equity": round(float(result.statistics["final_equity"]), 4),
        "trades": int(result.statistics["trades"]),
        "orders": digest,
    }


@pytest.mark.parametrize("name", template_names())
def test_a_template_keeps_its_numbers(name: str) -> None:
    compiled, python = (backtest(name, mode).run() for mode in ("compiled", "python"))
    assert compiled.orders.equals(python.orders)
    np.testing.assert_array_equal(compiled.outcome.equity, python.outcome.equity)
    found = fingerprint(compiled)
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if os.environ.get("CASHUP_WRITE_GOLDEN"):
        GOLDEN.write_text(json.dumps(golden | {name: found}, indent=1, sort_keys=True) + "\n")
    else:
        assert found == golden[name]


@pytest.mark.parametrize("name", template_names())
def test_a_template_does_not_look_ahead(name: str) -> None:
    candidate = backtest(name, "compiled")
    report = check_strategy(candidate.strategy, candidate.market, cuts=2)
    assert report.is_clean, str(report)


def test_there_are_enough_templates_and_they_trade() -> None:
    golden = json.loads(GOLDEN.read_text())
    assert len(golden) >= 20
    assert set(golden) == set(template_names())
    assert all(item["trades"] > 0 for item in golden.values())
