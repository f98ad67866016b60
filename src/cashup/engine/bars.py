"""Bars as a strategy sees them: columns in `prepare`, series in callbacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np

from cashup.engine.series import Column, Cursor, Floats, Frame, Series, Times, series_of, unrolled
from cashup.model.errors import InputError, UnknownNameError, explain
from cashup.model.time import NS_PER_MS, Timeframe

PRICES: Final = ("open", "high", "low", "close", "volume")
FIELDS: Final = ("ts", *PRICES)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BarTable:
    """Closed bars of one instrument in one timeframe; plain arrays of one length, oldest first.

    Attributes:
        instrument: Its name.
        timeframe: Length of the bars.
        open_ts: Open times, ns UTC, strictly increasing.
        close_ts: Close times, ns UTC.
        open: Prices at the open, float64 as all the following.
        high: Highest prices.
        low: Lowest prices.
        close: Prices at the close.
        volume: Traded quantity.
        funding_rate: Of a perpetual, the rate last settled before each close, NaN before the first; or None.
    """

    instrument: str
    timeframe: Timeframe
    open_ts: Times = field(repr=False)
    close_ts: Times = field(repr=False)
    open: Floats = field(repr=False)
    high: Floats = field(repr=False)
    low: Floats = field(repr=False)
    close: Floats = field(repr=False)
    volume: Floats = field(repr=False)
    funding_rate: Floats | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.open_ts)

    @classmethod
    def of(
        cls,
        instrument: str,
        timeframe: Timeframe | str,
        open_ts: Any,
        open: Any,  # noqa: A002 (the field's name for the first price of a bar)
        high: Any,
        low: Any,
        close: Any,
        volume: Any,
    ) -> BarTable:
        """Build a table from anything array-like; close times follow from the timeframe."""
        frame = Timeframe.parse(timeframe)
        ts = _frozen(open_ts, np.int64)
        prices = {
            name: _frozen(array, np.float64)
            for name, array in zip(PRICES, (open, high, low, close, volume), strict=True)
        }
        lengths = {len(array) for array in prices.values()} | {len(ts)}
        if len(lengths) != 1:
            raise InputError(explain(f"columns of {instrument} have different lengths: {sorted(lengths)}"))
        if len(ts) > 1 and not (np.diff(ts) > 0).all():
            raise InputError(explain(f"bars of {instrument} are not in order of time, each moment once"))
        return cls(
            instrument=instrument,
            timeframe=frame,
            open_ts=ts,
            close_ts=_frozen(close_times(ts, frame), np.int64),
            **prices,
        )


def _frozen(values: Any, dtype: Any) -> Any:
    array = np.ascontiguousarray(values, dtype=dtype)
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array


def close_times(open_ts: Times, timeframe: Timeframe) -> Times:
    """Return when bars opened at `open_ts` close, ns UTC."""
    if timeframe.is_fixed:
        return open_ts + timeframe.duration_ns
    return np.fromiter((timeframe.close_time(int(ts)) for ts in open_ts), np.int64, len(open_ts))


def _buckets(open_ts: Times, timeframe: Timeframe) -> Times:
    """Return the open time of the bar of `timeframe` that contains each moment."""
    if not timeframe.is_fixed:
        return np.fromiter((timeframe.floor(int(ts)) for ts in open_ts), np.int64, len(open_ts))
    origin = timeframe.floor(0)
    return (open_ts - origin) // timeframe.duration_ns * timeframe.duration_ns + origin


def resample(table: BarTable, timeframe: Timeframe, until: int) -> BarTable:
    """Build bars of a longer timeframe: only whole ones, so one cut by the start or the end is left out.

    Args:
        table: The shorter bars.
        timeframe: A whole multiple of theirs.
        until: Close time of the last decision bar, ns UTC; bars that close later are left out.

    Raises:
        InputError: The timeframe is not a whole multiple of the bars'.
    """
    if not timeframe.is_multiple_of(table.timeframe):
        raise InputError(
            explain(
                f"bars of {timeframe} cannot be made of bars of {table.timeframe}",
                expected=f"a whole multiple of {table.timeframe}",
            ),
            field="timeframe",
        )
    buckets = _buckets(table.open_ts, timeframe)
    starts = (
        np.flatnonzero(np.diff(buckets, prepend=buckets[0] - 1)) if len(buckets) else np.zeros(0, np.int64)
    )
    opens = buckets[starts]
    closes = close_times(opens, timeframe)
    keep = closes <= until
    if len(opens) and table.open_ts[0] != opens[0]:
        keep[0] = False
    ends = np.append(starts[1:], len(buckets))[keep] - 1
    columns = (
        _reduced(table, starts) if len(starts) else {name: np.zeros(0) for name in ("high", "low", "volume")}
    )
    return BarTable.of(
        table.instrument,
        timeframe,
        opens[keep],
        table.open[starts][keep],
        columns["high"][keep],
        columns["low"][keep],
        table.close[ends],
        columns["volume"][keep],
    )


def _reduced(table: BarTable, starts: Times) -> dict[str, Floats]:
    return {
        "high": np.maximum.reduceat(table.high, starts),
        "low": np.minimum.reduceat(table.low, starts),
        "volume": np.add.reduceat(table.volume, starts),
    }


class MarketView:
    """All bars a strategy may look at, with what follows from them, made once and kept for every run.

    Attributes:
        tables: Bars of the strategy's timeframe, one table per instrument; the first is the primary one.
        decision_close: Close times of the decision bars (the union over all instruments), ns UTC.
    """

    def __init__(self, tables: tuple[BarTable, ...], decision_close: Times | None = None) -> None:
        self.tables = tables
        if decision_close is None:
            decision_close = tables[0].close_ts
            for table in tables[1:]:
                decision_close = np.union1d(decision_close, table.close_ts)
        self.decision_close: Times = decision_close
        self._bars: dict[tuple[str, Timeframe], Bars] = {}
        self._lists: dict[tuple[str, Timeframe, str], list[float]] = {}

    @property
    def primary(self) -> Bars:
        """Bars of the first instrument in the strategy's timeframe."""
        return self.bars(self.tables[0].instrument, self.tables[0].timeframe)

    def bars(self, instrument: str, timeframe: Timeframe) -> Bars:
        """Return the bars of an instrument in a timeframe.

        Raises:
            UnknownNameError: The run has no such instrument.
            InputError: The timeframe is not a whole multiple of the strategy's.
        """
        key = (instrument, timeframe)
        if key not in self._bars:
            self._bars[key] = Bars(self, self._table(instrument, timeframe))
        return self._bars[key]

    def index_of(self, instrument: str) -> int:
        """Return an instrument's place in the run.

        Raises:
            UnknownNameError: The run has no such instrument.
        """
        names = [table.instrument for table in self.tables]
        if instrument not in names:
            raise UnknownNameError("instrument", instrument, names, field="instrument")
        return names.index(instrument)

    def listed(self, bars: Bars, name: str) -> list[float]:
        """Return a price column as Python numbers, converted once."""
        key = (bars.instrument, bars.table.timeframe, name)
        if key not in self._lists:
            self._lists[key] = unrolled(getattr(bars, name))
        return self._lists[key]

    def frame_of(self, table: BarTable) -> Frame:
        """Return the frame of a table: the decision bars themselves when their times coincide."""
        same = np.array_equal(table.close_ts, self.decision_close)
        seen = None if same else np.searchsorted(table.close_ts, self.decision_close, side="right") - 1
        return Frame(
            instrument=table.instrument,
            timeframe=str(table.timeframe),
            open_ts=table.open_ts,
            close_ts=table.close_ts,
            seen=seen,
        )

    def _table(self, instrument: str, timeframe: Timeframe) -> BarTable:
        table = self.tables[self.index_of(instrument)]
        if timeframe == table.timeframe:
            return table
        until = int(self.decision_close[-1]) if len(self.decision_close) else 0
        return resample(table, timeframe, until)

    def __deepcopy__(self, memo: dict[int, Any]) -> MarketView:
        return self  # shared between runs on purpose


