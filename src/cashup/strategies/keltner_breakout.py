"""Keltner channel breakout with a bracket."""

from cashup import Strategy, param, ta


class KeltnerBreakout(Strategy):
    """Buy a close above the channel with an ATR stop and a target twice as far."""

    timeframe = "1h"
    style = "breakout"
    length = param(20, low=10, high=60)
    width = param(2.0, low=1.0, high=4.0, step=0.25)
    stop_atr = param(2.0, low=1.0, high=5.0, step=0.5)
    reward = param(2.0, low=1.0, high=5.0, step=0.5)

    def prepare(self, bars):
        self.upper = ta.keltner(bars, self.length, self.width).upper
        self.atr = ta.ATR(bars, self.length)

    def on_bar(self):
        if self.position.is_flat and self.price > self.upper[0] and self.price < self.upper[1] * 1.05:
            risk = self.stop_atr * self.atr[0]
            self.buy(
                value=self.equity * 0.95,
                stop_loss=self.price - risk,
                take_profit=self.price + self.reward * risk,
            )
