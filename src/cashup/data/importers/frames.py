"""Frames of pandas and polars, without needing pandas ourselves."""

from __future__ import annotations

from typing import Any

import polars as pl

from cashup.data.importers.table import Table
from cashup.model.errors import InputError, explain


def table_of(frame: object) -> Table:
    """Return the columns of a polars or pandas frame; a pandas index of times becomes a column.

    Raises:
        InputError: It is not such a frame.
    """
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    if isinstance(frame, pl.DataFrame):
        return Table(frame=frame)
    if type(frame).__module__.partition(".")[0] == "pandas" and hasattr(frame, "columns"):
        return Table(frame=_from_pandas(frame))
    raise InputError(
        explain(
            f"the data is of type {type(frame).__name__}",
            expected="a stored name, the path of a file, or a frame of polars or pandas",
        ),
        field="data",
    )


def _from_pandas(frame: Any) -> pl.DataFrame:  # pandas is not a dependency
    columns: list[pl.Series] = []
    if frame.index.dtype.kind == "M" or "datetime64" in str(frame.index.dtype):
        columns.append(_series("ts", frame.index.to_series()))
    columns.extend(_series(str(name), frame[name]) for name in frame.columns)
    return pl.DataFrame(columns)


def _series(name: str, values: Any) -> pl.Series:
    dtype = str(values.dtype)
    if dtype.startswith("datetime64"):
        zoned = getattr(values.dtype, "tz", None) is not None
        moments = values.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else values
        series = pl.Series(name, moments.to_numpy(dtype="datetime64[us]"))
        return series.dt.replace_time_zone("UTC") if zoned else series
    if values.dtype.kind in "iuf":
        return pl.Series(name, values.to_numpy(dtype=f"{'float' if values.dtype.kind == 'f' else 'int'}64"))
    return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)
