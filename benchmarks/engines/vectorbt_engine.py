"""vectorbt: vectorised signals, filled at the next open."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pandas as pd
import vectorbt as vbt

from benchmarks.engines.market import CASH, FEE, Market, Outcome

NAME = "vectorbt"
MODULES = ("vectorbt",)
ROUNDS = 5


def prepare(market: Market) -> pd.DataFrame:
    index = pd.to_datetime(market.ts, unit="ms")  # with a zone, vectorbt spends seconds on the index
    return pd.DataFrame({"open": market.open, "close": market.close}, index=index)


def run(bars: pd.DataFrame, fast: int, slow: int) -> Outcome:
    start = perf_counter()
    fast_ma = vbt.MA.run(bars["close"], fast)
    slow_ma = vbt.MA.run(bars["close"], slow)
    entries = fast_ma.ma_crossed_above(slow_ma)
    exits = fast_ma.ma_crossed_below(slow_ma)
    portfolio = vbt.Portfolio.from_signals(
        bars["close"],
        entries.vbt.fshift(1),
        exits.vbt.fshift(1),
        price=bars["open"],
        fees=FEE,
        init_cash=CASH,
        freq="1min",
    )
    equity = float(portfolio.final_value())
    seconds = perf_counter() - start
    return Outcome(seconds=seconds, final_equity=equity, trades=int(np.asarray(portfolio.trades.count())))
