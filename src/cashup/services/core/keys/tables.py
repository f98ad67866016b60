"""Tables of API keys and exchange credentials."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cashup.runtime.db import Base


class ApiKeyRow(Base):
    """A key a user's programs ask with.

    Attributes:
        secret_hash: SHA-256 of the secret: it has 256 random bits, so a slow hash would add nothing.
        secret_sealed: The secret for checking signatures; None when the key may be used without them.
        scopes: Permissions, each also one of its owner's.
        addresses: Networks it may be used from; empty for any.
    """

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    secret_hash: Mapped[str] = mapped_column(String(64))
    secret_sealed: Mapped[str | None]
    scopes: Mapped[list[str]]
    addresses: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class CredentialRow(Base):
    """A key at an exchange. Its secrets are sealed and never leave by the API."""

    __tablename__ = "credentials"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    exchange: Mapped[str] = mapped_column(String(40))
    testnet: Mapped[bool]
    key_hint: Mapped[str] = mapped_column(String(8))
    sealed: Mapped[str]
    permissions: Mapped[list[str]]
    checked_at: Mapped[datetime | None]
    check_result: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
