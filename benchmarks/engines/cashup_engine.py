"""CashUp: the strategy compiled to machine code."""

from __future__ import annotations

from time import perf_counter

import polars as pl

from benchmarks.engines.market import CASH, FEE, Market, Outcome
from cashup import Backtest, Strategy, param, ta
from cashup.engine.rolling import forget_totals

NAME = "CashUp, compiled"
MODE = "compiled"
ROUNDS = 9


class SmaCross(Strategy):
    fast = param(10)
    slow = param(30)

    def prepare(self, bars):  # type: ignore[no-untyped-def]
        self.fast_ma = ta.SMA(bars.close, self.fast)
        self.slow_ma = ta.SMA(bars.close, self.slow)

    def on_bar(self):  # type: ignore[no-untyped-def]
        if self.crossed_above(self.fast_ma, self.slow_ma):
            self.buy()
        elif self.crossed_below(self.fast_ma, self.slow_ma):
            self.close()


def prepare(market: Market) -> Backtest:
    names = ("ts", "open", "high", "low", "close", "volume")
    frame = pl.DataFrame({name: getattr(market, name) for name in names})
    return Backtest(SmaCross, {"sim:BTC/USDT": frame}, cash=CASH, fee=FEE)


def run(backtest: Backtest, fast: int, slow: int, mode: str = MODE) -> Outcome:
    """Time one whole run: indicators, memory, loop, equity curve."""
    backtest.strategy = SmaCross(fast=fast, slow=slow)
    backtest.mode = mode  # type: ignore[assignment]
    forget_totals()
    start = perf_counter()
    outcome = backtest.outcome()
    equity = float(outcome.equity[-1])
    seconds = perf_counter() - start
    trades = int((outcome.orders["side"] > 0).sum())
    return Outcome(seconds=seconds, final_equity=equity, trades=trades, loop_seconds=outcome.timings["run"])
