"""HTTP of the audit log: read only."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from sqlalchemy import select

from cashup.runtime.auth import Caller, Permission
from cashup.runtime.context import require
from cashup.runtime.db import Database
from cashup.services.core.audit.service import first_break
from cashup.services.core.audit.tables import AuditRow

Admin = Annotated[Caller, Depends(require(Permission.AUDIT))]
Me = Annotated[Caller, Depends(require(Permission.PROFILE))]


class AuditOut(BaseModel):
    """One entry."""

    number: int
    at: datetime
    user_id: str
    action: str
    subject: str
    address: str
    correlation: str
    details: dict[str, Any]
    hash: str


class AuditPage(BaseModel):
    """Entries, newest first, and the cursor of the next page (0 when there is none)."""

    items: list[AuditOut]
    next: int


class ChainOut(BaseModel):
    """Whether the log is whole; otherwise the number of the first entry that is not."""

    whole: bool
    broken_at: int | None


def router(database: Database) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api/v1", tags=["audit"])

    async def page(before: int, limit: int, user_id: str, action: str) -> AuditPage:
        query = select(AuditRow).order_by(AuditRow.number.desc()).limit(limit + 1)
        if before:
            query = query.where(AuditRow.number < before)
        if user_id:
            query = query.where(AuditRow.user_id == user_id)
        if action:
            query = query.where(AuditRow.action == action)
        async with database.read() as session:
            rows = (await session.scalars(query)).all()
        shown = [AuditOut.model_validate(row, from_attributes=True) for row in rows[:limit]]
        return AuditPage(items=shown, next=shown[-1].number if len(rows) > limit else 0)

    @routes.get("/audit")
    async def list_audit(
        _caller: Admin,
        before: Annotated[int, Query(ge=0, le=2**53)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        user_id: Annotated[str, Query(max_length=26)] = "",
        action: Annotated[str, Query(max_length=64)] = "",
    ) -> AuditPage:
        """Read the audit log."""
        return await page(before, limit, user_id, action)

    @routes.get("/audit/verify")
    async def verify_audit(_caller: Admin) -> ChainOut:
        """Check the chain of hashes from the first entry to the last."""
        async with database.read() as session:
            broken = await first_break(session)
        return ChainOut(whole=broken is None, broken_at=broken)

    @routes.get("/me/audit")
    async def my_audit(
        caller: Me,
        before: Annotated[int, Query(ge=0, le=2**53)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> AuditPage:
        """Read what the caller himself did."""
        return await page(before, limit, caller.user_id, "")

    return routes
