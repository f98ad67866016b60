"""MACD crossings in the direction of a long average."""

from cashup import Strategy, param, ta


class MacdTrend(Strategy):
    """Buy when MACD crosses its signal above the long average; sell on the crossing back."""

    timeframe = "4h"
    style = "trend"
    fast = param(12, low=5, high=30)
    slow = param(26, low=15, high=60)
    signal = param(9, low=3, high=20)
    filter = param(200, low=50, high=300)

    def prepare(self, bars):
        lines = ta.MACD(bars.close, self.fast, self.slow, self.signal)
        self.macd = lines.macd
        self.macd_signal = lines.macdsignal
        self.average = ta.EMA(bars.close, self.filter)

    def on_bar(self):
        if self.crossed_above(self.macd, self.macd_signal) and self.price > self.average[0]:
            self.target(1.0)
        elif self.crossed_below(self.macd, self.macd_signal):
            self.close()
