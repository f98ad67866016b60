"""What may be done with keys: scopes within the owner's own, secrets sealed, withdrawal rights refused."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from cashup.model.errors import CashUpError, InputError, UnknownNameError, explain
from cashup.runtime.auth import Caller, Permission
from cashup.runtime.db import Database, emit, utc_now
from cashup.runtime.ids import new_id
from cashup.runtime.log import hide
from cashup.runtime.refusals import Conflict, Forbidden, NotFound
from cashup.runtime.vault import Vault
from cashup.services.core.audit.service import record
from cashup.services.core.auth.tokens import random_token, token_hash
from cashup.services.core.keys.tables import ApiKeyRow, CredentialRow

_HINT: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeKey:
    """A key at an exchange, opened. `repr` shows no secret."""

    exchange: str
    testnet: bool
    api_key: str
    api_secret: str
    passphrase: str

    def __repr__(self) -> str:
        return f"ExchangeKey({self.exchange}, testnet={self.testnet})"


#: Asks the venue what a key may do: returns names such as ``read``, ``spot``, ``futures``, ``withdraw``.
Inspector = Callable[[ExchangeKey], Awaitable[list[str]]]


class ApiKeyService:
    """API keys of users."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def create(
        self,
        caller: Caller,
        *,
        name: str,
        scopes: list[str],
        addresses: list[str],
        expires_at: datetime | None,
        signed: bool,
    ) -> tuple[ApiKeyRow, str, str]:
        """Make a key; return it, the key to send, and the secret to sign with ("" when it does not sign).

        Raises:
            Forbidden: An API key asks, or a scope is beyond the caller's own permissions.
            InputError: An address is no network, or the end has passed.
        """
        if caller.api_key_id:
            raise Forbidden("an API key cannot make API keys")
        for scope in scopes:
            _check_scope(caller, scope)
        if expires_at is not None and expires_at <= utc_now():
            raise InputError(explain("the key would have ended already"), field="expires_at")
        secret = random_token()
        row = ApiKeyRow(
            id=new_id(),
            user_id=caller.user_id,
            name=name,
            secret_hash=token_hash(secret),
            secret_sealed=None,
            scopes=sorted(set(scopes)),
            addresses=[_network(one) for one in addresses],
            created_at=utc_now(),
            expires_at=expires_at,
        )
        if signed:
            row.secret_sealed = self._vault.seal(secret, bound_to=f"api_key:{row.id}")
        async with self._database.write() as session:
            session.add(row)
            await record(
                session,
                action="api_key.created",
                subject=f"api_key:{row.id}",
                caller=caller,
                details={"scopes": row.scopes},
            )
            emit(session, "security.api_key", {"user_id": caller.user_id, "name": name}, key=caller.user_id)
        return row, f"cu_{row.id}" if signed else f"cu_{row.id}_{secret}", secret if signed else ""

    async def list(self, caller: Caller) -> Sequence[ApiKeyRow]:
        """Return the caller's keys, newest first."""
        query = select(ApiKeyRow).where(ApiKeyRow.user_id == caller.user_id).order_by(ApiKeyRow.id.desc())
        async with self._database.read() as session:
            return (await session.scalars(query)).all()

    async def revoke(self, caller: Caller, key_id: str) -> None:
        """End a key of the caller's own (`NotFound`)."""
        async with self._database.write() as session:
            row = await session.get(ApiKeyRow, key_id, with_for_update=True)
            if row is None or not caller.owns(row.user_id):
                raise NotFound("there is no such API key")
            row.revoked_at = row.revoked_at or utc_now()
            await record(session, action="api_key.revoked", subject=f"api_key:{key_id}", caller=caller)


