"""Tables of users, invitations and identity checks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from cashup.runtime.db import Base


class UserRow(Base):
    """Somebody who can sign in.

    Attributes:
        id: Never changes.
        email: In lower case; unique.
        roles: Names of roles.
        status: ``active``, ``disabled``.
        password_hash: Argon2id.
        totp_secret: Sealed by the vault; None without a second factor.
        totp_step: Time step of the code used last: a code is good once.
        preferences: What the pages remember: theme, candle colours, number formats.
        version: Grows with every change; tokens of an older `security_version` are void.
    """

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    roles: Mapped[list[str]]
    status: Mapped[str] = mapped_column(String(16), default="active", index=True)
    password_hash: Mapped[str]
    email_verified_at: Mapped[datetime | None]
    locale: Mapped[str] = mapped_column(String(8), default="en")
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    preferences: Mapped[dict[str, Any]]
    totp_secret: Mapped[str | None]
    totp_pending: Mapped[str | None]
    totp_step: Mapped[int] = mapped_column(default=0)
    recovery_hashes: Mapped[list[str]]
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class InvitationRow(Base):
    """A code that lets somebody register with more than the role of a trader; good once."""

    __tablename__ = "invitations"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    roles: Mapped[list[str]]
    email: Mapped[str | None] = mapped_column(String(254))
    note: Mapped[str] = mapped_column(default="")
    created_by: Mapped[str] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_by: Mapped[str | None] = mapped_column(String(26))
    used_at: Mapped[datetime | None]


class KycRow(Base):
    """An identity check: submitted by the user, decided by an administrator.

    Attributes:
        status: ``submitted``, ``approved``, ``rejected``.
        answers: Sealed by the vault.
        documents: File names of documents, each sealed in the data folder.
    """

    __tablename__ = "kyc"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    status: Mapped[str] = mapped_column(String(16))
    answers: Mapped[str]
    documents: Mapped[list[str]]
    submitted_at: Mapped[datetime]
    reviewed_by: Mapped[str | None] = mapped_column(String(26))
    reviewed_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
