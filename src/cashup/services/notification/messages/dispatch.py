"""Tell and deliver: an event becomes a message in the inbox and deliveries over the channels that want it.

Deliveries are rows. A dispatcher claims those that are due, sends them, and writes down what became of them; a
crash between sending and writing sends a message twice and never loses one. What fails is tried again with
growing pauses, and put aside after the last try, where its owner sees it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cashup.runtime import metrics
from cashup.runtime.db import Database, utc_now
from cashup.runtime.hub import Hub
from cashup.runtime.ids import new_id
from cashup.services.notification.channels.senders import DeliveryFailed, Outgoing, Senders
from cashup.services.notification.channels.service import ChannelService
from cashup.services.notification.events import EVENTS, SEVERITIES
from cashup.services.notification.rules.matching import leaves_at, wants
from cashup.services.notification.tables import ChannelRow, DeliveryRow, NotificationRow, SubscriptionRow
from cashup.services.notification.templates.service import TemplateService, write

_PAUSES: Final = tuple(timedelta(seconds=s) for s in (30, 120, 600, 3_600, 6 * 3_600))
_STUCK: Final = timedelta(minutes=5)
_BATCH: Final = 50
_LOOK_S: Final = 5.0
_DIGEST_TITLE: Final = {"en": "{n} messages", "zh-CN": "{n} 条消息"}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """What is known of a user: his address, language and zone."""

    email: str
    locale: str
    time_zone: str


class Directory(Protocol):
    """Who the users are; the core service knows."""

    async def contact(self, user_id: str) -> Contact | None:
        """Return a user's contact, or None."""
        ...


