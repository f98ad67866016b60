"""Volatility that clusters: slow and fast factors, regimes, and the hours of the week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MINUTES_PER_DAY = 1440
MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY
_BLOCK = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """A state the market stays in for days.

    Attributes:
        name: What a trader would call it.
        drift: Expected log return a year.
        volatility: Multiple of the base volatility.
        days: Mean length of a visit, in days.
    """

    name: str
    drift: float
    volatility: float
    days: float


REGIMES = (
    Regime(name="range", drift=0.0, volatility=0.75, days=12.0),
    Regime(name="bull", drift=1.6, volatility=0.95, days=18.0),
    Regime(name="bear", drift=-1.3, volatility=1.2, days=12.0),
    Regime(name="crisis", drift=-4.0, volatility=2.6, days=2.0),
)
_NEXT = np.array(  # where a regime goes when it ends
    [
        [0.0, 0.55, 0.4, 0.05],
        [0.6, 0.0, 0.3, 0.1],
        [0.55, 0.3, 0.0, 0.15],
        [0.5, 0.25, 0.25, 0.0],
    ]
)


def autoregression(shocks: Floats, half_life: float) -> Floats:
    """Return x with x[t] = a x[t-1] + sqrt(1 - a^2) shocks[t], a unit-variance process that forgets.

    Args:
        shocks: standard normal, shape (n,).
        half_life: in steps.
    """
    decay = 0.5 ** (1.0 / half_life)
    scaled = shocks * np.sqrt(1.0 - decay * decay)
    n = len(shocks)
    blocks = -(-n // _BLOCK)
    padded = np.zeros(blocks * _BLOCK)
    padded[:n] = scaled
    # Within a block the recursion is a sum of decayed shocks; blocks are chained by their last values.
    powers = decay ** np.arange(_BLOCK)
    lags = np.subtract.outer(np.arange(_BLOCK), np.arange(_BLOCK))
    kernel = np.where(lags >= 0, decay ** np.maximum(lags, 0), 0.0)
    inside = padded.reshape(blocks, _BLOCK) @ kernel.T
    carry = np.empty(blocks)
    value = float(shocks[0]) if n else 0.0
    for block in range(blocks):
        carry[block] = value
        value = value * decay**_BLOCK + inside[block, -1]
    out: Floats = (inside + carry[:, None] * (powers * decay)).reshape(-1)[:n]
    return out


def walk_regimes(rng: np.random.Generator, minutes: int) -> NDArray[np.int64]:
    """Return the index of the regime of every minute."""
    out = np.empty(minutes, np.int64)
    at, state = 0, int(rng.integers(0, 3))
    while at < minutes:
        length = max(1, int(rng.exponential(REGIMES[state].days) * MINUTES_PER_DAY))
        out[at : at + length] = state
        at += length
        state = int(rng.choice(len(REGIMES), p=_NEXT[state]))
    return out


def week_shape(minute_of_week: NDArray[np.int64], *, strength: float) -> Floats:
    """Return the usual activity at each minute of the week (Monday 00:00 UTC = 0), with mean about 1.

    European and American hours are busy, weekends are quiet, full hours tick up a little.
    """
    day = (minute_of_week % MINUTES_PER_DAY) / MINUTES_PER_DAY
    hours = 0.45 * np.cos(2 * np.pi * (day - 15.0 / 24)) + 0.2 * np.cos(4 * np.pi * (day - 14.5 / 24))
    weekend = np.where(minute_of_week >= 5 * MINUTES_PER_DAY, -0.35, 0.14)
    full_hour = np.where(minute_of_week % 60 == 0, 0.3, 0.0)
    shape: Floats = np.exp(strength * (hours + weekend + full_hour))
    return shape
