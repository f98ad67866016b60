"""Table of the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from cashup.runtime.db import Base


class AuditRow(Base):
    """One thing that was done. `hash` covers the entry and the hash before it, so none can be altered or left out."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_user_id_at", "user_id", "at"),
        Index("ix_audit_log_action_at", "action", "at"),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    user_id: Mapped[str] = mapped_column(String(26))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(120))
    address: Mapped[str] = mapped_column(String(64))
    correlation: Mapped[str] = mapped_column(String(64))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
