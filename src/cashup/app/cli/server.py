"""`cashup up` and `cashup serve`: the platform in one process, or one service of four."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cashup.model.errors import ConfigError, UnknownNameError, explain

_CONFIG = typer.Option("--config", help="Folder of the YAML files.", show_default="configs, when it is there")


def up(
    port: Annotated[int | None, typer.Option(help="Port of the pages and the API; 0 for a free one.")] = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; this machine only by default.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of everything that is kept.")] = None,
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Run the built-in demo exchange.")] = True,
    config: Annotated[Path | None, _CONFIG] = None,
    open_browser: Annotated[
        bool,
        typer.Option("--open/--no-open", help="Open the setup link in a browser where there is a desktop."),
    ] = True,
) -> None:
    """Start the whole platform in one process."""
    environ = _environ(port=port, host=host, data_dir=data_dir)
    if not demo:
        environ["CASHUP_DEMO"] = "false"
    _run(config, environ, open_browser=open_browser)


def serve(
    service: Annotated[str, typer.Argument(help="core, trading, strategy or notification.")],
    port: Annotated[int | None, typer.Option(help="Port; 8001 to 8004 by default, in this order.")] = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; this machine only by default.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of everything that is kept.")] = None,
    config: Annotated[Path | None, _CONFIG] = None,
) -> None:
    """Start one of the four services, for an installation on PostgreSQL and Redis."""
    from cashup.runtime.settings import PORTS

    if service not in PORTS:
        raise UnknownNameError("service", service, PORTS)
    environ = _environ(port=PORTS[service] if port is None else port, host=host, data_dir=data_dir)
    environ["CASHUP_SERVICES"] = service
    _run(config, environ, open_browser=False)


def _environ(*, port: int | None, host: str | None, data_dir: Path | None) -> dict[str, str]:
    environ = dict(os.environ)
    if port is not None:
        environ["CASHUP_SERVER__PORT"] = str(port)
    if host is not None:
        environ["CASHUP_SERVER__HOST"] = host
    if data_dir is not None:
        environ["CASHUP_DATA_DIR"] = str(data_dir)
    return environ


def config_folder(given: Path | None) -> Path | None:
    """Return the folder of the YAML files: the given one, or ``configs`` when it is there.

    Raises:
        ConfigError: The given one is not there.
    """
    if given is not None:
        if not given.is_dir():
            raise ConfigError(explain("there is no such folder", where=str(given)), source=given)
        return given
    usual = Path("configs")
    return usual if usual.is_dir() else None


def _run(config: Path | None, environ: dict[str, str], *, open_browser: bool) -> None:
    from cashup.app.platform import Platform
    from cashup.app.server import Server

    try:
        server = Server(
            Platform(config_folder(config), environ), announce=_announce, open_browser=open_browser
        )
    except ModuleNotFoundError as e:
        raise ConfigError(
            explain(f"the server parts are not installed ({e.name})", hint="pip install 'cashup[server]'")
        ) from e
    asyncio.run(server.run())


def _announce(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