class Dispatcher:
    """Tell users, and deliver."""

    def __init__(
        self,
        database: Database,
        hub: Hub,
        directory: Directory,
        channels: ChannelService,
        templates: TemplateService,
        senders: Senders,
    ) -> None:
        self._database = database
        self._hub = hub
        self._directory = directory
        self._channels = channels
        self._templates = templates
        self._senders = senders
        self._wake = asyncio.Event()

    async def tell(
        self,
        user_id: str,
        event: str,
        data: Mapping[str, Any],
        *,
        source: str,
        severity: str = "",
        strategy_id: str = "",
    ) -> str | None:
        """Tell a user; return the id of the message, or None when he has been told already.

        Args:
            user_id: Whom.
            event: What happened; a name of `EVENTS`.
            data: The facts.
            source: Names the occurrence: the same one is told once.
            severity: How much it matters; that of the kind of event when empty.
            strategy_id: The strategy it is about.
        """
        contact = await self._directory.contact(user_id)
        known = EVENTS.get(event)
        if contact is None or known is None:
            return None
        level = severity if severity in SEVERITIES else known.severity
        now = utc_now()
        try:
            async with self._database.write() as session:
                text = await self._templates.written(
                    session, user_id=user_id, event=event, locale=contact.locale, kind="", data=data
                )
                row = NotificationRow(
                    id=new_id(),
                    user_id=user_id,
                    source=source[:120],
                    event=event,
                    severity=level,
                    strategy_id=strategy_id,
                    title=text.title,
                    body=text.body,
                    data=dict(data),
                    created_at=now,
                )
                session.add(row)
                await session.flush()
                await self._plan(session, row, now)
        except IntegrityError:
            return None
        self._hub.publish(f"user:{user_id}:notifications", shown(row))
        self._wake.set()
        return row.id

    async def _plan(self, session: AsyncSession, row: NotificationRow, now: datetime) -> None:
        """Write the deliveries of a message: one a channel, by the subscription that lets it leave first."""
        rules = await _rules(session, row.user_id)
        planned: dict[str, tuple[datetime, bool]] = {}
        for rule in rules:
            if not wants(rule, event=row.event, severity=row.severity, strategy_id=row.strategy_id):
                continue
            for channel_id in rule.channel_ids:
                sent = (
                    await _sent_since(session, channel_id, now - timedelta(hours=1)) if rule.per_hour else 0
                )
                plan = leaves_at(rule, now, severity=row.severity, sent_last_hour=sent)
                if channel_id not in planned or plan < planned[channel_id]:
                    planned[channel_id] = plan
        for channel_id, (at, digest) in planned.items():
            self._add(session, row, channel_id, at, digest=digest)

    def _add(
        self, session: AsyncSession, row: NotificationRow, channel_id: str, at: datetime, *, digest: bool
    ) -> None:
        session.add(
            DeliveryRow(
                id=new_id(),
                notification_id=row.id,
                channel_id=channel_id,
                user_id=row.user_id,
                status="waiting",
                digest=digest,
                attempts=0,
                next_at=at,
            )
        )

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with self._database.write() as session:  # what a crash left behind
            await session.execute(
                update(DeliveryRow).where(DeliveryRow.status == "sending").values(status="waiting")
            )
        while True:
            self._wake.clear()
            await self._escalate()
            while await self.deliver_due():
                pass
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._wake.wait()

    async def deliver_due(self) -> int:
        """Send what is due; return how many deliveries that were."""
        claimed = await self._claim()
        groups: dict[tuple[str, bool], list[DeliveryRow]] = defaultdict(list)
        for delivery in claimed:
            key = (delivery.channel_id, True) if delivery.digest else (delivery.id, False)
            groups[key].append(delivery)
        await asyncio.gather(*(self._send(group) for group in groups.values()))
        return len(claimed)

    async def _claim(self) -> Sequence[DeliveryRow]:
        now = utc_now()
        async with self._database.write() as session:
            query = (
                select(DeliveryRow)
                .where(DeliveryRow.status == "waiting", DeliveryRow.next_at <= now)
                .order_by(DeliveryRow.next_at)
                .limit(_BATCH)
                .with_for_update(skip_locked=True)
            )
            rows = (await session.scalars(query)).all()
            for row in rows:
                row.status, row.attempts, row.next_at = "sending", row.attempts + 1, now + _STUCK
        return rows

    async def _send(self, group: list[DeliveryRow]) -> None:
        async with self._database.read() as session:
            channel = await session.get(ChannelRow, group[0].channel_id)
            wanted = [delivery.notification_id for delivery in group]
            query = select(NotificationRow).where(NotificationRow.id.in_(wanted)).order_by(NotificationRow.id)
            messages = (await session.scalars(query)).all()
        error = DeliveryFailed("the channel is gone or switched off", permanent=True)
        kind = channel.kind if channel else "gone"
        try:
            if channel is None or not channel.enabled:
                raise error
            contact = await self._directory.contact(channel.user_id)
            locale = contact.locale if contact else "en"
            outgoing = await self._outgoing(group[0].id, channel.kind, list(messages), locale)
            await self._senders.send(channel.kind, self._channels.opened(channel), outgoing)
        except DeliveryFailed as e:
            await self._settle(group, channel, e)
            metrics.NOTIFICATIONS.labels(kind, "failed").inc()
        else:
            await self._settle(group, channel, None)
            metrics.NOTIFICATIONS.labels(kind, "sent").inc()

    async def _outgoing(
        self, delivery_id: str, kind: str, messages: list[NotificationRow], locale: str
    ) -> Outgoing:
        first = messages[0]
        if len(messages) == 1:
            async with self._database.read() as session:
                text = await self._templates.written(
                    session,
                    user_id=first.user_id,
                    event=first.event,
                    locale=locale,
                    kind=kind,
                    data=first.data,
                )
        else:
            title = _DIGEST_TITLE.get(locale, _DIGEST_TITLE["en"]).format(n=len(messages))
            lines = "\n".join(f"{one.created_at:%H:%M} {one.title}\n  {one.body}" for one in messages)
            text = write("{{ title }}", "{{ lines }}", {"title": title, "lines": lines})
        return Outgoing(
            id=delivery_id,
            title=text.title,
            body=text.body,
            html=text.html,
            event=first.event if len(messages) == 1 else "digest",
            severity=max((one.severity for one in messages), key=SEVERITIES.index),
            data=first.data if len(messages) == 1 else {"messages": [one.id for one in messages]},
        )

    async def _settle(
        self, group: list[DeliveryRow], channel: ChannelRow | None, failure: DeliveryFailed | None
    ) -> None:
        now = utc_now()
        async with self._database.write() as session:
            for one in group:
                row = await session.get(DeliveryRow, one.id)
                if row is None:
                    continue
                if failure is None:
                    row.status, row.sent_at, row.error = "sent", now, ""
                elif failure.permanent or row.attempts > len(_PAUSES):
                    row.status, row.error = "dead", str(failure)[:500]
                else:
                    row.status, row.error = "waiting", str(failure)[:500]
                    row.next_at = now + _PAUSES[row.attempts - 1]
            kept = await session.get(ChannelRow, channel.id) if channel else None
            if kept is not None:
                kept.last_error = str(failure)[:500] if failure else ""
                kept.last_sent_at = kept.last_sent_at if failure else now

    async def _escalate(self) -> None:
        """Send critical messages nobody has acknowledged over a second channel."""
        now = utc_now()
        async with self._database.write() as session:
            query = (
                select(NotificationRow)
                .where(
                    NotificationRow.severity == "critical",
                    NotificationRow.acknowledged_at.is_(None),
                    NotificationRow.escalated_at.is_(None),
                    NotificationRow.created_at > now - timedelta(days=1),
                )
                .limit(_BATCH)
            )
            for row in (await session.scalars(query)).all():
                for rule in await _rules(session, row.user_id):
                    due = (
                        rule.escalate_minutes
                        and row.created_at + timedelta(minutes=rule.escalate_minutes) <= now
                    )
                    if due and wants(
                        rule, event=row.event, severity=row.severity, strategy_id=row.strategy_id
                    ):
                        row.escalated_at = now
                        taken = (
                            await session.scalars(
                                select(DeliveryRow.channel_id).where(DeliveryRow.notification_id == row.id)
                            )
                        ).all()
                        for channel_id in rule.escalate_to:
                            if channel_id not in taken:
                                self._add(session, row, channel_id, now, digest=False)
                        break


async def _rules(session: AsyncSession, user_id: str) -> Sequence[SubscriptionRow]:
    query = select(SubscriptionRow).where(
        SubscriptionRow.user_id == user_id, SubscriptionRow.enabled.is_(True)
    )
    return (await session.scalars(query)).all()


async def _sent_since(session: AsyncSession, channel_id: str, since: datetime) -> int:
    query = (
        select(func.count())
        .select_from(DeliveryRow)
        .join(NotificationRow, NotificationRow.id == DeliveryRow.notification_id)
        .where(
            DeliveryRow.channel_id == channel_id,
            DeliveryRow.digest.is_(False),
            NotificationRow.created_at > since,
        )
    )
    return (await session.scalar(query)) or 0


def shown(row: NotificationRow) -> dict[str, Any]:
    """Return a message as the pages see it."""
    return {
        "id": row.id,
        "event": row.event,
        "severity": row.severity,
        "strategy_id": row.strategy_id,
        "title": row.title,
        "body": row.body,
        "data": row.data,
        "created_at": row.created_at.isoformat(),
        "read_at": row.read_at.isoformat() if row.read_at else None,
        "acknowledged_at": row.acknowledged_at.isoformat() if row.acknowledged_at else None,
    }
