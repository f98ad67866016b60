"""To the browsers: topics fanned out over WebSockets, resumable after a cut, and never an unbounded queue.

Every message of a topic has a number. A client that comes back says the last number it saw and receives what it
missed, or is told to read the state afresh. A client that reads too slowly is cut and comes back the same way.
Topics are owned: ``user:<id>:orders`` goes to that user alone, ``market:<instrument>`` to everybody.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from cashup.runtime import metrics

__all__ = ["Hub", "Message", "Subscriber"]

_KEPT: Final = 512
_QUEUE: Final = 1_024


@dataclass(frozen=True, slots=True)
class Message:
    """One numbered message of a topic; `text` is what goes over the wire, encoded once for everybody."""

    topic: str
    number: int
    text: str


@dataclass(slots=True, eq=False)
class Subscriber:
    """One connection: what it listens to, and what waits for it.

    Attributes:
        topics: Its topics.
        queue: Texts to be sent.
        overrun: Set when it did not keep up and must be cut.
    """

    topics: set[str] = field(default_factory=set)
    queue: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(_QUEUE))
    overrun: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, text: str) -> None:
        """Put a text into the queue, or mark the connection as too slow."""
        try:
            self.queue.put_nowait(text)
        except asyncio.QueueFull:
            if not self.overrun.is_set():
                metrics.SOCKET_DROPPED.inc()
                self.overrun.set()


class Hub:
    """All topics of one process.

    Attributes:
        forward: Set in a process no browser is connected to: takes messages to the one they are connected to.
    """

    def __init__(self) -> None:
        self.forward: Callable[[str, Any, bool], None] | None = None
        self._listeners: dict[str, set[Subscriber]] = defaultdict(set)
        self._kept: dict[str, deque[Message]] = {}
        self._numbers: dict[str, int] = defaultdict(int)

    def publish(self, topic: str, data: Any, *, keep: bool = True) -> None:
        """Send `data` (anything JSON can say) to everybody who listens to `topic`.

        Args:
            topic: Name of the topic.
            data: The message.
            keep: Whether somebody who was cut off gets it later; not for prices, of which only the last counts.
        """
        if self.forward is not None:
            self.forward(topic, data, keep)
            return
        self._numbers[topic] += 1
        number = self._numbers[topic]
        listeners = self._listeners.get(topic)
        if not keep and not listeners:
            return
        text = json.dumps(
            {"topic": topic, "n": number, "data": data},
            ensure_ascii=False,
            separators=(",", ":"),
            default=str,
        )
        if keep:
            self._kept.setdefault(topic, deque(maxlen=_KEPT)).append(Message(topic, number, text))
        if listeners:
            metrics.SOCKET_MESSAGES.labels(topic.split(":", 1)[0]).inc(len(listeners))
            for subscriber in listeners:
                subscriber.offer(text)

    def subscribe(self, subscriber: Subscriber, topic: str, *, after: int | None = None) -> bool:
        """Let a connection listen to `topic`; with `after`, send what it missed since that number first.

        Returns:
            Whether nothing is missing; otherwise the client must read the state afresh.
        """
        subscriber.topics.add(topic)
        self._listeners[topic].add(subscriber)
        if after is None:
            return True
        last = self._numbers.get(topic, 0)
        if after == last:
            return True
        missed = [message for message in self._kept.get(topic, ()) if message.number > after]
        if after > last or not missed or missed[0].number != after + 1:
            return False
        for message in missed:
            subscriber.offer(message.text)
        return True

    def unsubscribe(self, subscriber: Subscriber, topics: Iterable[str] | None = None) -> None:
        """End listening to `topics`, or to everything."""
        for topic in list(subscriber.topics if topics is None else topics):
            subscriber.topics.discard(topic)
            listeners = self._listeners.get(topic)
            if listeners is not None:
                listeners.discard(subscriber)
                if not listeners:
                    del self._listeners[topic]

    def number(self, topic: str) -> int:
        """Return the number of the last message of a topic."""
        return self._numbers.get(topic, 0)

    def listens(self, topic: str) -> bool:
        """Say whether anybody listens to `topic`."""
        return topic in self._listeners
