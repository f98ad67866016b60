"""`cashup.Backtest`: a backtest that finds its data in the store, in files and in frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from cashup.app.compose import data_dir
from cashup.backtest.options import Mode
from cashup.backtest.runner import Backtest as PlainBacktest
from cashup.backtest.shelf import Loaded
from cashup.data.datasets import DataKind, DatasetKey
from cashup.data.importers import Imported, from_frame, read_file
from cashup.data.resample import resample
from cashup.data.store import Store
from cashup.engine.strategy import Strategy
from cashup.model.errors import DataError, InputError, UnknownNameError, explain
from cashup.model.time import Timeframe


class StoreShelf:
    """Market data by stored name, file or frame.

    Args:
        store: Where stored names are looked up.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def load(self, data: Any, timeframe: str | None) -> Loaded:
        """See `cashup.backtest.shelf.Shelf.load`."""
        if isinstance(data, Path) or (isinstance(data, str) and self._is_file(data)):
            return self._loaded(read_file(data, kind=DataKind.BARS), str(data))
        if isinstance(data, str):
            return self._stored(data, timeframe)
        return self._loaded(from_frame(data, kind=DataKind.BARS), "frame")

    def resample(self, bars: pl.DataFrame, source: Timeframe, target: Timeframe) -> pl.DataFrame:
        """See `cashup.backtest.shelf.Shelf.resample`."""
        return resample(bars, source, target)

    def funding(self, name: str, data: Any) -> pl.DataFrame | None:
        """See `cashup.backtest.shelf.Shelf.funding`."""
        if data is not None:
            return self._rows(data, DataKind.FUNDING)
        return self._kept(name, DataKind.FUNDING, None)

    def mark(self, name: str, data: Any, timeframe: Timeframe) -> pl.DataFrame | None:
        """See `cashup.backtest.shelf.Shelf.mark`."""
        if data is not None:
            return self._rows(data, DataKind.MARK)
        return self._kept(name, DataKind.MARK, timeframe)

    def _is_file(self, text: str) -> bool:
        if Path(text).exists():
            return True
        looks_like_path = "\\" in text or text.startswith((".", "/", "~")) or Path(text).suffix != ""
        if looks_like_path and ":" not in text:
            raise DataError("there is no such file", path=Path(text))
        return False

    def _stored(self, name: str, timeframe: str | None) -> Loaded:
        kept = [
            key.timeframe for key in self.store.datasets() if key.name == name and key.kind is DataKind.BARS
        ]
        frames = sorted(frame for frame in kept if frame is not None)
        if not frames:
            names = sorted({key.name for key in self.store.datasets() if key.kind is DataKind.BARS})
            if names:
                raise UnknownNameError("stored data", name, names, field="data")
            raise InputError(
                explain(
                    f"{name!r} is neither a file nor stored data, and the store is empty",
                    hint="add some with: cashup data import FILE, or cashup data download NAME",
                ),
                field="data",
            )
        chosen = frames[0]
        if timeframe is not None:
            wanted = Timeframe.parse(timeframe)
            fitting = [frame for frame in frames if wanted.is_multiple_of(frame)]
            if not fitting:
                stored = ", ".join(map(str, frames))
                raise InputError(
                    explain(f"{name} is stored as {stored}; none makes up bars of {wanted}"),
                    field="timeframe",
                )
            chosen = fitting[-1]
        bars = self.store.read_bars(name, chosen)
        return Loaded(name=name, bars=bars, timeframe=chosen, source=f"store {name} {chosen}")

    def _loaded(self, imported: Imported, source: str) -> Loaded:
        if imported.timeframe is None:
            raise InputError(explain(f"{source} holds {imported.kind.value}", expected="bars"), field="data")
        name = str(imported.name) if imported.name else "data:ASSET/CASH"
        return Loaded(name=name, bars=imported.frame, timeframe=imported.timeframe, source=source)

    def _rows(self, data: Any, kind: DataKind) -> pl.DataFrame:
        if isinstance(data, str | Path):
            return read_file(data, kind=kind).frame
        return from_frame(data, kind=kind).frame

    def _kept(self, name: str, kind: DataKind, timeframe: Timeframe | None) -> pl.DataFrame | None:
        try:
            key = DatasetKey.of(name, kind, timeframe)
        except InputError:
            return None  # the name of a file or frame is no name of a store
        return self.store.read(key) if self.store.exists(key) else None


class Backtest(PlainBacktest):
    """One strategy on one market; see `cashup.backtest.runner.Backtest` for the arguments.

    Stored names are looked up in the data folder (CASHUP_DATA_DIR, else ~/.cashup/data).
    """

    def __init__(
        self,
        strategy: type[Strategy] | Strategy | str | Path,
        data: Any,
        *,
        timeframe: str | None = None,
        since: Any = None,
        until: Any = None,
        params: Mapping[str, Any] | None = None,
        cash: float = 100_000.0,
        fee: float | tuple[float, float] = 0.001,
        slippage: float | str = 0.0,
        detail: Any = None,
        funding: Any = None,
        mark: Any = None,
        mode: Mode = "auto",
        **options: Any,
    ) -> None:
        super().__init__(
            strategy,
            data,
            shelf=StoreShelf(Store(data_dir())),
            timeframe=timeframe,
            since=since,
            until=until,
            params=params,
            cash=cash,
            fee=fee,
            slippage=slippage,
            detail=detail,
            funding=funding,
            mark=mark,
            mode=mode,
            **options,
        )
