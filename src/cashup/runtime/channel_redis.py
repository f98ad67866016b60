"""The channel over Redis Streams, for services that run as processes of their own.

One stream a topic, one consumer group a service. A message is acknowledged after its handler returned; what a
dead process had taken and not acknowledged is taken over after a minute. Streams are trimmed by length.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from cashup.model.errors import ConfigError, explain
from cashup.runtime.channel import MAX_DELIVERIES, MAX_LENGTH, DeadLetter, Envelope, Handler, deliver

_PREFIX: Final = "cashup:"
_DEAD: Final = f"{_PREFIX}dead"
_BLOCK_MS: Final = 1_000
_BATCH: Final = 64
_RECONNECT_S: Final = 1.0

log = structlog.get_logger(__name__)


class RedisChannel:
    """Streams of one Redis server.

    Args:
        url: ``redis://[:password@]host:port/database``.
        consumer: Name of this process; its own by default.
        take_over_ms: How long a message may stay with a silent consumer before another takes it.
    """

    def __init__(self, url: str, *, consumer: str = "", take_over_ms: int = 60_000) -> None:
        try:
            self._redis: Any = Redis.from_url(url, decode_responses=True)
        except ValueError as e:
            raise ConfigError(
                explain(f"the channel address cannot be read: {e}", expected="redis://host:port/0")
            ) from e
        self._consumer = consumer or f"{socket.gethostname()}-{os.getpid()}"
        self._take_over_ms = take_over_ms
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    async def publish(self, topic: str, payload: dict[str, Any], *, key: str = "") -> str:
        """Send a message; return its id once Redis has it."""
        body = {"key": key, "payload": json.dumps(payload, ensure_ascii=False, separators=(",", ":"))}
        return str(await self._redis.xadd(_PREFIX + topic, body, maxlen=MAX_LENGTH, approximate=True))

    async def subscribe(self, group: str, topics: list[str], handler: Handler) -> None:
        """Handle every message of `topics` once in `group`, whatever the number of its processes."""
        for topic in topics:
            with contextlib.suppress(ResponseError):  # the group is there
                await self._redis.xgroup_create(_PREFIX + topic, group, id="$", mkstream=True)
        self._tasks.append(
            asyncio.create_task(self._consume(group, topics, handler), name=f"channel {group}")
        )

    async def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """Return what could not be handled, newest first."""
        rows = await self._redis.xrevrange(_DEAD, count=limit)
        return [
            DeadLetter(
                envelope=Envelope(
                    id=row["id"],
                    topic=row["topic"],
                    key=row["key"],
                    payload=json.loads(row["payload"]),
                    deliveries=MAX_DELIVERIES,
                ),
                group=row["group"],
                error=row["error"],
            )
            for _, row in rows
        ]

    async def ping(self) -> None:
        """Ask Redis for an answer.

        Raises:
            ConfigError: It gives none.
        """
        try:
            await self._redis.ping()
        except (RedisError, OSError) as e:
            raise ConfigError(explain(f"Redis does not answer: {e}")) from e

    async def close(self) -> None:
        """Finish what is being handled, then stop."""
        self._stopping.set()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._redis.aclose()

    async def _consume(self, group: str, topics: list[str], handler: Handler) -> None:
        streams = {_PREFIX + topic: ">" for topic in topics}
        while not self._stopping.is_set():
            try:
                await self._take_over(group, topics, handler)
                answer = await self._redis.xreadgroup(
                    group, self._consumer, streams, count=_BATCH, block=_BLOCK_MS
                )
                for stream, rows in _streams(answer):
                    for identifier, row in rows:
                        await self._handle(group, stream, identifier, row, handler, 1)
            except (RedisError, OSError) as e:
                log.warning("channel cut", group=group, error=str(e))
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), _RECONNECT_S)

    async def _take_over(self, group: str, topics: list[str], handler: Handler) -> None:
        for topic in topics:
            stream = _PREFIX + topic
            _, rows, *_ = await self._redis.xautoclaim(
                stream, group, self._consumer, min_idle_time=self._take_over_ms, count=_BATCH
            )
            for identifier, row in rows:
                if row:  # trimmed away meanwhile otherwise
                    await self._handle(group, stream, identifier, row, handler, 2)

    async def _handle(
        self, group: str, stream: str, identifier: str, row: dict[str, str], handler: Handler, deliveries: int
    ) -> None:
        envelope = Envelope(
            id=identifier,
            topic=stream.removeprefix(_PREFIX),
            key=row["key"],
            payload=json.loads(row["payload"]),
            deliveries=deliveries,
        )
        dead = await deliver(group, envelope, handler)
        if dead is not None:
            entry = {
                "id": identifier,
                "topic": envelope.topic,
                "key": envelope.key,
                "payload": row["payload"],
                "group": group,
                "error": dead.error,
            }
            await self._redis.xadd(_DEAD, entry, maxlen=10_000, approximate=True)
        await self._redis.xack(stream, group, identifier)


def _streams(answer: Any) -> list[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """Read an answer of either protocol version: a list of pairs, or a mapping."""
    if not answer:
        return []
    if isinstance(answer, dict):
        return [(stream, [row for part in rows for row in part]) for stream, rows in answer.items()]
    return [(stream, rows) for stream, rows in answer]
