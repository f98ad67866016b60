"""Write the audit log, and prove that nobody altered it."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from cashup.runtime.auth import Caller
from cashup.runtime.db import utc_now
from cashup.services.core.audit.tables import AuditRow

_GENESIS: Final = "0" * 64
_CHAIN_LOCK: Final = 0x636173687570  # one writer at a time appends to the chain (PostgreSQL advisory lock)


async def record(
    session: AsyncSession,
    *,
    action: str,
    subject: str = "",
    caller: Caller | None = None,
    user_id: str = "",
    address: str = "",
    details: dict[str, Any] | None = None,
) -> None:
    """Append one entry in the transaction of the change itself: neither is kept without the other.

    Args:
        session: Of the unit of work.
        action: Such as ``user.disabled``.
        subject: What it was done to, such as ``user:<id>``.
        caller: Who did it; or `user_id` and `address` when nobody is signed in yet.
        user_id: As said.
        address: As said.
        details: What changed. Never a secret.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHAIN_LOCK})
    last = (await session.scalars(select(AuditRow).order_by(AuditRow.number.desc()).limit(1))).first()
    row = AuditRow(
        number=last.number + 1 if last else 1,
        at=utc_now(),
        user_id=caller.user_id if caller else user_id,
        action=action,
        subject=subject,
        address=caller.address if caller else address,
        correlation=str(structlog.contextvars.get_contextvars().get("correlation", "")),
        details=details or {},
        previous=last.hash if last else _GENESIS,
        hash="",
    )
    row.hash = digest(row)
    session.add(row)
    await session.flush()


def digest(row: AuditRow) -> str:
    """Return the hash an entry must carry."""
    content = [
        row.number,
        _moment(row.at),
        row.user_id,
        row.action,
        row.subject,
        row.address,
        row.correlation,
        row.details,
        row.previous,
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


async def first_break(session: AsyncSession) -> int | None:
    """Return the number of the first entry that was altered, left out or put in; None for a whole chain."""
    previous, expected = _GENESIS, 1
    rows = await session.stream_scalars(select(AuditRow).order_by(AuditRow.number))
    async for row in rows:
        if row.number != expected or row.previous != previous or row.hash != digest(row):
            return expected
        previous, expected = row.hash, expected + 1
    return None
