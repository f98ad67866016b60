"""The command line. Commands import what they need when they run, so that `cashup --help` is instant."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path

import typer

from cashup.app.cli import backtest, data, database, demo, download, server, strategy, user
from cashup.app.cli.terminal import EXIT_ERROR
from cashup.model.errors import CashUpError
from cashup.version import __version__

app = typer.Typer(
    help="CashUp: write a trading strategy once; backtest it, run it on paper, run it live.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("backtest")(backtest.backtest)
app.command("demo")(demo.demo)
app.add_typer(strategy.app, name="strategy")
app.command("up")(server.up)
app.command("serve")(server.serve)
app.add_typer(user.app, name="user")
app.add_typer(database.app, name="db")
download.register(data.app)
app.add_typer(data.app, name="data")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"cashup {__version__}")
        raise typer.Exit


@app.callback()
def root(
    _version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Take options that stand before the command."""


def main() -> None:
    """Run the command line; an error is told in words, never as a traceback."""
    try:
        app()
    except CashUpError as e:
        print(f"error: {e}", file=sys.stderr)
        sys.exit(EXIT_ERROR)
    except Exception as e:
        if os.environ.get("CASHUP_DEBUG"):
            raise
        log = Path(tempfile.gettempdir()) / "cashup-error.log"
        log.write_text(traceback.format_exc(), encoding="utf-8")
        print(
            f"error: {type(e).__name__}: {e}\nThis is a fault of CashUp; details are in {log}",
            file=sys.stderr,
        )
        sys.exit(1)
