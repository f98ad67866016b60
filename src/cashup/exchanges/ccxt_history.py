"""History of any venue ccxt knows: bars, trades and funding rates, a page at a time."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from cashup.model.errors import (
    ConfigError,
    ExchangeRejected,
    ExchangeUnavailable,
    InputError,
    UnknownNameError,
    explain,
)
from cashup.model.ids import split_instrument_id

Row = tuple[int | float | str, ...]

PAGE_SIZE: Final = 500
NS_PER_SECOND: Final = 1_000_000_000


class CcxtHistory:
    """A source of history for `cashup.data.download`.

    Args:
        exchange: A synchronous ccxt exchange.

    Attributes:
        page_size: Rows asked for at once.
    """

    page_size = PAGE_SIZE

    def __init__(self, exchange: Any) -> None:
        self._exchange = exchange
        exchange.enableRateLimit = True

    @classmethod
    def of(cls, venue: str, *, base_url: str | None = None) -> CcxtHistory:
        """Return the source of a venue, such as "binance" or "gate".

        Args:
            venue: ccxt's name of it.
            base_url: Sends every request there instead: a proxy, a mirror or a simulator.

        Raises:
            ConfigError: ccxt is not installed.
            UnknownNameError: ccxt knows no such venue.
        """
        try:
            import ccxt
        except ImportError:
            raise ConfigError(
                explain("downloading from exchanges needs ccxt", hint='pip install "cashup[exchange]"')
            ) from None
        if venue not in ccxt.exchanges:
            raise UnknownNameError("exchange", venue, ccxt.exchanges, field="name")
        exchange = getattr(ccxt, venue)({"enableRateLimit": True})
        if base_url is not None:
            exchange.urls["api"] = redirected(exchange.urls["api"], base_url.rstrip("/"))
            exchange.rateLimit = 1
        return cls(exchange)

    def now_ms(self) -> int:
        """Return the time, ms UTC."""
        return int(self._exchange.milliseconds())

    def page(self, key: Any, since_ms: int) -> list[Row]:
        """See `cashup.data.download.HistorySource.page`."""
        symbol = str(split_instrument_id(key.name)[1])
        kind = str(key.kind.value)
        timeframe = "" if key.timeframe is None else str(key.timeframe)
        read: dict[str, Callable[[], list[Row]]] = {
            "bars": lambda: self._bars(symbol, timeframe, since_ms),
            "mark": lambda: self._mark(symbol, timeframe, since_ms),
            "trades": lambda: self._trades(symbol, since_ms),
            "funding": lambda: self._funding(symbol, since_ms),
        }
        return self._asked(read[kind], symbol, kind)

    def _asked(self, read: Callable[[], list[Row]], symbol: str, kind: str) -> list[Row]:
        import ccxt

        try:
            self._exchange.load_markets()
            if symbol not in self._exchange.markets:
                raise UnknownNameError(
                    f"instrument of {self._exchange.id}", symbol, list(self._exchange.markets), field="name"
                )
            return read()
        except ccxt.RateLimitExceeded as e:
            raise ExchangeUnavailable(
                f"{self._exchange.id} asks to slow down",
                venue=self._exchange.id,
                retry_after_ns=self._retry_after(),
            ) from e
        except ccxt.NetworkError as e:
            raise ExchangeUnavailable(
                f"{self._exchange.id} did not answer: {type(e).__name__}",
                venue=self._exchange.id,
                retry_after_ns=self._retry_after(),
            ) from e
        except ccxt.NotSupported as e:
            raise InputError(explain(f"{self._exchange.id} offers no {kind}: {e}"), field="kind") from e
        except ccxt.ExchangeError as e:
            raise ExchangeRejected(
                f"{self._exchange.id} refused the request: {e}", venue=self._exchange.id, venue_message=str(e)
            ) from e

    def _retry_after(self) -> int | None:
        headers = self._exchange.last_response_headers or {}
        value = next((v for k, v in headers.items() if k.lower() == "retry-after"), None)
        return int(float(value) * NS_PER_SECOND) if value and re.fullmatch(r"\d+(\.\d+)?", value) else None

    def _bars(self, symbol: str, timeframe: str, since_ms: int) -> list[Row]:
        rows = self._exchange.fetch_ohlcv(symbol, timeframe, since=since_ms, limit=PAGE_SIZE)
        return [(int(ts), *(float(value) for value in values)) for ts, *values in rows]

    def _mark(self, symbol: str, timeframe: str, since_ms: int) -> list[Row]:
        rows = self._exchange.fetch_mark_ohlcv(symbol, timeframe, since=since_ms, limit=PAGE_SIZE)
        return [(int(ts), *(float(value) for value in values[:4])) for ts, *values in rows]

    def _trades(self, symbol: str, since_ms: int) -> list[Row]:
        rows = self._exchange.fetch_trades(symbol, since=since_ms, limit=PAGE_SIZE)
        return [
            (int(r["timestamp"]), str(r["id"]), str(r["side"]), float(r["price"]), float(r["amount"]))
            for r in rows
        ]

    def _funding(self, symbol: str, since_ms: int) -> list[Row]:
        rows = self._exchange.fetch_funding_rate_history(symbol, since=since_ms, limit=PAGE_SIZE)
        return [(int(r["timestamp"]), float(r["fundingRate"])) for r in rows]


def redirected(urls: Any, base_url: str) -> Any:
    """Return ccxt's addresses with another scheme and host."""
    if isinstance(urls, dict):
        return {name: redirected(value, base_url) for name, value in urls.items()}
    if isinstance(urls, str):
        return re.sub(r"^https?://[^/]+", base_url, urls)
    return urls
