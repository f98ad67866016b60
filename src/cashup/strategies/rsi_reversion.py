"""RSI dips in an uptrend."""

from cashup import Strategy, param, ta


class RsiReversion(Strategy):
    """Buy oversold dips above a long average, sell the recovery."""

    timeframe = "1h"
    style = "mean reversion"
    length = param(14, low=2, high=30)
    oversold = param(30.0, low=5.0, high=40.0, step=5.0)
    recovered = param(55.0, low=45.0, high=80.0, step=5.0)
    filter = param(200, low=50, high=400)

    def prepare(self, bars):
        self.rsi = ta.RSI(bars.close, self.length)
        self.average = ta.SMA(bars.close, self.filter)

    def on_bar(self):
        if self.position.is_flat:
            if self.rsi[0] < self.oversold and self.price > self.average[0]:
                self.target(1.0)
        elif self.rsi[0] > self.recovered or self.price < self.average[0] * 0.95:
            self.close()
