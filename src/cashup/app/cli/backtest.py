"""`cashup backtest`: run a strategy over history and show what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cashup.app.cli.terminal import reporting

if TYPE_CHECKING:
    from cashup.backtest.result import Result

StrategyName = Annotated[
    str, typer.Argument(help="A file, file.py:Class, or a template (cashup strategy list).")
]
Data = Annotated[
    list[str], typer.Option("--data", "-d", help="A file or a stored name; repeat for several instruments.")
]
Params = Annotated[list[str] | None, typer.Option("--param", "-p", help="Parameter value, such as fast=20.")]
TimeframeOption = Annotated[
    str | None, typer.Option("--timeframe", "-t", help="Length of a bar, such as 1h.")
]
Since = Annotated[str | None, typer.Option(help="First bar, ISO 8601 UTC, such as 2024-01-01.")]
Until = Annotated[str | None, typer.Option(help="Time after the last bar.")]
Cash = Annotated[float, typer.Option(help="Money at the start.")]
Fee = Annotated[str, typer.Option(help="Fee as a fraction: 0.001, or MAKER,TAKER.")]


def backtest(
    strategy: StrategyName,
    data: Data,
    timeframe: TimeframeOption = None,
    since: Since = None,
    until: Until = None,
    param: Params = None,
    cash: Cash = 100_000.0,
    fee: Fee = "0.001",
    slippage: Annotated[
        str, typer.Option(help="0.0005, or a model: spread:0.5, volume:0.1, impact:0.5.")
    ] = "0",
    leverage: Annotated[float, typer.Option(help="Leverage of perpetuals.")] = 1.0,
    margin: Annotated[Literal["isolated", "cross"] | None, typer.Option(help="Margin mode.")] = None,
    detail: Annotated[
        str | None, typer.Option(help="Fill on finer bars: 'data', a timeframe or a file.")
    ] = None,
    funding: Annotated[
        str | None, typer.Option(help="File of funding rates; 'none' ignores stored ones.")
    ] = None,
    mark: Annotated[str | None, typer.Option(help="File of mark prices; 'none' ignores stored ones.")] = None,
    latency_ms: Annotated[float, typer.Option(help="Time between decision and arrival.")] = 0.0,
    volume_limit: Annotated[
        float, typer.Option(help="Largest share of a bar's volume to take; 0 = any.")
    ] = 0.0,
    limit_fill: Annotated[
        Literal["touch", "cross"], typer.Option(help="When resting limits fill.")
    ] = "touch",
    mode: Annotated[
        Literal["auto", "compiled", "python", "event"], typer.Option(help="How to run.")
    ] = "auto",
    no_compile: Annotated[
        bool, typer.Option("--no-compile", help="Run in Python, for the debugger.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say why it was not compiled, and timings.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write the HTML report here.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    csv: Annotated[
        Path | None, typer.Option(help="Write trades, orders, fills and equity as CSV here.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Show every statistic.")] = False,
) -> None:
    """Backtest a strategy on market data."""
    with reporting():
        from cashup.app.workbench import Backtest

        result = Backtest(
            strategy,
            data if len(data) > 1 else data[0],
            timeframe=timeframe,
            since=since,
            until=until,
            params=parameters(param or []),
            cash=cash,
            fee=fees(fee),
            slippage=slippages(slippage),
            leverage=leverage,
            margin_mode=margin,
            detail=True if detail == "data" else detail,
            funding=False if funding == "none" else funding,
            mark=False if mark == "none" else mark,
            latency_ms=latency_ms,
            volume_limit=volume_limit,
            limit_fill=limit_fill,
            mode="python" if no_compile else mode,
        ).run()
        show(result, as_json=json, full=full, explain=explain)
        if csv is not None:
            written = result.to_csv(csv)
            _say(f"CSV: {', '.join(str(path) for path in written)}", quiet=json)
        if report is not None:
            _say(f"Report: {result.report(report)}", quiet=json)


def show(result: Result, *, as_json: bool, full: bool, explain: bool) -> None:
    """Print a result as a table or as JSON."""
    if as_json:
        print(result.to_json(indent=2))
        return
    from rich.console import Console

    from cashup.backtest.terminal import render

    console = Console()
    console.print(render(result, full=full))
    if explain:
        console.print(f"\n{result.explain}", highlight=False, markup=False)
        spent = ", ".join(
            f"{name} {seconds * 1e3:.1f} ms" for name, seconds in result.outcome.timings.items()
        )
        console.print(f"Time: {spent}", highlight=False)
    elif result.outcome.obstacle:
        console.print("\nIt ran in Python; --explain says why.", style="dim")


def parameters(given: list[str]) -> dict[str, Any]:
    """Return parameter values from `name=value` texts.

    Raises:
        InputError: a text is of another form.
    """
    import ast

    from cashup.model.errors import InputError, explain

    values: dict[str, Any] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise InputError(
                explain(f"--param {text!r}", expected="name=value, such as fast=20"), field="param"
            )
        try:
            values[name.strip()] = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError):
            values[name.strip()] = value.strip()
    return values


def fees(text: str) -> float | tuple[float, float]:
    """Return one fee, or maker and taker fee, from text.

    Raises:
        InputError: it is neither.
    """
    from cashup.model.errors import InputError, explain

    try:
        parts = [float(part) for part in text.split(",")]
    except ValueError:
        parts = []
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        return parts[0], parts[1]
    raise InputError(
        explain(f"--fee {text!r}", expected="0.001, or MAKER,TAKER such as 0.0002,0.0005"), field="fee"
    )


def slippages(text: str) -> float | str:
    """Return a slippage as a number where it is one, else the model's text."""
    try:
        return float(text)
    except ValueError:
        return text


def _say(text: str, *, quiet: bool) -> None:
    typer.echo(text, err=quiet)
