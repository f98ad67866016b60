"""Figures of a list of trades. Profits are in money, returns are fractions of the money at entry."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cashup.kernel.statistics.returns import divide

Floats = NDArray[np.float64]


def profit_factor(profits: Floats) -> float:
    """Return the sum of gains over the sum of losses; infinite without losses, NaN without trades."""
    gains = float(np.sum(profits[profits > 0.0]))
    losses = -float(np.sum(profits[profits < 0.0]))
    if losses == 0.0:
        return math.inf if gains > 0.0 else math.nan
    return gains / losses


def payoff_ratio(profits: Floats) -> float:
    """Return the mean gain over the mean loss."""
    wins, losses = profits[profits > 0.0], profits[profits < 0.0]
    if not len(wins) or not len(losses):
        return math.nan
    return float(np.mean(wins)) / -float(np.mean(losses))


def system_quality(profits: Floats) -> float:
    """Return the system quality number, sqrt(n) x mean / deviation. Source: Tharp (2008)."""
    if len(profits) < 2:
        return math.nan
    return math.sqrt(len(profits)) * divide(float(np.mean(profits)), float(np.std(profits, ddof=1)))


def kelly_fraction(profits: Floats) -> float:
    """Return the growth-optimal stake p - (1 - p) / b, p the share of wins and b the payoff. Source: Kelly (1956)."""
    ratio = payoff_ratio(profits)
    if not ratio > 0.0:
        return math.nan
    wins = float(np.mean(profits > 0.0))
    return wins - (1.0 - wins) / ratio


def longest_streak(hits: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of True."""
    if not hits.any():
        return 0
    edges = np.diff(np.concatenate(([0], hits.astype(np.int8), [0])))
    return int(np.max(np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)))
