"""One strategy, one year of one-minute bars, every engine: a moving-average crossover with 0.1 % fee.

Orders fill at the next open. Engines run interleaved in one process and speeds are medians over rounds, so
that a busy moment of the machine hits all of them. Final equities are printed because a speed means nothing
where the result differs.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import platform
import statistics
import sys
import warnings
from pathlib import Path
from types import ModuleType

from rich.console import Console
from rich.table import Table

from benchmarks.engines.market import Outcome, random_walk

ENGINES = (
    "cashup_engine",
    "cashup_python_engine",
    "cashup_event_engine",
    "vectorbt_engine",
    "raptorbt_engine",
    "backtesting_py_engine",
    "backtrader_engine",
    "nautilus_engine",
)
FAST, SLOW = 240, 1440


def load(names: tuple[str, ...]) -> list[ModuleType]:
    """Return the engines that are installed, and say which are not."""
    modules = []
    for name in names:
        try:
            modules.append(importlib.import_module(f"benchmarks.engines.{name}"))
        except ImportError as e:
            print(f"left out: {name} ({e})", file=sys.stderr)
    return modules


def measure(modules: list[ModuleType], bars: int, rounds: int | None) -> dict[str, list[Outcome]]:
    """Run every engine in turn, round after round; the first round of each only warms caches."""
    market = random_walk(bars)
    prepared = {module.NAME: module.prepare(market) for module in modules}
    outcomes: dict[str, list[Outcome]] = {module.NAME: [] for module in modules}
    wanted = {module.NAME: min(module.ROUNDS, rounds or module.ROUNDS) for module in modules}
    for number in range(1 + max(wanted.values())):
        for module in modules:
            if number > wanted[module.NAME] or (number == 0 and wanted[module.NAME] == 1):
                continue  # an engine that is measured once is slow enough not to need warming
            with contextlib.redirect_stderr(io.StringIO()):
                outcome = module.run(prepared[module.NAME], FAST, SLOW)
            if number > 0:
                outcomes[module.NAME].append(outcome)
    return outcomes


def show(outcomes: dict[str, list[Outcome]], bars: int) -> list[dict[str, object]]:
    """Print the table and return its rows."""
    rows: list[dict[str, object]] = []
    ours = statistics.median(o.seconds for o in next(iter(outcomes.values())))
    table = Table(title=f"{bars:,} one-minute bars, SMA {FAST}/{SLOW}, 0.1 % fee, next-open fills")
    for column in (
        "engine",
        "M bars/s",
        "loop alone",
        "ms",
        "first row is faster by",
        "trades",
        "final equity",
    ):
        table.add_column(column, justify="left" if column == "engine" else "right")
    for name, runs in outcomes.items():
        seconds = statistics.median(o.seconds for o in runs)
        last = runs[-1]
        loops = [o.loop_seconds for o in runs if o.loop_seconds]
        loop = statistics.median(loops) if loops else None
        rows.append(
            {
                "engine": name,
                "loop_bars_per_second": bars / loop if loop else None,
                "bars_per_second": bars / seconds,
                "seconds": seconds,
                "ratio": seconds / ours,
                "trades": last.trades,
                "final_equity": last.final_equity,
                "rounds": len(runs),
            }
        )
        table.add_row(
            name,
            f"{bars / seconds / 1e6:,.3f}",
            f"{bars / loop / 1e6:,.1f}" if loop else "",
            f"{seconds * 1e3:,.1f}",
            f"{seconds / ours:,.1f}x",
            f"{last.trades:,}",
            f"{last.final_equity:,.2f}",
        )
    Console().print(table)
    return rows


def main() -> None:
    """Measure and print; with --json, write the figures to a file too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=525_600)
    parser.add_argument("--rounds", type=int, help="at most so many rounds an engine")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = show(measure(load(ENGINES), arguments.bars, arguments.rounds), arguments.bars)
    if arguments.json:
        facts = {"python": platform.python_version(), "machine": platform.machine(), "rows": rows}
        arguments.json.write_text(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()
