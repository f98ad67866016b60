"""Subscriptions of users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import select

from cashup.model.errors import InputError, UnknownNameError, explain
from cashup.runtime.auth import Caller
from cashup.runtime.db import Database
from cashup.runtime.ids import new_id
from cashup.runtime.refusals import NotFound
from cashup.services.notification.events import EVENTS
from cashup.services.notification.tables import ChannelRow, SubscriptionRow


class SubscriptionService:
    """What users want to hear."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, caller: Caller) -> Sequence[SubscriptionRow]:
        """Return the caller's subscriptions by name."""
        query = (
            select(SubscriptionRow)
            .where(SubscriptionRow.user_id == caller.user_id)
            .order_by(SubscriptionRow.name)
        )
        async with self._database.read() as session:
            return (await session.scalars(query)).all()

    async def save(
        self, caller: Caller, subscription_id: str | None, fields: Mapping[str, Any]
    ) -> SubscriptionRow:
        """Keep a subscription, new or in place of the caller's own `subscription_id`.

        Raises:
            NotFound: There is no such subscription.
            InputError: A pattern matches no event, a channel is not the caller's, or a zone does not exist.
        """
        for pattern in fields["events"]:
            if not any(fnmatchcase(name, pattern) for name in EVENTS):
                raise UnknownNameError("event", pattern, EVENTS, field="events")
        if fields["time_zone"] not in available_timezones():
            raise UnknownNameError("time zone", fields["time_zone"], available_timezones(), field="time_zone")
        wanted = {*fields["channel_ids"], *fields["escalate_to"]}
        async with self._database.write() as session:
            query = select(ChannelRow.id).where(
                ChannelRow.user_id == caller.user_id, ChannelRow.id.in_(wanted)
            )
            missing = wanted - set((await session.scalars(query)).all())
            if missing:
                raise InputError(explain(f"there is no channel {sorted(missing)[0]}"), field="channel_ids")
            if subscription_id is None:
                row = SubscriptionRow(id=new_id(), user_id=caller.user_id, **fields)
                session.add(row)
                return row
            found = await session.get(SubscriptionRow, subscription_id, with_for_update=True)
            if found is None or not caller.owns(found.user_id):
                raise NotFound("there is no such subscription")
            for name, value in fields.items():
                setattr(found, name, value)
            return found

    async def delete(self, caller: Caller, subscription_id: str) -> None:
        """End a subscription of the caller's own (`NotFound`)."""
        async with self._database.write() as session:
            row = await session.get(SubscriptionRow, subscription_id)
            if row is None or not caller.owns(row.user_id):
                raise NotFound("there is no such subscription")
            await session.delete(row)
