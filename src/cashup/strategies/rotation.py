"""Rotate into the stronger of two instruments once a week."""

from cashup import Strategy, param, ta


class Rotation(Strategy):
    """Every interval hold the instrument with the better return, or cash when both have fallen."""

    timeframe = "1d"
    style = "rotation"
    legs = 2
    lookback = param(28, low=7, high=120)
    interval = param(7, low=1, high=30)

    def prepare(self, bars):
        self.first = ta.ROCP(bars.close, self.lookback)
        self.second = ta.ROCP(bars.of(1).close, self.lookback)

    def on_bar(self):
        if self.index % self.interval != 0:
            return
        if self.first[0] <= 0.0 and self.second[0] <= 0.0:
            self.close(instrument=0)
            self.close(instrument=1)
        elif self.first[0] >= self.second[0]:
            self.close(instrument=1)
            self.target(0.98, instrument=0, tolerance=0.05)
        else:
            self.close(instrument=0)
            self.target(0.98, instrument=1, tolerance=0.05)
