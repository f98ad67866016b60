"""Columns of data in `prepare`, and the Series they become in callbacks.

A `Column` is an ndarray over all bars of one frame (an instrument in a timeframe) and remembers that frame
through arithmetic. A `Series` looks at a column from the bar that has just closed: index 0 is that bar, k is
k bars before it, and a negative index is an error, so that a callback cannot look ahead.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cashup.model.errors import InputError, explain

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


class Cursor(Protocol):
    """Anything whose item 0 is the index of the last closed decision bar."""

    def __getitem__(self, index: int, /) -> int: ...


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Frame:
    """The bars a column belongs to: one instrument in one timeframe.

    Attributes:
        instrument: Name of the instrument.
        timeframe: Its spelling, such as "4h".
        open_ts: Open times of the bars, ns UTC.
        close_ts: Close times of the bars, ns UTC.
        seen: For every decision bar the index of the last bar of this frame closed by then, -1 when none is;
            None when the frame is the decision bars themselves.
    """

    instrument: str
    timeframe: str
    open_ts: Times = field(repr=False)
    close_ts: Times = field(repr=False)
    seen: Times | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.open_ts)

    def __str__(self) -> str:
        return f"{self.instrument} {self.timeframe} ({len(self)} bars)"

    def __deepcopy__(self, memo: dict[int, Any]) -> Frame:
        return self  # immutable, and compared by identity


def common_frame(inputs: Iterable[object]) -> Frame | None:
    """Return the frame all columns among `inputs` share, or None when there is no column.

    Raises:
        InputError: Two columns belong to different frames.
    """
    found: Frame | None = None
    for value in inputs:
        frame = value.frame if isinstance(value, Column) else None
        if frame is None or frame is found:
            continue
        if found is not None:
            raise InputError(
                explain(
                    f"columns of different bars were combined: {found} and {frame}",
                    hint="bring one onto the bars of the other with column.on(bars); "
                    "it shows each bar the last closed value",
                )
            )
        found = frame
    return found


class Column(np.ndarray[Any, np.dtype[Any]]):
    """One value per bar of a frame: an ndarray that remembers its frame through arithmetic."""

    frame: Frame | None

    def __new__(cls, values: Any, frame: Frame) -> Column:
        """View `values` as a column of `frame`.

        Raises:
            InputError: It has another length than the frame.
        """
        array = np.asarray(values)
        if array.shape != (len(frame),):
            raise InputError(explain(f"values of shape {array.shape}", expected=f"one per bar of {frame}"))
        column = array.view(cls)
        column.frame = frame
        return column

    def __array_finalize__(self, source: object) -> None:
        frame = getattr(source, "frame", None)
        self.frame = frame if frame is not None and self.shape == (len(frame),) else None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        frame = common_frame(inputs)
        out = kwargs.get("out")
        if out is not None:
            kwargs["out"] = tuple(_plain(array) for array in out)
        result = getattr(ufunc, method)(*(_plain(value) for value in inputs), **kwargs)
        if out is not None:
            return out[0] if len(out) == 1 else out
        return framed(result, frame)

    def __array_function__(self, func: Any, kinds: Any, args: Any, kwargs: Any) -> Any:
        frame = common_frame(_leaves(args))
        return framed(super().__array_function__(func, kinds, args, kwargs), frame)

    def __reduce__(self) -> Any:  # a pickled column is plain data
        return np.asarray(self).__reduce__()

    def shift(self, bars: int) -> Column:
        """Return the column `bars` later, so that each bar sees the value of `bars` bars ago.

        Raises:
            InputError: `bars` is negative, which would look ahead.
        """
        if bars < 0:
            raise InputError(explain(f"shift({bars}) looks ahead", expected="0 or more bars"))
        shifted = np.full(self.shape, np.nan)
        shifted[bars:] = _plain(self)[: len(self) - bars]
        return framed(shifted, self.frame)  # type: ignore[no-any-return]  # numpy's own return types

    def on(self, bars: Any) -> Column:
        """Join this column onto other bars: each sees the value of the last bar closed when it closes.

        Args:
            bars: The `Bars` (or a column of them) to join onto.

        Raises:
            InputError: This column has lost its frame.
        """
        target: Frame = bars.frame
        if self.frame is None:
            raise InputError(explain("only a column over whole bars can be joined onto others"))
        if target is self.frame:
            return self
        at = np.searchsorted(self.frame.close_ts, target.close_ts, side="right") - 1
        joined = np.where(at >= 0, _plain(self)[np.maximum(at, 0)], np.nan)
        return Column(joined, target)


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Column) else value


def _leaves(args: Any) -> Iterable[object]:
    for value in args:
        if isinstance(value, (tuple, list)):
            yield from value
        else:
            yield value


def framed(result: Any, frame: Frame | None) -> Any:
    """Return a result as a column of `frame` when it has one value per bar of it, else as plain NumPy."""
    if isinstance(result, tuple):
        return tuple(framed(part, frame) for part in result)
    if frame is not None and isinstance(result, np.ndarray) and result.shape == (len(frame),):
        return Column(result, frame)
    return _plain(result)


class Series:
    """A column seen from the current bar: index 0 is the bar that has just closed, k is k bars before it.

    Attributes:
        data: The whole column as float64 (true and false are 1.0 and 0.0).
        frame: The bars it belongs to.
        cursor: Item 0 is the index of the last closed decision bar.
        known: In Python mode, the column as `unrolled`.
    """

    __slots__ = ("cursor", "data", "frame", "known")

    def __init__(self, data: Any, frame: Frame, cursor: Cursor, known: list[float] | None = None) -> None:
        self.data: Floats = np.ascontiguousarray(data, dtype=np.float64)
        self.frame = frame
        self.known: list[float] = known or []
        self.cursor = cursor

    def unroll(self) -> None:
        """Convert to Python numbers now, before callbacks in Python begin."""
        if not self.known:
            self.known = unrolled(self.data)

    def __getitem__(self, ago: int) -> float:
        """Return the value `ago` bars ago; NaN before the first bar.

        Raises:
            IndexError: `ago` is negative: the future is not known.
        """
        if ago < 0:
            raise IndexError(_NEGATIVE.format(ago))
        index = self.cursor[0] - ago
        return self.known[index] if index >= 0 else math.nan

    def __len__(self) -> int:
        raise TypeError("a Series has no length in a callback; self.index + 1 bars have closed")

    def __iter__(self) -> Any:
        raise TypeError("a Series cannot be looped over in a callback; use series[k] for k bars ago")

    def __repr__(self) -> str:
        return f"Series({self.frame})"


def unrolled(column: Any) -> list[float]:
    """Return a column as Python numbers, which callbacks read several times faster than an array.

    A NaN follows the last value, so that index -1, the bar before the first, reads as NaN.
    """
    return [*np.asarray(column, dtype=np.float64).tolist(), math.nan]


_NEGATIVE = "Series index {} looks ahead; 0 is the current bar and k is k bars ago"


class JoinedSeries(Series):
    """A series of other bars than the decision bars: index 0 is the last bar closed by now."""

    __slots__ = ("_seen",)

    def __init__(self, data: Any, frame: Frame, cursor: Cursor, known: list[float] | None = None) -> None:
        super().__init__(data, frame, cursor, known)
        assert frame.seen is not None, "a joined series needs to know which bars were closed when"
        self._seen: list[int] = []

    def unroll(self) -> None:
        """Convert to Python numbers now, before callbacks in Python begin."""
        super().unroll()
        assert self.frame.seen is not None
        self._seen = self.frame.seen.tolist()

    def __getitem__(self, ago: int) -> float:
        """Return the value `ago` bars of its own frame ago; NaN before the first bar.

        Raises:
            IndexError: `ago` is negative: the future is not known.
        """
        if ago < 0:
            raise IndexError(_NEGATIVE.format(ago))
        index = self._seen[self.cursor[0]] - ago
        return self.known[index] if index >= 0 else math.nan


def series_of(data: Any, frame: Frame, cursor: Cursor, known: list[float] | None = None) -> Series:
    """Return the series of a column: direct for decision bars, joined for all others."""
    kind = Series if frame.seen is None else JoinedSeries
    return kind(data, frame, cursor, known)


def first_known(series: Series) -> int:
    """Return the first decision bar at which the series has a value; the number of bars when it never has."""
    seen = series.frame.seen
    known = np.flatnonzero(~np.isnan(series.data))
    if known.size == 0:
        return len(series.data) if seen is None else len(seen)
    if seen is None:
        return int(known[0])
    return int(np.searchsorted(seen, known[0], side="left"))
