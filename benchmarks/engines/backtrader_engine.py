"""backtrader: an event loop in Python; sizes are worked out at the open they fill at (cheat-on-open)."""

from __future__ import annotations

from time import perf_counter

import backtrader as bt
import pandas as pd

from benchmarks.engines.market import CASH, FEE, Market, Outcome

NAME = "backtrader"
MODULES = ("backtrader",)
ROUNDS = 1


def prepare(market: Market) -> pd.DataFrame:
    index = pd.to_datetime(market.ts, unit="ms")
    columns = {"open": market.open, "high": market.high, "low": market.low, "close": market.close}
    return pd.DataFrame({**columns, "volume": market.volume}, index=index)


class SmaCross(bt.Strategy):
    params = (("fast", 10), ("slow", 30))

    def __init__(self) -> None:
        fast_ma = bt.indicators.SMA(period=self.p.fast)
        slow_ma = bt.indicators.SMA(period=self.p.slow)
        self.cross = bt.indicators.CrossOver(fast_ma, slow_ma)
        self.closed = 0

    def next_open(self) -> None:
        if self.cross[-1] > 0 and not self.position:
            self.buy(size=self.broker.getcash() / (self.data.open[0] * (1 + FEE)) * (1 - 1e-12))
        elif self.cross[-1] < 0 and self.position:
            self.close()

    def notify_trade(self, trade: bt.Trade) -> None:
        self.closed += trade.isclosed


def run(bars: pd.DataFrame, fast: int, slow: int) -> Outcome:
    start = perf_counter()
    cerebro = bt.Cerebro(stdstats=False, cheat_on_open=True)
    cerebro.adddata(bt.feeds.PandasData(dataname=bars, timeframe=bt.TimeFrame.Minutes))
    cerebro.addstrategy(SmaCross, fast=fast, slow=slow)
    cerebro.broker.setcash(CASH)
    cerebro.broker.setcommission(commission=FEE)
    (strategy,) = cerebro.run()
    seconds = perf_counter() - start
    open_trades = 1 if strategy.position else 0
    return Outcome(
        seconds=seconds, final_equity=float(cerebro.broker.getvalue()), trades=strategy.closed + open_trades
    )
