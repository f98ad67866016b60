"""Table of health probes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from cashup.runtime.db import Base


class ProbeRow(Base):
    """One look at the program's own health, once a minute: what availability is computed from."""

    __tablename__ = "health_probes"

    at: Mapped[datetime] = mapped_column(primary_key=True)
    ready: Mapped[bool]
    failures: Mapped[dict[str, Any]] = mapped_column(JSON)
