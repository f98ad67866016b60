"""Collect funding: be short the perpetual while longs pay, out when they stop."""

from cashup import Strategy, param


class FundingCarry(Strategy):
    """Short while the smoothed funding rate is well above zero; a stop bounds the price risk."""

    timeframe = "1h"
    style = "funding"
    enter = param(0.0003, low=0.0001, high=0.002, step=0.0001)
    leave = param(0.0, low=-0.0005, high=0.0005, step=0.0001)
    smoothing = param(0.3, low=0.05, high=1.0, step=0.05)
    size = param(0.5, low=0.1, high=1.0, step=0.1)
    stop = param(0.1, low=0.02, high=0.3, step=0.01)

    def prepare(self, bars):
        self.rate = bars.funding_rate

    def on_start(self):
        self.smooth = 0.0
        self.last_rate = 0.0

    def on_bar(self):
        rate = self.rate[0]
        if rate == rate and rate != self.last_rate:
            self.last_rate = rate
            self.smooth = self.smooth + self.smoothing * (rate - self.smooth)
        if self.position.is_flat:
            if self.smooth > self.enter:
                self.sell(value=self.equity * self.size, stop_loss=self.price * (1.0 + self.stop))
        elif self.smooth < self.leave:
            self.close()
