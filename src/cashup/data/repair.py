"""Change stored bars on purpose: every change is written down, and can be undone to the byte.

A repair first copies the dataset's files and writes its journal into ``repairs/NNNN`` inside the dataset's
folder, then replaces the dataset. `undo` puts the copies back. A kill between any two steps loses nothing.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from cashup.data.datasets import DatasetKey
from cashup.data.durable import TEMPORARY_SUFFIX, flush_folder, replace_file
from cashup.data.manifest import MANIFEST_NAME, Manifest
from cashup.data.outliers import spikes, usual_movement
from cashup.data.parts import fingerprint_of_parts
from cashup.data.resample import fill_flat
from cashup.data.schema import PRICES, check_frame
from cashup.data.store import Store
from cashup.data.timeline import bar_closes
from cashup.model.errors import DataError, InputError, explain
from cashup.model.time import NS_PER_MS, Timeframe, format_time

_FOLDER: Final = "repairs"
_JOURNAL: Final = "journal.json"


class Action(StrEnum):
    """One kind of repair."""

    DROP_DUPLICATES = "drop-duplicates"
    DROP_PARTIAL_LAST = "drop-partial-last"
    FILL_GAPS = "fill-gaps"
    CLIP_SPIKES = "clip-spikes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One changed value.

    Attributes:
        action: Why it was changed.
        time: The bar's open time, ISO 8601 UTC.
        before: Values before, by column; empty for a bar that was added.
        after: Values after, by column; empty for a bar that was dropped.
    """

    action: Action
    time: str
    before: dict[str, float]
    after: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairRecord:
    """One repair of a dataset.

    Attributes:
        number: Counts a dataset's repairs from 1; 0 when nothing had to be changed.
        actions: What was asked for.
        changes: What was changed.
        before: Fingerprint of the dataset before.
        after: Fingerprint of the dataset after.
    """

    number: int
    actions: tuple[Action, ...]
    changes: tuple[Change, ...]
    before: str
    after: str


def repair_frame(
    bars: pl.DataFrame,
    timeframe: Timeframe | str,
    actions: Iterable[Action],
    *,
    now: int | None = None,
) -> tuple[pl.DataFrame, tuple[Change, ...]]:
    """Return repaired bars, and what was changed.

    Args:
        bars: Bars in order of time; repeated times are allowed when they are to be dropped.
        timeframe: Their timeframe.
        actions: What to do; done in the order of `Action`.
        now: The present, in milliseconds UTC; needed to drop a partial last bar.

    Raises:
        InputError: A partial last bar is to be dropped, but `now` is not given.
    """
    timeframe = Timeframe.parse(timeframe)
    wanted = set(actions)
    changes: list[Change] = []
    if Action.DROP_DUPLICATES in wanted:
        bars = _drop(bars, ~pl.col("ts").is_last_distinct(), Action.DROP_DUPLICATES, changes)
    if Action.DROP_PARTIAL_LAST in wanted and not bars.is_empty():
        if now is None:
            raise InputError(explain("the present is not known", expected="now, in milliseconds UTC"))
        ends = pl.Series(bar_closes(bars.get_column("ts").to_numpy(), timeframe))
        bars = _drop(bars, pl.lit(ends) > now, Action.DROP_PARTIAL_LAST, changes)
    if Action.FILL_GAPS in wanted:
        bars = _fill(bars, timeframe, changes)
    if Action.CLIP_SPIKES in wanted and bars.height >= 10:
        bars = _clip(bars, changes)
    return bars, tuple(changes)


def repair(
    store: Store, key: DatasetKey, actions: Iterable[Action], *, now: int | None = None
) -> RepairRecord:
    """Repair stored bars, keeping the original files and a journal beside them.

    Raises:
        InputError: The dataset has no bars to repair, or no action is named.
        DataError: Another program changed the dataset meanwhile; nothing was repaired.
    """
    chosen = tuple(action for action in Action if action in set(actions))
    if key.timeframe is None or not chosen:
        raise InputError(
            explain(f"nothing to repair in {key}", expected=f"bars, and one of {', '.join(Action)}")
        )
    manifest = store.manifest(key)
    bars, changes = repair_frame(store.read(key), key.timeframe, chosen, now=now)
    before = manifest.fingerprint
    if not changes:
        return RepairRecord(number=0, actions=chosen, changes=(), before=before, after=before)
    bars = check_frame(bars, key.kind, what=str(key))
    record = RepairRecord(
        number=len(history(store, key)) + 1,
        actions=chosen,
        changes=changes,
        before=before,
        after=fingerprint_of_parts(bars, key.partition),
    )
    _keep(store.root / key.folder, manifest, record)
    store.overwrite(key, bars, expected=before)
    return record


