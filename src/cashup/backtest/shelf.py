"""What a backtest asks of whoever keeps the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from cashup.model.time import Timeframe


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Bars of one instrument.

    Attributes:
        name: Of the instrument, such as "binance:BTC/USDT".
        bars: ts (ms UTC, open time), open, high, low, close, volume.
        timeframe: Length of a bar.
        source: Where they came from, in words.
    """

    name: str
    bars: pl.DataFrame
    timeframe: Timeframe
    source: str


class Shelf(Protocol):
    """Finds market data by whatever the user calls it."""

    def load(self, data: Any, timeframe: str | None) -> Loaded:
        """Return bars of a stored name, a file or a frame; of stored ones the best that make up `timeframe`.

        Raises:
            DataError: the data is damaged or wrong.
            InputError: there is no such data.
        """

    def resample(self, bars: pl.DataFrame, source: Timeframe, target: Timeframe) -> pl.DataFrame:
        """Return whole bars of the timeframe `target`."""

    def funding(self, name: str, data: Any) -> pl.DataFrame | None:
        """Return funding (ts ms, funding_rate) of a file or frame, or what is stored under the name, or None."""

    def mark(self, name: str, data: Any, timeframe: Timeframe) -> pl.DataFrame | None:
        """Return mark-price bars of a file or frame, or what is stored under the name, or None."""
