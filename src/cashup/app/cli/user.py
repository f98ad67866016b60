"""`cashup user`: accounts, for an installation without a screen."""

from __future__ import annotations

import asyncio
import os
import sys
from getpass import getpass
from pathlib import Path
from typing import Annotated

import typer

from cashup.app.cli.server import config_folder
from cashup.model.errors import InputError, explain

app = typer.Typer(help="Create accounts and set passwords.", no_args_is_help=True)

_DATA_DIR = typer.Option("--data-dir", help="Folder of everything that is kept.")


@app.command("create")
def create(
    email: Annotated[str, typer.Argument(help="Address to sign in with.")],
    name: Annotated[str, typer.Option(help="Name to show.")] = "",
    role: Annotated[
        list[str] | None,
        typer.Option(help="trader, developer or administrator; all of them for the first user."),
    ] = None,
    data_dir: Annotated[Path | None, _DATA_DIR] = None,
) -> None:
    """Create a user; the password is asked for, or read from standard input."""
    password = _password()
    asyncio.run(_create(email, name or email.split("@")[0], role, password, data_dir))


@app.command("reset-password")
def reset_password(
    email: Annotated[str, typer.Argument(help="Address of the user.")],
    data_dir: Annotated[Path | None, _DATA_DIR] = None,
) -> None:
    """Set a new password and end all sessions of a user."""
    password = _password()
    asyncio.run(_reset(email, password, data_dir))


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass("Password: ")
    if getpass("Again: ") != password:
        raise InputError(explain("the two passwords differ"), field="password")
    return password


def _platform(data_dir: Path | None) -> object:
    from cashup.app.platform import Platform

    environ = dict(os.environ)
    if data_dir is not None:
        environ["CASHUP_DATA_DIR"] = str(data_dir)
    environ.setdefault("CASHUP_LOG__LEVEL", "WARNING")
    return Platform(config_folder(None), environ)


async def _create(
    email: str, name: str, roles: list[str] | None, password: str, data_dir: Path | None
) -> None:
    from cashup.app.migrations import upgrade
    from cashup.app.platform import Platform

    platform = _platform(data_dir)
    assert isinstance(platform, Platform)
    await upgrade(platform.context.database)
    try:
        first = await platform.core.users.setup_needed()
        chosen = roles or (["administrator", "developer", "trader"] if first else ["trader"])
        await platform.core.users.create(email=email, password=password, name=name, roles=chosen)
    finally:
        await platform.context.database.close()
    print(f"Created {email} ({', '.join(chosen)}).")


async def _reset(email: str, password: str, data_dir: Path | None) -> None:
    from cashup.app.platform import Platform

    platform = _platform(data_dir)
    assert isinstance(platform, Platform)
    try:
        await platform.core.auth.set_password(email, password)
    finally:
        await platform.context.database.close()
    print(f"The password of {email} was changed; its sessions were ended.")
