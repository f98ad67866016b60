"""Find bars whose prices are far from the usual movement around them.

The usual movement of a bar is the median of the absolute log returns of the bars around it (a window of 289:
a day of five-minute bars), but no less than a quarter of the median of all; a median is blind to the outlier
itself and follows calm and wild times. A movement is suspicious beyond `THRESHOLD` times that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import polars as pl

THRESHOLD: Final = 30.0
"""Multiples of the usual movement from which a movement is suspicious; 30 are 20 sigma of a normal one."""

_WINDOW: Final = 289
_RETURN_SHARE: Final = 0.3
_LISTED: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlier:
    """One suspicious bar.

    Attributes:
        ts: Open time, milliseconds UTC.
        kind: "spike" (the close leaves and comes back at the next bar), "jump" (it stays away) or "wick"
            (only the high or the low is far away).
        change: Size of the movement as a fraction of the price, signed.
        multiple: The movement in multiples of the usual one.
    """

    ts: int
    kind: Literal["spike", "jump", "wick"]
    change: float
    multiple: float


def find_outliers(bars: pl.DataFrame, *, threshold: float = THRESHOLD) -> tuple[Outlier, ...]:
    """Return the suspicious bars, in order of time, the 1,000 largest at most.

    Args:
        bars: Valid bars, sorted by time.
        threshold: Multiples of the usual movement from which a bar is suspicious.
    """
    if bars.height < 10:
        return ()
    close = np.log(bars.get_column("close").to_numpy())
    change = np.diff(close, prepend=close[0])
    scale = usual_movement(change)
    spike = spikes(change, scale, threshold)
    after = np.concatenate(([False], spike[:-1]))
    jump = (np.abs(change) > threshold * scale) & ~spike & ~after
    wick = _wick(bars)
    far = (np.abs(wick) > threshold * scale) & ~spike & ~jump & ~after
    ts = bars.get_column("ts").to_numpy()
    found = []
    for kind, marked, size in (("spike", spike, change), ("jump", jump, change), ("wick", far, wick)):
        found += [
            Outlier(
                ts=int(ts[i]),
                kind=kind,  # type: ignore[arg-type]  # the three literals above
                change=float(np.expm1(size[i])),
                multiple=round(float(abs(size[i]) / scale[i]), 1),
            )
            for i in np.flatnonzero(marked)
        ]
    largest = sorted(found, key=lambda outlier: -outlier.multiple)[:_LISTED]
    return tuple(sorted(largest, key=lambda outlier: outlier.ts))


def usual_movement(change: np.ndarray) -> np.ndarray:
    """Return the usual absolute log return around each bar."""
    size = pl.Series(np.abs(change))
    overall = float(size.median() or 0.0)  # type: ignore[arg-type]  # the median of floats is a float
    if overall == 0.0:
        moved = size.filter(size > 0)
        overall = float(moved.median() or 1.0) if len(moved) else 1.0  # type: ignore[arg-type]
    local = size.rolling_median(_WINDOW, min_samples=1, center=True).to_numpy()
    floored: np.ndarray = np.maximum(local, overall / 4)
    return floored


def spikes(change: np.ndarray, scale: np.ndarray, threshold: float = THRESHOLD) -> np.ndarray:
    """Mark bars whose close leaves the price and is back, mostly, at the next bar."""
    following = np.append(change[1:], 0.0)
    back = np.abs(change + following) < _RETURN_SHARE * np.abs(change)
    marked: np.ndarray = (np.abs(change) > threshold * scale) & back
    return marked


def _wick(bars: pl.DataFrame) -> np.ndarray:
    """Return the longer wick of each bar as a signed log distance from the nearer of open and close."""
    up = (pl.col("high") / pl.max_horizontal("open", "close")).log()
    down = (pl.col("low") / pl.min_horizontal("open", "close")).log()
    return bars.select(pl.when(up > -down).then(up).otherwise(down)).to_series().to_numpy()
