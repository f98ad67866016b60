"""JSON: lists of OHLCV rows as ccxt gives and freqtrade stores them, lists of objects, and JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from cashup.data.datasets import DataKind
from cashup.data.importers.table import Table
from cashup.model.errors import DataError

_BARS: Final = ("ts", "open", "high", "low", "close", "volume")
_FREQTRADE_TRADES: Final = ("ts", "id", "type", "side", "price", "amount", "cost")
_WRAPPERS: Final = ("data", "result", "results", "candles", "ohlcv", "bars", "rows", "list")


def read_json(content: bytes, path: Path, *, columns: Sequence[str] | None = None) -> Table:
    """Read JSON rows into columns.

    Raises:
        DataError: It is not JSON, or not a list of rows of equal form.
    """
    rows, line_of = _rows(content, path)
    if not rows:
        raise DataError("the list is empty", path=path, expected="at least one row of data")
    if isinstance(rows[0], Mapping):
        return _objects(rows, path, line_of)
    if isinstance(rows[0], Sequence) and not isinstance(rows[0], str):
        return _lists(rows, path, line_of, columns)
    raise DataError(
        "the list does not hold rows", path=path, value=str(rows[0])[:60], expected="lists or objects"
    )


def _rows(content: bytes, path: Path) -> tuple[list[Any], Callable[[int], int | None]]:
    try:
        found = json.loads(content)
    except ValueError as e:
        lines = _json_lines(content)
        if lines is not None:
            return lines
        line = getattr(e, "lineno", None)
        raise DataError(
            f"this is not JSON ({e})", path=path, line=line, hint="is the file complete?"
        ) from None
    while isinstance(found, dict):
        inner = next((found[name] for name in _WRAPPERS if isinstance(found.get(name), (list, dict))), None)
        if inner is None:
            keys = ", ".join(list(found)[:8])
            raise DataError(
                f"the JSON is an object with {keys}",
                path=path,
                expected="a list of rows, or one under 'data'",
            )
        found = inner
    if not isinstance(found, list):
        raise DataError("the JSON is a single value", path=path, expected="a list of rows")
    return found, lambda _row: None


def _json_lines(content: bytes) -> tuple[list[Any], Callable[[int], int | None]] | None:
    rows, numbers = [], []
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except ValueError:
                return None
            numbers.append(number)
    return (rows, lambda row: numbers[row]) if len(rows) > 1 else None


def _lists(
    rows: list[Any], path: Path, line_of: Callable[[int], int | None], columns: Sequence[str] | None
) -> Table:
    width = len(rows[0])
    is_trade = width == len(_FREQTRADE_TRADES) and rows[0][3] in ("buy", "sell")
    names = columns or (_FREQTRADE_TRADES if is_trade else _BARS)
    if width < len(names):
        raise DataError(
            f"the first row has {width} values", path=path, line=line_of(0), expected=f"{', '.join(names)}"
        )
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != width:
            raise DataError(
                f"row {number + 1} is not like the first one",
                path=path,
                line=line_of(number),
                value=str(row)[:80],
                expected=f"a list of {width} values",
            )
    frame = pl.DataFrame([_series(name, [row[i] for row in rows]) for i, name in enumerate(names)])
    kind = DataKind.TRADES if is_trade else None
    return Table(frame=frame, path=path, line_of=line_of, kind=kind)


def _objects(rows: list[Any], path: Path, line_of: Callable[[int], int | None]) -> Table:
    names = [name for name, value in rows[0].items() if not isinstance(value, (dict, list))]
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise DataError(
                f"row {number + 1} is not like the first one",
                path=path,
                line=line_of(number),
                value=str(row)[:80],
                expected="an object",
            )
    frame = pl.DataFrame([_series(name, [row.get(name) for row in rows]) for name in names])
    return Table(frame=frame, path=path, line_of=line_of)


def _series(name: str, values: list[Any]) -> pl.Series:
    """Make a column of numbers when all are numbers, else one of text."""
    types = set(map(type, values))
    if types == {int}:
        return pl.Series(name, values, dtype=pl.Int64)
    if types <= {int, float}:
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)
