"""Volatility that clusters: slow and fast factors, regimes, and the hours of the week.

Only sums, products and roundings that every machine does alike decide the outcome; nothing is left to a
linear-algebra library, whose sums depend on the processor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MINUTES_PER_DAY: Final = 1440
MINUTES_PER_WEEK: Final = 7 * MINUTES_PER_DAY
_BLOCK: Final = 256
_SHORTEST_HALF_LIFE: Final = 1.0

SLOW_HALF_LIFE: Final = 8.0 * MINUTES_PER_DAY
FAST_HALF_LIFE: Final = 180.0
SLOW_SCALE: Final = 0.35
FAST_SCALE: Final = 0.45


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


REGIMES: Final = (
    Regime(name="range", drift=0.0, volatility=0.75, days=12.0),
    Regime(name="bull", drift=1.6, volatility=0.95, days=18.0),
    Regime(name="bear", drift=-1.3, volatility=1.2, days=12.0),
    Regime(name="crisis", drift=-4.0, volatility=2.6, days=2.0),
)
_NEXT: Final = np.array(  # where a regime goes when it ends
    [
        [0.0, 0.55, 0.4, 0.05],
        [0.6, 0.0, 0.3, 0.1],
        [0.55, 0.3, 0.0, 0.15],
        [0.5, 0.25, 0.25, 0.0],
    ]
)


def autoregression(shocks: Floats, half_life: float) -> Floats:
    """Return x with x[t] = a x[t-1] + sqrt(1 - a^2) shocks[t]: a process of unit variance that forgets.

    Args:
        shocks: standard normal, shape (n,); the first one is where the process starts.
        half_life: in steps, at least 1; a = 0.5 ** (1 / half_life).
    """
    decay = 0.5 ** (1.0 / half_life)
    scaled = shocks * np.sqrt(1.0 - decay * decay)
    scaled[:1] = shocks[:1]
    return decayed_sum(scaled, half_life)


def decayed_sum(values: Floats, half_life: float) -> Floats:
    """Return y with y[t] = a y[t-1] + values[t] and y[-1] = 0, where a = 0.5 ** (1 / half_life).

    Inside a block the recursion is a running sum of values blown up by a ** -t and shrunk again; blocks are
    chained by their last values. With a half-life of a step or more, a block cannot overflow.
    """
    n = len(values)
    decay = 0.5 ** (1.0 / max(half_life, _SHORTEST_HALF_LIFE))
    blocks = -(-n // _BLOCK)
    padded = np.zeros(blocks * _BLOCK)
    padded[:n] = values
    powers = decay ** np.arange(_BLOCK)
    inside = np.cumsum(padded.reshape(blocks, _BLOCK) / powers, axis=1) * powers
    carry = np.empty(blocks)
    value, fade = 0.0, decay**_BLOCK
    for block, last in enumerate(inside[:, -1].tolist()):
        carry[block] = value
        value = value * fade + last
    out: Floats = (inside + carry[:, None] * (powers * decay)).reshape(-1)[:n]
    return out


def walk_regimes(rng: np.random.Generator, minutes: int) -> NDArray[np.int64]:
    """Return the index into `REGIMES` of every minute: a Markov chain with exponential visits."""
    out = np.empty(minutes, np.int64)
    at, state = 0, int(rng.integers(0, 3))
    while at < minutes:
        length = max(1, int(rng.exponential(REGIMES[state].days) * MINUTES_PER_DAY))
        out[at : at + length] = state
        at += length
        state = int(rng.choice(len(REGIMES), p=_NEXT[state]))
    return out


def activity(rng: np.random.Generator, regime: NDArray[np.int64]) -> Floats:
    """Return how busy the market is every minute, about 1 on average: regime times two log-normal factors."""
    n = len(regime)
    levels = np.array([each.volatility for each in REGIMES])[regime]
    factors = SLOW_SCALE * autoregression(rng.standard_normal(n), SLOW_HALF_LIFE)
    factors += FAST_SCALE * autoregression(rng.standard_normal(n), FAST_HALF_LIFE)
    out: Floats = levels * np.exp(factors - 0.5 * (SLOW_SCALE**2 + FAST_SCALE**2))
    return out


def week_shape(minute_of_week: NDArray[np.int64], *, strength: float) -> Floats:
    """Return the usual activity at each minute of the week (Monday 00:00 UTC = 0), with mean about 1.

    European and American hours are busy, weekends are quiet, full hours tick up a little.
    """
    minutes = np.arange(MINUTES_PER_WEEK)
    day = (minutes % MINUTES_PER_DAY) / MINUTES_PER_DAY
    hours = 0.45 * np.cos(2 * np.pi * (day - 15.0 / 24)) + 0.2 * np.cos(4 * np.pi * (day - 14.5 / 24))
    weekend = np.where(minutes >= 5 * MINUTES_PER_DAY, -0.35, 0.14)
    full_hour = np.where(minutes % 60 == 0, 0.3, 0.0)
    shape: Floats = np.exp(strength * (hours + weekend + full_hour))
    return shape[minute_of_week]
