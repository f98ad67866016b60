"""From steps to bars: prices on the tick, and how far they reach between open and close."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

_STEP: Final = 1e-9
"""Steps of the log price are multiples of this.

Exponentials and logarithms of NumPy differ between processors in the last bit. Added up half a million times
that would move a price over the edge of a tick; whole multiples add up exactly.
"""
VOLUME_PARTS: Final = 1e6
"""Volumes and amounts are whole multiples of one over this."""


def whole_steps(log_moves: Floats) -> NDArray[np.int64]:
    """Return log returns as whole multiples of a billionth."""
    return np.rint(log_moves / _STEP).astype(np.int64)


def path(first: float, log_moves: Floats) -> Floats:
    """Return the prices after each log return, starting from `first`."""
    prices: Floats = first * np.exp(np.cumsum(whole_steps(log_moves)) * _STEP)
    return prices


def extremes(rng: np.random.Generator, moves: Floats, sigma: Floats) -> tuple[Floats, Floats]:
    """Return how far the log price rises above and falls below the open inside each bar.

    The maximum of a Brownian bridge has a known law, which is inverted: with E standard exponential,
    (m + sqrt(m^2 + 2 sigma^2 E)) / 2 for the move m from open to close (Karatzas and Shreve, Brownian Motion
    and Stochastic Calculus, 4.3.40). Maximum and minimum are drawn independently of each other.
    """
    squares, spread = moves**2, 2.0 * sigma**2
    above = 0.5 * (moves + np.sqrt(squares + spread * rng.standard_exponential(len(moves))))
    below = 0.5 * (moves - np.sqrt(squares + spread * rng.standard_exponential(len(moves))))
    return above, below


def on_tick(prices: Floats, tick: float) -> Floats:
    """Return the nearest multiples of `tick`, at least one; the prices themselves when `tick` is 0.

    A tick that is one over a whole number is divided by, not multiplied with, so that 0.1 stays 0.1.
    """
    if tick <= 0.0:
        return prices
    parts = round(1.0 / tick)
    if parts >= 1 and abs(parts * tick - 1.0) < 1e-9:
        return np.maximum(np.rint(prices * parts), 1.0) / parts
    return np.maximum(np.rint(prices / tick), 1.0) * tick


def make_bars(
    ts: Times, first: float, moves: Floats, reach: tuple[Floats, Floats], tick: float
) -> pl.DataFrame:
    """Return ts, open, high, low and close: each bar opens where the one before closed."""
    exact = path(first, moves)
    before = np.concatenate(([first], exact[:-1]))
    close = on_tick(exact, tick)
    opened = np.concatenate((on_tick(np.array([first]), tick), close[:-1]))
    high = on_tick(before * np.exp(whole_steps(reach[0]) * _STEP), tick)
    low = on_tick(before * np.exp(whole_steps(reach[1]) * _STEP), tick)
    return pl.DataFrame(
        {
            "ts": ts,
            "open": opened,
            "high": np.maximum(np.maximum(high, opened), close),
            "low": np.minimum(np.minimum(low, opened), close),
            "close": close,
        }
    )
