"""Buy a fixed amount at fixed intervals, more when it is cheap."""

from cashup import Strategy, param, ta


class DollarCostAverage(Strategy):
    """Spend a share of the starting money every interval; double it below the long average."""

    timeframe = "1d"
    style = "dca"
    interval = param(7, low=1, high=60)
    share = param(0.02, low=0.005, high=0.2, step=0.005)
    average = param(200, low=50, high=365)
    warmup = 0

    def prepare(self, bars):
        self.long_average = ta.SMA(bars.close, self.average)

    def on_start(self):
        self.budget = self.equity

    def on_bar(self):
        if self.index % self.interval == 0:
            money = self.budget * self.share
            if self.price < self.long_average[0]:
                money = money * 2.0
            if self.cash > money:
                self.buy(value=money)
