"""Distance from the mean in standard deviations, long and short on perpetuals."""

from cashup import Strategy, param, ta


class ZscoreReversion(Strategy):
    """Sell what is stretched, buy what is beaten down, leave at the mean."""

    timeframe = "1h"
    style = "mean reversion"
    length = param(48, low=20, high=200)
    entry = param(2.0, low=1.0, high=4.0, step=0.25)
    exit = param(0.25, low=0.0, high=1.0, step=0.25)
    size = param(0.5, low=0.1, high=1.0, step=0.1)
    allow_short = param(0, choices=(0, 1))

    def prepare(self, bars):
        self.z = ta.zscore(bars.close, self.length)

    def on_bar(self):
        z = self.z[0]
        if self.position.is_flat:
            if z < -self.entry:
                self.target(self.size)
            elif z > self.entry and self.allow_short:
                self.target(-self.size)
        elif abs(z) < self.exit:
            self.close()
