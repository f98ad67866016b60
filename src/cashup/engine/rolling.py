"""Rolling windows over columns: sums that are exact, so that ties are ties.

Two averages that are equal in the data must be equal as numbers, or a crossing appears where there is none. A
running sum that adds the new and subtracts the old value drifts in the last digits. Here prices with a
limited number of decimals are summed as integers, exactly, and divided once; all other numbers are summed in
fixed point, rounded once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cashup.engine.series import Floats, common_frame, framed
from cashup.model.errors import InputError, explain
from cashup.model.time import format_time

_DECIMALS: Final = 10
_EXACT: Final = 2.0**53
_SAMPLE: Final = 64
_CHUNK: Final = 1 << 15


def known_part(name: str, *columns: Any) -> tuple[list[Floats], int]:
    """Return the columns from the first bar on where all have a value, and the number of bars before it.

    Raises:
        InputError: A column has a gap (NaN) after that bar, which would spoil every later value.
    """
    arrays = [np.asarray(column, dtype=np.float64) for column in columns]
    lengths = {array.shape for array in arrays}
    if len(lengths) != 1 or arrays[0].ndim != 1:
        raise InputError(explain(f"ta.{name} got columns of shapes {sorted(lengths)}", expected="one length"))
    missing = np.isnan(arrays[0])
    for array in arrays[1:]:
        missing = missing | np.isnan(array)
    start = int(np.argmin(missing)) if len(missing) and not missing[0] else _first_false(missing)
    if missing[start:].any():
        at = start + int(np.argmax(missing[start:]))
        frame = common_frame(columns)
        when = f" ({format_time(int(frame.open_ts[at]))})" if frame is not None else ""
        raise InputError(
            explain(
                f"ta.{name} got a column without a value at bar {at}{when}, after its first value",
                hint="fill the gap before, or use the bars where the column has values",
            )
        )
    return [np.ascontiguousarray(array[start:]) for array in arrays], start


def _first_false(missing: Any) -> int:
    present = np.flatnonzero(~missing)
    return int(present[0]) if present.size else len(missing)


def padded(values: Any, start: int, columns: tuple[Any, ...]) -> Any:
    """Return values with NaN before their first bar, as a column of the inputs' frame."""
    whole = np.full(start + len(values), np.nan)
    whole[start:] = values
    return framed(whole, common_frame(columns))


def check_period(name: str, period: int) -> int:
    """Return a window's length.

    Raises:
        InputError: It is not a positive integer.
    """
    if isinstance(period, bool) or not isinstance(period, (int, np.integer)) or period < 1:
        raise InputError(
            explain(f"ta.{name} got a window of {period!r} bars", expected="an integer of at least 1")
        )
    return int(period)


