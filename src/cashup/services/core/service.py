"""The core service, put together."""

from __future__ import annotations

from fastapi import APIRouter

from cashup.runtime.channel import Envelope
from cashup.runtime.context import ServiceContext
from cashup.services.core.audit import routes as audit_routes
from cashup.services.core.auth import routes as auth_routes
from cashup.services.core.auth.authenticator import TableAuthenticator
from cashup.services.core.auth.service import AuthService
from cashup.services.core.auth.tokens import Signer
from cashup.services.core.keys import routes as key_routes
from cashup.services.core.keys.service import ApiKeyService, CredentialService, Inspector
from cashup.services.core.settings import routes as setting_routes
from cashup.services.core.settings.service import SettingsService
from cashup.services.core.users import routes as user_routes
from cashup.services.core.users.service import UserService


class CoreService:
    """Users, sign-in, keys, settings and audit.

    Args:
        context: The shared parts of the process.
        signer: Signs access tokens.
        inspect: Asks an exchange what a key may do.
    """

    name = "core"

    def __init__(self, context: ServiceContext, signer: Signer, inspect: Inspector | None = None) -> None:
        self.context = context
        self.auth = AuthService(context.database, context.source, signer, context.vault)
        self.users = UserService(context.database, context.source, context.vault, self.auth)
        self.api_keys = ApiKeyService(context.database, context.vault)
        self.credentials = CredentialService(context.database, context.vault, inspect)
        self.settings = SettingsService(context.database, context.source)

    def routers(self) -> list[APIRouter]:
        """Return the HTTP routes of this service."""
        return [
            auth_routes.router(self.auth, self.users),
            user_routes.router(self.users),
            key_routes.router(self.api_keys, self.credentials),
            setting_routes.router(self.settings),
            audit_routes.router(self.context.database),
        ]

    async def start(self) -> None:
        """Load overrides and listen to what concerns every process."""
        await self.settings.load()
        await self.context.channel.subscribe("core", ["session.ended", "settings.changed"], self._heard)

    async def _heard(self, envelope: Envelope) -> None:
        if envelope.topic == "settings.changed":
            await self.settings.load()
            return
        authenticator = self.context.authenticator
        if isinstance(authenticator, TableAuthenticator):
            authenticator.forget(envelope.payload["session_ids"] or None)
