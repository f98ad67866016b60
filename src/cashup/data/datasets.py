"""Names of stored data: which instrument, what kind, which timeframe, and the folder that follows from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cashup.model.errors import InputError, UnknownNameError, explain
from cashup.model.ids import InstrumentId, UnifiedSymbol, parse_instrument_id, split_instrument_id
from cashup.model.time import Timeframe, TimeUnit


class DataKind(StrEnum):
    """What the rows of a dataset are."""

    BARS = "bars"
    TRADES = "trades"
    FUNDING = "funding"
    MARK = "mark"

    @classmethod
    def parse(cls, text: DataKind | str) -> DataKind:
        """Read a kind of data by its name.

        Raises:
            UnknownNameError: There is no such kind.
        """
        try:
            return cls(text)
        except ValueError:
            kinds = [kind.value for kind in cls]
            raise UnknownNameError("kind of data", str(text), kinds, field="kind") from None

    @property
    def has_timeframe(self) -> bool:
        """Whether rows are bars of a fixed timeframe (bars, mark prices) and not single events."""
        return self in (DataKind.BARS, DataKind.MARK)


class MarketType(StrEnum):
    """How an instrument is settled; the second level of the store's folders."""

    SPOT = "spot"
    LINEAR = "linear"
    INVERSE = "inverse"

    @classmethod
    def of(cls, symbol: UnifiedSymbol) -> MarketType:
        """Return the market type a symbol belongs to; a perpetual settled in a third currency is linear."""
        if symbol.settle is None:
            return cls.SPOT
        return cls.INVERSE if symbol.settle == symbol.base else cls.LINEAR


class Partition(StrEnum):
    """Span of time one file of a dataset covers."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    ALL = "all"


_FORBIDDEN = re.compile(r'[%_<>"|?*\\]')
_EVENTS_FOLDER = "events"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetKey:
    """Identify one dataset of the store.

    Attributes:
        name: Instrument id, such as "binance:BTC/USDT" or "gate:BTC/USDT:USDT".
        kind: What the rows are.
        timeframe: Length of a bar for bars and mark prices; None for trades and funding rates.
    """

    name: InstrumentId
    kind: DataKind
    timeframe: Timeframe | None = None

    def __post_init__(self) -> None:
        parse_instrument_id(self.name)
        if self.kind.has_timeframe and self.timeframe is None:
            raise InputError(
                explain(f"{self.kind} of {self.name} need a timeframe", expected="such as 1m or 1h"),
                field="timeframe",
            )
        if not self.kind.has_timeframe and self.timeframe is not None:
            raise InputError(explain(f"{self.kind} have no timeframe, but {self.timeframe} was given"))

    @classmethod
    def of(cls, name: str, kind: DataKind | str, timeframe: Timeframe | str | None = None) -> DatasetKey:
        """Check the parts of a key and put them together.

        Raises:
            InputError: The name, the kind or the timeframe is not one.
        """
        checked = DataKind.parse(kind)
        parsed = None if timeframe is None else Timeframe.parse(timeframe)
        return cls(name=parse_instrument_id(name), kind=checked, timeframe=parsed)

    @classmethod
    def bars(cls, name: str, timeframe: Timeframe | str) -> DatasetKey:
        """Name the bars of an instrument."""
        return cls.of(name, DataKind.BARS, timeframe)

    @classmethod
    def mark(cls, name: str, timeframe: Timeframe | str) -> DatasetKey:
        """Name the mark-price bars of an instrument."""
        return cls.of(name, DataKind.MARK, timeframe)

    @classmethod
    def trades(cls, name: str) -> DatasetKey:
        """Name the public trades of an instrument."""
        return cls.of(name, DataKind.TRADES)

    @classmethod
    def funding(cls, name: str) -> DatasetKey:
        """Name the settled funding rates of an instrument."""
        return cls.of(name, DataKind.FUNDING)

    @property
    def market_type(self) -> MarketType:
        """How the instrument is settled."""
        return MarketType.of(split_instrument_id(self.name)[1])

    @property
    def folder(self) -> Path:
        """Folder below the store's root: exchange / market type / instrument / kind / timeframe."""
        venue, symbol = split_instrument_id(self.name)
        leaf = _EVENTS_FOLDER if self.timeframe is None else _timeframe_folder(self.timeframe)
        return Path(venue, self.market_type.value, _symbol_folder(symbol), self.kind.value, leaf)

    @property
    def partition(self) -> Partition:
        """How the dataset is cut into files, so that an append rewrites one file of bearable size."""
        if self.kind is DataKind.TRADES:
            return Partition.DAY
        if self.timeframe is None or self.timeframe >= Timeframe.parse("1d"):
            return Partition.ALL
        return Partition.YEAR if self.timeframe >= Timeframe.parse("1m") else Partition.MONTH

    def __str__(self) -> str:
        tail = "" if self.timeframe is None else f" {self.timeframe}"
        return f"{self.name} {self.kind}{tail}"


def _timeframe_folder(timeframe: Timeframe) -> str:
    """Spell months "mo": file systems that ignore case must not mix 1M with 1m."""
    return f"{timeframe.count}mo" if timeframe.unit is TimeUnit.MONTH else str(timeframe)


def _symbol_folder(symbol: UnifiedSymbol) -> str:
    text = f"{_escape(symbol.base)}_{_escape(symbol.quote)}"
    if symbol.settle is not None:
        text += f"_{_escape(symbol.settle)}"
    return f"{text}-{symbol.delivery}" if symbol.delivery else text


def _escape(code: str) -> str:
    return _FORBIDDEN.sub(lambda match: f"%{ord(match[0]):02X}", code)
