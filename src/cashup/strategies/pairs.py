"""Two instruments that move together: trade the ratio back to its mean."""

from cashup import Strategy, param, ta


class Pairs(Strategy):
    """Hold the cheaper of two instruments while their price ratio is stretched.

    Give two instruments; on spot the other leg is simply not held, on perpetuals it is sold short.
    """

    timeframe = "1h"
    style = "pairs"
    legs = 2
    length = param(168, low=48, high=720)
    entry = param(2.0, low=1.0, high=4.0, step=0.25)
    exit = param(0.5, low=0.0, high=1.5, step=0.25)
    allow_short = param(0, choices=(0, 1))

    def prepare(self, bars):
        ratio = bars.close / bars.of(1).close.on(bars)
        self.z = ta.zscore(ratio, self.length)

    def on_start(self):
        self.held = 0

    def on_bar(self):
        z = self.z[0]
        if self.held == 0:
            if z < -self.entry:
                self.enter(1)
            elif z > self.entry:
                self.enter(-1)
        elif abs(z) < self.exit:
            self.close(instrument=0)
            self.close(instrument=1)
            self.held = 0

    def enter(self, direction):
        self.held = direction
        if direction > 0:
            self.target(0.5, instrument=0)
            if self.allow_short:
                self.target(-0.5, instrument=1)
        else:
            self.target(0.5, instrument=1)
            if self.allow_short:
                self.target(-0.5, instrument=0)
