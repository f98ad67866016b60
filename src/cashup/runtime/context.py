"""What a service is given when it starts: filled once, in the composition root."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from fastapi import Request

from cashup.runtime.auth import Caller, Permission
from cashup.runtime.channel import Channel
from cashup.runtime.db import Database
from cashup.runtime.hub import Hub
from cashup.runtime.limits import RateLimiter
from cashup.runtime.settings import Settings, SettingsSource
from cashup.runtime.supervisor import Supervisor
from cashup.runtime.vault import Vault

__all__ = ["Authenticator", "HealthCheck", "ServiceContext", "context_of", "require"]

HealthCheck = Callable[[], Awaitable[None]]


class Authenticator(Protocol):
    """Turn the headers of a request into a caller."""

    async def authenticate(
        self, headers: Mapping[str, str], address: str, *, method: str, path: str, body_sha256: str = ""
    ) -> Caller:
        """Say who asks.

        Raises:
            NotSignedIn: Nobody we know.
            Forbidden: Known, and not allowed from this address.
        """
        ...


@dataclass(slots=True, kw_only=True)
class ServiceContext:
    """The shared parts of one process.

    Attributes:
        source: What is set now.
        database: Where tables are.
        channel: To the other services.
        vault: Secrets at rest.
        authenticator: Who asks.
        limiter: How often one may ask.
        hub: To the browsers.
        supervisor: Background tasks.
        checks: Health checks by name; a check raises when something is wrong.
    """

    source: SettingsSource
    database: Database
    channel: Channel
    vault: Vault
    authenticator: Authenticator
    limiter: RateLimiter
    hub: Hub
    supervisor: Supervisor
    checks: dict[str, HealthCheck] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """The settings as they hold now."""
        return self.source.settings


def context_of(request: Request) -> ServiceContext:
    """Return the context of the process that answers this request."""
    context: ServiceContext = request.app.state.context
    return context


def address_of(request: Request, trusted_proxies: tuple[str, ...]) -> str:
    """Return where the request comes from: the peer, or what a trusted proxy says of it."""
    peer = request.client.host if request.client else ""
    if peer in trusted_proxies:
        forwarded = request.headers.get("x-forwarded-for", "")
        for hop in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
            if hop not in trusted_proxies:
                return hop
    return peer


def require(permission: Permission) -> Callable[[Request], Awaitable[Caller]]:
    """Return the dependency of a route that needs `permission`: it gives the caller, or refuses."""

    async def caller(request: Request) -> Caller:
        context = context_of(request)
        address = address_of(request, context.settings.server.trusted_proxies)
        body = await request.body() if "x-cashup-signature" in request.headers else b""
        found = await context.authenticator.authenticate(
            request.headers,
            address,
            method=request.method,
            path=request.url.path,
            body_sha256=hashlib.sha256(body).hexdigest(),
        )
        await context.limiter.check(
            "user", found.api_key_id or found.user_id, context.settings.security.requests_per_minute
        )
        found.require(permission)
        request.state.caller = found
        return found

    caller.permission = permission  # type: ignore[attr-defined]
    return caller
