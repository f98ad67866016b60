"""A file's columns before their values are understood, with the way back to its lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from cashup.data.datasets import DataKind
from cashup.model.errors import DataError


def _no_line(_row: int) -> int | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows as a reader found them.

    Attributes:
        frame: Columns by the names of the file; text, numbers or times.
        path: The file, for messages; None for a frame in memory.
        line_of: Line in the file, counted from 1, of a row, counted from 0; None where lines mean nothing.
        kind: What the file's name or format says the rows are, if it does.
        notes: What the reader decided on its own.
    """

    frame: pl.DataFrame
    path: Path | None = None
    line_of: Callable[[int], int | None] = field(default=_no_line)
    kind: DataKind | None = None
    notes: tuple[str, ...] = ()

    def error(
        self, row: int, column: str, found: str, *, value: object = None, expected: str = "", hint: str = ""
    ) -> DataError:
        """Return the error that names the place of a wrong value."""
        line = self.line_of(row)
        if line is None:
            found = f"row {row + 1}: {found}"
        return DataError(
            found, path=self.path, line=line, column=column, value=value, expected=expected, hint=hint
        )
