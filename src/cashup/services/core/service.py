"""The core service, put together."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import MetaData

from cashup.runtime.channel import Envelope
from cashup.runtime.context import ServiceContext
from cashup.services.core.audit import routes as audit_routes
from cashup.services.core.auth import routes as auth_routes
from cashup.services.core.auth.authenticator import TableAuthenticator
from cashup.services.core.auth.service import AuthService
from cashup.services.core.auth.tokens import Signer
from cashup.services.core.backup import routes as backup_routes
from cashup.services.core.backup.service import BackupService, Upgrade
from cashup.services.core.keys import routes as key_routes
from cashup.services.core.keys.service import ApiKeyService, CredentialService, Inspector
from cashup.services.core.settings import routes as setting_routes
from cashup.services.core.settings.service import SettingsService
from cashup.services.core.system import routes as system_routes
from cashup.services.core.system.service import SystemService
from cashup.services.core.users import routes as user_routes
from cashup.services.core.users.service import UserService


class CoreService:
    """Users, sign-in, keys, settings and audit.

    Args:
        context: The shared parts of the process.
        signer: Signs access tokens.
        metadata: All tables of all services.
        upgrade: Brings an empty database up to date.
        revision: The newest revision of the tables.
        inspect: Asks an exchange what a key may do.
    """

    name = "core"

    def __init__(
        self,
        context: ServiceContext,
        signer: Signer,
        *,
        metadata: MetaData,
        upgrade: Upgrade,
        revision: str,
        inspect: Inspector | None = None,
    ) -> None:
        self.context = context
        self.auth = AuthService(context.database, context.source, signer, context.vault)
        self.users = UserService(context.database, context.source, context.vault, self.auth)
        self.api_keys = ApiKeyService(context.database, context.vault)
        self.credentials = CredentialService(context.database, context.vault, inspect)
        self.settings = SettingsService(context.database, context.source)
        self.system = SystemService(context)
        self.backups = BackupService(
            context.database, context.source, context.vault, metadata, upgrade, revision
        )

    def routers(self) -> list[APIRouter]:
        """Return the HTTP routes of this service."""
        return [
            auth_routes.router(self.auth, self.users),
            user_routes.router(self.users),
            key_routes.router(self.api_keys, self.credentials),
            setting_routes.router(self.settings),
            audit_routes.router(self.context.database),
            backup_routes.router(self.backups),
            system_routes.router(self.system, self.context),
        ]

    async def start(self) -> None:
        """Load overrides and listen to what concerns every process."""
        await self.settings.load()
        self.context.supervisor.start("backups", self.backups.run)
        self.context.supervisor.start("health", self.system.run)
        await self.context.channel.subscribe("core", ["session.ended", "settings.changed"], self._heard)

    async def _heard(self, envelope: Envelope) -> None:
        if envelope.topic == "settings.changed":
            await self.settings.load()
            return
        authenticator = self.context.authenticator
        if isinstance(authenticator, TableAuthenticator):
            authenticator.forget(envelope.payload["session_ids"] or None)
