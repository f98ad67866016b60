"""Files of Binance's public archive: what their columns are when they come without a header.

Klines have twelve columns, whose times are milliseconds, and microseconds for spot since 2025. Aggregated
trades have seven columns (futures) or eight (spot), single trades six or seven, funding rates three.
"""

from __future__ import annotations

from typing import Final

from cashup.data.datasets import DataKind

_KLINES: Final = ("open_time", "open", "high", "low", "close", "volume")
_AGGREGATED: Final = ("id", "price", "quantity", "first_id", "last_id", "time", "is_buyer_maker")
_TRADES: Final = ("id", "price", "qty", "quote_qty", "time", "is_buyer_maker")
_FUNDING: Final = ("calc_time", "funding_interval_hours", "last_funding_rate")


def unnamed_columns(file_name: str, kind: DataKind | None) -> tuple[str, ...]:
    """Return the names of the columns of an archive file without a header."""
    if kind is DataKind.FUNDING:
        return _FUNDING
    if kind is DataKind.TRADES:
        return _AGGREGATED if "aggTrades" in file_name else _TRADES
    return _KLINES
