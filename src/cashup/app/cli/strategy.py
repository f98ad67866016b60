"""`cashup strategy`: list templates, start a new file, check for looking ahead, say what compiles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cashup.app.cli.backtest import Data, Params, StrategyName, TimeframeOption, parameters
from cashup.app.cli.terminal import print_json, print_table, reporting

app = typer.Typer(help="Strategies: templates, checks, what compiles.", no_args_is_help=True)

SKELETON = '''"""A strategy of my own."""

from cashup import Strategy, param, ta


class {name}(Strategy):
    """Long while the fast average is above the slow one."""

    timeframe = "1h"
    fast = param(10, low=5, high=60)
    slow = param(30, low=20, high=240)

    def prepare(self, bars):
        self.fast_ma = ta.SMA(bars.close, self.fast)
        self.slow_ma = ta.SMA(bars.close, self.slow)

    def on_bar(self):
        if self.crossed_above(self.fast_ma, self.slow_ma):
            self.target(1.0)
        elif self.crossed_below(self.fast_ma, self.slow_ma):
            self.close()
'''


@app.command("list")
def list_templates(
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """List the templates that come with CashUp."""
    with reporting():
        from cashup.strategies.gallery import templates

        found = templates()
        if json:
            print_json([item.to_dict() for item in found])
            return
        rows = [(item.name, item.style, item.timeframe, item.summary) for item in found]
        print_table("Templates", ("name", "style", "bars", "what it does"), rows)


@app.command("new")
def new(path: Annotated[Path, typer.Argument(help="The file to write.")]) -> None:
    """Write a strategy to start from."""
    with reporting():
        from cashup.model.errors import InputError, explain

        if path.suffix != ".py":
            raise InputError(explain(f"{path} is no Python file", expected="a name that ends in .py"))
        if path.exists():
            raise InputError(explain(f"{path} is there already", hint="choose another name"))
        name = "".join(part.capitalize() for part in path.stem.replace("-", "_").split("_")) or "MyStrategy"
        if not name.isidentifier():
            raise InputError(
                explain(f"{path.stem!r} makes no class name", expected="letters and underscores")
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SKELETON.format(name=name), encoding="utf-8")
        print(f"{path}: class {name}. Try: cashup backtest {path} --data FILE")


@app.command("explain")
def explain_strategy(strategy: StrategyName, data: Data, timeframe: TimeframeOption = None) -> None:
    """Say whether a strategy compiles, and if not, which line prevents it."""
    with reporting():
        from cashup.app.workbench import Backtest

        print(Backtest(strategy, data if len(data) > 1 else data[0], timeframe=timeframe).run().explain)


@app.command("check")
def check(
    strategy: StrategyName,
    data: Data,
    timeframe: TimeframeOption = None,
    param: Params = None,
    cuts: Annotated[int, typer.Option(help="How many moments to cut the data at.")] = 12,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Run a strategy on truncated data: does it look ahead, and how much warm-up do its columns need?"""
    with reporting():
        from cashup.app.workbench import Backtest
        from cashup.backtest.checks import check_strategy

        backtest = Backtest(
            strategy, data if len(data) > 1 else data[0], timeframe=timeframe, params=parameters(param or [])
        )
        report = check_strategy(backtest.strategy, backtest.market, cuts=cuts)
        if json:
            print_json(report.to_dict())
        else:
            print(report)
        if not report.is_clean:
            raise typer.Exit(1)
