"""CSV: delimiter, header and encoding are found out; a wrong line is named by its number."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from cashup.data.importers.table import Table
from cashup.model.errors import DataError

_HEAD: Final = 64 << 10
_DELIMITERS: Final = (",", ";", "\t", "|")
_TIME: Final = re.compile(r"\d{4}[-/.]?\d\d[-/.]?\d\d.*|\d\d\.\d\d\.\d{4}.*|\d\d:\d\d.*")
_NUMBER: Final = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?")
_BARS: Final = ("ts", "open", "high", "low", "close", "volume")
_PREAMBLE: Final = 10


@dataclass(frozen=True, slots=True)
class _Dialect:
    delimiter: str
    skipped: int
    names: list[str]
    width: int
    has_header: bool


def read_csv(
    content: bytes, path: Path, *, columns: Sequence[str] | None = None, unnamed: Sequence[str] = _BARS
) -> Table:
    """Read CSV text into columns of text.

    Args:
        content: The file's bytes.
        path: The file, for messages.
        columns: Names for the columns in their order, for a file without a header or with a wrong one.
        unnamed: Names to use when the file has no header; further columns are left out.

    Raises:
        DataError: It is no text, has one column only, or a line has more fields than the first.
    """
    content = _as_utf8(content, path)
    dialect = _dialect(content, path, columns, unnamed)
    frame = _parse(_after(content, dialect.skipped), content, path, dialect)
    # A blank line is a row without any value.
    frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))
    note = () if dialect.has_header else (f"no header; columns read as {', '.join(dialect.names)}",)
    return Table(
        frame=frame,
        path=path,
        line_of=lambda row: _line_of(content, dialect, row),
        notes=note if columns is None else (),
    )


def _after(content: bytes, lines: int) -> bytes:
    start = 0
    for _ in range(lines):
        start = content.find(b"\n", start) + 1 or len(content)
    return content[start:].lstrip(b"\r\n")


def _parse(table: bytes, content: bytes, path: Path, dialect: _Dialect) -> pl.DataFrame:
    wanted = {name: pl.String() for name in dialect.names}
    if not table.strip():
        return pl.DataFrame(schema=wanted)
    unwanted = {f"{number}\x00": pl.String() for number in range(len(wanted), dialect.width)}
    try:
        frame = pl.read_csv(
            table,
            separator=dialect.delimiter,
            has_header=False,
            schema={**wanted, **unwanted},
            columns=list(range(len(wanted))),
            comment_prefix="#",
        )
    except pl.exceptions.PolarsError as e:
        raise _ragged(content, path, dialect) or DataError(
            f"the file cannot be read ({e})", path=path
        ) from None
    return frame


def _as_utf8(content: bytes, path: Path) -> bytes:
    if content.startswith(b"\xef\xbb\xbf"):
        return content[3:]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace").encode()
    if b"\x00" in content[:_HEAD]:
        raise DataError(
            "this is no file of market data we know",
            path=path,
            expected="CSV, JSON, Parquet or Feather, plain or packed (gz, zip, xz, bz2)",
        )
    try:
        content[:_HEAD].decode()
    except UnicodeDecodeError as e:
        if e.start < min(len(content), _HEAD) - 4:
            return content.decode("latin-1").encode()
    return content


def _dialect(content: bytes, path: Path, columns: Sequence[str] | None, unnamed: Sequence[str]) -> _Dialect:
    head = content[:_HEAD].decode(errors="replace").splitlines()
    if len(content) > _HEAD:
        head = head[:-1] or head
    skipped, delimiter = _first_row(head)
    if delimiter is None:
        raise DataError(
            "the lines have one field only",
            path=path,
            line=1,
            value=head[0][:60],
            expected="fields parted by a comma, semicolon, tab or bar",
        )
    fields = [field.strip() for field in next(csv.reader([head[skipped]], delimiter=delimiter))]
    has_header = not any(_NUMBER.fullmatch(field) or _TIME.fullmatch(field) for field in fields)
    names = _names(fields, path, skipped + 1, has_header=has_header, columns=columns, unnamed=unnamed)
    return _Dialect(delimiter, skipped + has_header, names, len(fields), has_header)


def _first_row(head: list[str]) -> tuple[int, str | None]:
    """Return how many lines come before the table, and what parts its fields."""
    for skipped, line in enumerate(head[:_PREAMBLE]):
        if not line.strip() or line.startswith("#"):
            continue
        following = next((other for other in head[skipped + 1 :] if other.strip()), line)
        counts = {delimiter: line.count(delimiter) for delimiter in _DELIMITERS}
        best = max(counts, key=lambda delimiter: (following.count(delimiter) > 0, counts[delimiter]))
        if counts[best]:
            return skipped, best
    return 0, None


def _names(
    fields: list[str],
    path: Path,
    line: int,
    *,
    has_header: bool,
    columns: Sequence[str] | None,
    unnamed: Sequence[str],
) -> list[str]:
    if columns is not None:
        if len(columns) > len(fields):
            raise DataError(
                f"{len(columns)} columns are named, but the line has {len(fields)} fields",
                path=path,
                line=line,
            )
        return list(columns)
    if not has_header:
        if len(fields) < len(unnamed) - 1:
            raise DataError(
                f"there is no header and the line has {len(fields)} fields",
                path=path,
                line=line,
                expected=f"the {len(unnamed)} fields {', '.join(unnamed)}",
                hint="name the columns (import with --columns)",
            )
        return list(unnamed[: len(fields)])
    names = [field or f"column {number}" for number, field in enumerate(fields, start=1)]
    folded = [name.casefold() for name in names]
    repeated = next((name for name in names if folded.count(name.casefold()) > 1), None)
    if repeated is not None:
        raise DataError("two columns have this name", path=path, line=line, value=repeated)
    return names


def _records(content: bytes, dialect: _Dialect) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the fields of each row of the table; slow, for messages only."""
    text = io.StringIO(content.decode(errors="replace"), newline="")
    for _ in range(dialect.skipped):
        text.readline()
    reader = csv.reader(text, delimiter=dialect.delimiter)
    for fields in reader:
        if fields and any(fields) and not fields[0].startswith("#"):
            yield reader.line_num + dialect.skipped, fields


def _line_of(content: bytes, dialect: _Dialect, row: int) -> int | None:
    for number, (line, _) in enumerate(_records(content, dialect)):
        if number == row:
            return line
    return None


def _ragged(content: bytes, path: Path, dialect: _Dialect) -> DataError | None:
    """Return the error that names the first line with more fields than the first row, or None."""
    for line, fields in _records(content, dialect):
        if len(fields) > dialect.width:
            return DataError(
                f"the line has {len(fields)} fields",
                path=path,
                line=line,
                value=dialect.delimiter.join(fields)[:80],
                expected=f"{dialect.width} fields as in the first line",
            )
    return None
