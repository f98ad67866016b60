"""Store of market data: Parquet files below one folder, changed atomically, read while being written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from cashup.data.datasets import DataKind, DatasetKey
from cashup.data.durable import flush_folder, only_writer, remove_leftovers, replace_file
from cashup.data.manifest import Manifest
from cashup.data.merge import Conflict, merge, sort_rows
from cashup.data.parts import collect_garbage, cut, read_part, split, write_part
from cashup.data.schema import SCHEMAS, check_frame, empty_frame
from cashup.model.errors import DataError, UnknownNameError
from cashup.model.time import Timeframe, from_datetime, ns_to_ms, parse_time

Moment = int | str | datetime
"""A time: milliseconds since 1970 UTC, ISO 8601 text (no zone means UTC), or a datetime."""

_READ_ATTEMPTS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteResult:
    """What a write did.

    Attributes:
        rows: Rows in the dataset now.
        added: Rows that were not there before.
        replaced: Rows whose values changed.
        fingerprint: Version of the dataset now.
    """

    rows: int
    added: int
    replaced: int
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BarArrays:
    """Bars as contiguous arrays of equal length, ready for the kernel.

    Attributes:
        ts: Open times, int64 milliseconds UTC.
        open: Prices, float64; high, low and close likewise.
        volume: Traded amount as the venue counts it, float64.
    """

    ts: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray


class Store:
    """Market data below one folder.

    One dataset is one instrument, kind and timeframe, in the folder exchange / market type / instrument /
    kind / timeframe. Every change is all or nothing, whenever the process is killed. Any number of readers
    may read while one writer writes; they see the dataset before or after the change. A second writer waits.

    Args:
        root: Folder of the store; made at the first write.
        wait_s: How long a writer waits for another one, in seconds.
    """

    def __init__(self, root: Path, *, wait_s: float = 10.0) -> None:
        self.root = Path(root)
        self._wait_s = wait_s

    # Reading

    def read_bars(
        self,
        name: str,
        timeframe: Timeframe | str,
        since: Moment | None = None,
        until: Moment | None = None,
    ) -> pl.DataFrame:
        """Return bars that open in ``since <= ts < until``: ts, open, high, low, close, volume.

        Raises:
            UnknownNameError: There are no such bars in the store.
            DataError: A file of the dataset is damaged.
        """
        return self.read(DatasetKey.bars(name, timeframe), since, until)

    def read_mark(
        self,
        name: str,
        timeframe: Timeframe | str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
    ) -> pl.DataFrame:
        """Return mark-price bars (ts, open, high, low, close), the finest stored ones by default.

        Raises:
            UnknownNameError: There are no such mark prices in the store.
        """
        if timeframe is None:
            stored = self.timeframes(name, DataKind.MARK)
            if not stored:
                raise UnknownNameError("mark prices in the store", name, self._names(DataKind.MARK))
            timeframe = stored[0]
        return self.read(DatasetKey.mark(name, timeframe), since, until)

    def read_trades(
        self, name: str, since: Moment | None = None, until: Moment | None = None
    ) -> pl.DataFrame:
        """Return public trades: ts, id, side of the taker ("buy" | "sell"), price, amount.

        Raises:
            UnknownNameError: There are no trades of the instrument in the store.
        """
        return self.read(DatasetKey.trades(name), since, until)

    def read_funding(
        self, name: str, since: Moment | None = None, until: Moment | None = None
    ) -> pl.DataFrame:
        """Return settled funding rates: ts, funding_rate (a fraction; longs pay when positive).

        Raises:
            UnknownNameError: There are no funding rates of the instrument in the store.
        """
        return self.read(DatasetKey.funding(name), since, until)

    def read(self, key: DatasetKey, since: Moment | None = None, until: Moment | None = None) -> pl.DataFrame:
        """Return the rows of a dataset with ``since <= ts < until``, sorted by time, in one chunk."""
        low, high = to_ms(since), to_ms(until)
        for _ in range(_READ_ATTEMPTS):
            manifest = self.manifest(key)
            try:
                return self._read_parts(manifest, low, high)
            except FileNotFoundError:
                # A writer replaced the dataset between our two looks; unless it did not.
                if self.manifest(key) == manifest:
                    break
        raise DataError(
            "a data file is missing", path=self.root / key.folder, hint="import the dataset again"
        )

    def load_arrays(
        self,
        name: str,
        timeframe: Timeframe | str,
        since: Moment | None = None,
        until: Moment | None = None,
    ) -> BarArrays:
        """Return bars as contiguous NumPy columns.

        Raises:
            UnknownNameError: There are no such bars in the store.
        """
        return arrays_of(self.read_bars(name, timeframe, since, until))

    def manifest(self, key: DatasetKey) -> Manifest:
        """Return the table of contents of a dataset.

        Raises:
            UnknownNameError: The store has no such dataset.
        """
        manifest = Manifest.load(self.root / key.folder)
        if manifest is None:
            raise self._unknown(key)
        return manifest

    def exists(self, key: DatasetKey) -> bool:
        """Return whether the store has the dataset."""
        return Manifest.load(self.root / key.folder) is not None

    def fingerprint(self, key: DatasetKey) -> str:
        """Return the version of a dataset: changes exactly when a row changes; reads no data file."""
        return self.manifest(key).fingerprint

    def timeframes(self, name: str, kind: DataKind = DataKind.BARS) -> list[Timeframe]:
        """Return the timeframes stored for an instrument, finest first."""
        return sorted(
            key.timeframe
            for key in self.datasets()
            if key.name == name and key.kind is kind and key.timeframe is not None
        )

    def datasets(self) -> list[DatasetKey]:
        """Return all datasets of the store, sorted by name, kind and timeframe."""
        found = []
        for path in self.root.glob("*/*/*/*/*/manifest.json"):
            manifest = Manifest.load(path.parent)
            if manifest is not None and self.root / manifest.key.folder == path.parent:
                found.append(manifest.key)
        return sorted(
            found, key=lambda key: (key.name, key.kind, 0 if key.timeframe is None else key.timeframe.mean_ns)
        )

    # Writing

    def append(
        self, key: DatasetKey, frame: pl.DataFrame, *, on_conflict: Conflict = "replace"
    ) -> WriteResult:
        """Add rows to a dataset, which is made when it does not exist.

        Rows that are there already, with the same values, are no conflict.

        Args:
            key: The dataset.
            frame: Rows with the columns of the kind, sorted by time.
            on_conflict: What to do with a row of a known time but other values: "replace" the stored one,
                "keep" the stored one, or "refuse" the whole append.

        Raises:
            DataError: A row is wrong, or conflicts and conflicts are refused; nothing was written.
        """
        rows = check_frame(frame, key.kind, what=str(key))

        def change(folder: Path, old: Manifest) -> tuple[Manifest, int]:
            changed, replaced = [], 0
            for label, new in split(sort_rows(rows, key.kind), key.partition):
                part = old.part(label)
                stored = empty_frame(key.kind) if part is None else read_part(folder, part)
                merged = merge(stored, new, key.kind, on_conflict=on_conflict, what=str(key))
                replaced += merged.replaced
                changed.append(write_part(folder, label, merged.frame))
            return old.with_parts(changed), replaced

        return self._change(key, change)

    def overwrite(self, key: DatasetKey, frame: pl.DataFrame, *, expected: str | None = None) -> WriteResult:
        """Replace all rows of a dataset, which is made when it does not exist.

        Args:
            key: The dataset.
            frame: Rows with the columns of the kind, sorted by time.
            expected: Fingerprint the dataset must have now; None replaces any.

        Raises:
            DataError: A row is wrong, or the dataset is not the expected one; nothing was written.
        """
        rows = check_frame(frame, key.kind, what=str(key))

        def change(folder: Path, old: Manifest) -> tuple[Manifest, int]:
            labelled = split(sort_rows(rows, key.kind), key.partition)
            parts = [write_part(folder, label, part) for label, part in labelled]
            kept = {part.label for part in parts}
            return old.with_parts(parts, without={part.label for part in old.parts} - kept), 0

        return self._change(key, change, expected)

    def restore(
        self, key: DatasetKey, manifest: Manifest, source: Path, *, expected: str | None = None
    ) -> WriteResult:
        """Make `manifest` the dataset's again, with its files copied from the folder `source`.

        Raises:
            DataError: A file is missing in `source`, or the dataset is not the expected one; nothing was
                changed.
        """

        def change(folder: Path, _old: Manifest) -> tuple[Manifest, int]:
            for part in manifest.parts:
                origin = source / part.file
                if not origin.is_file():
                    raise DataError("a kept file is missing", path=origin)
                replace_file(folder / part.file, lambda path, origin=origin: shutil.copyfile(origin, path))  # type: ignore[misc]
            return manifest, 0

        return self._change(key, change, expected)

    def delete(self, key: DatasetKey) -> None:
        """Delete a dataset and what was kept of its repairs.

        Raises:
            UnknownNameError: The store has no such dataset.
        """
        folder = self.root / key.folder
        with only_writer(folder, wait_s=self._wait_s):
            self.manifest(key)
            (folder / "manifest.json").unlink()
            flush_folder(folder)
            shutil.rmtree(folder, ignore_errors=True)
        for parent in list(folder.relative_to(self.root).parents)[:-1]:
            try:
                (self.root / parent).rmdir()
            except OSError:
                break

    def _change(
        self,
        key: DatasetKey,
        change: Callable[[Path, Manifest], tuple[Manifest, int]],
        expected: str | None = None,
    ) -> WriteResult:
        folder = self.root / key.folder
        with only_writer(folder, wait_s=self._wait_s):
            remove_leftovers(folder)
            old = Manifest.load(folder) or Manifest(key=key)
            if expected not in (None, old.fingerprint):
                raise DataError(
                    f"{key} has been changed by another program meanwhile", path=folder, hint="start again"
                )
            new, replaced = change(folder, old)
            if new != old or not new.parts:
                new.save(folder)
            collect_garbage(folder, new)
        return WriteResult(
            rows=new.rows, added=new.rows - old.rows, replaced=replaced, fingerprint=new.fingerprint
        )

    def _read_parts(self, manifest: Manifest, low: int | None, high: int | None) -> pl.DataFrame:
        folder = self.root / manifest.key.folder
        frames = [
            read_part(folder, part)
            for part in manifest.parts
            if (low is None or part.last >= low) and (high is None or part.first < high)
        ]
        if not frames:
            return empty_frame(manifest.key.kind)
        ends = [cut(frames[0], low, None), *frames[1:]]
        ends[-1] = cut(ends[-1], None, high)
        return ends[0] if len(ends) == 1 else pl.concat(ends, rechunk=True)

    def _unknown(self, key: DatasetKey) -> UnknownNameError:
        of_kind = [other for other in self.datasets() if other.kind is key.kind]
        timeframes = [str(other.timeframe) for other in of_kind if other.name == key.name]
        if timeframes:
            return UnknownNameError(f"timeframe of stored {key.name}", str(key.timeframe), timeframes)
        return UnknownNameError(f"{key.kind} in the store", key.name, self._names(key.kind))

    def _names(self, kind: DataKind) -> list[str]:
        return sorted({key.name for key in self.datasets() if key.kind is kind})


def to_ms(moment: Moment | None) -> int | None:
    """Return a time as milliseconds UTC.

    Raises:
        InputError: The text is not a time.
    """
    if moment is None or isinstance(moment, int):
        return moment
    return ns_to_ms(parse_time(moment) if isinstance(moment, str) else from_datetime(moment))


def arrays_of(bars: pl.DataFrame) -> BarArrays:
    """Return the columns of a frame of bars as contiguous arrays."""
    columns = {
        column: np.ascontiguousarray(bars.get_column(column).rechunk().to_numpy())
        for column in SCHEMAS[DataKind.BARS]
    }
    return BarArrays(**columns)
