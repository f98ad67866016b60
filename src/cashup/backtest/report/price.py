"""Bars for the price chart: every bar when the page can carry them, evenly folded ones when it cannot."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from cashup.backtest.report.input import Bars, Float, Int
from cashup.backtest.report.pack import decimals, pack, signed

#: The largest bar block of a page, in characters of base64 (a year of minutes of BTC/USDT is 3.1 million).
MAX_CHARACTERS = 3_300_000
#: How volume is stored: steps of its logarithm. The page shows two digits of it.
_VOLUME_STEPS = 127
_FOLDS = (2, 3, 5, 10, 15, 30, 60, 120, 240, 480, 1440, 2880, 10080)


def price_block(bars: Bars, max_characters: int = MAX_CHARACTERS) -> str:
    """Return the packed bars in the finest form that fits into `max_characters`.

    First every bar exactly; then every bar with prices rounded to a hundredth of a typical bar's range; then
    bars folded by the smallest factor that fits.
    """
    bars = _with_prices(bars)
    exact = price_places(bars)
    block = _packed(bars, exact, 1)
    if len(block) <= max_characters:
        return block
    coarse = min(exact, visible_places(bars))
    if coarse < exact:
        block = _packed(bars, coarse, 1)
    needed = len(block) / max_characters
    for fold in _FOLDS:
        if len(block) <= max_characters:
            break
        if (
            fold >= needed
        ):  # a folded bar moves more than the bars in it, so it never takes less than one of them
            block = _packed(fold_bars(bars, fold), coarse, fold)
            needed = fold * len(block) / max_characters
    return block


def _packed(bars: Bars, places: int, fold: int) -> str:
    return pack(_columns(bars, places, fold), strategy=zlib.Z_RLE)


def fold_bars(bars: Bars, size: int) -> Bars:
    """Return bars made of `size` consecutive ones each (the last may hold fewer)."""
    if size == 1 or not len(bars):
        return bars
    first = np.arange(0, len(bars), size)
    last = np.minimum(first + size, len(bars)) - 1
    return Bars(
        ts=bars.ts[first],
        open=bars.open[first],
        high=np.maximum.reduceat(bars.high, first),
        low=np.minimum.reduceat(bars.low, first),
        close=bars.close[last],
        volume=np.add.reduceat(bars.volume, first),
    )


def _with_prices(bars: Bars) -> Bars:
    """Leave out the bars in which the instrument did not trade (NaN on a timeline shared with others)."""
    good = np.isfinite(bars.open) & np.isfinite(bars.high) & np.isfinite(bars.low) & np.isfinite(bars.close)
    if good.all():
        return bars
    return Bars(
        ts=bars.ts[good],
        open=bars.open[good],
        high=bars.high[good],
        low=bars.low[good],
        close=bars.close[good],
        volume=bars.volume[good],
    )


def _columns(bars: Bars, places: int, fold: int) -> dict[str, Any]:
    if not len(bars):
        return {"n": 0, "fold": fold}
    opened, high, low, close = (
        np.rint(column * 10.0**places).astype(np.int64)
        for column in (bars.open, bars.high, bars.low, bars.close)
    )
    previous = np.concatenate([opened[:1], close[:-1]])
    steps, largest_volume = _volume_steps(bars.volume)
    return {
        "n": len(bars),
        "fold": fold,
        "places": places,
        "start": int(opened[0]),
        "ts": milliseconds(bars.ts),
        "gap": signed(opened - previous),
        "body": signed(close - opened),
        "up": high - np.maximum(opened, close),
        "down": np.minimum(opened, close) - low,
        "volume": steps,
        "volume_max": largest_volume,
        "volume_steps": _VOLUME_STEPS,
    }


def price_places(bars: Bars) -> int:
    """Return the decimal places that write every price exactly, or what can be seen where none do."""
    if not len(bars):
        return 0
    exact = decimals(np.concatenate([bars.open, bars.high, bars.low, bars.close]))
    return visible_places(bars) if exact is None else exact


def visible_places(bars: Bars) -> int:
    """Return the decimal places whose unit is at most a hundredth of a typical bar's range."""
    typical = float(np.median(bars.high - bars.low)) or float(np.median(np.abs(bars.close))) * 1e-4 or 1.0
    largest = max(1.0, float(np.max(np.abs(bars.high))))
    return int(np.clip(np.ceil(2 - np.log10(typical)), 0, 14 - np.ceil(np.log10(largest))))


def bar_length(ts: Int) -> int:
    """Return the usual distance between bars in nanoseconds."""
    return int(np.median(np.diff(ts[:10_000]))) if len(ts) > 1 else 0


def milliseconds(ts: Int) -> Int:
    """Return nanoseconds as whole milliseconds."""
    return ts // 1_000_000


def _volume_steps(volume: Float) -> tuple[Int, float]:
    clean = np.nan_to_num(np.maximum(volume, 0.0), nan=0.0, posinf=0.0)
    largest = float(clean.max())
    if largest <= 0:
        return np.zeros(len(clean), np.int64), 0.0
    # A fraction of the largest on a logarithmic scale of six decades; below that it shows as nothing.
    scaled = 1.0 + np.log10(np.maximum(clean / largest, 1e-6)) / 6.0
    return np.rint(scaled * _VOLUME_STEPS).astype(np.int64), largest
