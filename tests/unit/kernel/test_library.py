"""Where compiled code is kept, and that a damaged or missing copy only costs time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cashup.kernel import cache, library

PROGRAM = """
from cashup.kernel import library
print(len(library.REGISTRY), library.load() is not None)
from cashup.kernel import entry
from cashup.kernel.memory import Columns, InstrumentSpec, RunMemory
one = [1.0]
run = RunMemory(instruments=[InstrumentSpec()], columns=[Columns(open=one, high=one, low=one, close=one)],
                open_ts=[0], close_ts=[1], cash=5.0)
print(entry.equity(run.address))
import sys
print("numba" in sys.modules)
"""


def in_a_new_process(folder: Path) -> list[str]:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split("\n")


@pytest.mark.slow
def test_built_stored_loaded_and_rebuilt_when_damaged(tmp_path: Path) -> None:
    first = in_a_new_process(tmp_path)
    assert first[1:3] == ["5.0", "False"]  # and the kernel does not need numba
    stored = list(tmp_path.rglob("library-*.o"))
    assert len(stored) == 1
    written = stored[0].stat().st_mtime_ns
    assert in_a_new_process(tmp_path) == first
    assert stored[0].stat().st_mtime_ns == written
    stored[0].write_bytes(stored[0].read_bytes()[:-100])
    assert in_a_new_process(tmp_path) == first
    assert stored[0].stat().st_mtime_ns != written


@pytest.mark.slow
def test_a_home_that_cannot_be_written_is_no_obstacle(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert in_a_new_process(blocked)[1] == "5.0"


def test_cache_directory_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "chosen"))
    assert cache.cache_directory().parent == tmp_path / "chosen"
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.cache_directory().parent == tmp_path / "xdg" / "cashup" / "numba"


def test_every_exported_function_has_an_address() -> None:
    library.load()
    exported = [function for function in library.REGISTRY.values() if function.exported]
    assert len({library.address_of(function) for function in exported}) == len(exported) >= 12
