"""What a perpetual adds to a price: the premium over its index, the mark price, and funding.

The rules are those venues publish: the funding rate is the mean premium of the interval, later minutes weighing
more, pulled towards the interest rate by a dampener, and capped.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cashup.data.synthetic.prices import on_tick
from cashup.data.synthetic.volatility import autoregression, decayed_sum

Floats = NDArray[np.float64]

MS_PER_MINUTE: Final = 60_000
FUNDING_MINUTES: Final = 480
INTEREST: Final = 0.0001
"""Interest of one funding interval: 0.01 %."""
DAMPENER: Final = 0.0005
"""The premium has to leave this band around the interest before the rate follows it."""
_MOOD_HALF_LIFE: Final = 1440.0
_MOOD_SHARE: Final = 0.012
_NOISE_HALF_LIFE: Final = 45.0
_NOISE: Final = 0.00025
_MARK_MINUTES: Final = 5


def premium(rng: np.random.Generator, moves: Floats) -> Floats:
    """Return how far the perpetual trades above its index every minute, as a fraction.

    Longs crowd in after rises and out after falls; noise comes and goes within the hour.
    """
    mood = _MOOD_SHARE * decayed_sum(moves, _MOOD_HALF_LIFE)
    out: Floats = INTEREST + mood + _NOISE * autoregression(rng.standard_normal(len(moves)), _NOISE_HALF_LIFE)
    return out


def funding(ts: NDArray[np.int64], premiums: Floats, cap: float) -> pl.DataFrame:
    """Return ts (ms, every eight hours) and funding_rate for the intervals that are there as a whole."""
    at = np.flatnonzero(ts % (FUNDING_MINUTES * MS_PER_MINUTE) == 0)
    at = at[at >= FUNDING_MINUTES]
    weights = np.arange(1.0, FUNDING_MINUTES + 1.0)
    intervals = premiums[at[:, None] - np.arange(FUNDING_MINUTES, 0, -1)]
    mean = (intervals * weights).sum(axis=1) / weights.sum()
    rate = np.clip(mean + np.clip(INTEREST - mean, -DAMPENER, DAMPENER), -cap, cap)
    return pl.DataFrame({"ts": ts[at], "funding_rate": np.round(rate, 8)})


def mark(bars: pl.DataFrame, premiums: Floats, tick: float) -> pl.DataFrame:
    """Return mark-price bars: the index times one plus the premium of the last five minutes.

    A short spike of the price alone, without the index, moves the mark by a fifth of it.
    """
    sums = np.cumsum(np.concatenate((np.zeros(1), premiums)))
    ends = np.arange(1, len(premiums) + 1)
    starts = np.maximum(ends - _MARK_MINUTES, 0)
    recent = (sums[ends] - sums[starts]) / (ends - starts)
    ratio = (1.0 + recent) / (1.0 + premiums)
    close = on_tick(bars["close"].to_numpy() * ratio, tick)
    opened = np.concatenate((bars["open"].to_numpy()[:1], close[:-1]))
    high = on_tick(bars["high"].to_numpy() * ratio, tick)
    low = on_tick(bars["low"].to_numpy() * ratio, tick)
    return pl.DataFrame(
        {
            "ts": bars["ts"],
            "open": opened,
            "high": np.maximum(np.maximum(high, opened), close),
            "low": np.minimum(np.minimum(low, opened), close),
            "close": close,
        }
    )
