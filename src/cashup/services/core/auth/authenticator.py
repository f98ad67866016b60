"""Who asks: a bearer token of a session, or an API key, with or without a signature."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import update

from cashup.model.errors import explain
from cashup.runtime.auth import Caller, Permission, Role, permissions_of
from cashup.runtime.db import Database, utc_now
from cashup.runtime.refusals import Forbidden, NotSignedIn
from cashup.runtime.vault import Vault
from cashup.services.core.auth.tables import SessionRow
from cashup.services.core.auth.tokens import Signer, token_hash
from cashup.services.core.keys.tables import ApiKeyRow
from cashup.services.core.users.tables import UserRow

#: A session ended elsewhere is noticed after this time at the latest, and at once in the same process.
_TRUST_S: Final = 5.0
_SKEW_S: Final = 30
_TOUCH_S: Final = 60.0
_MAX_REMEMBERED: Final = 10_000


@dataclass(slots=True)
class _Known:
    caller: Caller
    until: float


class TableAuthenticator:
    """Check callers against the tables of the core service."""

    def __init__(self, database: Database, signer: Signer, vault: Vault) -> None:
        self._database = database
        self._signer = signer
        self._vault = vault
        self._sessions: dict[str, _Known] = {}
        self._touched: dict[str, float] = {}
        self._signatures: dict[str, float] = {}

    async def authenticate(
        self, headers: Mapping[str, str], address: str, *, method: str, path: str, body_sha256: str = ""
    ) -> Caller:
        """Say who asks (`NotSignedIn`, `Forbidden`)."""
        scheme, _, credential = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and credential:
            if credential.startswith("cu_"):
                return await self._by_key(credential, address, method, path, body_sha256, headers)
            return await self.by_token(credential, address)
        key = headers.get("x-cashup-key", "")
        if key:
            return await self._by_key(key, address, method, path, body_sha256, headers)
        raise NotSignedIn(explain("nobody is signed in", hint="send an access token or an API key"))

    async def by_token(self, token: str, address: str) -> Caller:
        """Say whose access token this is (`NotSignedIn`)."""
        claims = self._signer.read(token)
        known = self._sessions.get(claims.session_id)
        if known is None or known.until < time.monotonic():
            known = await self._look_up(claims.session_id)
        if known.caller.user_id != claims.user_id:
            raise NotSignedIn("the access token is not valid")
        caller = known.caller
        return Caller(
            user_id=caller.user_id,
            roles=caller.roles,
            permissions=caller.permissions,
            session_id=caller.session_id,
            address=address,
        )

    def forget(self, session_ids: list[str] | None = None) -> None:
        """Look these sessions up again at the next request; all of them without an argument."""
        if session_ids is None:
            self._sessions.clear()
        for session_id in session_ids or []:
            self._sessions.pop(session_id, None)

    async def _look_up(self, session_id: str) -> _Known:
        async with self._database.read() as session:
            row = await session.get(SessionRow, session_id)
            user = await session.get(UserRow, row.user_id) if row else None
        if row is None or user is None or row.ended_at is not None or row.expires_at <= utc_now():
            raise NotSignedIn("the session has ended; sign in again")
        if user.status != "active":
            raise NotSignedIn("the account is disabled")
        roles = frozenset(Role(name) for name in user.roles)
        caller = Caller(user_id=user.id, roles=roles, permissions=permissions_of(roles), session_id=row.id)
        if len(self._sessions) >= _MAX_REMEMBERED:
            self._sessions.clear()
        known = self._sessions[session_id] = _Known(caller, time.monotonic() + _TRUST_S)
        return known

    async def _by_key(
        self,
        credential: str,
        address: str,
        method: str,
        path: str,
        body_sha256: str,
        headers: Mapping[str, str],
    ) -> Caller:
        prefix, _, secret = credential.removeprefix("cu_").partition("_")
        async with self._database.read() as session:
            row = await session.get(ApiKeyRow, prefix)
            user = await session.get(UserRow, row.user_id) if row else None
        if row is None or user is None:
            raise NotSignedIn("the API key is not valid")
        if row.secret_sealed is not None:
            self._check_signature(row, method, path, body_sha256, headers)
        elif not hmac.compare_digest(row.secret_hash, token_hash(secret)):
            raise NotSignedIn("the API key is not valid")
        if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= utc_now()):
            raise NotSignedIn("the API key has ended")
        if user.status != "active":
            raise NotSignedIn("the account is disabled")
        if row.addresses and not _inside(address, row.addresses):
            raise Forbidden(explain(f"this API key may not be used from {address}"))
        await self._touch(row.id)
        roles = frozenset(Role(name) for name in user.roles)
        scopes = frozenset(Permission(name) for name in row.scopes)
        return Caller(
            user_id=user.id,
            roles=roles,
            permissions=scopes & permissions_of(roles),
            api_key_id=row.id,
            address=address,
        )

    def _check_signature(
        self, row: ApiKeyRow, method: str, path: str, body_sha256: str, headers: Mapping[str, str]
    ) -> None:
        """Check ``HMAC-SHA256(secret, timestamp + method + path + sha256(body))`` in hex."""
        stamp = headers.get("x-cashup-timestamp", "")
        if not stamp.isascii() or not stamp.isdigit() or abs(time.time() - int(stamp)) > _SKEW_S:
            raise NotSignedIn(
                explain(
                    "the timestamp of the signature is missing or too far off",
                    expected=f"seconds, within {_SKEW_S} s",
                )
            )
        secret = self._vault.open(row.secret_sealed or "", bound_to=f"api_key:{row.id}")
        wanted = hmac.new(
            secret.encode(), f"{stamp}{method}{path}{body_sha256}".encode(), hashlib.sha256
        ).hexdigest()
        if not hmac.compare_digest(wanted, headers.get("x-cashup-signature", "")):
            raise NotSignedIn("the signature is wrong")
        if method not in {"GET", "HEAD"}:
            self._refuse_replay(wanted)

    def _refuse_replay(self, signature: str) -> None:
        now = time.monotonic()
        for old in [one for one, seen in self._signatures.items() if now - seen > 2 * _SKEW_S]:
            del self._signatures[old]
        if signature in self._signatures:
            raise NotSignedIn("this signed request came before")
        self._signatures[signature] = now

    async def _touch(self, key_id: str) -> None:
        """Remember the last use, once a minute at most."""
        now = time.monotonic()
        if now - self._touched.get(key_id, -_TOUCH_S) < _TOUCH_S:
            return
        self._touched[key_id] = now
        async with self._database.write() as session:
            await session.execute(update(ApiKeyRow).where(ApiKeyRow.id == key_id).values(used_at=utc_now()))


def _inside(address: str, networks: list[str]) -> bool:
    try:
        host = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(host in ipaddress.ip_network(network, strict=False) for network in networks)
