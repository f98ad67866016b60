"""The market and the rules every engine of a comparison gets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CASH = 100_000.0
FEE = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One instrument's bars; `ts` is the open time in milliseconds UTC."""

    ts: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one engine made of it.

    `seconds` is one whole run from bars in memory to final equity, indicators included; `loop_seconds`, where an
    engine tells it, is the time over the bars alone.
    """

    seconds: float
    final_equity: float
    trades: int
    loop_seconds: float | None = None


def random_walk(bars: int, *, seed: int = 7) -> Market:
    """Return one-minute bars whose opens gap from the previous close, so that filling at the open matters.

    Prices start at 1.0: engines that trade whole units lose nothing to rounding then.
    """
    rng = np.random.default_rng(seed)
    step = rng.normal(0.0, 1e-3, bars)
    close = np.exp(np.cumsum(step))
    gap = rng.normal(0.0, 1e-5, bars)
    open_ = np.empty(bars)
    open_[0] = 1.0
    open_[1:] = close[:-1] * np.exp(gap[1:])
    spread = np.abs(rng.normal(0.0, 4e-4, (2, bars)))
    # Venues quote on a grid; ties between averages can only happen on one.
    open_, close = np.round(open_, 6), np.round(close, 6)
    return Market(
        ts=1_704_067_200_000 + 60_000 * np.arange(bars, dtype=np.int64),
        open=open_,
        high=np.round(np.maximum(open_, close) * np.exp(spread[0]), 6),
        low=np.round(np.minimum(open_, close) * np.exp(-spread[1]), 6),
        close=close,
        volume=rng.lognormal(20.0, 1.0, bars),
    )


def sma(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Return the simple moving average, NaN before the first full window."""
    out = np.full(len(values), np.nan)
    sums = np.cumsum(values)
    out[length - 1 :] = (sums[length - 1 :] - np.concatenate(([0.0], sums[:-length]))) / length
    return out