def decimal_scale(values: Floats) -> float | None:
    """Return the power of ten that makes all values integers, None when there is none within reach."""
    if values.size == 0 or not np.abs(values).max() < _EXACT:
        return None
    sample = values[:: max(1, len(values) // _SAMPLE)]
    largest = float(np.abs(values).max())
    for decimals in range(_DECIMALS + 1):
        scale = 10.0**decimals
        if largest * scale >= _EXACT:
            return None
        if _is_decimal(sample, scale) and _is_decimal(values, scale):
            return scale
    return None


def _is_decimal(values: Floats, scale: float) -> bool:
    return bool((np.rint(values * scale) / scale == values).all())


class _Totals(NamedTuple):
    """Running totals of a column as integers: differences of them are exact sums of windows.

    The sum of a window is (high x 2**32 x unit) + (low x unit), or low / scale where the values are decimals.
    """

    low: Any
    high: Any | None
    unit: float
    scale: float


def _totals(values: Floats) -> _Totals | None:
    scale = decimal_scale(values)
    if scale is not None:
        return _Totals(np.cumsum(np.rint(values * scale).astype(np.int64)), None, 1.0, scale)
    limbs = _limbs(values)
    if limbs is None:
        return None
    high, low, unit = limbs
    return _Totals(np.cumsum(low), np.cumsum(high), unit, 1.0)


#: The last read-only column and its totals: strategies ask for several averages of one column.
_last: list[tuple[Any, int, _Totals | None]] = []


def _totals_of(column: Any, values: Floats, start: int) -> _Totals | None:
    """Return the totals of a column's known part, kept while it is asked for again."""
    kept = _last[0] if _last else None
    if kept is not None and kept[0] is column and kept[1] == start:
        return kept[2]
    made = _totals(values)
    if isinstance(column, np.ndarray) and not column.flags.writeable:
        _last[:] = [(column, start, made)]
    return made


def window_sums(values: Floats, period: int, totals: _Totals | None = None) -> tuple[Floats, float]:
    """Return the sum of each whole window and what to divide it by: sums are exact or rounded once."""
    totals = totals or _totals(values)
    if totals is None:
        windows = sliding_window_view(values, period)
        return np.fromiter((math.fsum(window) for window in windows), np.float64, len(windows)), 1.0
    low = _differences(totals.low, period)
    if totals.high is None:
        return low.astype(np.float64), totals.scale
    return _differences(totals.high, period) * (totals.unit * 2.0**32) + low * totals.unit, 1.0


def _limbs(values: Floats) -> tuple[Any, Any, float] | None:
    """Write values as (high x 2**32 + low) x unit with integers, exactly; None when they differ too much."""
    if values.size == 0 or not np.isfinite(values).all():
        return None
    exponents = np.frexp(values[values != 0.0])[1]
    if exponents.size == 0:
        return np.zeros(len(values), np.int64), np.zeros(len(values), np.int64), 1.0
    lowest, highest = int(exponents.min()) - 53, int(exponents.max())
    if highest - lowest > 72 or not -900 < lowest < 900:
        return None
    unit = 2.0**lowest
    high = np.floor(values / (unit * 2.0**32))
    low = (values - high * (unit * 2.0**32)) / unit
    return high.astype(np.int64), low.astype(np.int64), unit


def _differences(total: Any, period: int) -> Any:
    # Totals may wrap at 64 bits; the differences come out right all the same.
    sums = np.empty(len(total) - period + 1, np.int64)
    sums[0] = total[period - 1]
    np.subtract(total[period:], total[:-period], out=sums[1:])
    return sums


def _rolling(name: str, column: Any, period: int, compute: Callable[[Floats, int], Floats]) -> Any:
    length = check_period(name, period)
    (values,), start = known_part(name, column)
    if len(values) < length:
        return framed(np.full(len(column), np.nan), common_frame((column,)))
    return padded(compute(values, length), start + length - 1, (column,))


def _window_means(name: str, column: Any, period: int, *, mean: bool) -> Any:
    length = check_period(name, period)
    (values,), start = known_part(name, column)
    whole = np.full(len(column), np.nan)
    if len(values) >= length:
        totals = _totals_of(column, values, start)
        out = whole[start + length - 1 :]
        if totals is not None and totals.high is None:
            out[0] = totals.low[length - 1]
            # Exact in integers, and rounded once on the way into the column.
            np.subtract(
                totals.low[length:], totals.low[:-length], out=out[1:], dtype=np.int64, casting="unsafe"
            )
            out /= totals.scale * length if mean else totals.scale
        else:
            sums, scale = window_sums(values, length, totals)
            np.divide(sums, scale * length if mean else scale, out=out)
    return framed(whole, common_frame((column,)))


def _mean(values: Floats, period: int) -> Floats:
    sums, scale = window_sums(values, period)
    return sums / (scale * period)


def forget_totals() -> None:
    """Forget the running totals kept of the last column, so that a measurement pays for them."""
    _last.clear()


def rolling_mean(column: Any, period: int) -> Any:
    """Return the mean of the last `period` bars; equal means are equal numbers."""
    return _window_means("rolling_mean", column, period, mean=True)


def rolling_sum(column: Any, period: int) -> Any:
    """Return the sum of the last `period` bars."""
    return _window_means("rolling_sum", column, period, mean=False)


def rolling_max(column: Any, period: int) -> Any:
    """Return the largest of the last `period` values."""
    return _rolling("rolling_max", column, period, lambda v, p: _extreme(v, p, np.maximum))


def rolling_min(column: Any, period: int) -> Any:
    """Return the smallest of the last `period` values."""
    return _rolling("rolling_min", column, period, lambda v, p: _extreme(v, p, np.minimum))


def rolling_std(column: Any, period: int, ddof: int = 0) -> Any:
    """Return the standard deviation of the last `period` values, about their own mean.

    It is the population's (ddof=0) unless `ddof` says otherwise.
    """
    return _rolling(
        "rolling_std", column, period, lambda v, p: _chunked(v, p, lambda w: w.std(axis=1, ddof=ddof))
    )


def rolling_rank(column: Any, period: int) -> Any:
    """Return the share of the last `period` values that are not above the current one, in (0, 1]."""
    return _rolling(
        "rolling_rank", column, period, lambda v, p: _chunked(v, p, lambda w: (w <= w[:, -1:]).mean(axis=1))
    )


def zscore(column: Any, period: int) -> Any:
    """Return (value - mean) / standard deviation over the last `period` bars; 0.0 where nothing moved."""

    def compute(values: Floats, length: int) -> Floats:
        deviation = _chunked(values, length, lambda w: w.std(axis=1))
        moved = values[length - 1 :] - _mean(values, length)
        still = deviation == 0.0
        return np.where(still, 0.0, moved / np.where(still, 1.0, deviation))

    return _rolling("zscore", column, period, compute)


def _extreme(values: Floats, period: int, choose: Any) -> Floats:
    """Return rolling extremes by doubling: a window is covered by two overlapping ones of a power of two."""
    span, covered = 1, values
    while span * 2 <= period:
        covered = choose(covered[:-span], covered[span:])
        span *= 2
    shift = period - span
    result: Floats = covered if shift == 0 else choose(covered[:-shift], covered[shift:])
    return result


def _chunked(values: Floats, period: int, compute: Callable[[Any], Any]) -> Floats:
    windows = sliding_window_view(values, period)
    step = max(1, _CHUNK * 32 // period)
    return np.concatenate([compute(windows[at : at + step]) for at in range(0, len(windows), step)])
