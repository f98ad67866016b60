"""Columns of stored market data, and what is wrong with a row that does not belong there.

Every frame has ``ts``: int64 milliseconds since 1970-01-01 UTC. For bars and mark prices it is the bar's open
time, for trades the time of the trade, for funding the time of settlement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from cashup.data.datasets import DataKind
from cashup.model.errors import DataError
from cashup.model.time import NS_PER_MS, format_time

PRICES: Final = ("open", "high", "low", "close")

SCHEMAS: Final[dict[DataKind, dict[str, pl.DataType]]] = {
    DataKind.BARS: {"ts": pl.Int64(), **dict.fromkeys((*PRICES, "volume"), pl.Float64())},
    DataKind.MARK: {"ts": pl.Int64(), **dict.fromkeys(PRICES, pl.Float64())},
    DataKind.FUNDING: {"ts": pl.Int64(), "funding_rate": pl.Float64()},
    DataKind.TRADES: {
        "ts": pl.Int64(),
        "id": pl.String(),
        "side": pl.String(),
        "price": pl.Float64(),
        "amount": pl.Float64(),
    },
}
"""Columns and types of each kind, in order."""

UNIQUE: Final[dict[DataKind, tuple[str, ...]]] = {
    DataKind.BARS: ("ts",),
    DataKind.MARK: ("ts",),
    DataKind.FUNDING: ("ts",),
    DataKind.TRADES: ("ts", "id"),
}
"""What tells two rows of a kind apart; rows are kept sorted by it."""

_LAST_MS: Final = 7_258_118_400_000  # 2200-01-01: later times are a wrong unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The first wrong value of a frame.

    Attributes:
        row: Row of the frame, counted from 0.
        column: Its column.
        value: What is there.
        found: What is wrong with it.
        expected: What would be right.
        hint: What to do.
    """

    row: int
    column: str
    value: object
    found: str
    expected: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class _Rule:
    column: str
    broken: pl.Expr
    found: str
    expected: str
    hint: str = ""


def empty_frame(kind: DataKind) -> pl.DataFrame:
    """Return a frame of `kind` with no rows."""
    return pl.DataFrame(schema=SCHEMAS[kind])


def conform(frame: pl.DataFrame, kind: DataKind) -> pl.DataFrame:
    """Return the columns of `kind` in their order and types; whole numbers become float64.

    Raises:
        DataError: A column is missing or is not of numbers (ids: not of text).
    """
    wanted = SCHEMAS[kind]
    missing = [column for column in wanted if column not in frame.columns]
    if missing:
        raise DataError(
            f"no column {', '.join(missing)}; the columns are {', '.join(frame.columns) or 'none'}",
            column=missing[0],
            expected=f"the columns {', '.join(wanted)}",
        )
    for column, dtype in wanted.items():
        actual = frame.schema[column]
        wrong = not actual.is_numeric() if dtype.is_numeric() else actual not in (pl.String, pl.Categorical)
        if column == "ts":
            wrong = not actual.is_integer()
        if wrong and not (column == "id" and actual.is_integer()) and actual != pl.Null:
            raise DataError(f"the values are of type {actual}", column=column, expected=f"{dtype}")
    return frame.select(pl.col(column).cast(dtype) for column, dtype in wanted.items())


def find_fault(frame: pl.DataFrame, kind: DataKind) -> Fault | None:
    """Return the first wrong row of a frame that has the columns of `kind`, or None.

    Wrong are: no value, NaN or infinity, a time before 1970 or after 2200, a time not after the one before
    it, a price that is not positive, a negative volume, a high below or a low above another price of the
    bar, a side that is neither buy nor sell, a funding rate beyond 100 %.
    """
    rules = _rules(kind)
    broken = frame.select(rule.broken.fill_null(True).alias(str(i)) for i, rule in enumerate(rules))
    firsts = [(column.arg_max(), i) for i, column in enumerate(broken) if column.any()]
    if not firsts:
        return None
    row, index = min((row, i) for row, i in firsts if row is not None)
    rule = rules[index]
    value = frame.item(row, rule.column)
    shown = format_time(value * NS_PER_MS) if rule.column == "ts" and value is not None else value
    return Fault(
        row=row,
        column=rule.column,
        value="nothing" if shown is None else shown,
        found=rule.found,
        expected=rule.expected,
        hint=rule.hint,
    )


