"""Channels of users: kept sealed, shown without their secrets, tried before they are trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from cashup.model.errors import InputError, explain
from cashup.runtime.auth import Caller
from cashup.runtime.db import Database, utc_now
from cashup.runtime.ids import new_id
from cashup.runtime.log import hide
from cashup.runtime.refusals import Conflict, NotFound
from cashup.runtime.vault import Vault
from cashup.services.notification.channels.kinds import KINDS, checked
from cashup.services.notification.channels.senders import DeliveryFailed, Outgoing, Senders
from cashup.services.notification.events import EVENTS
from cashup.services.notification.tables import ChannelRow
from cashup.services.notification.templates.service import write

_MOST: int = 30


class ChannelService:
    """Where users can be reached."""

    def __init__(self, database: Database, vault: Vault, senders: Senders) -> None:
        self._database = database
        self._vault = vault
        self._senders = senders

    async def create(self, caller: Caller, *, kind: str, name: str, config: Mapping[str, str]) -> ChannelRow:
        """Keep a channel.

        Raises:
            UnknownNameError: There is no such kind or field.
            InputError: A field is missing or wrong.
            Conflict: The name is taken.
        """
        fields = checked(kind, config)
        row = ChannelRow(
            id=new_id(),
            user_id=caller.user_id,
            kind=kind,
            name=name,
            config="",
            shown=_shown(kind, fields),
            enabled=True,
            created_at=utc_now(),
        )
        row.config = self._vault.seal(json.dumps(fields), bound_to=_bound(row))
        try:
            async with self._database.write() as session:
                count = await session.scalar(
                    select(func.count()).select_from(ChannelRow).where(ChannelRow.user_id == caller.user_id)
                )
                if (count or 0) >= _MOST:
                    raise InputError(explain(f"there are {_MOST} channels already", hint="delete one first"))
                session.add(row)
        except IntegrityError as e:
            raise Conflict(explain(f"there is a channel named {name!r} already")) from e
        return row

    async def change(
        self,
        caller: Caller,
        channel_id: str,
        *,
        name: str | None,
        enabled: bool | None,
        config: Mapping[str, str] | None,
    ) -> ChannelRow:
        """Change a channel of the caller's own; secrets that are left out stay (`NotFound`)."""
        async with self._database.write() as session:
            row = await session.get(ChannelRow, channel_id, with_for_update=True)
            if row is None or not caller.owns(row.user_id):
                raise NotFound("there is no such channel")
            row.name = name or row.name
            row.enabled = row.enabled if enabled is None else enabled
            if config is not None:
                fields = checked(row.kind, {**self.opened(row), **{k: v for k, v in config.items() if v}})
                row.shown = _shown(row.kind, fields)
                row.config = self._vault.seal(json.dumps(fields), bound_to=_bound(row))
        return row

    async def list(self, caller: Caller) -> Sequence[ChannelRow]:
        """Return the caller's channels by name."""
        query = select(ChannelRow).where(ChannelRow.user_id == caller.user_id).order_by(ChannelRow.name)
        async with self._database.read() as session:
            return (await session.scalars(query)).all()

    async def delete(self, caller: Caller, channel_id: str) -> None:
        """Forget a channel of the caller's own (`NotFound`)."""
        async with self._database.write() as session:
            row = await session.get(ChannelRow, channel_id)
            if row is None or not caller.owns(row.user_id):
                raise NotFound("there is no such channel")
            await session.delete(row)

    async def test(self, caller: Caller, channel_id: str, locale: str) -> str:
        """Send a test message now; return "" or why it was not taken (`NotFound`)."""
        async with self._database.read() as session:
            row = await session.get(ChannelRow, channel_id)
        if row is None or not caller.owns(row.user_id):
            raise NotFound("there is no such channel")
        known = EVENTS["test"]
        text = write(known.title.get(locale, known.title["en"]), known.body.get(locale, known.body["en"]), {})
        message = Outgoing(
            id=new_id(),
            title=text.title,
            body=text.body,
            html=text.html,
            event="test",
            severity="info",
            data={},
        )
        error = ""
        try:
            await self._senders.send(row.kind, self.opened(row), message)
        except DeliveryFailed as e:
            error = str(e)
        async with self._database.write() as session:
            kept = await session.get(ChannelRow, channel_id)
            if kept is not None:
                kept.last_error = error[:500]
                kept.last_sent_at = kept.last_sent_at if error else utc_now()
        return error

    def opened(self, row: ChannelRow) -> dict[str, str]:
        """Return the configuration of a channel with its secrets, for sending alone."""
        fields: dict[str, str] = json.loads(self._vault.open(row.config, bound_to=_bound(row)))
        for field in KINDS[row.kind].fields:
            if field.secret and field.name in fields:
                hide(fields[field.name])
        return fields


def _bound(row: ChannelRow) -> str:
    return f"channel:{row.id}:{row.user_id}"


def _shown(kind: str, fields: Mapping[str, str]) -> dict[str, str]:
    return {
        field.name: "set" if field.secret else fields[field.name]
        for field in KINDS[kind].fields
        if field.name in fields
    }
