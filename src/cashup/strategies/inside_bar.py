"""A bar inside its mother bar, broken upward."""

from cashup import Strategy, param


class InsideBar(Strategy):
    """Buy the break of an inside bar's mother; stop under it, target a multiple of the risk."""

    timeframe = "4h"
    style = "breakout"
    reward = param(2.0, low=1.0, high=5.0, step=0.5)

    def on_bar(self):
        if not self.position.is_flat:
            return
        self.cancel_all()
        high = self.bars.high[1]
        low = self.bars.low[1]
        if self.bars.high[0] < high and self.bars.low[0] > low and self.price < high:
            self.buy(
                value=self.equity * 0.95,
                stop=high,
                stop_loss=low,
                take_profit=high + self.reward * (high - low),
            )
