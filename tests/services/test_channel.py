"""One set of promises for both channels: in memory, and over Redis Streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from cashup.runtime import channel as channels
from cashup.runtime.channel import Channel, Envelope, MemoryChannel
from cashup.runtime.channel_redis import RedisChannel


@pytest.fixture(params=["memory", "redis"])
async def channel(request: pytest.FixtureRequest) -> AsyncIterator[Channel]:
    found: Channel
    if request.param == "memory":
        found = MemoryChannel()
    else:
        found = RedisChannel(request.getfixturevalue("redis_server"), take_over_ms=200)
        await found._redis.flushall()
    yield found
    await found.close()


class Ear:
    """Keeps what it hears, and says when there is enough."""

    def __init__(self, wanted: int) -> None:
        self.heard: list[Envelope] = []
        self.wanted = wanted
        self.enough = asyncio.Event()

    async def __call__(self, envelope: Envelope) -> None:
        self.heard.append(envelope)
        if len(self.heard) >= self.wanted:
            self.enough.set()

    async def wait(self) -> list[Envelope]:
        await asyncio.wait_for(self.enough.wait(), 10)
        return self.heard


async def test_every_group_hears_everything_in_order_and_once(channel: Channel) -> None:
    first, second = Ear(50), Ear(50)
    await channel.subscribe("first", ["orders"], first)
    await channel.subscribe("second", ["orders", "fills"], second)
    for number in range(50):
        await channel.publish("orders", {"number": number, "text": "中文"}, key="a")
    for ear in (first, second):
        heard = await ear.wait()
        assert [one.payload["number"] for one in heard] == list(range(50))
        assert heard[0].payload["text"] == "中文"
        assert len({one.id for one in heard}) == 50


async def test_a_handler_that_fails_is_tried_again_and_then_put_aside(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "_BACK_OFF_S", (0.0,))
    ear = Ear(1)
    tries = 0

    async def moody(envelope: Envelope) -> None:
        nonlocal tries
        if envelope.payload["poison"]:
            tries += 1
            raise ValueError("not today")
        await ear(envelope)

    await channel.subscribe("group", ["jobs"], moody)
    await channel.publish("jobs", {"poison": True})
    await channel.publish("jobs", {"poison": False})
    await ear.wait()
    assert tries == channels.MAX_DELIVERIES
    (dead,) = await channel.dead_letters()
    assert dead.group == "group"
    assert dead.envelope.payload == {"poison": True}
    assert "not today" in dead.error


async def test_what_a_dead_process_had_taken_is_handled_by_another(redis_server: str) -> None:
    dying = RedisChannel(redis_server, consumer="dying")
    await dying._redis.flushall()
    taken = asyncio.Event()

    async def never(_envelope: Envelope) -> None:
        taken.set()
        await asyncio.Event().wait()

    await dying.subscribe("group", ["jobs"], never)
    await dying.publish("jobs", {"number": 1})
    await asyncio.wait_for(taken.wait(), 10)
    for task in dying._tasks:
        task.cancel()
    ear = Ear(1)
    heir = RedisChannel(redis_server, consumer="heir", take_over_ms=1)
    await heir.subscribe("group", ["jobs"], ear)
    (envelope,) = await ear.wait()
    assert envelope.payload == {"number": 1}
    assert envelope.deliveries == 2
    await heir.close()
    await dying._redis.aclose()
