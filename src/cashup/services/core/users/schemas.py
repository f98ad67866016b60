"""What goes in and out of users, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import EmailStr, Field

from cashup.services.core.auth.schemas import Body, Locale, Text
from cashup.services.core.users.tables import InvitationRow, KycRow, UserRow


class Out(Body):
    """An answer."""


class UserOut(Out):
    """A user, as he and administrators see him."""

    id: str
    email: str
    name: str
    roles: list[str]
    permissions: list[str]
    status: str
    email_verified: bool
    second_factor: bool
    locale: str
    time_zone: str
    created_at: datetime
    version: int

    @classmethod
    def of(cls, row: UserRow, permissions: list[str]) -> UserOut:
        """Show a row."""
        return cls(
            id=row.id,
            email=row.email,
            name=row.name,
            roles=row.roles,
            permissions=permissions,
            status=row.status,
            email_verified=row.email_verified_at is not None,
            second_factor=row.totp_secret is not None,
            locale=row.locale,
            time_zone=row.time_zone,
            created_at=row.created_at,
            version=row.version,
        )


class MeOut(UserOut):
    """The caller himself, with what the pages remember."""

    preferences: dict[str, Any]


class MeIn(Body):
    """What somebody may change about himself; what is left out stays."""

    name: Text | None = None
    locale: Locale | None = None
    time_zone: str | None = Field(None, max_length=64)
    preferences: dict[str, Any] | None = None


class UserPage(Out):
    """Users, and the cursor of the next page ("" when there is none)."""

    items: list[UserOut]
    next: str


class UserIn(Body):
    """What an administrator may change."""

    roles: list[str] | None = None
    status: Literal["active", "disabled"] | None = None


class InvitationIn(Body):
    """Whom to invite, and as what."""

    roles: list[str] = Field(min_length=1, max_length=3)
    email: EmailStr | None = None
    note: str = Field("", max_length=200)


class InvitationOut(Out):
    """An invitation, without its code."""

    id: str
    roles: list[str]
    email: str | None
    note: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_by: str | None

    @classmethod
    def of(cls, row: InvitationRow) -> InvitationOut:
        """Show a row."""
        return cls(
            id=row.id,
            roles=row.roles,
            email=row.email,
            note=row.note,
            created_at=row.created_at,
            expires_at=row.expires_at,
            used_at=row.used_at,
            used_by=row.used_by,
        )


class NewInvitationOut(InvitationOut):
    """An invitation with its code, which is shown this once."""

    code: str


class KycOut(Out):
    """The state of an identity check."""

    user_id: str
    status: str
    documents: list[str]
    submitted_at: datetime
    reviewed_at: datetime | None
    reason: str

    @classmethod
    def of(cls, row: KycRow) -> KycOut:
        """Show a row."""
        return cls(
            user_id=row.user_id,
            status=row.status,
            documents=row.documents,
            submitted_at=row.submitted_at,
            reviewed_at=row.reviewed_at,
            reason=row.reason,
        )


class KycDetailOut(KycOut):
    """An identity check with what was answered, for who decides."""

    answers: dict[str, str]


class ReviewIn(Body):
    """The decision on an identity check."""

    approve: bool
    reason: str = Field("", max_length=500)
