"""Return and risk per unit of time. Arguments are simple returns per period unless said otherwise."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NAN = math.nan


def _deviation(returns: Floats, ddof: int = 1) -> float:
    return float(np.std(returns, ddof=ddof)) if len(returns) > ddof else NAN


def divide(numerator: float, denominator: float) -> float:
    """Return the quotient, NaN when the denominator is zero or not a number."""
    if denominator == 0.0 or denominator != denominator:
        return NAN
    return numerator / denominator


def compound_growth(total: float, years: float) -> float:
    """Return the constant annual growth that gives `total` (1.5 = +50 % in all); -1 when everything is lost."""
    if years <= 0.0:
        return NAN
    if total <= 0.0:
        return -1.0
    return math.exp(math.log(total) / years) - 1.0


def volatility(returns: Floats, periods: float) -> float:
    """Return the annualised standard deviation (n - 1 in the denominator)."""
    return _deviation(returns) * math.sqrt(periods)


def sharpe(returns: Floats, periods: float) -> float:
    """Return the annualised Sharpe ratio at a risk-free rate of zero. Source: Sharpe (1994)."""
    return divide(float(np.mean(returns)), _deviation(returns)) * math.sqrt(periods) if len(returns) else NAN


def downside_deviation(returns: Floats, periods: float) -> float:
    """Return the annualised root mean square of negative returns. Source: Sortino and Price (1994)."""
    if not len(returns):
        return NAN
    return math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2))) * math.sqrt(periods)


def sortino(returns: Floats, periods: float) -> float:
    """Return the annualised mean over the downside deviation. Source: Sortino and Price (1994)."""
    if not len(returns):
        return NAN
    return divide(float(np.mean(returns)) * periods, downside_deviation(returns, periods))


def skewness(returns: Floats) -> float:
    """Return the third standardised moment (population)."""
    deviation = _deviation(returns, 0)
    if not deviation > 0.0:
        return NAN
    return float(np.mean((returns - np.mean(returns)) ** 3)) / deviation**3


def kurtosis(returns: Floats) -> float:
    """Return the excess of the fourth standardised moment over that of a normal distribution (population)."""
    deviation = _deviation(returns, 0)
    if not deviation > 0.0:
        return NAN
    return float(np.mean((returns - np.mean(returns)) ** 4)) / deviation**4 - 3.0


def sharpe_error(returns: Floats, periods: float) -> float:
    """Return the standard error of the annualised Sharpe ratio.

    Source: Mertens (2002), "Comments on variance of the IID estimator in Lo (2002)".
    """
    n = len(returns)
    if n < 3:
        return NAN
    ratio = divide(float(np.mean(returns)), _deviation(returns))
    variance = 1.0 + 0.5 * ratio**2 - skewness(returns) * ratio + kurtosis(returns) / 4.0 * ratio**2
    return math.sqrt(max(0.0, variance) / (n - 1)) * math.sqrt(periods)


def probabilistic_sharpe(returns: Floats, benchmark: float) -> float:
    """Return the probability that the true per-period Sharpe ratio exceeds `benchmark` (per period).

    Source: Bailey and Lopez de Prado (2012), "The Sharpe Ratio Efficient Frontier".
    """
    n = len(returns)
    if n < 3:
        return NAN
    ratio = divide(float(np.mean(returns)), _deviation(returns))
    spread = 1.0 - skewness(returns) * ratio + (kurtosis(returns) + 2.0) / 4.0 * ratio**2
    if not spread > 0.0:
        return NAN
    return NormalDist().cdf((ratio - benchmark) * math.sqrt(n - 1) / math.sqrt(spread))


def expected_maximum_sharpe(trials: int, variance: float) -> float:
    """Return the best per-period Sharpe ratio expected among `trials` strategies without skill.

    Args:
        trials: independent strategies tried.
        variance: variance of their per-period Sharpe ratios.

    Source: Bailey and Lopez de Prado (2014), "The Deflated Sharpe Ratio".
    """
    if trials < 2:
        return 0.0
    euler = 0.5772156649015329
    normal = NormalDist()
    first = normal.inv_cdf(1.0 - 1.0 / trials)
    second = normal.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return math.sqrt(variance) * ((1.0 - euler) * first + euler * second)


def deflated_sharpe(returns: Floats, trials: int, variance: float | None = None) -> float:
    """Return the probability that the Sharpe ratio is not the luck of the best of `trials`.

    Without the variance over the trials, that of an estimate without skill, 1 / (n - 1), is used.
    """
    n = len(returns)
    if n < 3:
        return NAN
    spread = 1.0 / (n - 1) if variance is None else variance
    return probabilistic_sharpe(returns, expected_maximum_sharpe(trials, spread))


def omega(returns: Floats, threshold: float = 0.0) -> float:
    """Return gains over losses around a threshold. Source: Keating and Shadwick (2002)."""
    excess = returns - threshold
    return divide(float(np.sum(excess[excess > 0.0])), -float(np.sum(excess[excess < 0.0])))


def gain_to_pain(returns: Floats) -> float:
    """Return the sum of returns over the sum of losses. Source: Schwager, "Hedge Fund Market Wizards"."""
    return divide(float(np.sum(returns)), -float(np.sum(returns[returns < 0.0])))


def tail_ratio(returns: Floats) -> float:
    """Return the 95th percentile over the absolute 5th percentile."""
    if not len(returns):
        return NAN
    return abs(divide(float(np.percentile(returns, 95)), float(np.percentile(returns, 5))))


def value_at_risk(returns: Floats, level: float = 0.05) -> float:
    """Return the historical quantile of returns: the loss (negative) not exceeded in 1 - level of periods."""
    return float(np.percentile(returns, 100.0 * level)) if len(returns) else NAN


def conditional_value_at_risk(returns: Floats, level: float = 0.05) -> float:
    """Return the mean of the worst `level` of returns (expected shortfall). Source: Rockafellar (2000)."""
    if not len(returns):
        return NAN
    count = int((len(returns) - 1) * level)
    return float(np.mean(np.partition(returns, count)[: count + 1]))


def normal_value_at_risk(returns: Floats, level: float = 0.05) -> float:
    """Return the value at risk of a normal distribution with the same mean and deviation."""
    if len(returns) < 2:
        return NAN
    return float(np.mean(returns)) + NormalDist().inv_cdf(level) * _deviation(returns)


def cornish_fisher_value_at_risk(returns: Floats, level: float = 0.05) -> float:
    """Return the normal value at risk corrected for skewness and kurtosis. Source: Favre and Galeano (2002)."""
    if len(returns) < 4:
        return NAN
    z = NormalDist().inv_cdf(level)
    s, k = skewness(returns), kurtosis(returns)
    adjusted = z + (z**2 - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s**2 / 36
    return float(np.mean(returns)) + adjusted * _deviation(returns)


def autocorrelation(returns: Floats) -> float:
    """Return the correlation of returns with those one period before."""
    if len(returns) < 3 or not np.std(returns[1:]) > 0.0 or not np.std(returns[:-1]) > 0.0:
        return NAN
    return float(np.corrcoef(returns[1:], returns[:-1])[0, 1])


def stability(curve: Floats) -> float:
    """Return the R squared of a straight line through the logarithm of a positive curve."""
    if len(curve) < 3 or not (curve > 0.0).all():
        return NAN
    logs = np.log(curve)
    if not np.std(logs) > 0.0:
        return NAN
    return float(np.corrcoef(np.arange(len(logs)), logs)[0, 1] ** 2)


def k_ratio(curve: Floats) -> float:
    """Return the slope of the log curve over its standard error and the number of points.

    Source: Kestner (2013), the third version of the K-ratio.
    """
    n = len(curve)
    if n < 4 or not (curve > 0.0).all():
        return NAN
    logs = np.log(curve / curve[0])
    x = np.arange(n, dtype=np.float64)
    x -= x.mean()
    slope = float(x @ logs / (x @ x))
    residual = logs - logs.mean() - slope * x
    error = math.sqrt(float(residual @ residual) / (n - 2) / float(x @ x))
    return divide(slope, error * n)
