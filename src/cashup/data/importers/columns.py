"""The many names of columns, and which of ours each one is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import polars as pl

from cashup.data.datasets import DataKind
from cashup.data.schema import PRICES, SCHEMAS

# The better name first: a file may have several columns of the same meaning.
_SPELLINGS: Final[dict[str, tuple[str, ...]]] = {
    "ts": (
        *("ts", "tsms", "timestampms", "opentime", "opentimestamp", "timestamp", "unix", "unixtime"),
        *("unixtimestamp", "epoch", "calctime", "transacttime", "fundingtime", "tradetime", "starttime"),
        *("candletime", "candlebegintime", "start", "begin", "datetime", "datetimeutc", "timeutc", "time"),
        *("dateutc", "gmttime", "date", "day", "t"),
    ),
    "open": ("open", "openprice", "priceopen", "o"),
    "high": ("high", "highprice", "pricehigh", "h"),
    "low": ("low", "lowprice", "pricelow", "l"),
    "close": ("close", "closeprice", "priceclose", "c"),
    "volume": ("volume", "basevolume", "volumebase", "vol", "totalvolume", "tickvolume", "tickvol", "v"),
    "funding_rate": ("fundingrate", "lastfundingrate", "rate", "funding"),
    "id": ("id", "tradeid", "aggtradeid", "aggregatetradeid", "tid"),
    "side": ("side", "takerside", "takerorderside", "direction"),
    "is_buyer_maker": ("isbuyermaker", "buyermaker", "wasthebuyerthemaker"),
    "price": ("price", "tradeprice", "p"),
    "amount": ("amount", "quantity", "qty", "size", "baseamount", "volume", "q"),
    "symbol": ("symbol", "pair", "instrument", "ticker", "tic"),
}
_BOOK: Final = {"issnapshot", "updatetype", "firstupdateid"}  # order books have prices and amounts too
_NEEDED: Final[dict[DataKind, tuple[str, ...]]] = {
    DataKind.FUNDING: ("funding_rate",),
    DataKind.TRADES: ("price", "amount"),
    DataKind.BARS: PRICES,
    DataKind.MARK: PRICES,
}


def folded(name: str) -> str:
    """Return a column's name without case, blanks and punctuation ("<Open Time>" is "opentime")."""
    return re.sub(r"[\W_]+", "", name).casefold()


def kind_of(names: Sequence[str]) -> DataKind | None:
    """Return the kind of data a header belongs to, or None when it is none we know."""
    known = {folded(name) for name in names}
    if known & _BOOK:
        return None
    for kind in (DataKind.BARS, DataKind.FUNDING, DataKind.TRADES):
        if all(known.intersection(_SPELLINGS[column]) for column in _NEEDED[kind]):
            return kind
    return None


def find_columns(names: Sequence[str], kind: DataKind) -> dict[str, str]:
    """Return for each of our columns the file's column that holds it; absent ones are left out."""
    by_folded: dict[str, str] = {}
    for name in names:
        by_folded.setdefault(folded(name), name)
    wanted = [*SCHEMAS[kind], "symbol"]
    if kind is DataKind.TRADES:
        wanted.append("is_buyer_maker")
    found = {}
    for column in wanted:
        spelling = next((spelling for spelling in _SPELLINGS[column] if spelling in by_folded), None)
        if spelling is not None:
            found[column] = by_folded[spelling]
    if kind is DataKind.BARS and "volume" not in found:
        # Some sources name the currency: "Volume BTC", "Volume USDT"; the base currency comes first.
        first = next((name for key, name in by_folded.items() if key.startswith("volume")), None)
        if first is not None:
            found["volume"] = first
    return found


def missing_columns(found: dict[str, str], kind: DataKind) -> list[str]:
    """Return the columns `kind` cannot do without that were not found."""
    return [column for column in ("ts", *_NEEDED[kind]) if column not in found]


def clock_column(frame: pl.DataFrame, time_column: str) -> str | None:
    """Return the column with the time of day when the date stands in a column of its own."""
    by_folded = {folded(name): name for name in frame.columns}
    if folded(time_column) != "time" or "date" not in by_folded:
        return None
    clock = frame.get_column(by_folded["time"]).cast(pl.String).str.contains(r"^\s*\d\d?:\d\d")
    return by_folded["time"] if clock.head(1).all() else None