def check_frame(frame: pl.DataFrame, kind: DataKind, *, what: str = "") -> pl.DataFrame:
    """Return the frame in the stored form of `kind`, or refuse it.

    Raises:
        DataError: A column is missing or a row is wrong; the first one is named.
    """
    conformed = conform(frame, kind)
    fault = find_fault(conformed, kind)
    if fault is not None:
        raise DataError(
            f"row {fault.row}: {fault.found}",
            path=what or None,
            column=fault.column,
            value=fault.value,
            expected=fault.expected,
            hint=fault.hint,
        )
    return conformed


def _rules(kind: DataKind) -> list[_Rule]:
    values = [_finite(column) for column, dtype in SCHEMAS[kind].items() if dtype.is_float()]
    return [*_time_rules(kind), *values, *_KIND_RULES[kind]]


def _time_rules(kind: DataKind) -> list[_Rule]:
    ts = pl.col("ts")
    before = ts.shift(1)
    plausible = _Rule(
        "ts",
        ~ts.is_between(0, _LAST_MS),
        "this is no time between 1970 and 2200",
        "milliseconds since 1970-01-01 UTC",
    )
    backwards = _Rule(
        "ts",
        (ts < before).fill_null(False),
        "time goes backwards",
        "each row later than the one before it",
        "sort the rows (import with --sort)",
    )
    if kind is DataKind.TRADES:
        same = ~pl.struct("ts", "id").is_first_distinct()
        repeated = _Rule("id", same, "this trade is there twice", "each id once a time")
    else:
        repeated = _Rule(
            "ts",
            (ts == before).fill_null(False),
            "this time is there twice",
            "each time once",
            "keep one of the rows (import with --duplicates last)",
        )
    return [plausible, backwards, repeated]


def _finite(column: str) -> _Rule:
    return _Rule(column, ~pl.col(column).is_finite(), "this is not a number", "a finite number")


def _positive(column: str) -> _Rule:
    return _Rule(column, pl.col(column) <= 0, "the price is not positive", "a price above 0")


def _not_negative(column: str) -> _Rule:
    return _Rule(column, pl.col(column) < 0, f"the {column} is negative", "0 or more")


def _range_rules() -> list[_Rule]:
    mixed = "the columns may be mixed up; name them with --columns"
    high, low = pl.col("high"), pl.col("low")
    return [
        _Rule("high", high < low, "the high is below the low", "high >= low", mixed),
        _Rule(
            "high",
            high < pl.max_horizontal("open", "close"),
            "the high is below the open or the close",
            "the highest price of the bar",
            mixed,
        ),
        _Rule(
            "low",
            low > pl.min_horizontal("open", "close"),
            "the low is above the open or the close",
            "the lowest price of the bar",
            mixed,
        ),
    ]


_BAR_RULES: Final = [*(_positive(column) for column in PRICES), *_range_rules()]
_KIND_RULES: Final[dict[DataKind, list[_Rule]]] = {
    DataKind.BARS: [*_BAR_RULES, _not_negative("volume")],
    DataKind.MARK: _BAR_RULES,
    DataKind.FUNDING: [
        _Rule(
            "funding_rate",
            pl.col("funding_rate").abs() > 1,
            "the funding rate is beyond 100 %",
            "a fraction, such as 0.0001 for 0.01 %",
        )
    ],
    DataKind.TRADES: [
        _positive("price"),
        _not_negative("amount"),
        _Rule("side", ~pl.col("side").is_in(["buy", "sell"]), "unknown side", "'buy' or 'sell'"),
        _Rule("id", pl.col("id").is_null(), "the trade has no id", "an id unique at its time"),
    ],
}
