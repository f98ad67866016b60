"""Find the timeframe of bars from the times between them."""

from __future__ import annotations

from typing import Final

import polars as pl

from cashup.data.importers.table import Table
from cashup.model.errors import DataError, InputError
from cashup.model.time import NS_PER_DAY, NS_PER_MS, NS_PER_SECOND, Timeframe, TimeUnit

_DAY_MS = NS_PER_DAY // NS_PER_MS
_COMMON_MS: Final = {
    Timeframe.parse(text).duration_ns // NS_PER_MS
    for text in ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "1w")
}
_SHARE: Final = 0.1


def timeframe_of(ts: pl.Series) -> Timeframe | None:
    """Return the timeframe of sorted bar times, or None when their distances are those of no timeframe.

    It is the most usual distance; or the shortest one where bars without trades are left out, so that longer
    distances are usual: then all are multiples of it, and it is a common timeframe and no rare accident.
    """
    steps = ts.diff().drop_nulls()
    steps = steps.filter(steps > 0)
    if steps.is_empty():
        return None
    usual = _usual_step(steps)
    if usual >= 28 * _DAY_MS:
        return _months(ts, usual)
    try:
        return Timeframe(usual * NS_PER_MS // NS_PER_SECOND, TimeUnit.SECOND) if usual % 1000 == 0 else None
    except InputError:
        return None


def _usual_step(steps: pl.Series) -> int:
    usual, shortest = int(steps.mode().sort()[0]), int(steps.sort()[0])
    # Two distances only are two timeframes in one file; gaps come in more sizes.
    is_sparse = (
        shortest in _COMMON_MS
        and steps.n_unique() > 2
        and bool((steps % shortest == 0).all())
        and int((steps == shortest).sum()) >= _SHARE * len(steps)
    )
    return shortest if is_sparse else usual


def _months(ts: pl.Series, usual: int) -> Timeframe | None:
    """Return a timeframe of months when bars open on the first of months, else one of whole days."""
    times = pl.from_epoch(ts, time_unit="ms")
    if (times.dt.day() == 1).all():
        numbers = (times.dt.year().cast(pl.Int64) * 12 + times.dt.month()).diff().drop_nulls()
        count = int(numbers.mode().sort()[0])
        return Timeframe(count, TimeUnit.MONTH) if count > 0 and 12 % count == 0 else None
    return Timeframe(usual // _DAY_MS, TimeUnit.DAY) if usual % _DAY_MS == 0 else None


def settle_timeframe(
    table: Table,
    frame: pl.DataFrame,
    rows: pl.Series,
    *,
    wanted: Timeframe | None,
    named: Timeframe | None,
    notes: list[str],
) -> Timeframe:
    """Return the timeframe of bars, and refuse bars that are closer together than it.

    Args:
        table: Where the rows came from, for messages.
        frame: The rows.
        rows: For each row of the frame, its row in the table.
        wanted: What the caller says it is.
        named: What the file's name says it is; used when the rows cannot tell.
        notes: Gets a sentence for each thing assumed.

    Raises:
        DataError: It cannot be told, or differs from `wanted`, or the spacing is mixed.
    """
    ts = frame.get_column("ts")
    found = timeframe_of(ts)
    timeframe = wanted or found or named
    if timeframe is None:
        raise DataError(
            "the timeframe cannot be told from the times of the rows",
            path=table.path,
            hint="name it (--timeframe 1h)",
        )
    if wanted is not None and found is not None and found != wanted and not _sparse(ts, wanted):
        raise DataError(
            f"the bars are {found} apart, not {wanted}",
            path=table.path,
            column="ts",
            expected=f"bars of {wanted}",
            hint=f"import them as {found}, then resample" if found < wanted else f"import them as {found}",
        )
    if wanted is None and found is not None and named not in (None, found):
        notes.append(f"the file's name says {named}, but the bars are {found} apart")
    _refuse_mixed(table, ts, rows, timeframe)
    _note_offset(ts, timeframe, notes)
    return timeframe


def _sparse(ts: pl.Series, timeframe: Timeframe) -> bool:
    """Return whether the times are bars of `timeframe` of which many are missing."""
    if not timeframe.is_fixed:
        return False
    steps, length = ts.diff().drop_nulls(), timeframe.duration_ns // NS_PER_MS
    return bool((steps % length == 0).all()) and bool((steps == length).any())


def _refuse_mixed(table: Table, ts: pl.Series, rows: pl.Series, timeframe: Timeframe) -> None:
    shortest = timeframe.duration_ns // NS_PER_MS if timeframe.is_fixed else 28 * timeframe.count * _DAY_MS
    steps = ts.diff()
    close = ((steps > 0) & (steps < shortest)).fill_null(False)
    if close.any():
        row = int(close.arg_max() or 0)
        raise table.error(
            int(rows[row]),
            "ts",
            f"this bar is {steps[row] / 1000:g} s after the one before it, in a file of {timeframe} bars",
            expected="one timeframe a file",
        )


def _note_offset(ts: pl.Series, timeframe: Timeframe, notes: list[str]) -> None:
    if not timeframe.is_fixed:
        return
    origin = timeframe.floor(0) // NS_PER_MS
    length = timeframe.duration_ns // NS_PER_MS
    off = int(((ts - origin) % length != 0).sum())
    if off:
        notes.append(
            f"{off} of {len(ts)} bars do not open on the {timeframe} grid of UTC; times kept as given"
        )
