"""Parquet and Feather (Arrow IPC), the columnar files of pandas, polars and freqtrade."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl

from cashup.data.importers.table import Table
from cashup.model.errors import DataError


def read_parquet(content: bytes, path: Path) -> Table:
    """Read a Parquet file.

    Raises:
        DataError: It is cut short or damaged.
    """
    try:
        return Table(frame=pl.read_parquet(io.BytesIO(content)), path=path)
    except (pl.exceptions.PolarsError, OSError) as e:
        raise _damaged(path, "Parquet", e) from None


def read_feather(content: bytes, path: Path) -> Table:
    """Read a Feather file of version 2.

    Raises:
        DataError: It is of version 1, cut short or damaged.
    """
    if content.startswith(b"FEA1"):
        raise DataError(
            "this is Feather version 1", path=path, expected="version 2, which pandas writes since 1.0"
        )
    try:
        return Table(frame=pl.read_ipc(io.BytesIO(content)), path=path)
    except (pl.exceptions.PolarsError, OSError) as e:
        raise _damaged(path, "Feather", e) from None


def _damaged(path: Path, form: str, error: Exception) -> DataError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DataError(
        f"the {form} file cannot be read ({reason})",
        path=path,
        expected="a whole file",
        hint="it is cut short or damaged: fetch it again",
    )
