"""Read a file of market data of any known format, or refuse it with the place of the first fault."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cashup.data.datasets import DataKind
from cashup.data.importers.arrow_files import read_feather, read_parquet
from cashup.data.importers.binance_archive import unnamed_columns
from cashup.data.importers.containers import read_bytes
from cashup.data.importers.csv_text import read_csv
from cashup.data.importers.frames import table_of
from cashup.data.importers.freqtrade import with_funding_rates
from cashup.data.importers.imported import Duplicates, Imported, Wishes, build
from cashup.data.importers.json_text import read_json
from cashup.data.importers.naming import NameGuess, guess_from_path
from cashup.data.importers.table import Table
from cashup.model.errors import DataError
from cashup.model.time import Timeframe

_FOREIGN = {
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "a SQLite database",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
}


def read_file(
    path: str | Path,
    *,
    kind: DataKind | str | None = None,
    timeframe: Timeframe | str | None = None,
    symbol: str | None = None,
    columns: Sequence[str] | None = None,
    sort: bool = False,
    duplicates: Duplicates = "refuse",
    check: bool = True,
) -> Imported:
    """Read bars, trades, funding rates or mark prices from a file, whatever program wrote it.

    Formats are told by content, not by name: CSV and its kin, JSON, JSON lines, Parquet, Feather; plain or in
    gz, zip, xz or bz2. Names in the manner of Binance's archive or freqtrade tell kind, pair and timeframe.

    Args:
        path: The file.
        kind: What the rows are; found out when None.
        timeframe: Length of a bar; found from the times when None.
        symbol: The instrument to take from a file of several, as the file spells it.
        columns: Names of the columns in their order, for a CSV or JSON file that has none or has them wrong.
        sort: Sort rows that are out of order instead of refusing the file.
        duplicates: "refuse" rows of one time, or keep the "first" or the "last" of them.
        check: Refuse wrong values; False leaves them for `cashup.data.quality` to report.

    Raises:
        DataError: The file cannot be read, or a value is wrong; file, line and value are named.
        InputError: An argument is wrong.
    """
    path = Path(path)
    guess = guess_from_path(path)
    wishes = Wishes(
        kind=None if kind is None else DataKind.parse(kind),
        timeframe=None if timeframe is None else Timeframe.parse(timeframe),
        symbol=symbol,
        sort=sort,
        duplicates=duplicates,
        check=check,
    )
    table = _table(path, guess, wishes.kind or guess.kind, columns)
    return build(table, wishes, name=guess.name, named=guess.timeframe)


def from_frame(
    frame: object,
    *,
    kind: DataKind | str | None = None,
    timeframe: Timeframe | str | None = None,
    sort: bool = False,
    duplicates: Duplicates = "refuse",
    check: bool = True,
) -> Imported:
    """Check a polars or pandas frame and bring it into the stored form; see `read_file`.

    Raises:
        DataError: A column is missing or a value is wrong; its row is named.
        InputError: It is not a frame.
    """
    wishes = Wishes(
        kind=None if kind is None else DataKind.parse(kind),
        timeframe=None if timeframe is None else Timeframe.parse(timeframe),
        sort=sort,
        duplicates=duplicates,
        check=check,
    )
    return build(table_of(frame), wishes, name=None, named=None)


def _table(path: Path, guess: NameGuess, kind: DataKind | None, columns: Sequence[str] | None) -> Table:
    content, name = read_bytes(path)
    table = _parse(content, path, name, guess, kind, columns)
    if guess.is_freqtrade or kind is DataKind.FUNDING:
        table = with_funding_rates(table, kind)
    if table.kind is None and guess.kind is not None:
        table = Table(frame=table.frame, path=path, line_of=table.line_of, kind=guess.kind, notes=table.notes)
    return table


def _parse(
    content: bytes,
    path: Path,
    name: str,
    guess: NameGuess,
    kind: DataKind | None,
    columns: Sequence[str] | None,
) -> Table:
    for magic, what in _FOREIGN.items():
        if content.startswith(magic):
            raise DataError(
                f"this is {what}", path=path, expected="CSV, JSON, Parquet or Feather, plain or packed"
            )
    if content.startswith(b"PAR1"):
        return read_parquet(content, path)
    if content.startswith((b"ARROW1", b"FEA1")):
        return read_feather(content, path)
    if content.lstrip()[:1] in (b"[", b"{"):
        return read_json(content, path, columns=columns)
    if guess.is_binance or guess_from_path(Path(name)).is_binance:
        return read_csv(content, path, columns=columns, unnamed=unnamed_columns(name, kind))
    if kind is DataKind.FUNDING:
        return read_csv(content, path, columns=columns, unnamed=("ts", "funding_rate"))
    return read_csv(content, path, columns=columns)
