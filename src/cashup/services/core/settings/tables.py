"""Tables of setting overrides."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from cashup.runtime.db import Base


class SettingsVersionRow(Base):
    """All overrides at one time: who changed what, when and why. The newest one holds."""

    __tablename__ = "settings_versions"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    overrides: Mapped[dict[str, Any]] = mapped_column(JSON)
    changed: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str]
    created_by: Mapped[str] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
