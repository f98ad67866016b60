"""Open files that may be packed (gzip, zip, xz, bzip2), in memory and within a limit."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Final

from cashup.model.errors import DataError, did_you_mean

_LIMIT: Final = 8 << 30
_BLOCK: Final = 16 << 20
_DAMAGED: Final = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError)


def read_bytes(path: Path) -> tuple[bytes, str]:
    """Return a file's content, unpacked, and the name it had inside its container.

    Raises:
        DataError: There is no such file, it is empty, cut short or damaged, or holds several files.
    """
    raw = _read(path)
    if not raw:
        raise DataError("the file is empty", path=path, expected="rows of market data")
    try:
        content, name = _unpack(path, raw)
    except _DAMAGED as e:
        raise DataError(
            f"the file cannot be unpacked ({e})",
            path=path,
            expected="a whole file",
            hint="it is cut short or damaged: fetch it again",
        ) from None
    if not content.strip(b"\r\n\t \x00"):
        raise DataError("the file is empty", path=path, expected="rows of market data")
    return content, name


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        siblings = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        near = did_you_mean(path.name, siblings)
        raise DataError(
            "there is no such file", path=path, hint=f"did you mean {near!r}?" if near else ""
        ) from None
    except IsADirectoryError:
        raise DataError("this is a folder", path=path, expected="a file") from None
    except PermissionError as e:
        raise DataError(f"the file cannot be read ({e.strerror})", path=path) from None


def _unpack(path: Path, raw: bytes) -> tuple[bytes, str]:
    stem = path.name.removesuffix(path.suffix)
    if raw.startswith(b"\x1f\x8b"):
        with gzip.open(io.BytesIO(raw)) as file:
            return _limited(path, file.read), stem
    if raw.startswith(b"\xfd7zXZ\x00"):
        with lzma.open(io.BytesIO(raw)) as file:
            return _limited(path, file.read), stem
    if raw.startswith(b"BZh"):
        with bz2.open(io.BytesIO(raw)) as file:
            return _limited(path, file.read), stem
    if raw.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _unzip(path, raw)
    return raw, path.name


def _unzip(path: Path, raw: bytes) -> tuple[bytes, str]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = [
            info
            for info in archive.infolist()
            if not info.is_dir() and not info.filename.startswith("__MACOSX/")
        ]
        if any(info.filename.startswith("xl/") for info in members):
            raise DataError("this is an Excel workbook", path=path, expected="CSV (save the sheet as CSV)")
        if len(members) != 1:
            names = ", ".join(info.filename for info in members[:5]) or "nothing"
            raise DataError(
                f"the archive holds {len(members)} files ({names})",
                path=path,
                expected="one file",
                hint="unpack it and import the files one by one",
            )
        member = members[0]
        if member.flag_bits & 1:
            raise DataError("the archive is encrypted", path=path, expected="an archive without a password")
        with archive.open(member) as file:
            return _limited(path, file.read), PurePosixPath(member.filename).name


def _limited(path: Path, read: Callable[[int], bytes]) -> bytes:
    blocks, size = [], 0
    while block := read(_BLOCK):
        size += len(block)
        if size > _LIMIT:
            raise DataError(f"the file unpacks to more than {_LIMIT >> 30} GiB", path=path)
        blocks.append(block)
    return b"".join(blocks)
