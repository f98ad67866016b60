"""Moving-average crossover: the plainest way to follow a trend."""

from cashup import Strategy, param, ta


class SmaCross(Strategy):
    """Long while the fast average is above the slow one."""

    timeframe = "1h"
    style = "trend"
    fast = param(10, low=5, high=60)
    slow = param(30, low=20, high=240)

    def prepare(self, bars):
        self.fast_ma = ta.SMA(bars.close, self.fast)
        self.slow_ma = ta.SMA(bars.close, self.slow)

    def on_bar(self):
        if self.crossed_above(self.fast_ma, self.slow_ma):
            self.target(1.0)
        elif self.crossed_below(self.fast_ma, self.slow_ma):
            self.close()