class Bars:
    """Closed bars as columns: what `prepare` receives.

    Attributes:
        table: The plain arrays.
        frame: What every column of these bars belongs to.
    """

    def __init__(self, market: MarketView, table: BarTable) -> None:
        self.market = market
        self.table = table
        self.frame = market.frame_of(table)

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"Bars({self.frame})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Bars:
        return self

    @property
    def instrument(self) -> str:
        """Name of the instrument."""
        return self.table.instrument

    @property
    def timeframe(self) -> str:
        """Length of the bars, such as "1h"."""
        return str(self.table.timeframe)

    @cached_property
    def ts(self) -> Column:
        """Open times in ms UTC, int64."""
        return self._column(self.table.open_ts // NS_PER_MS)

    @cached_property
    def open(self) -> Column:
        """Price at the open of each bar."""
        return self._column(self.table.open)

    @cached_property
    def high(self) -> Column:
        """Highest price of each bar."""
        return self._column(self.table.high)

    @cached_property
    def low(self) -> Column:
        """Lowest price of each bar."""
        return self._column(self.table.low)

    @cached_property
    def close(self) -> Column:
        """Price at the close of each bar."""
        return self._column(self.table.close)

    @cached_property
    def volume(self) -> Column:
        """Traded quantity of each bar."""
        return self._column(self.table.volume)

    @cached_property
    def funding_rate(self) -> Column:
        """Funding rate last settled before each close; NaN where none is known."""
        rates = self.table.funding_rate
        return self._column(np.full(len(self.table), np.nan) if rates is None else rates)

    def at(self, timeframe: str | Timeframe) -> Bars:
        """Return the same instrument's bars of a longer timeframe; only whole, closed bars.

        Raises:
            InputError: It is not a whole multiple of the strategy's timeframe.
        """
        return self.market.bars(self.instrument, Timeframe.parse(timeframe))

    def of(self, instrument: str | int) -> Bars:
        """Return another instrument's bars of the same timeframe, by its name or its place in the run.

        Raises:
            UnknownNameError: The run has no such instrument.
        """
        if isinstance(instrument, int):
            names = [table.instrument for table in self.market.tables]
            if not 0 <= instrument < len(names):
                raise UnknownNameError("instrument", str(instrument), names)
            instrument = names[instrument]
        return self.market.bars(instrument, self.table.timeframe)

    def _column(self, values: Any) -> Column:
        column = Column(values, self.frame)
        column.flags.writeable = False
        return column


class BarsView:
    """Bars seen from the current bar: every field is a `Series`. What `self.bars` is in callbacks."""

    __slots__ = ("_cursor", "_source", *FIELDS)

    ts: Series
    open: Series
    high: Series
    low: Series
    close: Series
    volume: Series

    def __init__(self, source: Bars, cursor: Cursor) -> None:
        self._source = source
        self._cursor = cursor

    def __getattr__(self, name: str) -> Series:
        # Reached once a field, while its slot is empty: converting a column nobody reads would cost a run.
        if name not in FIELDS:
            raise AttributeError(f"bars have no field {name!r}; they have {', '.join(FIELDS)}")
        series = self.series(name, self._source.market.listed(self._source, name))
        series.unroll()
        setattr(self, name, series)
        return series

    def series(self, name: str, known: list[float] | None = None) -> Series:
        """Return one field as a series; `known` are its Python numbers when they are at hand."""
        return series_of(getattr(self._source, name), self._source.frame, self._cursor, known)

    def at(self, timeframe: str | Timeframe) -> BarsView:
        """Return the view of a longer timeframe of the same instrument."""
        return BarsView(self._source.at(timeframe), self._cursor)

    def of(self, instrument: str) -> BarsView:
        """Return the view of another instrument."""
        return BarsView(self._source.of(instrument), self._cursor)
