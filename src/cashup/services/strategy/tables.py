"""Tables of strategies, their versions and backtests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cashup.runtime.db import Base


class StrategyRow(Base):
    """A strategy of a user.

    Attributes:
        status: ``draft``, ``active``, ``archived``.
        current: Number of the version that is used unless another is named.
    """

    __tablename__ = "strategies"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(26), index=True)
    name: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(String(16), default="draft")
    tags: Mapped[list[str]]
    config: Mapped[dict[str, Any]] = mapped_column(JSON)
    current: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class StrategyVersionRow(Base):
    """One version of a strategy's code; it never changes.

    Attributes:
        digest: SHA-256 of the code.
        outline: What loading it said: class, description, timeframe, parameters.
        problem: Why it cannot be loaded; "" when it can.
    """

    __tablename__ = "strategy_versions"

    strategy_id: Mapped[str] = mapped_column(ForeignKey("strategies.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))
    outline: Mapped[dict[str, Any]] = mapped_column(JSON)
    problem: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]


class BacktestRow(Base):
    """A backtest, from the queue to its result.

    Attributes:
        status: ``queued``, ``running``, ``done``, ``failed``, ``cancelled``.
        request: What was asked for: data, period, options.
        statistics: All figures of the result.
        run_id: Identity of the run: code, parameters, data, engine.
    """

    __tablename__ = "backtests"
    __table_args__ = (
        Index("ix_backtests_user_id_id", "user_id", "id"),
        Index("ix_backtests_status_id", "status", "id"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(26))
    strategy_id: Mapped[str] = mapped_column(String(26), index=True)
    strategy_name: Mapped[str] = mapped_column(String(80))
    strategy_version: Mapped[int]
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    status: Mapped[str] = mapped_column(String(12))
    progress: Mapped[float]
    error: Mapped[str] = mapped_column(default="")
    statistics: Mapped[dict[str, Any]] = mapped_column(JSON)
    run_id: Mapped[str] = mapped_column(String(64), default="")
    isolation: Mapped[dict[str, Any]] = mapped_column(JSON)
    total_return: Mapped[float | None]
    sharpe: Mapped[float | None]
    max_drawdown: Mapped[float | None]
    trades: Mapped[int | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
