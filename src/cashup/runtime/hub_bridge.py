"""Between processes: what a service tells the browsers goes through the channel to the process that has them."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import structlog

from cashup.runtime.channel import Channel, Envelope
from cashup.runtime.hub import Hub

TOPIC: Final = "hub"
_WAITING: Final = 10_000

log = structlog.get_logger(__name__)


class HubSender:
    """In a process without browsers: send what is published on the hub, and never block who publishes."""

    def __init__(self, hub: Hub, channel: Channel) -> None:
        self._channel = channel
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(_WAITING)
        hub.forward = self._forward

    def _forward(self, topic: str, data: Any, keep: bool) -> None:
        try:
            self._queue.put_nowait({"topic": topic, "data": data, "keep": keep})
        except asyncio.QueueFull:
            log.warning("browsers are not told", topic=topic)

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            message = await self._queue.get()
            await self._channel.publish(TOPIC, message, key=message["topic"])


async def receive(hub: Hub, channel: Channel) -> None:
    """In the process with the browsers: publish what the others send."""

    async def publish(envelope: Envelope) -> None:
        message = envelope.payload
        hub.publish(message["topic"], message["data"], keep=message["keep"])

    await channel.subscribe("browsers", [TOPIC], publish)
