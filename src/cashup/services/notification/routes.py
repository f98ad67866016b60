"""HTTP of notifications. Decisions are the services'."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy import func, select, update

from cashup.runtime.auth import Caller, Permission
from cashup.runtime.context import require
from cashup.runtime.db import Database, utc_now
from cashup.runtime.refusals import NotFound
from cashup.services.notification import schemas
from cashup.services.notification.channels.kinds import KINDS
from cashup.services.notification.channels.service import ChannelService
from cashup.services.notification.events import EVENTS
from cashup.services.notification.messages.dispatch import Directory
from cashup.services.notification.rules.service import SubscriptionService
from cashup.services.notification.tables import ChannelRow, DeliveryRow, NotificationRow
from cashup.services.notification.templates.service import TemplateService, preview

Me = Annotated[Caller, Depends(require(Permission.NOTIFY))]


def router(
    database: Database,
    channels: ChannelService,
    rules: SubscriptionService,
    templates: TemplateService,
    directory: Directory,
) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api/v1/notifications", tags=["notifications"])
    _add_catalogue(routes)
    _add_channels(routes, channels, directory)
    _add_subscriptions(routes, rules)
    _add_templates(routes, templates)
    _add_inbox(routes, database)
    _add_deliveries(routes, database)
    return routes


def _add_catalogue(routes: APIRouter) -> None:
    def both(pair: tuple[str, str]) -> dict[str, str]:
        return {"en": pair[0], "zh-CN": pair[1]}

    @routes.get("/kinds")
    async def list_channel_kinds(_caller: Me) -> list[schemas.KindOut]:
        """List the kinds of channel, and what each must know."""
        return [
            schemas.KindOut(
                name=kind.name,
                label=both(kind.label),
                fields=[
                    schemas.FieldOut(name=f.name, label=both(f.label), secret=f.secret, required=f.required)
                    for f in kind.fields
                ],
            )
            for kind in KINDS.values()
        ]

    @routes.get("/events")
    async def list_events(_caller: Me) -> list[schemas.EventOut]:
        """List the kinds of event, with their default wording and an example."""
        return [
            schemas.EventOut(
                name=kind.name,
                severity=kind.severity,
                label=dict(kind.label),
                title=dict(kind.title),
                body=dict(kind.body),
                sample=dict(kind.sample),
            )
            for kind in EVENTS.values()
        ]


def _channel(row: ChannelRow) -> schemas.ChannelOut:
    return schemas.ChannelOut(
        id=row.id,
        kind=row.kind,
        name=row.name,
        shown=row.shown,
        enabled=row.enabled,
        last_sent_at=row.last_sent_at,
        last_error=row.last_error,
        created_at=row.created_at,
    )


def _add_channels(routes: APIRouter, channels: ChannelService, directory: Directory) -> None:
    @routes.get("/channels")
    async def list_channels(caller: Me) -> list[schemas.ChannelOut]:
        """List the caller's channels, without secrets."""
        return [_channel(row) for row in await channels.list(caller)]

    @routes.post("/channels", status_code=201)
    async def create_channel(caller: Me, body: schemas.ChannelIn) -> schemas.ChannelOut:
        """Keep a channel."""
        return _channel(await channels.create(caller, kind=body.kind, name=body.name, config=body.config))

    @routes.patch("/channels/{channel_id}")
    async def change_channel(caller: Me, channel_id: str, body: schemas.ChannelChange) -> schemas.ChannelOut:
        """Change a channel; secrets that are left out stay."""
        row = await channels.change(
            caller, channel_id, name=body.name, enabled=body.enabled, config=body.config
        )
        return _channel(row)

    @routes.delete("/channels/{channel_id}", status_code=204)
    async def delete_channel(caller: Me, channel_id: str) -> None:
        """Forget a channel."""
        await channels.delete(caller, channel_id)

    @routes.post("/channels/{channel_id}/test")
    async def test_channel(caller: Me, channel_id: str) -> schemas.TestOut:
        """Send a test message over a channel, now."""
        contact = await directory.contact(caller.user_id)
        error = await channels.test(caller, channel_id, contact.locale if contact else "en")
        return schemas.TestOut(delivered=not error, error=error)


def _add_subscriptions(routes: APIRouter, rules: SubscriptionService) -> None:
    @routes.get("/subscriptions")
    async def list_subscriptions(caller: Me) -> list[schemas.SubscriptionOut]:
        """List the caller's subscriptions."""
        return [schemas.SubscriptionOut.model_validate(row) for row in await rules.list(caller)]

    @routes.post("/subscriptions", status_code=201)
    async def create_subscription(caller: Me, body: schemas.SubscriptionIn) -> schemas.SubscriptionOut:
        """Subscribe to events."""
        return schemas.SubscriptionOut.model_validate(await rules.save(caller, None, body.model_dump()))

    @routes.put("/subscriptions/{subscription_id}")
    async def replace_subscription(
        caller: Me, subscription_id: str, body: schemas.SubscriptionIn
    ) -> schemas.SubscriptionOut:
        """Replace a subscription."""
        return schemas.SubscriptionOut.model_validate(
            await rules.save(caller, subscription_id, body.model_dump())
        )

    @routes.delete("/subscriptions/{subscription_id}", status_code=204)
    async def delete_subscription(caller: Me, subscription_id: str) -> None:
        """End a subscription."""
        await rules.delete(caller, subscription_id)


