"""Time-series momentum: own what has risen over the last weeks."""

from cashup import Strategy, param, ta


class Momentum(Strategy):
    """Long while the return over the look-back is positive, sized to a volatility target.

    Source: Moskowitz, Ooi and Pedersen, "Time Series Momentum", Journal of Financial Economics 104 (2012).
    """

    timeframe = "1d"
    style = "trend"
    lookback = param(28, low=7, high=180)
    volatility = param(0.4, low=0.1, high=1.0, step=0.1)

    def prepare(self, bars):
        self.roc = ta.ROCP(bars.close, self.lookback)
        self.sigma = ta.STDDEV(ta.ROCP(bars.close, 1), 30)

    def on_bar(self):
        if self.roc[0] > 0.0 and self.sigma[0] > 0.0:
            self.target(min(1.0, self.volatility / (self.sigma[0] * 19.1)), tolerance=0.1)
        elif self.position.is_long:
            self.close()
