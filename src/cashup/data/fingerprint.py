"""Content hash of market data: the same rows give the same text, wherever they came from."""

from __future__ import annotations

import hashlib

import polars as pl


def fingerprint(frame: pl.DataFrame) -> str:
    """Return SHA-256 (hex) of the frame's column names and values; chunking and storage do not matter.

    Numbers are hashed as their little-endian 8-byte values, text as UTF-8 with its length before it.
    """
    digest = hashlib.sha256(f"{frame.height}\n".encode())
    for column in frame.get_columns():
        digest.update(f"{column.name}:{column.dtype}\n".encode())
        if column.dtype.is_numeric():
            values = column.rechunk().to_numpy()
            digest.update(values.astype(values.dtype.newbyteorder("<"), copy=False).data)
        else:
            text = column.cast(pl.String)
            digest.update(text.str.len_bytes().rechunk().to_numpy().astype("<i8").data)
            digest.update("".join(text.fill_null("").to_list()).encode())
    return digest.hexdigest()


def combine(hashes: list[tuple[str, str]]) -> str:
    """Return one hash of named part hashes, in the given order."""
    return hashlib.sha256("\n".join(f"{name} {value}" for name, value in hashes).encode()).hexdigest()
