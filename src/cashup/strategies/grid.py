"""A ladder of limit orders around the price."""

from cashup import Strategy, param


class Grid(Strategy):
    """Keep buy orders under the price; every fill is offered again one step higher."""

    timeframe = "15m"
    style = "grid"
    levels = param(8, low=3, high=30)
    step = param(0.01, low=0.002, high=0.05, step=0.001)
    reset = param(0.05, low=0.02, high=0.3, step=0.01)

    def on_start(self):
        self.anchor = 0.0

    def on_bar(self):
        if self.anchor == 0.0 or self.price > self.anchor * (1.0 + self.reset):
            self.cancel_all()
            if not self.position.is_flat:
                self.close()
            self.anchor = self.price
            money = 0.95 * self.equity / self.levels
            for k in range(1, self.levels + 1):
                self.rung(self.price * (1.0 - k * self.step), money)

    def rung(self, price, money):
        self.buy(money / price, limit=price, take_profit=price * (1.0 + self.step))

    def on_fill(self, fill):
        if fill.side < 0 and fill.price < self.anchor:
            price = fill.price / (1.0 + self.step)
            self.rung(price, fill.quantity * price)
