"""List what the store holds, from the tables of contents alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from cashup.data.datasets import DataKind, DatasetKey, MarketType
from cashup.data.manifest import Manifest
from cashup.data.store import Store
from cashup.model.ids import InstrumentId
from cashup.model.time import NS_PER_MS, Timeframe, format_time, ms_to_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInfo:
    """Describe one dataset.

    Attributes:
        name: Instrument id.
        market_type: How it is settled.
        kind: What the rows are.
        timeframe: Length of a bar; None for trades and funding.
        rows: Number of rows.
        first: Time of the first row, milliseconds UTC; None when there are no rows.
        last: Time of the last row, milliseconds UTC; None when there are no rows.
        size: Bytes on disk.
        files: Number of data files.
        missing: Bars the calendar has between the first and the last one and the dataset has not; None for
            trades and funding.
        fingerprint: Version of the content.
    """

    name: InstrumentId
    market_type: MarketType
    kind: DataKind
    timeframe: Timeframe | None
    rows: int
    first: int | None
    last: int | None
    size: int
    files: int
    missing: int | None
    fingerprint: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, times as ISO 8601."""
        values = asdict(self)
        values["timeframe"] = None if self.timeframe is None else str(self.timeframe)
        for column in ("first", "last"):
            values[column] = None if values[column] is None else format_time(values[column] * NS_PER_MS)
        return values


class Catalog:
    """Overview of a store.

    Args:
        store: The store to describe.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self) -> list[DatasetInfo]:
        """Describe every dataset, sorted by name, kind and timeframe."""
        return [self.describe(key) for key in self._store.datasets()]

    def describe(self, key: DatasetKey) -> DatasetInfo:
        """Describe one dataset.

        Raises:
            UnknownNameError: The store has no such dataset.
        """
        manifest = self._store.manifest(key)
        parts = manifest.parts
        return DatasetInfo(
            name=key.name,
            market_type=key.market_type,
            kind=key.kind,
            timeframe=key.timeframe,
            rows=manifest.rows,
            first=parts[0].first if parts else None,
            last=parts[-1].last if parts else None,
            size=sum(part.size for part in parts),
            files=len(parts),
            missing=_missing(manifest),
            fingerprint=manifest.fingerprint,
        )


def _missing(manifest: Manifest) -> int | None:
    timeframe = manifest.key.timeframe
    if timeframe is None:
        return None
    if not manifest.parts:
        return 0
    first, last = ms_to_ns(manifest.parts[0].first), ms_to_ns(manifest.parts[-1].last)
    expected = timeframe.count_between(timeframe.floor(first), timeframe.floor(last) + 1)
    return max(0, expected - manifest.rows)
