"""Small markets and strategies written as text, for tests of the strategy API."""

import textwrap

import numpy as np

from cashup.backtest.market import InstrumentData, MarketData
from cashup.engine.bars import BarTable
from cashup.engine.loader import load_strategy
from cashup.kernel.memory import InstrumentSpec, Rules
from cashup.kernel.types import CROSS, LINEAR
from cashup.model.time import NS_PER_MINUTE, Timeframe

START = 1_672_531_200 * 1_000_000_000  # 2023-01-01
SPOT = InstrumentSpec(maker_fee=0.0005, taker_fee=0.001)
PERPETUAL = InstrumentSpec(
    kind=LINEAR, margin_mode=CROSS, leverage=3.0, tick=0.01, lot=0.001, maker_fee=0.0002, taker_fee=0.0005
)


def bar_table(count=300, *, seed=1, name="BTC/USDT", timeframe="1m", start=START, step=0.004):
    """Return a random walk as bars."""
    rng = np.random.default_rng(seed)
    close = np.round(100.0 * np.exp(np.cumsum(rng.normal(0.0, step, count))), 2)
    opened = np.concatenate([[100.0], close[:-1]])
    spread = np.abs(rng.normal(0.0, step / 2, (2, count)))
    high = np.round(np.maximum(opened, close) * (1 + spread[0]), 2)
    low = np.round(np.minimum(opened, close) * (1 - spread[1]), 2)
    high, low = np.maximum(high, np.maximum(opened, close)), np.minimum(low, np.minimum(opened, close))
    ts = start + np.arange(count, dtype=np.int64) * Timeframe.parse(timeframe).duration_ns
    volume = np.round(rng.uniform(1.0, 100.0, count), 3)
    return BarTable.of(name, timeframe, ts, opened, high, low, close, volume)


def market(count=300, *, spec=SPOT, seed=1, rules=None, **columns):
    """Return a market of one instrument."""
    item = InstrumentData(spec=spec, bars=bar_table(count, seed=seed), **columns)
    return MarketData(instruments=(item,), cash=10_000.0, rules=rules or Rules())


def prices_market(closes, *, spec=SPOT, timeframe="1m"):
    """Return a market whose bars open at the close before and stay between the two."""
    close = np.asarray(closes, dtype=np.float64)
    opened = np.concatenate([close[:1], close[:-1]])
    ts = START + np.arange(len(close), dtype=np.int64) * Timeframe.parse(timeframe).duration_ns
    table = BarTable.of(
        "BTC/USDT", timeframe, ts, opened, np.maximum(opened, close), np.minimum(opened, close), close,
        np.ones(len(close)),
    )  # fmt: skip
    return MarketData(instruments=(InstrumentData(spec=spec, bars=table),), cash=10_000.0)


def strategy_from(folder, source, name="strategy.py"):
    """Write a strategy's source to a file and load its class."""
    path = folder / name
    header = "import math\nimport numpy as np\nfrom cashup import Strategy, param, ta\n\n"
    path.write_text(header + textwrap.dedent(source))
    return load_strategy(path)


__all__ = [
    "NS_PER_MINUTE",
    "PERPETUAL",
    "SPOT",
    "START",
    "bar_table",
    "market",
    "prices_market",
    "strategy_from",
]