class CredentialService:
    """Keys at exchanges.

    Args:
        database: Where they are kept, sealed.
        vault: What seals them.
        inspect: Asks the venue what a key may do; None when there is no way to ask.
    """

    def __init__(self, database: Database, vault: Vault, inspect: Inspector | None = None) -> None:
        self._database = database
        self._vault = vault
        self._inspect = inspect

    async def create(
        self, caller: Caller, *, name: str, key: ExchangeKey, allow_withdrawal: bool
    ) -> CredentialRow:
        """Keep a key, after asking the venue what it may do.

        Raises:
            InputError: The key may withdraw and that was not allowed; or the venue refuses it.
            Conflict: The name is taken.
        """
        for secret in (key.api_key, key.api_secret, key.passphrase):
            hide(secret)
        permissions, result = await self._ask(key)
        if "withdraw" in permissions and not allow_withdrawal:
            raise InputError(
                explain(
                    "this key may withdraw money",
                    expected="a key that can read and trade only",
                    hint="make another one at the exchange, or confirm that you want this",
                ),
                field="api_key",
            )
        now = utc_now()
        row = CredentialRow(
            id=new_id(),
            user_id=caller.user_id,
            name=name,
            exchange=key.exchange,
            testnet=key.testnet,
            key_hint=f"…{key.api_key[-_HINT:]}" if len(key.api_key) > 2 * _HINT else "…",
            sealed="",
            permissions=permissions,
            checked_at=now if result == "ok" else None,
            check_result=result,
            created_at=now,
            updated_at=now,
        )
        content = {"api_key": key.api_key, "api_secret": key.api_secret, "passphrase": key.passphrase}
        row.sealed = self._vault.seal(json.dumps(content), bound_to=f"credential:{row.id}:{caller.user_id}")
        try:
            async with self._database.write() as session:
                session.add(row)
                await session.flush()
                await record(
                    session,
                    action="credential.created",
                    subject=f"credential:{row.id}",
                    caller=caller,
                    details={"exchange": key.exchange, "testnet": key.testnet, "permissions": permissions},
                )
                emit(
                    session,
                    "security.credential",
                    {"user_id": caller.user_id, "name": name},
                    key=caller.user_id,
                )
        except IntegrityError as e:
            raise Conflict(explain(f"there is a key named {name!r} already")) from e
        return row

    async def _ask(self, key: ExchangeKey) -> tuple[list[str], str]:
        if self._inspect is None:
            return [], "not checked"
        try:
            return sorted(await self._inspect(key)), "ok"
        except CashUpError as e:
            if e.code == "exchange_rejected":
                raise InputError(
                    explain(f"{key.exchange} refuses the key: {e.message}"), field="api_key"
                ) from e
            return [], f"not checked: {e.message}"

    async def check(self, caller: Caller, credential_id: str) -> CredentialRow:
        """Ask the venue again what a key may do (`NotFound`)."""
        row = await self.owned(caller, credential_id)
        permissions, result = await self._ask(await self.opened(row.user_id, credential_id))
        async with self._database.write() as session:
            kept = await session.get(CredentialRow, credential_id, with_for_update=True)
            if kept is None:
                raise NotFound("there is no such key")
            kept.permissions, kept.check_result, kept.checked_at = permissions, result, utc_now()
        return kept

    async def list(self, caller: Caller) -> Sequence[CredentialRow]:
        """Return the caller's keys by name."""
        query = (
            select(CredentialRow).where(CredentialRow.user_id == caller.user_id).order_by(CredentialRow.name)
        )
        async with self._database.read() as session:
            return (await session.scalars(query)).all()

    async def owned(self, caller: Caller, credential_id: str) -> CredentialRow:
        """Return a key of the caller's own, sealed (`NotFound`)."""
        async with self._database.read() as session:
            row = await session.get(CredentialRow, credential_id)
        if row is None or not caller.owns(row.user_id):
            raise NotFound("there is no such key")
        return row

    async def opened(self, user_id: str, credential_id: str) -> ExchangeKey:
        """Return a key with its secrets, for the trading engine alone (`NotFound`)."""
        async with self._database.read() as session:
            row = await session.get(CredentialRow, credential_id)
        if row is None or row.user_id != user_id:
            raise NotFound("there is no such key")
        content = json.loads(self._vault.open(row.sealed, bound_to=f"credential:{row.id}:{user_id}"))
        for secret in content.values():
            hide(secret)
        return ExchangeKey(exchange=row.exchange, testnet=row.testnet, **content)

    async def delete(self, caller: Caller, credential_id: str) -> None:
        """Forget a key of the caller's own (`NotFound`)."""
        async with self._database.write() as session:
            row = await session.get(CredentialRow, credential_id, with_for_update=True)
            if row is None or not caller.owns(row.user_id):
                raise NotFound("there is no such key")
            await session.delete(row)
            await record(
                session, action="credential.deleted", subject=f"credential:{credential_id}", caller=caller
            )
            emit(
                session,
                "credential.deleted",
                {"user_id": caller.user_id, "id": credential_id},
                key=caller.user_id,
            )

    async def rotate(self) -> int:
        """Wrap every key again under the master key in use; return how many that were."""
        changed = 0
        async with self._database.write() as session:
            for row in (await session.scalars(select(CredentialRow))).all():
                bound = f"credential:{row.id}:{row.user_id}"
                sealed = self._vault.rewrap(row.sealed, bound_to=bound)
                changed += sealed != row.sealed
                row.sealed = sealed
            for key in (
                await session.scalars(select(ApiKeyRow).where(ApiKeyRow.secret_sealed.is_not(None)))
            ).all():
                sealed = self._vault.rewrap(key.secret_sealed or "", bound_to=f"api_key:{key.id}")
                changed += sealed != key.secret_sealed
                key.secret_sealed = sealed
        return changed


def _check_scope(caller: Caller, scope: str) -> None:
    try:
        permission = Permission(scope)
    except ValueError:
        raise UnknownNameError("scope", scope, [p.value for p in Permission], field="scopes") from None
    if not caller.may(permission):
        raise Forbidden(explain(f"the scope {scope!r} is beyond your own permissions"))


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError as e:
        raise InputError(
            explain(
                f"{text[:60]!r} is no address",
                expected="an address or network, such as 203.0.113.7 or 203.0.113.0/24",
            ),
            field="addresses",
        ) from e
