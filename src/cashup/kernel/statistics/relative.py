"""A strategy beside a benchmark: both as simple returns over the same periods."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cashup.kernel.statistics.returns import compound_growth, divide

Floats = NDArray[np.float64]


def beta(returns: Floats, benchmark: Floats) -> float:
    """Return the covariance with the benchmark over the benchmark's variance. Source: Sharpe (1964)."""
    if len(returns) < 3:
        return math.nan
    centred = benchmark - np.mean(benchmark)
    return divide(float(np.mean(centred * (returns - np.mean(returns)))), float(np.mean(centred**2)))


def alpha(returns: Floats, benchmark: Floats, periods: float) -> float:
    """Return the compounded annual return that beta does not explain. Source: Jensen (1968)."""
    if len(returns) < 3:
        return math.nan
    excess = float(np.mean(returns - beta(returns, benchmark) * benchmark))
    return float((1.0 + excess) ** periods - 1.0)


def correlation(returns: Floats, benchmark: Floats) -> float:
    """Return the correlation coefficient."""
    if len(returns) < 3 or not np.std(returns) > 0.0 or not np.std(benchmark) > 0.0:
        return math.nan
    return float(np.corrcoef(returns, benchmark)[0, 1])


def tracking_error(returns: Floats, benchmark: Floats, periods: float) -> float:
    """Return the annualised deviation of the difference."""
    if len(returns) < 2:
        return math.nan
    return float(np.std(returns - benchmark, ddof=1)) * math.sqrt(periods)


def information_ratio(returns: Floats, benchmark: Floats, periods: float) -> float:
    """Return the annualised mean difference over the tracking error. Source: Grinold and Kahn (1999)."""
    if len(returns) < 2:
        return math.nan
    return divide(float(np.mean(returns - benchmark)) * periods, tracking_error(returns, benchmark, periods))


def capture(returns: Floats, benchmark: Floats, periods: float, *, rising: bool) -> float:
    """Return the growth in the benchmark's rising (or falling) periods over the benchmark's own, annualised."""
    mask = benchmark > 0.0 if rising else benchmark < 0.0
    count = int(np.sum(mask))
    if not count:
        return math.nan
    mine = compound_growth(float(np.prod(1.0 + returns[mask])), count / periods)
    theirs = compound_growth(float(np.prod(1.0 + benchmark[mask])), count / periods)
    return divide(mine, theirs)
