"""Files that survive a kill: written beside their place, flushed, then renamed; one writer at a time."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from cashup.model.errors import DataError

TEMPORARY_SUFFIX: Final = ".partial"
_LOCK_NAME: Final = ".lock"
_PAUSE_S: Final = 0.02


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Replace `path` by what `write` puts into the temporary file it is given.

    At any moment, also after a kill or a power cut, `path` is the whole old file or the whole new one.
    """
    # A folder of our own gives a free name, and the file the permissions the user's other files have.
    with TemporaryDirectory(prefix=f"{path.name}.", suffix=TEMPORARY_SUFFIX, dir=path.parent) as folder:
        temporary = Path(folder, path.name)
        write(temporary)
        _flush(temporary)
        os.replace(temporary, path)  # noqa: PTH105 (the name of the guarantee: atomic on every platform)
    flush_folder(path.parent)


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Make renames inside `folder` survive a power cut; Windows keeps them without being asked."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Delete what a killed writer left half-done in `folder`; call it as its only writer."""
    for path in folder.glob(f"*{TEMPORARY_SUFFIX}"):
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def only_writer(folder: Path, *, wait_s: float = 10.0) -> Iterator[None]:
    """Hold the folder's writer lock; the operating system frees it when the process dies.

    Raises:
        DataError: Another writer kept it for `wait_s` seconds.
    """
    descriptor = _lock(folder, attempts=max(1, round(wait_s / _PAUSE_S)))
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(folder: Path, attempts: int) -> int:
    for attempt in range(attempts):
        if attempt:
            time.sleep(_PAUSE_S)
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / _LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
        if _try_lock(descriptor) and _is_current(descriptor, folder / _LOCK_NAME):
            return descriptor
        os.close(descriptor)
    raise DataError(
        "another process is writing this dataset",
        path=folder,
        expected="one writer at a time",
        hint="wait until it has finished, then try again",
    )


def _is_current(descriptor: int, path: Path) -> bool:
    """Return whether the locked file is still the one at `path`; a delete may have taken it away."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
