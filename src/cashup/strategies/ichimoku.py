"""Ichimoku: above the cloud, conversion over base."""

from cashup import Strategy, param, ta


class Ichimoku(Strategy):
    """Buy above the cloud when conversion is over base; sell when the price falls into it."""

    timeframe = "4h"
    style = "trend"
    conversion = param(9, low=5, high=20)
    base = param(26, low=15, high=60)
    span = param(52, low=30, high=120)

    def prepare(self, bars):
        lines = ta.ichimoku(bars, self.conversion, self.base, self.span)
        self.conversion_line = lines.conversion
        self.base_line = lines.base
        self.span_a = lines.span_a
        self.span_b = lines.span_b

    def on_bar(self):
        top = max(self.span_a[0], self.span_b[0])
        if self.position.is_flat:
            if self.price > top and self.conversion_line[0] > self.base_line[0]:
                self.target(1.0)
        elif self.price < top:
            self.close()
