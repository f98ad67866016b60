"""Options and look-ups the data commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from cashup.data.datasets import DatasetKey
    from cashup.data.store import Store

Name = Annotated[str, typer.Argument(help="Stored name, such as binance:BTC/USDT or gate:BTC/USDT:USDT.")]
Kind = Annotated[
    Literal["bars", "trades", "funding", "mark"], typer.Option("--kind", "-k", help="Kind of data.")
]
AnyKind = Annotated[
    Literal["bars", "trades", "funding", "mark"] | None,
    typer.Option("--kind", "-k", help="Kind of data; found out when left out."),
]
TimeframeOption = Annotated[
    str | None, typer.Option("--timeframe", "-t", help="Length of a bar, such as 1m, 4h, 1d or 1M.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Since = Annotated[str | None, typer.Option(help="First time, ISO 8601 UTC, such as 2024-01-01.")]
Until = Annotated[str | None, typer.Option(help="Time after the last, ISO 8601 UTC.")]


def open_store() -> Store:
    """Return the store of market data the settings name."""
    from cashup.app.compose import data_dir
    from cashup.data.store import Store

    return Store(data_dir())


def key_of(store: Store, name: str, kind: str, timeframe: str | None) -> DatasetKey:
    """Return the dataset meant; the timeframe may be left out when one only is stored."""
    from cashup.data.datasets import DataKind, DatasetKey
    from cashup.model.errors import InputError, explain

    if timeframe is None and DataKind(kind).has_timeframe:
        stored = store.timeframes(name, DataKind(kind))
        if len(stored) > 1:
            listed = ", ".join(map(str, stored))
            raise InputError(explain(f"{name} is stored as {listed}", hint="choose one with --timeframe"))
        timeframe = str(stored[0]) if stored else "1m"
    key = DatasetKey.of(name, kind, timeframe)
    store.manifest(key)
    return key


def time_text(ts: int | None) -> str | None:
    """Return milliseconds as ISO 8601 UTC."""
    from cashup.model.time import NS_PER_MS, format_time

    return None if ts is None else format_time(ts * NS_PER_MS)


def day_text(ts: int | None) -> str | None:
    """Return the day of milliseconds, UTC."""
    text = time_text(ts)
    return None if text is None else text[:10]


def size_text(size: int) -> str:
    """Return bytes in words."""
    return f"{size / 1024:,.0f} kB" if size < 10 << 20 else f"{size / (1 << 20):,.0f} MB"
