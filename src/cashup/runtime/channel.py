"""The channel between services: every message at least once, to every group, in order of its key.

A topic is a name such as ``order.changed``. A *group* is one service (whatever the number of its processes): of
a group exactly one consumer handles each message. A handler must be harmless when called twice with the same
message id. A handler that keeps failing sends its message to the dead letters, where a person sees it.

`MemoryChannel` serves one process. `RedisChannel` (`cashup.runtime.channel_redis`) keeps the same promises over
Redis Streams between processes; one test holds both to them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import structlog

__all__ = ["Channel", "DeadLetter", "Envelope", "Handler", "MemoryChannel"]

#: Times a message is tried before it is put aside.
MAX_DELIVERIES: Final = 5
#: Messages of a topic that are kept.
MAX_LENGTH: Final = 100_000
_BACK_OFF_S: Final = (0.05, 0.2, 1.0, 3.0)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A message on its way.

    Attributes:
        id: Unique on the topic; the same again when it is delivered again.
        topic: What it is about.
        key: Messages of one key are handled in order.
        payload: The message.
        deliveries: How often it has been handed out, this time included.
    """

    id: str
    topic: str
    key: str
    payload: dict[str, Any]
    deliveries: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message nobody could handle, and why."""

    envelope: Envelope
    group: str
    error: str


Handler = Callable[[Envelope], Awaitable[None]]


class Channel(Protocol):
    """What a service needs in order to speak and to be spoken to."""

    async def publish(self, topic: str, payload: dict[str, Any], *, key: str = "") -> str:
        """Send a message; return its id once it is safe with the channel."""
        ...

    async def subscribe(self, group: str, topics: list[str], handler: Handler) -> None:
        """Handle every message of `topics` once in `group`, from now until the channel is closed."""
        ...

    async def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """Return what could not be handled, newest first."""
        ...

    async def ping(self) -> None:
        """Raise when the channel cannot be used."""
        ...

    async def close(self) -> None:
        """Finish what is being handled, then stop."""
        ...


@dataclass(slots=True)
class _Group:
    name: str
    topics: frozenset[str]
    handler: Handler
    queue: asyncio.Queue[Envelope] = field(default_factory=lambda: asyncio.Queue(MAX_LENGTH))
    task: asyncio.Task[None] | None = None


class MemoryChannel:
    """The channel of a single process. What is in it when the process ends is still in the outbox."""

    def __init__(self) -> None:
        self._groups: dict[str, list[_Group]] = defaultdict(list)
        self._dead: deque[DeadLetter] = deque(maxlen=1_000)
        self._sequence = 0

    async def publish(self, topic: str, payload: dict[str, Any], *, key: str = "") -> str:
        """Send a message."""
        self._sequence += 1
        envelope = Envelope(id=f"{self._sequence}", topic=topic, key=key, payload=payload)
        for groups in self._groups.values():
            for group in groups:
                if topic in group.topics:
                    await group.queue.put(envelope)
                    break
        return envelope.id

    async def subscribe(self, group: str, topics: list[str], handler: Handler) -> None:
        """Handle every message of `topics` once in `group`."""
        member = _Group(name=group, topics=frozenset(topics), handler=handler)
        member.task = asyncio.create_task(self._consume(member), name=f"channel {group}")
        self._groups[group].append(member)

    async def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """Return what could not be handled, newest first."""
        return list(self._dead)[-limit:][::-1]

    async def ping(self) -> None:
        """Memory always answers."""

    async def idle(self) -> None:
        """Wait until everything sent so far has been handled."""
        for groups in self._groups.values():
            for group in groups:
                await group.queue.join()

    async def close(self) -> None:
        """Finish what is being handled, then stop."""
        tasks = [g.task for groups in self._groups.values() for g in groups if g.task is not None]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._groups.clear()

    async def _consume(self, group: _Group) -> None:
        while True:
            envelope = await group.queue.get()
            try:
                dead = await deliver(group.name, envelope, group.handler)
                if dead is not None:
                    self._dead.append(dead)
            finally:
                group.queue.task_done()


async def deliver(group: str, envelope: Envelope, handler: Handler) -> DeadLetter | None:
    """Try a message until it is handled, or has failed too often; return what failed."""
    error = ""
    for attempt in range(envelope.deliveries, MAX_DELIVERIES + 1):
        try:
            await handler(envelope)
        except Exception as e:  # noqa: BLE001 - whatever a handler raises, the next message must be served
            error = f"{type(e).__name__}: {e}"
            log.warning("message not handled", group=group, topic=envelope.topic, id=envelope.id, error=error)
            if attempt < MAX_DELIVERIES:
                await asyncio.sleep(_BACK_OFF_S[min(attempt - 1, len(_BACK_OFF_S) - 1)])
        else:
            return None
    return DeadLetter(envelope=envelope, group=group, error=error)
