"""`cashup db`: bring the tables up to date, or back."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from cashup.app.cli.server import config_folder

app = typer.Typer(help="Migrate, back up and restore the database.", no_args_is_help=True)

_DATA_DIR = typer.Option("--data-dir", help="Folder of everything that is kept.")


@app.command("upgrade")
def upgrade(
    to: Annotated[str, typer.Argument(help="Revision; the newest by default.")] = "head",
    data_dir: Annotated[Path | None, _DATA_DIR] = None,
) -> None:
    """Bring the tables up to date."""
    asyncio.run(_migrate(to, data_dir, down=False))
    print(f"The database is at {to}.")


@app.command("downgrade")
def downgrade(
    to: Annotated[str, typer.Argument(help="Revision to go back to, or base.")],
    data_dir: Annotated[Path | None, _DATA_DIR] = None,
) -> None:
    """Take the tables back to an earlier revision."""
    asyncio.run(_migrate(to, data_dir, down=True))
    print(f"The database is at {to}.")


async def _migrate(to: str, data_dir: Path | None, *, down: bool) -> None:
    from cashup.app import migrations
    from cashup.runtime.db import Database
    from cashup.runtime.settings import load_settings

    environ = dict(os.environ)
    if data_dir is not None:
        environ["CASHUP_DATA_DIR"] = str(data_dir)
    settings = load_settings(config_folder(None), environ)
    database = Database(settings.database_url)
    try:
        await (migrations.downgrade if down else migrations.upgrade)(database, to)
    finally:
        await database.close()