def _add_templates(routes: APIRouter, templates: TemplateService) -> None:
    @routes.get("/templates")
    async def list_message_templates(caller: Me) -> list[schemas.TemplateOut]:
        """List the caller's own wordings."""
        return [schemas.TemplateOut.model_validate(row) for row in await templates.list(caller)]

    @routes.put("/templates")
    async def save_message_template(caller: Me, body: schemas.TemplateIn) -> schemas.TemplateOut:
        """Keep a wording, after filling it with the event's example."""
        return schemas.TemplateOut.model_validate(await templates.save(caller, **body.model_dump()))

    @routes.post("/templates/preview")
    async def preview_message_template(_caller: Me, body: schemas.PreviewIn) -> schemas.PreviewOut:
        """Fill templates with an event's example."""
        written = preview(body.event, body.title, body.body)
        return schemas.PreviewOut(title=written.title, body=written.body, html=written.html)

    @routes.delete("/templates/{template_id}", status_code=204)
    async def delete_message_template(caller: Me, template_id: str) -> None:
        """Forget a wording; ours holds again."""
        if not await templates.delete(caller, template_id):
            raise NotFound("there is no such template")


def _add_inbox(routes: APIRouter, database: Database) -> None:
    @routes.get("")
    async def inbox(
        caller: Me,
        before: Annotated[str, Query(max_length=26)] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        unread: bool = False,
        severity: Annotated[str, Query(pattern="^(info|warning|critical)?$")] = "",
        event: Annotated[str, Query(max_length=64)] = "",
    ) -> schemas.NotificationPage:
        """Read the inbox."""
        mine = NotificationRow.user_id == caller.user_id
        query = select(NotificationRow).where(mine).order_by(NotificationRow.id.desc()).limit(limit + 1)
        if before:
            query = query.where(NotificationRow.id < before)
        if unread:
            query = query.where(NotificationRow.read_at.is_(None))
        if severity:
            query = query.where(NotificationRow.severity == severity)
        if event:
            query = query.where(NotificationRow.event == event)
        counting = (
            select(func.count()).select_from(NotificationRow).where(mine, NotificationRow.read_at.is_(None))
        )
        async with database.read() as session:
            rows = (await session.scalars(query)).all()
            count = await session.scalar(counting)
        items = [schemas.NotificationOut.model_validate(row) for row in rows[:limit]]
        return schemas.NotificationPage(
            items=items, unread=count or 0, next=items[-1].id if len(rows) > limit else ""
        )

    @routes.post("/mark", status_code=204)
    async def mark(caller: Me, body: schemas.MarkIn) -> None:
        """Mark messages as read, or as acknowledged; all of them when none is named."""
        column = NotificationRow.acknowledged_at if body.acknowledge else NotificationRow.read_at
        change = update(NotificationRow).where(NotificationRow.user_id == caller.user_id, column.is_(None))
        if body.ids:
            change = change.where(NotificationRow.id.in_(body.ids))
        async with database.write() as session:
            await session.execute(change.values({column.key: utc_now()}))


def _add_deliveries(routes: APIRouter, database: Database) -> None:
    @routes.get("/deliveries")
    async def deliveries(
        caller: Me,
        before: Annotated[str, Query(max_length=26)] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        status: Annotated[str, Query(pattern="^(waiting|sending|sent|dead)?$")] = "",
    ) -> list[schemas.DeliveryOut]:
        """See what became of messages on their way; newest first."""
        query = (
            select(DeliveryRow)
            .where(DeliveryRow.user_id == caller.user_id)
            .order_by(DeliveryRow.id.desc())
            .limit(limit)
        )
        if before:
            query = query.where(DeliveryRow.id < before)
        if status:
            query = query.where(DeliveryRow.status == status)
        async with database.read() as session:
            return [schemas.DeliveryOut.model_validate(row) for row in (await session.scalars(query)).all()]

    @routes.post("/deliveries/{delivery_id}/retry", status_code=204)
    async def retry(caller: Me, delivery_id: str) -> None:
        """Try a message that was put aside again."""
        async with database.write() as session:
            row = await session.get(DeliveryRow, delivery_id, with_for_update=True)
            if row is None or not caller.owns(row.user_id) or row.status != "dead":
                raise NotFound("there is no such message that was put aside")
            row.status, row.attempts, row.next_at = "waiting", 0, utc_now()
