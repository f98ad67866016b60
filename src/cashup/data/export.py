"""Write stored data for other programs: CSV, Parquet, Feather and JSON, which `read_file` reads again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, Literal

import polars as pl

from cashup.data.durable import replace_file
from cashup.model.errors import InputError, UnknownNameError, explain

Format = Literal["csv", "parquet", "feather", "json"]
FORMATS: Final[tuple[Format, ...]] = ("csv", "parquet", "feather", "json")
_ENDINGS: Final[dict[str, Format]] = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
    ".json": "json",
}


def format_of(path: Path) -> Format:
    """Return the format a file's ending stands for.

    Raises:
        UnknownNameError: It stands for none.
    """
    try:
        return _ENDINGS[path.suffix.lower()]
    except KeyError:
        raise UnknownNameError("format of file", path.suffix or path.name, _ENDINGS, field="path") from None


def export_file(
    frame: pl.DataFrame, path: Path, *, form: Format | None = None, iso_time: bool = False
) -> Path:
    """Write a frame to a file, whole or not at all.

    CSV has a header and the shortest text that reads back as the same number; JSON is a list of objects.

    Args:
        frame: Rows of any kind of data.
        path: The file; its folder must exist.
        form: The format; told by the ending when None.
        iso_time: Write times as ISO 8601 UTC text instead of milliseconds, in CSV only.

    Raises:
        InputError: The format is unknown, the folder is missing, or ISO time is asked for outside CSV.
    """
    form = format_of(path) if form is None else form
    if form not in FORMATS:
        raise UnknownNameError("format", form, FORMATS, field="format")
    if iso_time and form != "csv":
        raise InputError(explain(f"{form} keeps times as milliseconds", expected="ISO time in CSV only"))
    if not path.parent.is_dir():
        raise InputError(explain(f"there is no folder {path.parent}", hint="make it first"), field="path")
    if iso_time:
        text = pl.from_epoch("ts", time_unit="ms").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
        frame = frame.with_columns(text.alias("ts"))
    replace_file(path, lambda temporary: _write(frame, temporary, form))
    return path


def _write(frame: pl.DataFrame, path: Path, form: Format) -> None:
    if form == "csv":
        frame.write_csv(path)
    elif form == "parquet":
        frame.write_parquet(path, compression="zstd")
    elif form == "feather":
        frame.write_ipc(path, compression="lz4")
    else:
        path.write_text(json.dumps(frame.to_dicts(), separators=(",", ":")), encoding="utf-8")
