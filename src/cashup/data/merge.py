"""Join new rows to stored ones: each row once, in order, conflicts decided or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from cashup.data.datasets import DataKind
from cashup.data.schema import SCHEMAS, UNIQUE
from cashup.model.errors import DataError
from cashup.model.time import NS_PER_MS, format_time

Conflict = Literal["replace", "keep", "refuse"]
"""What becomes of a row that is stored already with other values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """Outcome of a merge.

    Attributes:
        frame: All rows, sorted, each once.
        replaced: Stored rows that got new values.
    """

    frame: pl.DataFrame
    replaced: int


def sort_rows(frame: pl.DataFrame, kind: DataKind) -> pl.DataFrame:
    """Sort rows by time; trades of one millisecond by id, the numeric ones by number."""
    if kind is not DataKind.TRADES:
        return frame.sort("ts", maintain_order=True)
    return frame.sort("ts", pl.col("id").str.len_bytes(), "id", maintain_order=True)


def merge(
    stored: pl.DataFrame, new: pl.DataFrame, kind: DataKind, *, on_conflict: Conflict, what: str
) -> Merged:
    """Join sorted `new` rows to sorted `stored` ones.

    Raises:
        DataError: A row is stored with other values and `on_conflict` is "refuse".
    """
    if stored.is_empty() or new.is_empty() or new.item(0, "ts") > stored.item(-1, "ts"):
        return Merged(frame=pl.concat([stored, new]), replaced=0)
    conflicts = _conflicts(stored, new, kind)
    if not conflicts.is_empty() and on_conflict == "refuse":
        raise _refusal(conflicts, kind, what)
    keep: Literal["first", "last"] = "first" if on_conflict == "keep" else "last"
    joined = pl.concat([stored, new]).unique(subset=UNIQUE[kind], keep=keep, maintain_order=True)
    replaced = 0 if on_conflict == "keep" else conflicts.height
    return Merged(frame=sort_rows(joined, kind), replaced=replaced)


def join(frames: Sequence[pl.DataFrame], kind: DataKind, *, on_conflict: Conflict, what: str) -> pl.DataFrame:
    """Join frames of several files, the later one being the new one, into one sorted frame.

    Raises:
        DataError: Two frames have a row with other values and `on_conflict` is "refuse".
    """
    joined = frames[0]
    for frame in frames[1:]:
        joined = merge(joined, frame, kind, on_conflict=on_conflict, what=what).frame
    return joined


def _values(kind: DataKind) -> list[str]:
    return [column for column in SCHEMAS[kind] if column not in UNIQUE[kind]]


def _conflicts(stored: pl.DataFrame, new: pl.DataFrame, kind: DataKind) -> pl.DataFrame:
    """Return rows that are in both with different values; the stored value of x is column x_stored."""
    both = new.join(stored, on=UNIQUE[kind], how="inner", suffix="_stored")
    return both.filter(
        pl.any_horizontal(pl.col(column) != pl.col(f"{column}_stored") for column in _values(kind))
    )


def _refusal(conflicts: pl.DataFrame, kind: DataKind, what: str) -> DataError:
    row = conflicts.sort("ts").row(0, named=True)
    column = next(column for column in _values(kind) if row[column] != row[f"{column}_stored"])
    return DataError(
        f"{conflicts.height} rows are stored with other values; the first, at "
        f"{format_time(row['ts'] * NS_PER_MS)}, has {row[f'{column}_stored']!r} stored",
        path=what,
        column=column,
        value=row[column],
        expected="the stored value",
        hint="choose to replace or to keep the stored rows",
    )
