"""Three exponential averages in order, with an ATR stop that trails the price."""

from cashup import Strategy, param, ta


class EmaTrend(Strategy):
    """Long while the three averages stand in rising order; out on an ATR stop or when they lose it."""

    timeframe = "4h"
    style = "trend"
    fast = param(8, low=3, high=30)
    middle = param(21, low=10, high=60)
    slow = param(55, low=30, high=200)
    stop_atr = param(3.0, low=1.0, high=6.0, step=0.5)

    def prepare(self, bars):
        self.fast_ma = ta.EMA(bars.close, self.fast)
        self.middle_ma = ta.EMA(bars.close, self.middle)
        self.slow_ma = ta.EMA(bars.close, self.slow)
        self.atr = ta.ATR(bars, 14)

    def on_start(self):
        self.stop = 0.0

    def on_bar(self):
        rising = self.fast_ma[0] > self.middle_ma[0] and self.middle_ma[0] > self.slow_ma[0]
        if self.position.is_flat:
            if rising:
                self.stop = self.price - self.stop_atr * self.atr[0]
                self.target(1.0)
        else:
            self.stop = max(self.stop, self.price - self.stop_atr * self.atr[0])
            if self.price < self.stop or self.fast_ma[0] < self.slow_ma[0]:
                self.close()
