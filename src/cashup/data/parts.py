"""Files of one dataset: cutting rows into files, writing, reading and collecting them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from cashup.data.datasets import Partition
from cashup.data.durable import replace_file
from cashup.data.fingerprint import combine, fingerprint
from cashup.data.manifest import Manifest, Part
from cashup.model.errors import DataError

_LABELS: Final = {
    Partition.DAY: ("1d", "%Y-%m-%d"),
    Partition.MONTH: ("1mo", "%Y-%m"),
    Partition.YEAR: ("1y", "%Y"),
}


def cut(frame: pl.DataFrame, low: int | None, high: int | None) -> pl.DataFrame:
    """Cut a sorted frame to ``low <= ts < high`` without copying it."""
    ts = frame.get_column("ts")
    first = 0 if low is None else int(ts.search_sorted(low, side="left"))
    last = frame.height if high is None else int(ts.search_sorted(high, side="left"))
    return frame.slice(first, max(0, last - first))


def split(rows: pl.DataFrame, partition: Partition) -> list[tuple[str, pl.DataFrame]]:
    """Cut rows, sorted by time, into the spans of time of the files, each with its label."""
    if rows.is_empty():
        return []
    if partition is Partition.ALL:
        return [(partition.value, rows)]
    every, label = _LABELS[partition]
    span = pl.from_epoch("ts", time_unit="ms").dt.truncate(every).alias("span")
    parts = rows.with_columns(span).partition_by("span", as_dict=True, include_key=False, maintain_order=True)
    return [(span.strftime(label), part) for (span,), part in parts.items()]


def fingerprint_of_parts(rows: pl.DataFrame, partition: Partition) -> str:
    """Return the fingerprint a dataset of these rows, sorted, will have."""
    return combine([(label, fingerprint(part)) for label, part in split(rows, partition)])


def read_part(folder: Path, part: Part) -> pl.DataFrame:
    """Read one file.

    Raises:
        DataError: It is damaged.
        FileNotFoundError: It is gone: a writer has replaced the dataset.
    """
    path = folder / part.file
    try:
        return pl.read_parquet(path)
    except pl.exceptions.PolarsError as e:
        raise DataError(
            f"the file is damaged ({e})", path=path, hint="delete the dataset and import it again"
        ) from None


def write_part(folder: Path, label: str, rows: pl.DataFrame) -> Part:
    """Write one file, unless one of the same content is there; no manifest names it yet."""
    digest = fingerprint(rows)
    path = folder / f"{label}-{digest[:16]}.parquet"
    if not path.exists():
        replace_file(path, lambda temporary: _write_parquet(rows, temporary))
    return Part(
        label=label,
        file=path.name,
        rows=rows.height,
        first=rows.item(0, "ts"),
        last=rows.item(-1, "ts"),
        size=path.stat().st_size,
        sha256=digest,
    )


def _write_parquet(rows: pl.DataFrame, path: Path) -> None:
    # lz4 reads a year of minutes twice as fast as zstd and takes half as much again of the disk; one row
    # group a file makes one chunk a column, so that nothing is copied on the way to NumPy.
    rows.write_parquet(path, compression="lz4", row_group_size=max(1, rows.height))


def collect_garbage(folder: Path, manifest: Manifest) -> None:
    """Delete the data files the manifest does not name; call it as the only writer."""
    named = {part.file for part in manifest.parts}
    for path in folder.glob("*.parquet"):
        if path.name not in named:
            try:
                path.unlink()
            except PermissionError:  # a reader on Windows has it open; the next writer will try again
                continue
