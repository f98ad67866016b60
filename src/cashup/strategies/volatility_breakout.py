"""Yesterday's range as a trigger: a stop entry above the open, out at the next close."""

from cashup import Strategy, param


class VolatilityBreakout(Strategy):
    """Place a buy stop a fraction of the last bar's range above the close; leave after one bar.

    Source: Larry Williams, "Long-Term Secrets to Short-Term Trading" (1999).
    """

    timeframe = "1d"
    style = "breakout"
    fraction = param(0.5, low=0.2, high=1.0, step=0.1)

    def on_bar(self):
        self.cancel_all()
        if self.position.is_flat:
            trigger = self.price + self.fraction * (self.bars.high[0] - self.bars.low[0])
            if trigger > self.price:
                self.buy(value=self.equity * 0.95, stop=trigger)
        else:
            self.close()
