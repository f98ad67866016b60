"""The result of an import, and the way every format takes from raw columns to checked rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from cashup.data.datasets import DataKind
from cashup.data.importers.columns import clock_column, find_columns, kind_of, missing_columns
from cashup.data.importers.naming import as_derivative
from cashup.data.importers.spacing import settle_timeframe
from cashup.data.importers.table import Table
from cashup.data.importers.values import floats, milliseconds
from cashup.data.merge import sort_rows
from cashup.data.schema import SCHEMAS, UNIQUE, find_fault
from cashup.model.errors import DataError, UnknownNameError
from cashup.model.ids import InstrumentId
from cashup.model.time import Timeframe

Duplicates = Literal["refuse", "first", "last"]
"""Which of several rows of one time to keep, or to refuse the file."""

_ROW = "__row__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """Checked rows of one instrument.

    Attributes:
        kind: What the rows are.
        frame: Rows with the columns of the kind, sorted by time.
        timeframe: Length of a bar, from the spacing of the rows; None for trades and funding.
        name: Instrument the file's name and folders suggest; the venue is "file" when they do not say.
        notes: What was assumed on the way, one sentence each.
        path: The file, or None.
    """

    kind: DataKind
    frame: pl.DataFrame
    timeframe: Timeframe | None
    name: InstrumentId | None = None
    notes: tuple[str, ...] = ()
    path: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the caller wants of a file, in place of what would be detected.

    Attributes:
        kind: What the rows are.
        timeframe: Length of a bar.
        symbol: The rows to take from a file of several instruments.
        sort: Sort rows that are out of order instead of refusing them.
        duplicates: Which of several rows of one time to keep.
        check: Refuse wrong values; False leaves them for the quality check to report.
    """

    kind: DataKind | None = None
    timeframe: Timeframe | None = None
    symbol: str | None = None
    sort: bool = False
    duplicates: Duplicates = "refuse"
    check: bool = True


def build(table: Table, wishes: Wishes, *, name: InstrumentId | None, named: Timeframe | None) -> Imported:
    """Turn raw columns into checked rows.

    Args:
        table: What the reader of the format found.
        wishes: What the caller asked for.
        name: Instrument suggested by the file's name.
        named: Timeframe suggested by the file's name; used only when the rows cannot tell.

    Raises:
        DataError: A column is missing, a value is wrong, or the rows are not evenly spaced bars.
    """
    if table.frame.is_empty():
        raise DataError("there are no rows", path=table.path, expected="at least one row of data")
    names = table.frame.columns
    kind = wishes.kind or table.kind or kind_of(names)
    if kind is None:
        raise _unknown_columns(table)
    columns = find_columns(names, kind)
    missing = missing_columns(columns, kind)
    if missing:
        raise _missing(table, missing, kind)
    table = _one_symbol(table, columns, wishes.symbol)
    notes = list(table.notes)
    frame = _values(table, columns, kind, notes)
    frame = _in_order(frame, kind, wishes, notes)
    rows = frame.get_column(_ROW)
    frame = frame.drop(_ROW)
    if wishes.check:
        _refuse_faults(table, frame, rows, kind)
    timeframe = None
    if kind.has_timeframe:
        timeframe = settle_timeframe(table, frame, rows, wanted=wishes.timeframe, named=named, notes=notes)
    if name is not None and kind in (DataKind.FUNDING, DataKind.MARK):
        name = as_derivative(name)
    return Imported(
        kind=kind, frame=frame, timeframe=timeframe, name=name, notes=tuple(notes), path=table.path
    )


def _values(table: Table, columns: dict[str, str], kind: DataKind, notes: list[str]) -> pl.DataFrame:
    clock = clock_column(table.frame, columns["ts"])
    if clock is not None:
        joined = pl.concat_str([pl.col(_date_name(table.frame.columns)), pl.col(clock)], separator=" ")
        columns = {**columns, "ts": "date and time"}
        table = _with_frame(table, table.frame.with_columns(joined.alias("date and time")))
    ts, assumed = milliseconds(table, columns["ts"])
    notes.extend(assumed)
    made: list[pl.Series] = [ts.alias("ts")]
    for column, dtype in SCHEMAS[kind].items():
        if not dtype.is_float():
            continue
        if column not in columns:
            notes.append(f"there is no column {column}; it is 0 in every row")
            made.append(pl.zeros(table.frame.height, dtype=pl.Float64, eager=True).alias(column))
        else:
            made.append(floats(table, columns[column]).alias(column))
    frame = pl.DataFrame(made)
    if kind is DataKind.TRADES:
        frame = frame.with_columns(_sides(table, columns), _ids(table, columns, frame))
    return frame.select(*SCHEMAS[kind]).with_row_index(_ROW)


