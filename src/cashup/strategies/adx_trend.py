"""Directional movement: trade only when there is a trend to speak of."""

from cashup import Strategy, param, ta


class AdxTrend(Strategy):
    """Long while +DI is above -DI and ADX says the trend is strong."""

    timeframe = "4h"
    style = "trend"
    length = param(14, low=7, high=30)
    strength = param(25.0, low=15.0, high=40.0, step=5.0)

    def prepare(self, bars):
        self.adx = ta.ADX(bars, self.length)
        self.plus = ta.PLUS_DI(bars, self.length)
        self.minus = ta.MINUS_DI(bars, self.length)

    def on_bar(self):
        if self.position.is_flat:
            if self.adx[0] > self.strength and self.plus[0] > self.minus[0]:
                self.target(1.0)
        elif self.plus[0] < self.minus[0]:
            self.close()
