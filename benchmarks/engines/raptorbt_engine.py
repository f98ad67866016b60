"""raptorbt: a Rust engine fed with boolean signals, filled at the next open."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import raptorbt

from benchmarks.engines.market import CASH, FEE, Market, Outcome

NAME = "raptorbt (signals)"
MODULES = ("raptorbt",)
ROUNDS = 7


def prepare(market: Market) -> Market:
    return market


def run(market: Market, fast: int, slow: int) -> Outcome:
    start = perf_counter()
    fast_ma = np.asarray(raptorbt.sma(market.close, fast))
    slow_ma = np.asarray(raptorbt.sma(market.close, slow))
    above = fast_ma > slow_ma
    known = ~(np.isnan(fast_ma) | np.isnan(slow_ma))
    both = known[1:] & known[:-1]
    entries = np.zeros(len(market), dtype=bool)
    exits = np.zeros(len(market), dtype=bool)
    entries[1:] = both & above[1:] & ~above[:-1]
    exits[1:] = both & ~above[1:] & above[:-1]
    config = raptorbt.BacktestConfig(
        initial_capital=CASH, fees=FEE, slippage=0.0, fill_timing="next_bar_open"
    )
    result = raptorbt.run_single_backtest(
        timestamps=market.ts * 1_000_000,
        open=market.open,
        high=market.high,
        low=market.low,
        close=market.close,
        volume=market.volume,
        entries=entries,
        exits=exits,
        direction=1,
        weight=1.0,
        symbol="BTC",
        config=config,
    )
    equity = float(result.metrics.end_value)
    seconds = perf_counter() - start
    return Outcome(seconds=seconds, final_equity=equity, trades=int(result.metrics.total_trades))
