"""Supertrend: one line that flips with the trend, long and short."""

from cashup import Strategy, param, ta


class Supertrend(Strategy):
    """Follow the supertrend's direction; short only where the market allows it."""

    timeframe = "4h"
    style = "trend"
    length = param(10, low=5, high=30)
    factor = param(3.0, low=1.0, high=6.0, step=0.5)
    allow_short = param(0, choices=(0, 1))

    def prepare(self, bars):
        trend = ta.supertrend(bars, self.length, self.factor)
        self.direction = trend.direction

    def on_bar(self):
        if self.direction[0] > 0 and self.position.size <= 0:
            self.target(1.0)
        elif self.direction[0] < 0 and self.position.size >= 0:
            if self.allow_short:
                self.target(-1.0)
            elif self.position.is_long:
                self.close()
