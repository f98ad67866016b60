"""Channel breakout after the turtle traders: buy new highs, leave at new lows of a shorter channel."""

from cashup import Strategy, param, ta


class DonchianBreakout(Strategy):
    """Enter above the entry channel, leave below the exit channel, size by risk.

    Source: "The Original Turtle Trading Rules", the rules taught by Richard Dennis in 1983.
    """

    timeframe = "1d"
    style = "breakout"
    entry = param(20, low=10, high=100)
    exit = param(10, low=5, high=50)
    risk = param(0.02, low=0.005, high=0.05, step=0.005)

    def prepare(self, bars):
        self.upper = ta.MAX(bars.high, self.entry)
        self.lower = ta.MIN(bars.low, self.exit)
        self.atr = ta.ATR(bars, 20)

    def on_bar(self):
        if self.position.is_flat:
            if self.price > self.upper[1]:
                distance = 2.0 * self.atr[0]
                size = min(self.equity * self.risk / distance, self.equity / self.price)
                self.target_size(size)
        elif self.price < self.lower[1]:
            self.close()
