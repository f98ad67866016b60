"""Average down with a ladder of safety orders and one common target."""

from cashup import Strategy, param, ta


class SafetyOrders(Strategy):
    """Open small on weakness, add lower with growing size, sell all above the average entry."""

    timeframe = "1h"
    style = "dca"
    orders = param(5, low=1, high=10)
    deviation = param(0.03, low=0.005, high=0.1, step=0.005)
    growth = param(1.5, low=1.0, high=2.5, step=0.1)
    profit = param(0.02, low=0.005, high=0.1, step=0.005)
    rsi_below = param(35.0, low=20.0, high=50.0, step=5.0)

    def prepare(self, bars):
        self.rsi = ta.RSI(bars.close, 14)

    def on_start(self):
        self.first = 0.0
        self.added = 0
        self.next_money = 0.0

    def on_bar(self):
        if self.position.is_flat:
            if self.rsi[0] < self.rsi_below:
                total = 0.0
                weight = 1.0
                for _ in range(self.orders + 1):
                    total = total + weight
                    weight = weight * self.growth
                self.next_money = 0.95 * self.equity / total
                self.first = self.price
                self.added = 0
                self.buy(value=self.next_money)
        elif self.price > self.position.entry_price * (1.0 + self.profit):
            self.close()
        elif self.added < self.orders and self.price < self.first * (1.0 - self.deviation * (self.added + 1)):
            self.added = self.added + 1
            self.next_money = self.next_money * self.growth
            self.buy(value=self.next_money)
