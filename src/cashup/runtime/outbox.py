"""The relay from the outbox of the database to the channel.

A row is deleted after the channel took the message, so a crash in between sends it twice and never loses it.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import structlog
from sqlalchemy import delete, select

from cashup.runtime.channel import Channel
from cashup.runtime.db import Database, OutboxRow

_BATCH: Final = 200
_LOOK_AGAIN_S: Final = 5.0

log = structlog.get_logger(__name__)


class Outbox:
    """Send what transactions have left behind, in order, as soon as they are committed."""

    def __init__(self, database: Database, channel: Channel) -> None:
        self._database = database
        self._channel = channel
        self._wake = asyncio.Event()
        database.after_commit.append(self._wake.set)

    async def run(self) -> None:
        """Relay until cancelled."""
        while True:
            self._wake.clear()
            try:
                while await self.relay():
                    pass
            except Exception as e:  # noqa: BLE001 - the messages are safe; they go out when the channel is back
                log.warning("outbox waits", error=f"{type(e).__name__}: {e}")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN_S):
                    await self._wake.wait()

    async def relay(self) -> int:
        """Send what is there; return how many messages that were."""
        async with self._database.read() as session:
            rows = (await session.scalars(select(OutboxRow).order_by(OutboxRow.id).limit(_BATCH))).all()
        if not rows:
            return 0
        sent: list[int] = []
        try:
            for row in rows:
                await self._channel.publish(row.topic, row.payload, key=row.key)
                sent.append(row.id)
        finally:
            if sent:
                async with self._database.write() as session:
                    await session.execute(delete(OutboxRow).where(OutboxRow.id.in_(sent)))
        return len(sent)
