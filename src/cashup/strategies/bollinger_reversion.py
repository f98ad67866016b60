"""Bollinger bands: buy below the lower band, leave at the middle, with a stop."""

from cashup import Strategy, param, ta


class BollingerReversion(Strategy):
    """Fade closes below the lower band back to the mean."""

    timeframe = "1h"
    style = "mean reversion"
    length = param(20, low=10, high=60)
    width = param(2.0, low=1.0, high=3.5, step=0.25)
    stop = param(0.05, low=0.01, high=0.15, step=0.01)

    def prepare(self, bars):
        bands = ta.BBANDS(bars.close, self.length, self.width, self.width)
        self.middle = bands.middleband
        self.lower = bands.lowerband

    def on_bar(self):
        if self.position.is_flat:
            if self.price < self.lower[0]:
                self.buy(value=self.equity * 0.95, stop_loss=self.price * (1.0 - self.stop))
        elif self.price > self.middle[0]:
            self.close()
