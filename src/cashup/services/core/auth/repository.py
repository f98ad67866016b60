"""All SQL of signing in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cashup.services.core.auth.tables import LoginRow, OneTimeRow, RefreshRow, SessionRow


async def session_by_id(session: AsyncSession, session_id: str) -> SessionRow | None:
    """Return a session."""
    return await session.get(SessionRow, session_id)


async def open_sessions(session: AsyncSession, user_id: str, now: datetime) -> Sequence[SessionRow]:
    """Return the sessions of a user that have not ended, the one seen last first."""
    query = (
        select(SessionRow)
        .where(SessionRow.user_id == user_id, SessionRow.ended_at.is_(None), SessionRow.expires_at > now)
        .order_by(SessionRow.seen_at.desc())
    )
    return (await session.scalars(query)).all()


async def end_sessions(
    session: AsyncSession, user_id: str, now: datetime, reason: str, *, only: str = "", but: str = ""
) -> list[str]:
    """End sessions of a user; return their ids."""
    query = select(SessionRow).where(SessionRow.user_id == user_id, SessionRow.ended_at.is_(None))
    if only:
        query = query.where(SessionRow.id == only)
    ended = [row for row in (await session.scalars(query)).all() if row.id != but]
    for row in ended:
        row.ended_at, row.end_reason = now, reason
    return [row.id for row in ended]


async def take_refresh(session: AsyncSession, token_hash: str, now: datetime) -> RefreshRow | None:
    """Return a refresh token as it was, and mark it as used; of two callers one sees it unused."""
    row = await session.get(RefreshRow, token_hash, with_for_update=True)
    if row is None:
        return None
    seen = RefreshRow(
        token_hash=row.token_hash,
        session_id=row.session_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )
    row.used_at = row.used_at or now
    return seen


async def take_one_time(
    session: AsyncSession, token_hash: str, purpose: str, now: datetime
) -> OneTimeRow | None:
    """Return a single-use token that is good, and use it up."""
    row = await session.get(OneTimeRow, token_hash, with_for_update=True)
    if row is None or row.purpose != purpose or row.used_at is not None or row.expires_at <= now:
        return None
    row.used_at = now
    return row


async def void_one_time(session: AsyncSession, user_id: str, purpose: str, now: datetime) -> None:
    """Use up all tokens of a user for one purpose."""
    await session.execute(
        update(OneTimeRow)
        .where(OneTimeRow.user_id == user_id, OneTimeRow.purpose == purpose, OneTimeRow.used_at.is_(None))
        .values(used_at=now)
    )


async def logins(session: AsyncSession, user_id: str, limit: int) -> Sequence[LoginRow]:
    """Return the last attempts to sign in to an account."""
    query = select(LoginRow).where(LoginRow.user_id == user_id).order_by(LoginRow.id.desc()).limit(limit)
    return (await session.scalars(query)).all()
