"""Market data inside a node: what arrived, as columns the strategy and the ledger read."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cashup.model.errors import DataError
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


class BarColumns(NamedTuple):
    """Columns of one instrument, oldest first; NaN where it has no bar."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    mark: Floats


class DataCache:
    """The latest steps of time a node has seen.

    Attributes:
        count: How many steps came in all, those that have left the window included.
    """

    __slots__ = ("_last_ts", "_steps", "count")

    def __init__(self, window: int = 1) -> None:
        """Keep the last `window` steps."""
        self._steps: deque[BarsClosed] = deque(maxlen=window)
        self._last_ts = 0
        self.count = 0

    def write(self, step: BarsClosed) -> int:
        """Add one step of time at the end and return its index, counted from the first ever.

        Raises:
            DataError: It does not lie after the last one.
        """
        if step.ts_event <= self._last_ts:
            last = format_time(self._last_ts)
            raise DataError(
                f"bars ending at {format_time(step.ts_event)} came after those ending at {last}",
                expected="bars in order of time, each moment once",
            )
        self._last_ts = step.ts_event
        self._steps.append(step)
        self.count += 1
        return self.count - 1

    @property
    def last(self) -> BarsClosed | None:
        """The latest step, or None before the first."""
        return self._steps[-1] if self._steps else None

    def open_times(self) -> Times:
        """Return when each kept step starts, ns UTC."""
        return np.fromiter((step.ts_open for step in self._steps), np.int64, len(self._steps))

    def columns(self, instrument: int) -> BarColumns:
        """Return the kept bars of one instrument (by its place in the node's order) as columns."""
        table = np.full((len(self._steps), len(BarColumns._fields)), np.nan)
        for row, step in enumerate(self._steps):
            values = step.bars[instrument]
            if values is not None:
                table[row] = values
        return BarColumns(*(np.ascontiguousarray(column) for column in table.T))


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
