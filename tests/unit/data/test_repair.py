"""Repairs do what was asked, write it down, and can be undone to the byte."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cashup.data import repair as repairs
from cashup.data.datasets import DatasetKey
from cashup.data.repair import Action, repair, repair_frame, undo
from cashup.data.store import Store
from cashup.model.errors import DataError, InputError

HOUR = 3_600_000
START = 1_672_531_200_000 - 50 * HOUR  # the bars lie in two years, so in two files
KEY = DatasetKey.bars("binance:BTC/USDT", "1h")


def bars(count: int = 200) -> pl.DataFrame:
    close = 100 + np.arange(count) % 2 * 0.1
    return pl.DataFrame(
        {
            "ts": START + HOUR * np.arange(count),
            "open": close,
            "high": close + 0.2,
            "low": close - 0.2,
            "close": close,
            "volume": np.ones(count),
        }
    )


def holed(*rows: int) -> pl.DataFrame:
    return bars().with_row_index("i").filter(~pl.col("i").is_in(list(rows))).drop("i")


def content(store: Store) -> dict[str, bytes]:
    folder = store.root / KEY.folder
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.append(KEY, holed(10, 11, 120))
    return store


def test_gaps_are_filled_flat_with_zero_volume(store: Store) -> None:
    record = repair(store, KEY, [Action.FILL_GAPS])
    repaired = store.read(KEY)
    assert repaired["ts"].to_list() == bars()["ts"].to_list()
    last = holed(10, 11, 120).row(9, named=True)["close"]
    assert repaired.row(10)[1:] == repaired.row(11)[1:] == (last, last, last, last, 0.0)
    assert [change.after["volume"] for change in record.changes] == [0.0] * 3
    assert record.changes[0].time == "2022-12-30T08:00:00Z"


def test_undo_restores_every_byte(store: Store) -> None:
    before = content(store)
    record = repair(store, KEY, [Action.FILL_GAPS])
    assert content(store) != before
    assert repairs.history(store, KEY) == [record]
    assert undo(store, KEY) == record
    assert {name: data for name, data in content(store).items() if not name.startswith("repairs/")} == before
    assert repairs.history(store, KEY) == []
    with pytest.raises(InputError, match="no repair to undo"):
        undo(store, KEY)


def test_repairs_are_undone_one_by_one(store: Store) -> None:
    states = [store.read(KEY)]
    repair(store, KEY, [Action.FILL_GAPS])
    states.append(store.read(KEY))
    second = repair(store, KEY, [Action.DROP_PARTIAL_LAST], now=START + 199 * HOUR + 1)
    assert second.number == 2
    assert store.read(KEY).height == 199
    undo(store, KEY)
    assert store.read(KEY).equals(states[1])
    undo(store, KEY)
    assert store.read(KEY).equals(states[0])


def test_undo_never_loses_what_came_after(store: Store) -> None:
    repair(store, KEY, [Action.FILL_GAPS])
    store.append(KEY, bars(210))
    with pytest.raises(DataError, match="changed since its repair"):
        undo(store, KEY)
    assert store.read(KEY).height == 210


def test_a_repair_killed_before_its_end_has_changed_nothing(store: Store) -> None:
    before = store.read(KEY)
    repair(store, KEY, [Action.FILL_GAPS])
    kept = store.root / KEY.folder / "repairs/0001"
    # As after a kill between keeping the original and replacing the dataset.
    saved = store.root / "saved"
    shutil.copytree(kept, saved)
    undo(store, KEY)
    shutil.copytree(saved, kept)
    undo(store, KEY)
    assert store.read(KEY).equals(before)
    assert not kept.exists()


def test_nothing_to_repair_leaves_no_journal(store: Store) -> None:
    before = content(store)
    record = repair(store, KEY, [Action.DROP_DUPLICATES, Action.CLIP_SPIKES])
    assert (record.number, record.changes) == (0, ())
    assert content(store) == before


def test_duplicates_keep_the_last() -> None:
    doubled = pl.concat([bars(5), bars(5).tail(1).with_columns(volume=pl.lit(7.0))])
    frame, changes = repair_frame(doubled, "1h", [Action.DROP_DUPLICATES])
    assert frame.height == 5
    assert frame.item(4, "volume") == 7.0
    assert [change.before["volume"] for change in changes] == [1.0]


def test_a_partial_last_bar_needs_the_present() -> None:
    frame, changes = repair_frame(bars(5), "1h", [Action.DROP_PARTIAL_LAST], now=START + 5 * HOUR)
    assert (frame.height, changes) == (5, ())
    frame, changes = repair_frame(bars(5), "1h", [Action.DROP_PARTIAL_LAST], now=START + 5 * HOUR - 1)
    assert (frame.height, len(changes)) == (4, 1)
    with pytest.raises(InputError, match="present is not known"):
        repair_frame(bars(5), "1h", [Action.DROP_PARTIAL_LAST])


def test_spikes_are_clipped_only_when_asked() -> None:
    here, following = pl.int_range(pl.len()) == 60, pl.int_range(pl.len()) == 61
    spiked = bars().with_columns(
        close=pl.when(here).then(150.0).otherwise("close"),
        high=pl.when(here | following).then(151.0).otherwise("high"),
        open=pl.when(following).then(150.0).otherwise("open"),
    )
    untouched, changes = repair_frame(spiked, "1h", [Action.FILL_GAPS, Action.DROP_DUPLICATES])
    assert untouched.equals(spiked)
    assert changes == ()
    clipped, changes = repair_frame(spiked, "1h", [Action.CLIP_SPIKES])
    assert len(changes) == 2
    assert clipped.select(pl.max_horizontal("open", "high", "low", "close").max()).item() < 101
    assert clipped.filter(~pl.int_range(pl.len()).is_in([60, 61])).equals(
        spiked.filter(~pl.int_range(pl.len()).is_in([60, 61]))
    )
    assert clipped.filter((pl.col("high") < pl.col("close")) | (pl.col("low") > pl.col("open"))).is_empty()


def test_what_cannot_be_repaired_is_said(store: Store) -> None:
    with pytest.raises(InputError, match="nothing to repair"):
        repair(store, KEY, [])
    off = bars(5).with_columns(ts=pl.col("ts") + pl.int_range(5) * 60_000)
    with pytest.raises(DataError, match="do not all open on the 1h grid"):
        repair_frame(off, "1h", [Action.FILL_GAPS])
