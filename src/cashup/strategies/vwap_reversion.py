"""Rolling volume-weighted average price as fair value."""

from cashup import Strategy, param, ta


class VwapReversion(Strategy):
    """Buy well below the rolling VWAP with a resting limit order, sell at it."""

    timeframe = "15m"
    style = "mean reversion"
    length = param(96, low=24, high=400)
    discount = param(0.01, low=0.002, high=0.05, step=0.002)

    def prepare(self, bars):
        self.vwap = ta.vwap(bars, self.length)

    def on_bar(self):
        self.cancel_all()
        if self.position.is_flat:
            limit = self.vwap[0] * (1.0 - self.discount)
            self.buy(value=self.equity * 0.9, limit=limit)
        else:
            self.sell(self.position.size, limit=self.vwap[0], reduce_only=True)
