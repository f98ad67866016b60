"""Market data inside a node: what arrived, as columns the strategy and the ledger read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cashup.model.errors import DataError, InvariantBroken, explain
from cashup.model.ids import InstrumentId
from cashup.model.market import Bar
from cashup.model.time import format_time

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


class BarValues(NamedTuple):
    """Prices of one instrument in one interval; `mark` is the mark price at its end, NaN when not known."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    mark: float


class BarsClosed(NamedTuple):
    """All bars that end at one moment: what one step of time brings.

    Attributes:
        ts_open: Start of the interval, ns UTC.
        ts_event: Its end, ns UTC.
        ts_init: When we knew, ns UTC.
        bars: One entry for each instrument of the node, in the node's order; None where it has no bar.
        is_decision: Whether a bar of the strategy's timeframe ends here too, so that the strategy is asked.
    """

    ts_open: int
    ts_event: int
    ts_init: int
    bars: tuple[tuple[float, ...] | None, ...]
    is_decision: bool = True


def _writer(column: NDArray[Any]) -> Any:  # Any: typeshed's memoryview takes integers only
    """Return a view that stores one number much faster than the array does."""
    return column.data


class BarColumns:
    """Columns of one instrument; NaN where it has no bar."""

    __slots__ = ("close", "high", "low", "mark", "open", "volume", "writers")

    def __init__(self, capacity: int) -> None:
        self.open, self.high, self.low, self.close, self.volume, self.mark = (
            np.full(capacity, np.nan) for _ in range(6)
        )
        columns = (self.open, self.high, self.low, self.close, self.volume, self.mark)
        self.writers = tuple(_writer(column) for column in columns)


class DataCache:
    """The bars a node has seen, in order of time.

    Attributes:
        count: How many steps of time are in it.
        columns: One set of columns for each instrument, in the node's order.
        open_ts: Start of each interval, ns UTC.
        close_ts: End of each interval, ns UTC.
    """

    __slots__ = ("_close_writer", "_open_writer", "capacity", "close_ts", "columns", "count", "open_ts")

    def __init__(self, instruments: int, capacity: int) -> None:
        self.capacity = capacity
        self.count = 0
        self.columns = tuple(BarColumns(capacity) for _ in range(instruments))
        self.open_ts: Times = np.zeros(capacity, np.int64)
        self.close_ts: Times = np.zeros(capacity, np.int64)
        self._open_writer = _writer(self.open_ts)
        self._close_writer = _writer(self.close_ts)

    def write(self, batch: BarsClosed) -> int:
        """Add one step of time at the end and return its index.

        Raises:
            DataError: It does not lie after the last one.
            InvariantBroken: The cache is full.
        """
        index = self.count
        if index >= self.capacity:
            raise InvariantBroken(explain(f"the data cache holds {self.capacity} bars and one more came"))
        if index and batch.ts_event <= self._close_writer[index - 1]:
            last = format_time(self._close_writer[index - 1])
            raise DataError(
                f"bars ending at {format_time(batch.ts_event)} came after those ending at {last}",
                expected="bars in order of time, each moment once",
            )
        self._open_writer[index] = batch.ts_open
        self._close_writer[index] = batch.ts_event
        for columns, values in zip(self.columns, batch.bars, strict=True):
            if values is not None:
                for writer, value in zip(columns.writers, values, strict=True):
                    writer[index] = value
        self.count = index + 1
        return index


class BarCollector:
    """Gather single bars, as live feeds deliver them, into steps of time.

    A step is complete when every instrument has its bar. A bar of a later interval completes the step before
    it: what had not come by then is missing.
    """

    __slots__ = ("_bars", "_order", "_ts_event", "_ts_init", "_ts_open")

    def __init__(self, instruments: Sequence[InstrumentId]) -> None:
        self._order = {name: index for index, name in enumerate(instruments)}
        self._bars: list[BarValues | None] = [None] * len(self._order)
        self._ts_open = self._ts_event = self._ts_init = 0

    def add(self, bar: Bar, mark: float = float("nan")) -> list[BarsClosed]:
        """Take one closed bar in; return the steps it completes, oldest first.

        Raises:
            DataError: The bar is of an instrument the node does not trade, or of a time already completed.
        """
        index = self._order.get(bar.instrument_id)
        if index is None:
            raise DataError(
                f"got a bar of {bar.instrument_id}",
                column="instrument_id",
                expected="a bar of " + ", ".join(self._order),
            )
        done = []
        if bar.ts_event > self._ts_event:
            done += self.flush()
            self._ts_open, self._ts_event = bar.ts_open, bar.ts_event
        if bar.ts_event < self._ts_event or self._bars[index] is not None:
            raise DataError(
                f"got the bar of {bar.instrument_id} at {format_time(bar.ts_open)} late or twice",
                column="ts_open",
                expected=f"a bar after {format_time(self._ts_open)}",
            )
        self._ts_init = max(self._ts_init, bar.ts_init)
        self._bars[index] = BarValues(bar.open, bar.high, bar.low, bar.close, bar.volume, mark)
        if None not in self._bars:
            done += self.flush()
        return done

    def flush(self) -> list[BarsClosed]:
        """Complete the step being gathered with what there is; return it, or nothing when nothing waits."""
        if all(values is None for values in self._bars):
            return []
        step = BarsClosed(self._ts_open, self._ts_event, self._ts_init, tuple(self._bars))
        self._bars = [None] * len(self._order)
        return [step]
