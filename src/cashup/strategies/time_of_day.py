"""Hold only during chosen hours, UTC."""

from cashup import Strategy, param


class TimeOfDay(Strategy):
    """Be invested from one hour of the day to another."""

    timeframe = "1h"
    style = "seasonality"
    enter = param(21, low=0, high=23)
    leave = param(23, low=0, high=23)

    def on_bar(self):
        hour = (self.now // 3_600_000_000_000) % 24
        if hour == self.enter and self.position.is_flat:
            self.target(1.0)
        elif hour == self.leave and self.position.is_long:
            self.close()
