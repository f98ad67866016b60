"""All SQL of users."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cashup.services.core.users.tables import InvitationRow, KycRow, UserRow


async def by_id(session: AsyncSession, user_id: str, *, lock: bool = False) -> UserRow | None:
    """Return a user."""
    return await session.get(UserRow, user_id, with_for_update=lock)


async def by_email(session: AsyncSession, email: str) -> UserRow | None:
    """Return the user of an address, which must be in lower case."""
    return (await session.scalars(select(UserRow).where(UserRow.email == email))).first()


async def count(session: AsyncSession) -> int:
    """Return how many users there are."""
    return (await session.scalar(select(func.count()).select_from(UserRow))) or 0


async def page(session: AsyncSession, *, after: str, limit: int, text: str, status: str) -> Sequence[UserRow]:
    """Return users in order of registration, after the one with id `after`."""
    query = select(UserRow).order_by(UserRow.id).limit(limit)
    if after:
        query = query.where(UserRow.id > after)
    if status:
        query = query.where(UserRow.status == status)
    if text:
        like = f"%{text.lower().replace('%', '').replace('_', '')}%"
        query = query.where(or_(UserRow.email.like(like), func.lower(UserRow.name).like(like)))
    return (await session.scalars(query)).all()


async def administrators(session: AsyncSession) -> list[UserRow]:
    """Return the active administrators."""
    rows = (await session.scalars(select(UserRow).where(UserRow.status == "active"))).all()
    return [row for row in rows if "administrator" in row.roles]


async def invitation_by_hash(session: AsyncSession, code_hash: str) -> InvitationRow | None:
    """Return an invitation, locked."""
    query = select(InvitationRow).where(InvitationRow.code_hash == code_hash).with_for_update()
    return (await session.scalars(query)).first()


async def invitations(session: AsyncSession) -> Sequence[InvitationRow]:
    """Return all invitations, newest first."""
    return (await session.scalars(select(InvitationRow).order_by(InvitationRow.id.desc()))).all()


async def kyc(session: AsyncSession, user_id: str) -> KycRow | None:
    """Return the identity check of a user."""
    return await session.get(KycRow, user_id)


async def kyc_waiting(session: AsyncSession) -> Sequence[KycRow]:
    """Return the identity checks nobody has decided, oldest first."""
    return (
        await session.scalars(
            select(KycRow).where(KycRow.status == "submitted").order_by(KycRow.submitted_at)
        )
    ).all()
