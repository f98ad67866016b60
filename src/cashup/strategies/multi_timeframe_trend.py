"""Trade an hourly signal only with the daily trend, joined without looking ahead."""

from cashup import Strategy, param, ta


class MultiTimeframeTrend(Strategy):
    """Buy hourly pullbacks while the last closed day is above its average."""

    timeframe = "1h"
    style = "trend"
    daily = param(50, low=10, high=200)
    length = param(14, low=2, high=30)
    pullback = param(40.0, low=20.0, high=50.0, step=5.0)

    def prepare(self, bars):
        day = bars.at("1d")
        self.day_close = day.close
        self.day_average = ta.SMA(day.close, self.daily)
        self.rsi = ta.RSI(bars.close, self.length)

    def on_bar(self):
        uptrend = self.day_close[0] > self.day_average[0]
        if self.position.is_flat:
            if uptrend and self.crossed_above(self.rsi, self.pullback):
                self.target(1.0)
        elif not uptrend or self.rsi[0] > 75.0:
            self.close()
