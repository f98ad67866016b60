"""Enter on strength, let a trailing stop do the rest."""

from cashup import Strategy, param, ta


class TrailingMomentum(Strategy):
    """Buy a new high of the look-back with a trailing stop held by the engine."""

    timeframe = "1h"
    style = "trend"
    lookback = param(72, low=24, high=300)
    trail = param(0.06, low=0.02, high=0.2, step=0.01)

    def prepare(self, bars):
        self.highest = ta.MAX(bars.high, self.lookback)

    def on_bar(self):
        if self.position.is_flat and self.price > self.highest[1]:
            self.buy(value=self.equity * 0.95, trailing=self.trail)
