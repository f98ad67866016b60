"""What is stored: lists, quality, bars for charts. Reading happens in threads, never in the loop."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

import polars as pl

from cashup.data.catalog import Catalog, DatasetInfo
from cashup.data.datasets import DataKind, DatasetKey
from cashup.data.quality import check
from cashup.data.resample import resample
from cashup.data.store import Store
from cashup.model.errors import InputError, UnknownNameError, explain
from cashup.model.time import Timeframe
from cashup.runtime.auth import Caller
from cashup.runtime.db import Database, emit

_MOST_BARS: Final = 100_000


class MarketDataService:
    """The store of market data, which all users of an installation share.

    Args:
        database: Records who deleted what.
        home: The data folder.
    """

    def __init__(self, database: Database, home: Path) -> None:
        self._database = database
        self.store = Store(home / "data")

    async def datasets(self) -> list[DatasetInfo]:
        """Describe every dataset."""
        return await asyncio.to_thread(Catalog(self.store).list)

    async def bars(
        self, name: str, timeframe: str, *, since: int | None, until: int | None, limit: int
    ) -> dict[str, Any]:
        """Return the last `limit` bars before `until` as columns; finer bars are put together when needed.

        Args:
            name: Instrument id.
            timeframe: Of the bars.
            since: Earliest open time, ms UTC.
            until: Bars open before this time, ms UTC.
            limit: Most bars.

        Raises:
            UnknownNameError: There are no such bars.
            InputError: They cannot be made from what is stored, or too many are asked for.
        """
        if limit > _MOST_BARS:
            raise InputError(explain(f"{limit} bars", expected=f"at most {_MOST_BARS}"), field="limit")
        return await asyncio.to_thread(self._bars, name, Timeframe.parse(timeframe), since, until, limit)

    def _bars(
        self, name: str, wanted: Timeframe, since: int | None, until: int | None, limit: int
    ) -> dict[str, Any]:
        frames = self.store.timeframes(name)
        if not frames:
            names = sorted({key.name for key in self.store.datasets() if key.kind is DataKind.BARS})
            raise UnknownNameError("stored data", name, names, field="name")
        fitting = [frame for frame in frames if wanted.is_multiple_of(frame)]
        if not fitting:
            stored = ", ".join(map(str, frames))
            raise InputError(
                explain(f"{name} is stored as {stored}; none makes up {wanted}"), field="timeframe"
            )
        source = max(fitting)
        bars = self.store.read_bars(name, source, since, until)
        if source != wanted:
            bars = resample(bars, source, wanted, partial="keep")
        shown = bars.tail(limit)
        columns: dict[str, Any] = {column: shown.get_column(column).to_list() for column in shown.columns}
        return {"name": name, "timeframe": str(wanted), "more": bars.height > limit, **columns}

    async def check(self, name: str, timeframe: str) -> dict[str, Any]:
        """Return the quality of stored bars (`UnknownNameError`)."""

        def work() -> dict[str, Any]:
            frame = Timeframe.parse(timeframe)
            return check(self.store.read_bars(name, frame), frame).to_dict()

        return await asyncio.to_thread(work)

    async def funding(self, name: str, *, since: int | None, until: int | None) -> list[dict[str, Any]]:
        """Return stored funding rates (`UnknownNameError`)."""

        def work() -> pl.DataFrame:
            return self.store.read_funding(name, since, until)

        return (await asyncio.to_thread(work)).to_dicts()

    async def delete(self, caller: Caller, name: str, kind: str, timeframe: str | None) -> None:
        """Delete a dataset (`UnknownNameError`)."""
        key = DatasetKey.of(name, DataKind.parse(kind), Timeframe.parse(timeframe) if timeframe else None)
        await asyncio.to_thread(self.store.delete, key)
        async with self._database.write() as session:
            emit(session, "data.deleted", {"user_id": caller.user_id, "name": name, "kind": kind})
