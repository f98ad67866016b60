"""Open and close times of many bars at once: `Timeframe` for arrays of milliseconds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cashup.model.time import NS_PER_MS, Timeframe, TimeUnit

Times = npt.NDArray[np.int64]


def floor_times(ts: Times, timeframe: Timeframe) -> Times:
    """Return the open time, in milliseconds, of the bar that contains each time."""
    if timeframe.unit is TimeUnit.MONTH:
        return _month_open(_month_number(ts) // timeframe.count * timeframe.count)
    length, origin = timeframe.duration_ns // NS_PER_MS, _origin(timeframe)
    return (ts - origin) // length * length + origin


def close_times(ts: Times, timeframe: Timeframe) -> Times:
    """Return when the bar that contains each time ends, in milliseconds; that instant is the next bar's."""
    if timeframe.unit is TimeUnit.MONTH:
        return _month_open((_month_number(ts) // timeframe.count + 1) * timeframe.count)
    return floor_times(ts, timeframe) + timeframe.duration_ns // NS_PER_MS


def bar_closes(open_ts: Times, timeframe: Timeframe) -> Times:
    """Return when bars opened at `open_ts` end, also where they do not open on the grid (stock sessions)."""
    if timeframe.unit is TimeUnit.MONTH:
        return close_times(open_ts, timeframe)
    return open_ts + timeframe.duration_ns // NS_PER_MS


def closed_bars(
    open_ts: Times, timeframe: Timeframe, higher_open_ts: Times, higher_timeframe: Timeframe
) -> Times:
    """Join a higher timeframe to a lower one without look-ahead.

    Returns:
        For each lower bar, how many higher bars have ended when it ends. The last closed higher bar has this
        number less one as its index; 0 means that none has closed yet.
    """
    ends = bar_closes(higher_open_ts, higher_timeframe)
    return np.searchsorted(ends, bar_closes(open_ts, timeframe), side="right").astype(np.int64)


def _origin(timeframe: Timeframe) -> int:
    # The bar that contains 1970-01-01 opens on Monday 1969-12-29 when bars are weeks.
    return timeframe.floor(0) // NS_PER_MS


def _month_number(ts: Times) -> Times:
    """Return months since January 1970."""
    return ts.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)


def _month_open(number: Times) -> Times:
    return number.astype("datetime64[M]").astype("datetime64[ms]").astype(np.int64)
