"""`cashup data download`: history from an exchange or from Binance's public archive."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cashup.app.cli.terminal import reporting

if TYPE_CHECKING:
    from cashup.data.datasets import DatasetKey


def download(
    name: Annotated[str, typer.Argument(help="What to get, such as binance:BTC/USDT or gate:BTC/USDT:USDT.")],
    since: Annotated[str, typer.Option(help="First time, ISO 8601 UTC, such as 2024-01-01.")],
    until: Annotated[str | None, typer.Option(help="Time after the last; now when left out.")] = None,
    timeframe: Annotated[str, typer.Option("--timeframe", "-t", help="Length of a bar, such as 1m.")] = "1h",
    kind: Annotated[
        Literal["bars", "trades", "funding", "mark"], typer.Option("--kind", "-k", help="Kind of data.")
    ] = "bars",
    source: Annotated[
        Literal["ccxt", "archive"], typer.Option(help="The exchange's API, or Binance's public archive.")
    ] = "ccxt",
    base_url: Annotated[str | None, typer.Option(help="Ask this address instead of the usual one.")] = None,
) -> None:
    """Download history into the store; run it again to go on where it stopped."""
    with reporting():
        from cashup.app.compose import data_dir
        from cashup.data.datasets import DataKind, DatasetKey
        from cashup.data.store import Store

        store = Store(data_dir())
        key = DatasetKey.of(name, DataKind(kind), timeframe if DataKind(kind).has_timeframe else None)
        if source == "archive":
            _from_archive(store, key, since, until, base_url)
        else:
            _from_exchange(store, key, since, until, base_url)


def register(app: typer.Typer) -> None:
    """Add the command to `cashup data`."""
    app.command("download")(download)


def _from_exchange(store: Any, key: DatasetKey, since: str, until: str | None, base_url: str | None) -> None:
    from rich.progress import Progress as Display
    from rich.progress import TextColumn, TimeRemainingColumn

    from cashup.data.download import Downloader, Progress
    from cashup.exchanges.ccxt_history import CcxtHistory
    from cashup.model.time import NS_PER_MS, parse_time

    venue = str(key.name).partition(":")[0]
    history = CcxtHistory.of(venue, base_url=base_url)
    columns = (
        *Display.get_default_columns()[:-1],
        TimeRemainingColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
    )
    with Display(*columns, transient=True) as display:
        task = display.add_task(str(key), total=1.0, rows=0)

        def show(progress: Progress) -> None:
            display.update(task, completed=progress.share, rows=progress.rows)

        done = Downloader(store, history, progress=show).run(
            key,
            parse_time(since) // NS_PER_MS,
            None if until is None else parse_time(until) // NS_PER_MS,
        )
    print(f"{key}: {done.rows:,} rows{' (resumed)' if done.resumed else ''}")


def _from_archive(store: Any, key: DatasetKey, since: str, until: str | None, base_url: str | None) -> None:
    from cashup.app.compose import data_dir
    from cashup.data.archive import BASE_URL, Archive

    def say(period: str, rows: int) -> None:
        print(f"{period}: {rows:,} rows")

    archive = Archive(store, data_dir() / "downloads", base_url=base_url or BASE_URL, progress=say)
    rows, absent = archive.run(key, _day(since), _day(until) if until else datetime.now(UTC).date())
    print(f"{key}: {rows:,} rows")
    if absent:
        shown = ", ".join(absent[:10]) + (f" and {len(absent) - 10} more" if len(absent) > 10 else "")
        print(f"not in the archive: {shown}")


def _day(text: str) -> date:
    from cashup.model.time import NS_PER_SECOND, parse_time

    return datetime.fromtimestamp(parse_time(text) / NS_PER_SECOND, UTC).date()
