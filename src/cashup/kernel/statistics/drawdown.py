"""Drawdowns: how far and how long an equity curve is below its best."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """One stay below a former high.

    Attributes:
        peak: index of the high before it.
        valley: index of its lowest point.
        end: index of the first point back at the high, or of the last point when there is none.
        recovered: whether it was made good.
        depth: lowest value over the high, minus 1 (negative).
    """

    peak: int
    valley: int
    end: int
    recovered: bool
    depth: float


def underwater(curve: Floats) -> Floats:
    """Return the curve over its running maximum, minus 1: 0 at a high, negative below."""
    peaks = np.maximum.accumulate(curve)
    out: Floats = np.where(peaks > 0.0, curve / np.where(peaks > 0.0, peaks, 1.0) - 1.0, 0.0)
    return out


def drawdowns(curve: Floats) -> list[Drawdown]:
    """Return all drawdowns of a curve, deepest first."""
    water = underwater(curve)
    below = water < 0.0
    if not below.any():
        return []
    edges = np.diff(np.concatenate(([0], below.astype(np.int8), [0])))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    found = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        valley = start + int(np.argmin(water[start:end]))
        recovered = end < len(curve)
        found.append(
            Drawdown(
                peak=max(0, start - 1),
                valley=valley,
                end=end if recovered else len(curve) - 1,
                recovered=recovered,
                depth=float(water[valley]),
            )
        )
    return sorted(found, key=lambda item: item.depth)


def ulcer_index(curve: Floats) -> float:
    """Return the root mean square of drawdowns, as a fraction. Source: Martin and McCann (1989)."""
    if not len(curve):
        return math.nan
    return math.sqrt(float(np.mean(underwater(curve) ** 2)))


def pain_index(curve: Floats) -> float:
    """Return the mean drawdown, positive. Source: Zephyr Associates."""
    return -float(np.mean(underwater(curve))) if len(curve) else math.nan


def longest(times: Times, found: list[Drawdown]) -> int:
    """Return the longest time from a high to its recovery (or to the end of the data), in the units of `times`."""
    return max((int(times[item.end] - times[item.peak]) for item in found), default=0)
