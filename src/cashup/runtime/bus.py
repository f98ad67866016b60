"""The bus inside a node: synchronous, ordered, nothing lost.

A message published while another is being delivered waits its turn, so every subscriber sees every message
in the one order they were published in, however deep the handlers call each other. Between services messages
go by the channel instead, which promises different things.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

Message = TypeVar("Message")
Handler = Callable[[Any], None]  # Any: the type of the message is the key the handler is filed under


class MessageBus:
    """Deliver messages to the subscribers of their class, or of a base class, in order of subscription."""

    __slots__ = ("_busy", "_queue", "_routes", "_subscribers")

    def __init__(self) -> None:
        self._subscribers: list[tuple[type, Handler]] = []
        self._routes: dict[type, tuple[Handler, ...]] = {}
        self._queue: deque[tuple[Handler, object]] = deque()
        self._busy = False

    def subscribe(self, kind: type[Message], handler: Callable[[Message], None]) -> Callable[[], None]:
        """Call `handler` with every message that is a `kind`; return what ends the subscription."""
        entry = (kind, handler)
        self._subscribers.append(entry)
        self._routes.clear()

        def unsubscribe() -> None:
            if entry in self._subscribers:
                self._subscribers.remove(entry)
                self._routes.clear()

        return unsubscribe

    def listens(self, kind: type) -> bool:
        """Say whether anybody would receive a message of class `kind`; if not, it need not be built."""
        return bool(self._handlers(kind))

    def publish(self, message: object) -> None:
        """Deliver `message` now, or after the message being delivered when called from a handler.

        An exception of a handler reaches the outermost publisher. What was still to be delivered stays in the
        queue, and goes out first at the next `publish` or `drain`.
        """
        self._queue.extend((handler, message) for handler in self._handlers(type(message)))
        if not self._busy:
            self.drain()

    def drain(self) -> None:
        """Deliver everything that waits."""
        self._busy = True
        try:
            while self._queue:
                handler, message = self._queue.popleft()
                handler(message)
        finally:
            self._busy = False

    def _handlers(self, kind: type) -> tuple[Handler, ...]:
        route = self._routes.get(kind)
        if route is None:
            route = tuple(handler for wanted, handler in self._subscribers if issubclass(kind, wanted))
            self._routes[kind] = route
        return route
