"""Parabolic stop-and-reverse, long only."""

from cashup import Strategy, param, ta


class ParabolicSar(Strategy):
    """Hold while the price is above the parabolic stop."""

    timeframe = "4h"
    style = "trend"
    acceleration = param(0.02, low=0.01, high=0.05, step=0.01)
    maximum = param(0.2, low=0.1, high=0.4, step=0.1)

    def prepare(self, bars):
        self.sar = ta.SAR(bars, self.acceleration, self.maximum)

    def on_bar(self):
        above = self.price > self.sar[0]
        if above and self.position.is_flat:
            self.target(1.0)
        elif not above and self.position.is_long:
            self.close()
