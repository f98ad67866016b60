"""A writer killed at any moment leaves a whole dataset, and readers never see half a change."""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path

import polars as pl
import pytest

from cashup.data.datasets import DatasetKey
from cashup.data.store import Store

KEY = DatasetKey.bars("binance:BTC/USDT", "1s")  # one file a month
JANUARY = 1_672_531_200_000
FEBRUARY = 1_675_209_600_000
ROWS = 500
KILLS = 25


def batch(number: int) -> pl.DataFrame:
    """Return rows of two months, so that a change touches two files; the volume is the batch's number."""
    offsets = [1000 * (number * ROWS + i) for i in range(ROWS)]
    ts = [JANUARY + offset for offset in offsets] + [FEBRUARY + offset for offset in offsets]
    columns = dict.fromkeys(("open", "high", "low", "close"), pl.repeat(100.0, 2 * ROWS, eager=True))
    return pl.DataFrame({"ts": ts, **columns, "volume": [float(number)] * (2 * ROWS)})


def append_for_ever(root: Path, acknowledge: Connection) -> None:
    store = Store(root)
    number = store.read(KEY).height // (2 * ROWS) if store.exists(KEY) else 0
    while True:
        store.append(KEY, batch(number))
        number += 1
        acknowledge.send(number)


def overwrite_for_ever(root: Path, acknowledge: Connection) -> None:
    store, number = Store(root), 0
    while True:
        number += 1
        store.overwrite(KEY, batch(0).with_columns(volume=pl.lit(float(number))))
        acknowledge.send(number)


def whole_batches(frame: pl.DataFrame) -> int:
    """Return how many batches a frame is made of; fails unless each is there wholly."""
    counts = frame.group_by("volume").len().sort("volume")
    assert counts["len"].to_list() == [2 * ROWS] * counts.height
    assert counts["volume"].to_list() == [float(i) for i in range(counts.height)]
    assert frame["ts"].is_sorted()
    return counts.height


@pytest.fixture(scope="module")
def context() -> multiprocessing.context.BaseContext:
    # The server has the libraries imported, so that each victim starts in a moment.
    chosen = multiprocessing.get_context("forkserver")
    chosen.set_forkserver_preload(["cashup.data.store", "pytest"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
        forkserver.ensure_running()
    return chosen


@pytest.mark.slow
def test_a_killed_append_leaves_the_old_or_the_new_dataset(
    tmp_path: Path, context: multiprocessing.context.BaseContext
) -> None:
    pick = random.Random(20230101)
    store = Store(tmp_path)
    acknowledged = 0
    for _ in range(KILLS):
        receive, send = context.Pipe(duplex=False)
        victim = context.Process(target=append_for_ever, args=(tmp_path, send))  # type: ignore[attr-defined]
        victim.start()
        send.close()
        acknowledged = max(acknowledged, receive.recv())
        # The kill falls at a random moment of the work after the first append.
        victim.join(timeout=pick.uniform(0.0, 0.05))
        victim.kill()
        victim.join()
        try:
            while True:
                acknowledged = max(acknowledged, receive.recv())
        except EOFError:
            receive.close()
        stored = whole_batches(store.read(KEY))
        assert stored in (acknowledged, acknowledged + 1)
        acknowledged = stored
    assert acknowledged > KILLS
    # What the killed left behind is gone after the next write.
    store.append(KEY, batch(acknowledged))
    left = {path.name for path in (tmp_path / KEY.folder).iterdir()}
    assert left == {"manifest.json", ".lock", *(part.file for part in store.manifest(KEY).parts)}


@pytest.mark.slow
def test_readers_see_whole_changes_while_a_writer_works(
    tmp_path: Path, context: multiprocessing.context.BaseContext
) -> None:
    for work in (append_for_ever, overwrite_for_ever):
        root = tmp_path / work.__name__
        receive, send = context.Pipe(duplex=False)
        writer = context.Process(target=work, args=(root, send))  # type: ignore[attr-defined]
        writer.start()
        send.close()
        try:
            done, seen, store = receive.recv(), set(), Store(root)
            while done < 40:
                frame = store.read(KEY)
                if work is append_for_ever:
                    seen.add(whole_batches(frame))
                else:
                    assert frame.height == 2 * ROWS
                    assert frame["volume"].n_unique() == 1
                    seen.add(frame["volume"][0])
                while receive.poll():
                    done = receive.recv()
            assert len(seen) > 3
        finally:
            writer.kill()
            writer.join()
            receive.close()
