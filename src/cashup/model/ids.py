"""Names of things: plain strings to the machine, distinct types to the type checker.

An instrument is named by its venue and its unified symbol, the notation ccxt made common:

* ``binance:BTC/USDT``       spot: base / quote
* ``gate:BTC/USDT:USDT``     linear perpetual: settled in the quote currency
* ``binance:BTC/USD:BTC``    inverse perpetual: settled in the base currency
* ``binance:BTC/USDT:USDT-260327``  dated future; its delivery date follows
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NewType

from cashup.model.errors import InputError, explain

Venue = NewType("Venue", str)
"""Lower-case name of an exchange as ccxt spells it ("binance", "gate"), or a source of data ("file")."""

InstrumentId = NewType("InstrumentId", str)
"""``venue:symbol``; made by `instrument_id`, taken apart by `split_instrument_id`."""

AccountId = NewType("AccountId", str)
"""One set of balances at one venue, under one API key or one paper wallet."""

StrategyId = NewType("StrategyId", str)
"""One running instance of a strategy, not its class."""

ClientOrderId = NewType("ClientOrderId", str)
"""Our own name of an order, given before it is sent; unique for ever within an account."""

VenueOrderId = NewType("VenueOrderId", str)
"""The venue's name of an order, known once it answered."""

FillId = NewType("FillId", str)
"""The venue's name of one trade of ours; unique within an account and instrument."""

GroupId = NewType("GroupId", str)
"""Names orders of which one cancels the others."""

Currency = NewType("Currency", str)
"""Currency code as the venue's unified symbols spell it ("USDT", "BTC")."""

_VENUE: Final = re.compile(r"[a-z0-9_]+")
_CODE: Final = r"(?!\.{1,2}(?:/|:|$))[^\s/:\\\x00-\x1f]+"
_SYMBOL: Final = re.compile(
    rf"(?P<base>{_CODE})/(?P<quote>{_CODE})"
    r"(?::(?P<settle>[^\s/:\\\x00-\x1f-]+)(?:-(?P<delivery>\d{6}(?:-[0-9.]+-[CP])?))?)?"
)
_EXAMPLES: Final = "base/quote or base/quote:settle, such as BTC/USDT or BTC/USDT:USDT"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnifiedSymbol:
    """A unified symbol, taken apart.

    Attributes:
        base: What is bought and sold.
        quote: What the price is expressed in.
        settle: What profit and margin are paid in; None for spot.
        delivery: "yymmdd" of a dated future, with strike and right of an option; "" for a perpetual or spot.
    """

    base: Currency
    quote: Currency
    settle: Currency | None = None
    delivery: str = ""

    @classmethod
    def parse(cls, text: str) -> UnifiedSymbol:
        """Take a unified symbol apart.

        Raises:
            InputError: The text is not a unified symbol.
        """
        match = _SYMBOL.fullmatch(text)
        if match is None:
            raise InputError(
                explain(f"{text!r} is not a symbol", expected=_EXAMPLES, hint=_nearer(text)), field="symbol"
            )
        settle = match["settle"]
        return cls(
            base=Currency(match["base"]),
            quote=Currency(match["quote"]),
            settle=None if settle is None else Currency(settle),
            delivery=match["delivery"] or "",
        )

    @property
    def is_spot(self) -> bool:
        """Whether it is bought outright: nothing is settled later."""
        return self.settle is None

    @property
    def is_perpetual(self) -> bool:
        """Whether it is a derivative that never expires."""
        return self.settle is not None and not self.delivery

    def __str__(self) -> str:
        text = f"{self.base}/{self.quote}"
        if self.settle is not None:
            text += f":{self.settle}"
        return f"{text}-{self.delivery}" if self.delivery else text


def instrument_id(venue: str, symbol: str | UnifiedSymbol) -> InstrumentId:
    """Name the instrument `symbol` at `venue`.

    Raises:
        InputError: The venue or the symbol is not spelled as one.
    """
    if _VENUE.fullmatch(venue) is None:
        raise InputError(
            explain(
                f"{venue!r} is not the name of a venue",
                expected="lower-case letters, digits and underscores, such as binance",
                hint=f"did you mean {venue.lower()!r}?" if _VENUE.fullmatch(venue.lower()) else "",
            ),
            field="venue",
        )
    parsed = symbol if isinstance(symbol, UnifiedSymbol) else UnifiedSymbol.parse(symbol)
    return InstrumentId(f"{venue}:{parsed}")


def parse_instrument_id(text: str) -> InstrumentId:
    """Check that `text` is an instrument id, and return it as one.

    Raises:
        InputError: It lacks the venue, or one part is not spelled right.
    """
    venue, colon, symbol = text.partition(":")
    if not colon or "/" in venue:
        raise InputError(
            explain(
                f"{text!r} names no venue",
                expected="venue:symbol, such as binance:BTC/USDT or gate:BTC/USDT:USDT",
            ),
            field="instrument",
        )
    return instrument_id(venue, symbol)


@lru_cache(maxsize=4096)
def split_instrument_id(name: InstrumentId) -> tuple[Venue, UnifiedSymbol]:
    """Return the venue and the symbol an instrument id is made of."""
    venue, _, symbol = name.partition(":")
    return Venue(venue), UnifiedSymbol.parse(symbol)


def _nearer(text: str) -> str:
    """Guess what a symbol in a venue's own spelling was meant to be."""
    for separator in ("-", "_"):
        base, found, quote = text.partition(separator)
        if found and base.isalnum() and quote.isalnum():
            return f"did you mean {f'{base}/{quote}'.upper()!r}?"
    for quote in ("USDT", "USDC", "FDUSD", "USD", "BTC", "ETH", "EUR"):
        base = text.upper().removesuffix(quote)
        if base and base != text.upper() and base.isalnum():
            return f"did you mean '{base}/{quote}'?"
    return ""
