"""`cashup demo`: a year of market data, the sample strategy, its figures and its report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cashup.app.cli.terminal import reporting

NAME = "demo:BTC/USDT"


def demo(
    data: Annotated[str, typer.Option("--data", "-d", help="Your own file; empty = a synthetic year.")] = "",
    strategy: Annotated[str, typer.Option("--strategy", "-s", help="A file or a template.")] = "sma_cross",
    report: Annotated[Path, typer.Option(help="Where the report goes.")] = Path("reports/demo.html"),
) -> None:
    """Backtest the sample strategy on a year of market data (or on your file) and write its report."""
    with reporting():
        from cashup.app.cli.backtest import show
        from cashup.app.workbench import Backtest

        if not data:
            prepare_data()
            print(f"Market data: {NAME}, a synthetic year of one-minute bars (prices are invented)\n")
        timeframe = None if not data else own_timeframe(data, strategy)
        result = Backtest(strategy, data or NAME, timeframe=timeframe).run()
        show(result, as_json=False, full=False, explain=False)
        print(f"\nReport: {result.report(report).resolve()}")


def prepare_data() -> None:
    """Put the synthetic year into the store, unless it is there."""
    from cashup.app.compose import data_dir
    from cashup.data.datasets import DatasetKey
    from cashup.data.store import Store
    from cashup.data.synthetic import demo_bars

    store = Store(data_dir())
    key = DatasetKey.bars(NAME, "1m")
    if not store.exists(key):
        store.overwrite(key, demo_bars())


def own_timeframe(data: str, strategy: str) -> str | None:
    """Return the data's timeframe where the strategy's own is finer, so that any file can be shown at work."""
    from cashup.data.importers import read_file
    from cashup.engine.loader import load_strategy
    from cashup.model.time import Timeframe

    if not Path(data).exists():
        return None
    found = read_file(data).timeframe
    wanted = load_strategy(strategy).timeframe
    if found is None or wanted is None or Timeframe.parse(wanted).is_multiple_of(found):
        return None
    return str(found)
