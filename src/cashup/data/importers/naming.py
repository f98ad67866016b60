"""What a file's name and folders say: instrument, kind and timeframe, by the customs of known sources."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cashup.data.datasets import DataKind
from cashup.model.errors import InputError
from cashup.model.ids import InstrumentId, instrument_id, split_instrument_id
from cashup.model.time import Timeframe

_VENUES: Final = {
    **{name: name for name in ("binance", "okx", "bybit", "kraken", "kucoin", "bitget", "coinbase", "mexc")},
    **{name: name for name in ("bitfinex", "bitmex", "bitstamp", "deribit", "hyperliquid", "htx", "gate")},
    "gateio": "gate",
    "gate.io": "gate",
    "okex": "okx",
    "huobi": "htx",
}
_QUOTES: Final = (
    "USDT",
    "USDC",
    "FDUSD",
    "BUSD",
    "TUSD",
    "USD",
    "BTC",
    "ETH",
    "BNB",
    "EUR",
    "GBP",
    "TRY",
    "JPY",
)
_LINEAR: Final = {"um", "usdm", "futures", "perp", "swap", "linear", "usdt-futures"}
_INVERSE: Final = {"cm", "coinm", "inverse"}
_UNIT: Final = r"(?:s|m|h|d|w|M|Mo|mo)"
_FREQTRADE: Final = re.compile(
    r"(?P<pair>[A-Za-z0-9.]+_[A-Za-z0-9.]+(?:_[A-Za-z0-9.]+)?)"
    rf"-(?:(?P<timeframe>\d+{_UNIT})(?:-(?P<what>spot|futures|mark|index|premiumIndex|funding_rate))?|(?P<trades>trades))"
)
_BINANCE: Final = re.compile(
    r"(?P<pair>[A-Z0-9]+(?:_PERP|_\d{6})?)"
    rf"-(?:(?P<timeframe>\d+{_UNIT})|(?P<what>aggTrades|trades|fundingRate))(?:-\d{{4}}-\d\d(?:-\d\d)?)?"
)
_LOOSE: Final = re.compile(
    r"(?P<pair>[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+){0,2}?)"
    rf"[_-](?P<timeframe>\d+{_UNIT})(?:[_-](?P<what>mark|futures|funding_rate)\b)?(?:[_.-].*)?"
)
_PAIR: Final = re.compile(r"(?P<pair>[A-Z0-9]+(?:[_-][A-Z]+){0,2})(?:[_-](?:\d{4}|funding|trades).*)?")
_KINDS: Final = {
    "mark": DataKind.MARK,
    "funding_rate": DataKind.FUNDING,
    "fundingRate": DataKind.FUNDING,
    "aggTrades": DataKind.TRADES,
    "trades": DataKind.TRADES,
}
_PLAIN_ENDINGS: Final = {
    *(".csv", ".txt", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".feather", ".arrow", ".ipc"),
    *(".gz", ".zip", ".xz", ".bz2"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NameGuess:
    """What a path suggests; each part may be None.

    Attributes:
        name: Instrument; the venue is "file" when no folder names one.
        kind: What the rows are.
        timeframe: Length of a bar.
        is_freqtrade: Whether the name is freqtrade's, whose funding rates stand in the column "open".
        is_binance: Whether the name is one of Binance's public archive.
    """

    name: InstrumentId | None = None
    kind: DataKind | None = None
    timeframe: Timeframe | None = None
    is_freqtrade: bool = False
    is_binance: bool = False


def guess_from_path(path: Path) -> NameGuess:
    """Read what the path says; never fails."""
    stem = _stem(path)
    words = _words(path)
    for pattern in (_FREQTRADE, _BINANCE, _LOOSE, _PAIR):
        match = pattern.fullmatch(stem)
        if match is not None:
            break
    else:
        return NameGuess()
    groups = match.groupdict()
    what = groups.get("what") or groups.get("trades") or ""
    kind = _KINDS.get(what)
    if kind is None and words & {"markpriceklines", "mark"}:
        kind = DataKind.MARK
    is_binance = pattern is _BINANCE
    derivative = kind in (DataKind.MARK, DataKind.FUNDING) or what == "futures" or bool(words & _LINEAR)
    symbol = _symbol(groups["pair"], derivative=derivative, inverse=bool(words & _INVERSE))
    venue = next(
        (_VENUES[word] for word in sorted(words) if word in _VENUES), "binance" if is_binance else "file"
    )
    return NameGuess(
        name=_instrument(venue, symbol),
        kind=kind,
        timeframe=_timeframe(groups.get("timeframe")),
        is_freqtrade=pattern is _FREQTRADE,
        is_binance=is_binance,
    )


def _stem(path: Path) -> str:
    name = path.name
    while Path(name).suffix.lower() in _PLAIN_ENDINGS:
        name = Path(name).stem
    return name


def _words(path: Path) -> set[str]:
    """Return the words of the nearest folders ("binance_usdm" is binance and usdm)."""
    words: set[str] = set()
    for part in path.parent.parts[-7:]:
        words |= {part.lower(), *re.split(r"[_\s-]", part.lower())}
    return words


def _symbol(pair: str, *, derivative: bool, inverse: bool) -> str | None:
    codes = re.split(r"[_-]", pair)
    if len(codes) == 1 or codes[1] == "PERP" or codes[1].isdigit():
        joined = codes[0].upper()
        quote = next((quote for quote in _QUOTES if joined.endswith(quote) and joined != quote), None)
        if quote is None:
            return None
        base, delivery = joined.removesuffix(quote), codes[1] if len(codes) > 1 and codes[1].isdigit() else ""
        inverse = inverse or (len(codes) > 1 and quote == "USD")
        settle = base if inverse else quote if derivative or delivery else None
        text = f"{base}/{quote}" if settle is None else f"{base}/{quote}:{settle}"
        return f"{text}-{delivery}" if delivery else text
    base, quote = codes[0], codes[1]
    if len(codes) == 3:
        return f"{base}/{quote}:{codes[2]}"
    return f"{base}/{quote}:{quote}" if derivative else f"{base}/{quote}"


def as_derivative(name: InstrumentId) -> InstrumentId:
    """Return the perpetual of a spot pair: only derivatives have funding and mark prices."""
    venue, symbol = split_instrument_id(name)
    return instrument_id(venue, f"{symbol}:{symbol.quote}") if symbol.is_spot else name


def _instrument(venue: str, symbol: str | None) -> InstrumentId | None:
    try:
        return None if symbol is None else instrument_id(venue, symbol)
    except InputError:
        return None


def _timeframe(text: str | None) -> Timeframe | None:
    try:
        return None if text is None else Timeframe.parse(text.replace("Mo", "M").replace("mo", "M"))
    except InputError:
        return None
