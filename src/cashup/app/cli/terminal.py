"""What all commands share: tables, JSON, and an error as one line."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import typer

from cashup.model.errors import CashUpError

EXIT_ERROR = 2
_PIPED_WIDTH = 160


@contextlib.contextmanager
def reporting() -> Iterator[None]:
    """Show an error of ours as one line on stderr and leave with code 2."""
    try:
        yield
    except CashUpError as e:
        print(f"error: {e}", file=sys.stderr)
        raise typer.Exit(EXIT_ERROR) from None


def print_json(value: Any) -> None:
    """Print plain values as JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; a column whose name ends in ">" is set to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=title or None,
        title_justify="left",
        header_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for column in columns:
        justify: Literal["left", "right"] = "right" if column.endswith(">") else "left"
        table.add_column(column.removesuffix(">"), justify=justify, overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH).print(table)
