"""`cashup db`: bring the tables up to date, or back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cashup.app.cli.server import config_folder
from cashup.model.errors import DataError

if TYPE_CHECKING:
    from cashup.app.platform import Platform

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


@app.command("backup")
def backup(data_dir: Annotated[Path | None, _DATA_DIR] = None) -> None:
    """Make an encrypted backup of database, configuration, strategies and logs, and verify it."""
    made = asyncio.run(_with_platform(data_dir, lambda platform: platform.core.backups.create()))
    print(f"{made.name}: {made.size:,} bytes, verified by restoring it for trial.")


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    data_dir: Annotated[Path | None, _DATA_DIR] = None,
) -> None:
    """Restore a backup into an empty database; nothing that is there is overwritten."""

    async def work(platform: Platform) -> dict[str, int]:
        from cashup.app import migrations
        from cashup.app.tables import metadata
        from cashup.services.core.backup.service import restore as put_back

        context = platform.context
        content = context.vault.open_bytes(read_bytes(file), bound_to="backup")
        return await put_back(
            content, context.database, metadata(), context.settings.home, migrations.upgrade
        )

    _tell(asyncio.run(_with_platform(data_dir, work, migrate=False)), "Restored")


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Where to write; a .tar.gz of JSON lines, one file a table.")],
    data_dir: Annotated[Path | None, _DATA_DIR] = None,
) -> None:
    """Export every table as lines of JSON. Secrets in it stay sealed under the master key."""

    async def work(platform: Platform) -> bytes:
        from cashup.app import migrations
        from cashup.app.tables import metadata
        from cashup.services.core.backup.archive import write_archive

        context = platform.context
        return await write_archive(context.database, metadata(), context.settings.home, migrations.newest())

    content = asyncio.run(_with_platform(data_dir, work))
    file.write_bytes(content)
    print(f"{file}: {len(content):,} bytes")


@app.command("migrate")
def migrate(
    to: Annotated[
        str, typer.Argument(help="Address of the new database: postgresql+asyncpg://user:password@host/name")
    ],
    data_dir: Annotated[Path | None, _DATA_DIR] = None,
) -> None:
    """Copy everything into another, empty database, such as from SQLite to PostgreSQL."""

    async def work(platform: Platform) -> dict[str, int]:
        from cashup.app import migrations
        from cashup.app.tables import metadata
        from cashup.runtime.db import Database
        from cashup.services.core.backup.archive import read_archive, write_archive

        context = platform.context
        content = await write_archive(
            context.database, metadata(), context.settings.home, migrations.newest()
        )
        target = Database(to)
        try:
            await migrations.upgrade(target)
            return await read_archive(content, target, metadata(), None)
        finally:
            await target.close()

    _tell(asyncio.run(_with_platform(data_dir, work)), "Copied")


def read_bytes(file: Path) -> bytes:
    """Return a file's content (`DataError` when it cannot be read)."""
    try:
        return file.read_bytes()
    except OSError as e:
        raise DataError(f"cannot be read: {e.strerror}", path=file) from e


def _tell(rows: dict[str, int], verb: str) -> None:
    print(f"{verb} {sum(rows.values()):,} rows of {len(rows)} tables.")


async def _with_platform(
    data_dir: Path | None, work: Callable[[Platform], Awaitable[Any]], *, migrate: bool = True
) -> Any:
    from cashup.app.migrations import upgrade
    from cashup.app.platform import Platform

    environ = dict(os.environ)
    if data_dir is not None:
        environ["CASHUP_DATA_DIR"] = str(data_dir)
    environ.setdefault("CASHUP_LOG__LEVEL", "WARNING")
    platform = Platform(config_folder(None), environ)
    try:
        if migrate:
            await upgrade(platform.context.database)
        return await work(platform)
    finally:
        await platform.context.database.close()


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
