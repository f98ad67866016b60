"""Overrides of settings: checked as a whole before they hold, kept as versions, compared and rolled back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pydantic import SecretStr
from sqlalchemy import select

from cashup.model.errors import InputError, UnknownNameError, explain
from cashup.runtime.auth import Caller
from cashup.runtime.db import Database, emit, utc_now
from cashup.runtime.refusals import NotFound, PreconditionFailed
from cashup.runtime.settings import Settings, SettingsSource, names
from cashup.services.core.audit.service import record
from cashup.services.core.settings.tables import SettingsVersionRow

#: What may be changed while running. Everything else needs a restart, or must not be in the database at all.
LIVE: Final = frozenset(
    {
        "security.access_minutes",
        "security.refresh_days",
        "security.registration",
        "security.password_min_length",
        "security.lockout_failures",
        "security.lockout_minutes",
        "security.requests_per_minute",
        "security.login_per_minute",
        "backup.enabled",
        "backup.every_hours",
        "backup.keep",
        "log.level",
    }
)
AT_RESTART: Final = frozenset(
    {
        "server.public_url",
        "server.allowed_origins",
        "server.max_body_mb",
        "mail.host",
        "mail.port",
        "mail.username",
        "mail.sender",
        "mail.encryption",
        "demo",
    }
)


class SettingsService:
    """Settings as they hold, and their overrides.

    Args:
        database: Where versions are kept.
        source: Reads files and environment, and applies overrides.
    """

    def __init__(self, database: Database, source: SettingsSource) -> None:
        self._database = database
        self._source = source

    async def latest(self) -> SettingsVersionRow | None:
        """Return the version that holds."""
        query = select(SettingsVersionRow).order_by(SettingsVersionRow.version.desc()).limit(1)
        async with self._database.read() as session:
            return (await session.scalars(query)).first()

    async def versions(self, limit: int = 100) -> Sequence[SettingsVersionRow]:
        """Return versions, newest first."""
        query = select(SettingsVersionRow).order_by(SettingsVersionRow.version.desc()).limit(limit)
        async with self._database.read() as session:
            return (await session.scalars(query)).all()

    async def load(self) -> Settings:
        """Apply what the database holds to this process's settings."""
        latest = await self.latest()
        return self._source.apply(latest.overrides if latest else {})

    def shown(self) -> list[dict[str, Any]]:
        """Return every setting with its value, default, origin and how it may be changed; secrets hidden."""
        settings, origins = self._source.settings, self._source.origins
        found = []
        for name, default in names().items():
            value = _value(settings, name)
            found.append(
                {
                    "name": name,
                    "value": _plain(value),
                    "default": _plain(default),
                    "origin": origins.get(name, "default"),
                    "change": "live" if name in LIVE else "restart" if name in AT_RESTART else "file",
                }
            )
        return found

    async def change(
        self, caller: Caller, changes: dict[str, Any], *, reason: str, version: int | None
    ) -> SettingsVersionRow:
        """Override settings; a value of None takes an override away.

        Raises:
            InputError: A name cannot be overridden here.
            ConfigError: A value is out of range; nothing is kept.
            PreconditionFailed: Somebody changed settings meanwhile.
        """
        for name in changes:
            if name not in names():
                raise UnknownNameError("setting", name, names(), field=name)
            if name not in LIVE | AT_RESTART:
                raise InputError(
                    explain(
                        f"{name} is set in files or the environment only",
                        hint="it decides how the program starts",
                    ),
                    field=name,
                )
        latest = await self.latest()
        overrides = dict(latest.overrides) if latest else {}
        before = {name: overrides.get(name) for name in changes}
        for name, value in changes.items():
            if value is None:
                overrides.pop(name, None)
            else:
                overrides[name] = value
        return await self._keep(caller, overrides, {"before": before, "after": changes}, reason, version)

    async def roll_back(self, caller: Caller, to: int, *, reason: str) -> SettingsVersionRow:
        """Make the overrides of an earlier version hold again, as a new version (`NotFound`)."""
        async with self._database.read() as session:
            old = await session.get(SettingsVersionRow, to)
        if old is None:
            raise NotFound(f"there is no version {to} of the settings")
        return await self._keep(caller, dict(old.overrides), {"rolled_back_to": to}, reason, None)

    async def _keep(
        self,
        caller: Caller,
        overrides: dict[str, Any],
        changed: dict[str, Any],
        reason: str,
        version: int | None,
    ) -> SettingsVersionRow:
        self._source.check(overrides)
        row = SettingsVersionRow(
            overrides=overrides,
            changed=changed,
            reason=reason,
            created_by=caller.user_id,
            created_at=utc_now(),
        )
        async with self._database.write() as session:
            latest = (
                await session.scalars(
                    select(SettingsVersionRow).order_by(SettingsVersionRow.version.desc()).limit(1)
                )
            ).first()
            if version is not None and version != (latest.version if latest else 0):
                raise PreconditionFailed(
                    explain("the settings were changed meanwhile", hint="read them again")
                )
            session.add(row)
            await session.flush()
            await record(
                session,
                action="settings.changed",
                subject=f"settings:{row.version}",
                caller=caller,
                details=changed,
            )
            emit(session, "settings.changed", {"version": row.version})
        self._source.apply(overrides)
        return row


def _value(settings: Settings, name: str) -> Any:
    value: Any = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return "set" if value.get_secret_value() else ""
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)
