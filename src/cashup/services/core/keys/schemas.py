"""What goes in and out of keys, over HTTP. Secrets go in; only a new API key's secret ever comes out, once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, SecretStr

from cashup.services.core.auth.schemas import Body, Text
from cashup.services.core.keys.tables import ApiKeyRow, CredentialRow

Secret = Annotated[SecretStr, Field(min_length=1, max_length=4096)]


class ApiKeyIn(Body):
    """A new API key."""

    name: Text
    scopes: list[str] = Field(min_length=1, max_length=30)
    addresses: list[str] = Field(default_factory=list, max_length=20)
    expires_at: datetime | None = None
    signed: bool = False


class ApiKeyOut(BaseModel):
    """An API key, without its secret."""

    id: str
    name: str
    scopes: list[str]
    addresses: list[str]
    signed: bool
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: ApiKeyRow) -> ApiKeyOut:
        """Show a row."""
        return cls(
            id=row.id,
            name=row.name,
            scopes=row.scopes,
            addresses=row.addresses,
            signed=row.secret_sealed is not None,
            created_at=row.created_at,
            expires_at=row.expires_at,
            used_at=row.used_at,
            revoked_at=row.revoked_at,
        )


class NewApiKeyOut(ApiKeyOut):
    """A new API key with what is shown this once: the key, and the secret when requests are signed."""

    key: str
    secret: str


class CredentialIn(Body):
    """A key at an exchange."""

    name: Text
    exchange: str = Field(pattern="^[a-z0-9_]{2,40}$")
    api_key: Secret
    api_secret: Secret
    passphrase: SecretStr = SecretStr("")
    testnet: bool = False
    allow_withdrawal: bool = False


class CredentialOut(BaseModel):
    """A key at an exchange, without its secrets."""

    id: str
    name: str
    exchange: str
    testnet: bool
    key_hint: str
    permissions: list[str]
    checked_at: datetime | None
    check_result: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: CredentialRow) -> CredentialOut:
        """Show a row."""
        return cls(
            id=row.id,
            name=row.name,
            exchange=row.exchange,
            testnet=row.testnet,
            key_hint=row.key_hint,
            permissions=row.permissions,
            checked_at=row.checked_at,
            check_result=row.check_result,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
