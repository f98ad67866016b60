"""One process of the platform: the shared parts, and the services that run in it.

This is the composition root of the servers: what differs between one process with everything on SQLite and four
processes on PostgreSQL and Redis is decided here and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import structlog
from fastapi import APIRouter

from cashup.app import migrations
from cashup.app.jobs import JobLauncher
from cashup.app.tables import metadata
from cashup.runtime import log as logs
from cashup.runtime.channel import Channel, MemoryChannel
from cashup.runtime.context import ServiceContext
from cashup.runtime.db import Database
from cashup.runtime.hub import Hub
from cashup.runtime.hub_bridge import HubSender, receive
from cashup.runtime.limits import RateLimiter
from cashup.runtime.outbox import Outbox
from cashup.runtime.settings import SettingsSource
from cashup.runtime.supervisor import Supervisor
from cashup.runtime.vault import Vault, load_keyring
from cashup.services.core.auth.authenticator import TableAuthenticator
from cashup.services.core.auth.tokens import Signer, load_signing_keys
from cashup.services.core.service import CoreService
from cashup.services.core.users import repository as users
from cashup.services.notification.messages.dispatch import Contact
from cashup.services.notification.service import NotificationService
from cashup.services.strategy.service import StrategyService

log = structlog.get_logger(__name__)


class Service(Protocol):
    """What the platform runs."""

    name: str

    def routers(self) -> list[APIRouter]:
        """Return the HTTP routes."""
        ...

    async def start(self) -> None:
        """Begin."""
        ...


class Platform:
    """The services of one process.

    Args:
        folder: Where the YAML files are; None for none.
        environ: The environment.
    """

    def __init__(self, folder: Path | None, environ: Mapping[str, str]) -> None:
        source = SettingsSource(folder, environ)
        settings = source.settings
        home = settings.home
        home.mkdir(parents=True, exist_ok=True)
        logs.configure(json=settings.log.format == "json", level=settings.log.level)
        keys = home / "keys"
        self.signer = Signer(load_signing_keys(settings.security.jwt_secret.get_secret_value(), keys))
        vault = Vault(load_keyring(settings.security.master_key.get_secret_value(), keys))
        database = Database(settings.database_url, pool_size=settings.database.pool_size)
        channel_url = settings.channel.url.get_secret_value()
        self.context = ServiceContext(
            source=source,
            database=database,
            channel=_channel(channel_url),
            vault=vault,
            authenticator=TableAuthenticator(database, self.signer, vault),
            limiter=RateLimiter(channel_url),
            hub=Hub(),
            supervisor=Supervisor(),
        )
        self.context.checks["database"] = database.ping
        self.context.checks["channel"] = self.context.channel.ping
        self.core = CoreService(
            self.context,
            self.signer,
            metadata=metadata(),
            upgrade=migrations.upgrade,
            revision=migrations.newest(),
        )
        self.notification = NotificationService(self.context, UserDirectory(database))
        launcher = JobLauncher(home, at_once=max(1, os.cpu_count() or 1))
        self.strategy = StrategyService(self.context, launcher, template_files())
        known: list[Service] = [self.core, self.strategy, self.notification]
        self.services = [service for service in known if service.name in settings.services]

    def serves(self, name: str) -> bool:
        """Say whether a service runs in this process."""
        return any(service.name == name for service in self.services)

    def routers(self) -> list[APIRouter]:
        """Return the routes of all services of this process."""
        return [router for service in self.services for router in service.routers()]

    async def start(self) -> None:
        """Bring the database up to date and start everything."""
        await migrations.upgrade(self.context.database)
        outbox = Outbox(self.context.database, self.context.channel)
        await self._connect_hub()
        for service in self.services:
            await service.start()
        self.context.supervisor.start("outbox", outbox.run)
        log.info(
            "started",
            services=[service.name for service in self.services],
            database=self.context.database.shown,
        )

    async def _connect_hub(self) -> None:
        """Browsers are connected to the process of the core service; the other processes send there."""
        if isinstance(self.context.channel, MemoryChannel):
            return
        if self.serves("core"):
            await receive(self.context.hub, self.context.channel)
        else:
            sender = HubSender(self.context.hub, self.context.channel)
            self.context.supervisor.start("hub", sender.run)

    async def stop(self) -> None:
        """Stop everything, in the opposite order."""
        await self.context.supervisor.close()
        await self.context.channel.close()
        await self.context.database.close()
        log.info("stopped")


class UserDirectory:
    """Who the users are, for services that must not look into the tables of the core service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def contact(self, user_id: str) -> Contact | None:
        """Return a user's contact, or None."""
        async with self._database.read() as session:
            row = await users.by_id(session, user_id)
        return Contact(email=row.email, locale=row.locale, time_zone=row.time_zone) if row else None


def template_files() -> dict[str, Path]:
    """Return the strategies that come with the product, by name; nothing of them is executed."""
    folder = Path(str(files("cashup"))) / "strategies"
    return {path.stem: path for path in sorted(folder.glob("*.py")) if b"(Strategy):" in path.read_bytes()}


def _channel(url: str) -> Channel:
    if url.startswith("memory"):
        return MemoryChannel()
    from cashup.runtime.channel_redis import RedisChannel

    channel: Any = RedisChannel(url)
    return channel  # type: ignore[no-any-return]
