"""A result in the terminal and in a notebook."""

from __future__ import annotations

import io
import itertools
import math
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np

from cashup.backtest.registry import BY_KEY, GROUPS, REGISTRY

if TYPE_CHECKING:
    from rich.console import RenderableType

    from cashup.backtest.result import Result

HEADLINE: Final = (
    "total_return",
    "cagr",
    "sharpe",
    "sortino",
    "calmar",
    "max_drawdown",
    "volatility",
    "trades",
    "win_rate",
    "profit_factor",
    "expectancy",
    "average_trade",
    "time_in_market",
    "fees",
    "funding",
    "benchmark_return",
    "alpha",
    "beta",
    "probabilistic_sharpe",
    "ambiguous_bars",
    "rejected_orders",
    "liquidations",
)
_BARS: Final = "▁▂▃▄▅▆▇█"


def written(key: str, value: float | int) -> str:
    """Return a figure as text in its unit; a dash where it has no meaning."""
    unit = BY_KEY[key].unit
    if isinstance(value, float) and math.isnan(value):
        return "–"
    if isinstance(value, float) and math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if unit == "fraction":
        return f"{value:,.2%}"
    if unit == "count" and float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.2f}"


def sparkline(values: np.ndarray, width: int = 48) -> str:
    """Return a line of blocks as high as the values."""
    if len(values) == 0:
        return ""
    edges = np.linspace(0, len(values), min(width, len(values)) + 1).astype(int)
    points = np.array([values[a:b].mean() for a, b in itertools.pairwise(edges) if b > a])
    spread = points.max() - points.min()
    level = np.zeros(len(points)) if spread == 0 else (points - points.min()) / spread
    return "".join(_BARS[round(x * (len(_BARS) - 1))] for x in level)


def _table(result: Result, *, full: bool) -> RenderableType:
    from rich.columns import Columns
    from rich.table import Table

    parts = []
    keys = {item.key for item in REGISTRY} if full else set(HEADLINE)
    for group, (title, _) in GROUPS.items():
        items = [item for item in REGISTRY if item.group == group and item.key in keys]
        if not items:
            continue
        table = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=None)
        table.add_column()
        table.add_column(justify="right")
        for item in items:
            value = result.statistics[item.key]
            style = _style(item.key, value)
            table.add_row(
                item.label, f"[{style}]{written(item.key, value)}[/]" if style else written(item.key, value)
            )
        parts.append(table)
    return Columns(parts, padding=(0, 4))


def _style(key: str, value: float | int) -> str:
    if key in ("total_return", "cagr", "profit", "expectancy", "average_trade", "excess_return", "alpha"):
        return "green" if value > 0 else "red" if value < 0 else ""
    if key in ("rejected_orders", "liquidations", "ambiguous_bars"):
        return "yellow" if value else ""
    return ""


def render(result: Result, *, full: bool = False) -> RenderableType:
    """Return what a console shows: a heading, the curve, the figures by group."""
    from rich.console import Group
    from rich.markup import escape as plain
    from rich.text import Text

    config = result.config
    span = f"{config['first_bar'][:10]} to {config['last_bar'][:10]}"
    heading = Text.assemble(
        (result.outcome.strategy, "bold"),
        f" on {', '.join(config['instruments'])}, {config['timeframe']}, {span}, ",
        f"{config['bars']:,} bars, {result.mode}",
    )
    parameters = ", ".join(f"{name}={value}" for name, value in config["parameters"].items())
    curve = result.curve.equity
    line = f"{sparkline(curve)}  {result.outcome.cash:,.0f} → {curve[-1]:,.2f}"
    return Group(heading, plain(parameters), "", line, "", _table(result, full=full))


def summary(result: Result, *, full: bool = False, width: int = 110) -> str:
    """Return the same as plain text."""
    from rich.console import Console

    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None).print(render(result, full=full))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def notebook(result: Result) -> str:
    """Return an HTML table of the most asked-for figures."""
    rows = "".join(
        f"<tr><td>{escape(BY_KEY[key].label)}</td>"
        f"<td style='text-align:right'>{written(key, result.statistics[key])}</td></tr>"
        for key in HEADLINE
    )
    title = escape(f"{result.outcome.strategy} on {result.outcome.market.name}")
    return f"<table><caption><b>{title}</b></caption>{rows}</table>"
