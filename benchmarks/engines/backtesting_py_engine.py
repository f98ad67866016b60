"""backtesting.py: a Python callback a bar; market orders fill at the next open."""

from __future__ import annotations

from time import perf_counter

import pandas as pd
from backtesting import Backtest, Strategy
from backtesting.lib import crossover

from benchmarks.engines.market import CASH, FEE, Market, Outcome, sma

NAME = "backtesting.py"
MODULES = ("backtesting",)
ROUNDS = 3


def prepare(market: Market) -> pd.DataFrame:
    index = pd.to_datetime(market.ts, unit="ms")
    columns = {"Open": market.open, "High": market.high, "Low": market.low, "Close": market.close}
    return pd.DataFrame({**columns, "Volume": market.volume}, index=index)


class SmaCross(Strategy):
    fast = 10
    slow = 30

    def init(self) -> None:
        self.fast_ma = self.I(sma, self.data.Close, self.fast)
        self.slow_ma = self.I(sma, self.data.Close, self.slow)

    def next(self) -> None:
        if crossover(self.fast_ma, self.slow_ma):
            self.buy()
        elif crossover(self.slow_ma, self.fast_ma):
            self.position.close()


def run(bars: pd.DataFrame, fast: int, slow: int) -> Outcome:
    start = perf_counter()
    stats = Backtest(bars, SmaCross, cash=CASH, commission=FEE, finalize_trades=False).run(
        fast=fast, slow=slow
    )
    seconds = perf_counter() - start
    return Outcome(
        seconds=seconds, final_equity=float(stats["Equity Final [$]"]), trades=int(stats["# Trades"])
    )
