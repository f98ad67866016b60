"""Hold the market at constant risk."""

from cashup import Strategy, param, ta


class VolatilityTarget(Strategy):
    """Always long, with exposure inversely proportional to recent volatility."""

    timeframe = "1d"
    style = "risk"
    volatility = param(0.3, low=0.1, high=1.0, step=0.05)
    lookback = param(30, low=10, high=90)
    band = param(0.15, low=0.0, high=0.5, step=0.05)

    def prepare(self, bars):
        self.sigma = ta.STDDEV(ta.ROCP(bars.close, 1), self.lookback)

    def on_bar(self):
        if self.sigma[0] > 0.0:
            self.target(min(1.0, self.volatility / (self.sigma[0] * 19.1)), tolerance=self.band)
