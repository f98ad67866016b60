"""Tables of notifications: channels, subscriptions, templates, messages and their deliveries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cashup.runtime.db import Base


class ChannelRow(Base):
    """Where a user can be reached. `config` is sealed by the vault; `shown` is what may be shown of it."""

    __tablename__ = "notification_channels"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(26), index=True)
    kind: Mapped[str] = mapped_column(String(24))
    name: Mapped[str] = mapped_column(String(80))
    config: Mapped[str]
    shown: Mapped[dict[str, Any]]
    enabled: Mapped[bool]
    last_sent_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]


class SubscriptionRow(Base):
    """What a user wants to hear over which channels.

    Attributes:
        events: Names or patterns such as ``order.*``.
        least: Least severity.
        strategy_id: Only of this strategy; "" for all.
        quiet_from: Minutes after midnight, in the user's zone, from which it waits until `quiet_until`; critical
            messages do not wait. None for never.
        digest_minutes: Collect messages and send them together; 0 for at once.
        per_hour: Most messages an hour over one channel; the rest are put into the next digest.
        escalate_minutes: When nobody has acknowledged a critical message after this time, send it over
            `escalate_to` too; 0 for never.
    """

    __tablename__ = "notification_subscriptions"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(26), index=True)
    name: Mapped[str] = mapped_column(String(80))
    events: Mapped[list[str]]
    least: Mapped[str] = mapped_column(String(10))
    strategy_id: Mapped[str] = mapped_column(String(64))
    channel_ids: Mapped[list[str]]
    quiet_from: Mapped[int | None]
    quiet_until: Mapped[int | None]
    time_zone: Mapped[str] = mapped_column(String(64))
    digest_minutes: Mapped[int]
    per_hour: Mapped[int]
    escalate_minutes: Mapped[int]
    escalate_to: Mapped[list[str]]
    enabled: Mapped[bool]


class TemplateRow(Base):
    """A user's own wording of an event, for one language and one kind of channel (or all: "")."""

    __tablename__ = "notification_templates"
    __table_args__ = (UniqueConstraint("user_id", "event", "locale", "kind"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(26), index=True)
    event: Mapped[str] = mapped_column(String(64))
    locale: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(24))
    title: Mapped[str]
    body: Mapped[str]
    updated_at: Mapped[datetime]


class NotificationRow(Base):
    """Something a user was told: the inbox. `source` makes the same event told once."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("user_id", "source"),
        Index("ix_notifications_user_id_id", "user_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(26))
    source: Mapped[str] = mapped_column(String(120))
    event: Mapped[str] = mapped_column(String(64))
    severity: Mapped[str] = mapped_column(String(10))
    strategy_id: Mapped[str] = mapped_column(String(64))
    title: Mapped[str]
    body: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    escalated_at: Mapped[datetime | None]


class DeliveryRow(Base):
    """One message on its way over one channel.

    Attributes:
        status: ``waiting``, ``sending``, ``sent``, ``dead``.
        digest: Messages of one digest are sent together at `next_at`.
    """

    __tablename__ = "notification_deliveries"
    __table_args__ = (
        UniqueConstraint("notification_id", "channel_id"),
        Index("ix_notification_deliveries_status_next_at", "status", "next_at"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    notification_id: Mapped[str] = mapped_column(ForeignKey("notifications.id"))
    channel_id: Mapped[str] = mapped_column(String(26), index=True)
    user_id: Mapped[str] = mapped_column(String(26), index=True)
    status: Mapped[str] = mapped_column(String(10))
    digest: Mapped[bool]
    attempts: Mapped[int]
    next_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="")
