"""What the market says: bars, trades, quotes, books, funding and marks.

Prices and quantities here are float64: decisions are made on them, with the same numbers in every mode.
Money in the books is Decimal. Every message carries two times, nanoseconds UTC: `ts_event`, when it happened
at the venue, and `ts_init`, when we learnt of it; a replay orders messages by `ts_init`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from cashup.model.errors import DataError
from cashup.model.ids import InstrumentId
from cashup.model.order_terms import Side
from cashup.model.time import Timeframe, format_time

_INFINITY: Final = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Prices of one interval.

    Attributes:
        ts_open: When the interval starts; the name of the bar.
        ts_event: When it ends; that instant belongs to the next bar.
        volume: Traded in the interval, in base units (spot, linear) or contracts.
        is_closed: False while the interval is still running; only closed bars reach a strategy.
    """

    instrument_id: InstrumentId
    timeframe: Timeframe
    ts_open: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    is_closed: bool = True
    ts_event: int
    ts_init: int

    def __post_init__(self) -> None:
        # One chained comparison on the usual path; NaN fails it too.
        if not (
            0.0 < self.low <= self.open <= self.high < _INFINITY
            and self.low <= self.close <= self.high
            and 0.0 <= self.volume < _INFINITY
            and self.ts_open < self.ts_event
        ):
            raise self._fault()

    def _fault(self) -> DataError:
        where = f"{self.timeframe} bar of {self.instrument_id} at {format_time(self.ts_open)}"
        for name in ("open", "high", "low", "close"):
            value = getattr(self, name)
            if not 0.0 < value < _INFINITY:
                return _fault(where, name, value, "a positive finite price")
        if not 0.0 <= self.volume < _INFINITY:
            return _fault(where, "volume", self.volume, "zero or a positive finite number")
        if self.ts_open >= self.ts_event:
            return _fault(where, "ts_event", self.ts_event, "a close time after the open time")
        if self.high < self.low:
            return _fault(where, "high", self.high, f"at least the low, {self.low}")
        name = "open" if not self.low <= self.open <= self.high else "close"
        return _fault(where, name, getattr(self, name), f"between low {self.low} and high {self.high}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One public trade.

    Attributes:
        side: Side of the taker.
        trade_id: The venue's name of it, or "".
    """

    instrument_id: InstrumentId
    price: float
    quantity: float
    side: Side
    trade_id: str = ""
    ts_event: int
    ts_init: int

    def __post_init__(self) -> None:
        _check("trade", self.instrument_id, self.ts_event, price=self.price, quantity=self.quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Best bid and ask; a missing side has price and quantity 0."""

    instrument_id: InstrumentId
    bid: float
    ask: float
    bid_quantity: float
    ask_quantity: float
    ts_event: int
    ts_init: int

    def __post_init__(self) -> None:
        where = f"quote of {self.instrument_id} at {format_time(self.ts_event)}"
        for name in ("bid", "ask", "bid_quantity", "ask_quantity"):
            if not 0.0 <= getattr(self, name) < _INFINITY:
                raise _fault(where, name, getattr(self, name), "zero or a positive finite number")
        if self.ask and self.bid > self.ask:
            raise _fault(where, "bid", self.bid, f"at most the ask, {self.ask}")

    @property
    def mid(self) -> float:
        """Middle between bid and ask; NaN when a side is missing."""
        return (self.bid + self.ask) / 2 if self.bid and self.ask else math.nan

    @property
    def spread(self) -> float:
        """Ask minus bid; NaN when a side is missing."""
        return self.ask - self.bid if self.bid and self.ask else math.nan


class BookLevel(NamedTuple):
    """Quantity resting at one price."""

    price: float
    quantity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBook:
    """Resting orders by price at one moment.

    Attributes:
        bids: Levels from the best (highest) price down.
        asks: Levels from the best (lowest) price up.
        sequence: The venue's update number, or 0.
    """

    instrument_id: InstrumentId
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
    sequence: int = 0
    ts_event: int
    ts_init: int

    def __post_init__(self) -> None:
        where = f"book of {self.instrument_id} at {format_time(self.ts_event)}"
        for name, levels, sign in (("bids", self.bids, -1.0), ("asks", self.asks, 1.0)):
            for level in levels:
                if not (0.0 < level.price < _INFINITY and 0.0 < level.quantity < _INFINITY):
                    raise _fault(where, name, tuple(level), "positive finite prices and quantities")
            for better, worse in pairwise(levels):
                if not sign * better.price < sign * worse.price:
                    raise _fault(where, name, worse.price, f"a price behind {better.price}, best first")
        if self.bids and self.asks and self.bids[0].price >= self.asks[0].price:
            raise _fault(where, "bids", self.bids[0].price, f"below the best ask, {self.asks[0].price}")

    @property
    def best_bid(self) -> BookLevel | None:
        """The highest bid, or None."""
        return self.bids[0] if self.bids else None

    @property
    def best_ask(self) -> BookLevel | None:
        """The lowest ask, or None."""
        return self.asks[0] if self.asks else None

    @property
    def mid(self) -> float:
        """Middle between the best prices; NaN when a side is empty."""
        return (self.bids[0].price + self.asks[0].price) / 2 if self.bids and self.asks else math.nan

    @property
    def spread(self) -> float:
        """Best ask minus best bid; NaN when a side is empty."""
        return self.asks[0].price - self.bids[0].price if self.bids and self.asks else math.nan

    def average_price(self, side: Side, quantity: float) -> float:
        """Return the average price a taker of `quantity` would get; NaN when the book is too thin."""
        rest, value = quantity, 0.0
        for level in self.asks if side is Side.BUY else self.bids:
            taken = min(rest, level.quantity)
            value += taken * level.price
            rest -= taken
            if rest <= 0.0:
                return value / quantity
        return math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingRate:
    """Funding of a perpetual: at `ts_event` longs pay shorts ``rate x position value``.

    Attributes:
        rate: Fraction of the position value for the interval; negative when shorts pay.
        interval_ns: Time since the previous settlement, or 0 when not known.
        is_settled: False for a forecast that may still change.
    """

    instrument_id: InstrumentId
    rate: float
    interval_ns: int = 0
    is_settled: bool = True
    ts_event: int
    ts_init: int

    def __post_init__(self) -> None:
        if not -1.0 < self.rate < 1.0:
            where = f"funding of {self.instrument_id} at {format_time(self.ts_event)}"
            raise _fault(where, "rate", self.rate, "a fraction between -1 and 1, such as 0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkPrice:
    """The price a venue values positions at and liquidates by.

    Attributes:
        index_price: Price of the underlying over several venues; NaN when not given.
    """

    instrument_id: InstrumentId
    price: float
    index_price: float = math.nan
    ts_event: int
    ts_init: int

    def __post_init__(self) -> None:
        _check("mark price", self.instrument_id, self.ts_event, price=self.price)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticker:
    """The last day at a glance, as venues publish it. What a venue leaves out is NaN.

    Attributes:
        base_volume: Volume of the last 24 hours, in base units.
        quote_volume: The same in the quote currency.
    """

    instrument_id: InstrumentId
    last: float
    bid: float = math.nan
    ask: float = math.nan
    open: float = math.nan
    high: float = math.nan
    low: float = math.nan
    base_volume: float = math.nan
    quote_volume: float = math.nan
    ts_event: int
    ts_init: int

    def __post_init__(self) -> None:
        _check("ticker", self.instrument_id, self.ts_event, last=self.last)

    @property
    def change(self) -> float:
        """Change over the last 24 hours as a fraction; NaN when the venue gives no opening price."""
        return self.last / self.open - 1.0 if self.open > 0.0 else math.nan


MarketEvent = Bar | Trade | Quote | OrderBook | FundingRate | MarkPrice | Ticker
"""Anything a market feed delivers."""


def _check(what: str, instrument_id: InstrumentId, ts: int, **values: float) -> None:
    for name, value in values.items():
        if not 0.0 < value < _INFINITY:
            where = f"{what} of {instrument_id} at {format_time(ts)}"
            raise _fault(where, name, value, "a positive finite number")


def _fault(where: str, column: str, value: object, expected: str) -> DataError:
    return DataError(f"wrong {column} in the {where}", column=column, value=value, expected=expected)
