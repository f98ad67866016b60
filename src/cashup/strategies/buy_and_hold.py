"""Buy once and keep: the benchmark every strategy should beat."""

from cashup import Strategy


class BuyAndHold(Strategy):
    """Invest everything at the first bar and never sell."""

    timeframe = "1d"
    style = "benchmark"

    def on_bar(self):
        if self.index == 0:
            self.buy()
