"""Backups: made on a schedule or by hand, encrypted, verified by restoring them, kept in a bounded number."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import MetaData

from cashup.model.errors import CashUpError, DataError, explain
from cashup.runtime.auth import Caller
from cashup.runtime.db import Database, emit, utc_now
from cashup.runtime.refusals import NotFound
from cashup.runtime.settings import SettingsSource
from cashup.runtime.vault import Vault
from cashup.services.core.audit.service import record
from cashup.services.core.backup.archive import read_archive, write_archive
from cashup.services.core.users import repository as users

_BOUND: Final = "backup"
_PATTERN: Final = "cashup-*.backup"
_LOOK_S: Final = 60.0

log = structlog.get_logger(__name__)

#: Brings the tables of an empty database to the newest revision.
Upgrade = Callable[[Database], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """One backup.

    Attributes:
        name: Name of its file.
        created_at: When it was made.
        size: Bytes.
    """

    name: str
    created_at: datetime
    size: int


class BackupService:
    """Backups of this installation.

    Args:
        database: What is backed up, with the folders of the data folder.
        source: The settings.
        vault: Encrypts.
        metadata: All tables.
        upgrade: Brings an empty database up to date.
        revision: The newest revision of the tables.
    """

    def __init__(
        self,
        database: Database,
        source: SettingsSource,
        vault: Vault,
        metadata: MetaData,
        upgrade: Upgrade,
        revision: str,
    ) -> None:
        self._database = database
        self._source = source
        self._vault = vault
        self._metadata = metadata
        self._upgrade = upgrade
        self._revision = revision

    @property
    def folder(self) -> Path:
        """Where backups are kept."""
        settings = self._source.settings
        return (
            Path(settings.backup.folder).expanduser() if settings.backup.folder else settings.home / "backups"
        )

    async def create(self, caller: Caller | None = None) -> Backup:
        """Make a backup, verify it, and forget the oldest beyond the number that is kept.

        Raises:
            DataError: It could not be read back.
        """
        content = await write_archive(
            self._database, self._metadata, self._source.settings.home, self._revision
        )
        sealed = await asyncio.to_thread(self._vault.seal_bytes, content, bound_to=_BOUND)
        name = f"cashup-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.backup"
        path = self.folder / name
        await asyncio.to_thread(_write, path, sealed)
        try:
            await self.verify(name)
        except CashUpError:
            path.unlink()
            raise
        for old in self.list()[self._source.settings.backup.keep :]:
            (self.folder / old.name).unlink()
        async with self._database.write() as session:
            await record(
                session,
                action="backup.created",
                subject=name,
                caller=caller,
                user_id="" if caller else "schedule",
            )
        return self.get(name)

    async def verify(self, name: str) -> dict[str, int]:
        """Restore a backup into a database of its own and throw that away; return the rows of each table.

        Raises:
            NotFound: There is no such backup.
            DataError, ConfigError: It cannot be restored.
        """
        content = await self.opened(name)
        with tempfile.TemporaryDirectory() as folder:
            trial = Database(f"sqlite+aiosqlite:///{folder}/trial.db")
            try:
                await self._upgrade(trial)
                return await read_archive(content, trial, self._metadata, None)
            finally:
                await trial.close()

    async def opened(self, name: str) -> bytes:
        """Return the decrypted archive of a backup (`NotFound`, `ConfigError`)."""
        path = self.folder / self.get(name).name
        return await asyncio.to_thread(lambda: self._vault.open_bytes(path.read_bytes(), bound_to=_BOUND))

    def list(self) -> list[Backup]:
        """Return the backups, newest first."""
        found = []
        for path in self.folder.glob(_PATTERN):
            state = path.stat()
            found.append(
                Backup(
                    name=path.name, created_at=datetime.fromtimestamp(state.st_mtime, UTC), size=state.st_size
                )
            )
        return sorted(found, key=lambda one: one.name, reverse=True)

    def get(self, name: str) -> Backup:
        """Return one backup (`NotFound`)."""
        for one in self.list():
            if one.name == name:
                return one
        raise NotFound("there is no such backup")

    async def delete(self, caller: Caller, name: str) -> None:
        """Forget a backup (`NotFound`)."""
        path = self.folder / self.get(name).name
        async with self._database.write() as session:
            await record(session, action="backup.deleted", subject=name, caller=caller)
        path.unlink()

    async def run(self) -> None:
        """Make backups when they are due, until cancelled; tell administrators when one fails."""
        while True:
            settings = self._source.settings.backup
            newest = next(iter(self.list()), None)
            age = (utc_now() - newest.created_at).total_seconds() if newest else float("inf")
            if settings.enabled and age >= settings.every_hours * 3_600:
                try:
                    await self.create()
                except (CashUpError, OSError) as e:
                    log.error("backup failed", error=str(e))
                    await self._tell(str(e))
                    await asyncio.sleep(_LOOK_S * 10)
            await asyncio.sleep(_LOOK_S)

    async def _tell(self, error: str) -> None:
        async with self._database.write() as session:
            for user in await users.administrators(session):
                source = f"backup:{utc_now():%Y%m%d}:{user.id}"
                emit(
                    session,
                    "system.backup_failed",
                    {"user_id": user.id, "error": error[:300], "source": source},
                )


async def restore(
    content: bytes, database: Database, metadata: MetaData, home: Path, upgrade: Upgrade
) -> dict[str, int]:
    """Restore a decrypted backup into an empty database and the data folder.

    Raises:
        DataError: The backup is damaged, or the database is not empty.
    """
    await upgrade(database)
    return await read_archive(content, database, metadata, home)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_suffix(".partial")
    try:
        beside.write_bytes(content)
        beside.chmod(0o600)
        beside.replace(path)
    except OSError as e:
        beside.unlink(missing_ok=True)
        raise DataError(explain(f"the backup cannot be written: {e.strerror}"), path=path) from e