def _sides(table: Table, columns: dict[str, str]) -> pl.Series:
    """Return the taker's side: "buy" or "sell"; where the buyer was the maker, a seller took."""
    if "is_buyer_maker" in columns:
        maker = table.frame.get_column(columns["is_buyer_maker"]).cast(pl.String).str.to_lowercase()
        known = {"true": "sell", "1": "sell", "false": "buy", "0": "buy"}
    elif "side" in columns:
        maker = table.frame.get_column(columns["side"]).cast(pl.String).str.to_lowercase()
        known = {"buy": "buy", "sell": "sell", "b": "buy", "s": "sell"}
    else:
        raise DataError(
            "the side of the trades is not given", path=table.path, expected="a column side or is_buyer_maker"
        )
    sides = maker.replace_strict(known, default=None, return_dtype=pl.String)
    if sides.null_count():
        row = int(sides.is_null().arg_max() or 0)
        raise table.error(row, "side", "unknown side", value=maker[row] or "nothing", expected="buy or sell")
    return sides.alias("side")


def _ids(table: Table, columns: dict[str, str], frame: pl.DataFrame) -> pl.Series:
    if "id" in columns:
        return table.frame.get_column(columns["id"]).cast(pl.String).alias("id")
    # The place within its millisecond names a trade well enough to import the same file twice.
    place = pl.int_range(pl.len()).over("ts").cast(pl.String)
    return frame.select(
        pl.concat_str([pl.col("ts").cast(pl.String), place], separator="-").alias("id")
    ).to_series()


def _in_order(frame: pl.DataFrame, kind: DataKind, wishes: Wishes, notes: list[str]) -> pl.DataFrame:
    if wishes.sort and not frame.get_column("ts").is_sorted():
        frame = frame.sort("ts", maintain_order=True)
        notes.append("the rows were out of order and have been sorted by time")
    if wishes.duplicates != "refuse":
        before = frame.height
        frame = frame.unique(subset=UNIQUE[kind], keep=wishes.duplicates, maintain_order=True)
        if frame.height < before:
            notes.append(f"{before - frame.height} repeated rows were left out")
    if kind is DataKind.TRADES and frame.get_column("ts").is_sorted():
        frame = sort_rows(frame, kind)
    return frame


def _refuse_faults(table: Table, frame: pl.DataFrame, rows: pl.Series, kind: DataKind) -> None:
    fault = find_fault(frame, kind)
    if fault is not None:
        raise table.error(
            int(rows[fault.row]),
            fault.column,
            fault.found,
            value=fault.value,
            expected=fault.expected,
            hint=fault.hint,
        )


def _one_symbol(table: Table, columns: dict[str, str], wanted: str | None) -> Table:
    if "symbol" not in columns:
        if wanted is not None:
            raise DataError(f"there is no column of symbols to take {wanted!r} from", path=table.path)
        return table
    symbols = table.frame.get_column(columns["symbol"]).cast(pl.String)
    names = symbols.unique().drop_nulls().sort().to_list()
    if wanted is None and len(names) <= 1:
        return table
    if wanted not in names:
        if wanted is not None:
            raise UnknownNameError(f"symbol in {table.path or 'the frame'}", wanted, names, field="symbol")
        shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
        raise DataError(
            f"the rows are of {len(names)} instruments ({shown})",
            path=table.path,
            column=columns["symbol"],
            expected="one instrument",
            hint="name the one to take (import with --symbol)",
        )
    rows = (symbols == wanted).fill_null(False).arg_true()
    line_of = table.line_of
    return Table(
        frame=table.frame[rows],
        path=table.path,
        line_of=lambda row: line_of(int(rows[row])),
        kind=table.kind,
        notes=table.notes,
    )


def _with_frame(table: Table, frame: pl.DataFrame) -> Table:
    return Table(frame=frame, path=table.path, line_of=table.line_of, kind=table.kind, notes=table.notes)


def _date_name(names: list[str]) -> str:
    return next(name for name in names if "date" in name.casefold())


def _unknown_columns(table: Table) -> DataError:
    return DataError(
        f"these columns are no market data we know: {', '.join(table.frame.columns)}",
        path=table.path,
        expected="ts, open, high, low, close, volume; or ts, funding_rate; or ts, id, side, price, amount",
        hint="name the columns in their order (import with --columns)",
    )


def _missing(table: Table, missing: list[str], kind: DataKind) -> DataError:
    what = "time" if missing[0] == "ts" else missing[0]
    return DataError(
        f"there is no column of the {what}; the columns are {', '.join(table.frame.columns)}",
        path=table.path,
        column=missing[0],
        expected=f"the columns of {kind}: {', '.join(SCHEMAS[kind])}",
    )