def undo(store: Store, key: DatasetKey) -> RepairRecord:
    """Undo the last repair of a dataset: its files are again what they were, to the byte.

    Raises:
        InputError: The dataset has not been repaired.
        DataError: The dataset has been changed since the repair, and the change would be lost.
    """
    done = history(store, key)
    if not done:
        raise InputError(explain(f"{key} has no repair to undo"))
    record = done[-1]
    kept = _folder(store.root / key.folder, record.number)
    current = store.fingerprint(key)
    if current == record.after:
        original = Manifest.load(kept)
        if original is None:
            raise DataError("the kept table of contents is missing", path=kept / MANIFEST_NAME)
        store.restore(key, original, kept, expected=current)
    elif current != record.before:
        raise DataError(
            f"{key} has been changed since its repair",
            path=kept,
            expected="the dataset as the repair left it",
            hint="undoing would lose that change; the original files are in the folder named above",
        )
    shutil.rmtree(kept)
    return record


def history(store: Store, key: DatasetKey) -> list[RepairRecord]:
    """Return the repairs of a dataset that can be undone, oldest first."""
    folder = store.root / key.folder / _FOLDER
    journals = sorted(folder.glob(f"[0-9]*/{_JOURNAL}"))
    return [_record(journal) for journal in journals if not journal.parent.name.endswith(TEMPORARY_SUFFIX)]


def _folder(dataset: Path, number: int) -> Path:
    return dataset / _FOLDER / f"{number:04d}"


def _keep(dataset: Path, manifest: Manifest, record: RepairRecord) -> None:
    """Copy the dataset's files and write the journal; the folder appears when it is complete."""
    kept = _folder(dataset, record.number)
    making = kept.with_name(kept.name + TEMPORARY_SUFFIX)
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for name in (MANIFEST_NAME, *(part.file for part in manifest.parts)):
        replace_file(making / name, lambda path, name=name: shutil.copyfile(dataset / name, path))  # type: ignore[misc]
    text = json.dumps(asdict(record), indent=1)
    replace_file(making / _JOURNAL, lambda path: path.write_text(text, encoding="utf-8"))
    making.rename(kept)
    flush_folder(kept.parent)


def _record(journal: Path) -> RepairRecord:
    content: dict[str, Any] = json.loads(journal.read_bytes())
    return RepairRecord(
        number=content["number"],
        actions=tuple(Action(action) for action in content["actions"]),
        changes=tuple(
            Change(**{**change, "action": Action(change["action"])}) for change in content["changes"]
        ),
        before=content["before"],
        after=content["after"],
    )


def _drop(bars: pl.DataFrame, broken: pl.Expr, action: Action, changes: list[Change]) -> pl.DataFrame:
    marked = bars.with_columns(broken.alias("__drop__"))
    dropped = marked.filter("__drop__").drop("__drop__")
    changes.extend(
        Change(action=action, time=_time(row.pop("ts")), before=row, after={})
        for row in dropped.iter_rows(named=True)
    )
    return marked.filter(~pl.col("__drop__")).drop("__drop__")


def _fill(bars: pl.DataFrame, timeframe: Timeframe, changes: list[Change]) -> pl.DataFrame:
    filled = fill_flat(bars, timeframe)
    if filled.join(bars, on="ts", how="semi").height != bars.height:
        raise DataError(
            f"the bars do not all open on the {timeframe} grid",
            expected="evenly spaced bars",
            hint="gaps between sessions cannot be filled",
        )
    added = filled.join(bars, on="ts", how="anti", maintain_order="left")
    changes.extend(
        Change(action=Action.FILL_GAPS, time=_time(row.pop("ts")), before={}, after=row)
        for row in added.iter_rows(named=True)
    )
    return filled


def _clip(bars: pl.DataFrame, changes: list[Change]) -> pl.DataFrame:
    """Put a spike, and the open after it, between the bar before and the close after it."""
    prices = {column: bars.get_column(column).to_numpy().copy() for column in PRICES}
    log = np.log(prices["close"])
    change = np.diff(log, prepend=log[0])
    times = bars.get_column("ts")
    for i in np.flatnonzero(spikes(change, usual_movement(change))):
        ceiling = max(prices["high"][i - 1], prices["close"][i + 1])
        floor = min(prices["low"][i - 1], prices["close"][i + 1])
        for j in (i, i + 1):
            before = {column: float(prices[column][j]) for column in PRICES}
            after = {column: float(np.clip(value, floor, ceiling)) for column, value in before.items()}
            if after == before:
                continue
            for column, value in after.items():
                prices[column][j] = value
            time = _time(int(times[int(j)]))
            changes.append(Change(action=Action.CLIP_SPIKES, time=time, before=before, after=after))
    return bars.with_columns(pl.Series(column, values) for column, values in prices.items())


def _time(ts: int) -> str:
    return format_time(ts * NS_PER_MS)
