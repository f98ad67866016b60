"""A journal in memory: what a backtest needs, and what tests read."""

from __future__ import annotations

from collections.abc import Iterator

from cashup.model.events import OrderEvent, OrderInitialized


class MemoryJournal:
    """Keep the record of every order in memory, for as long as the process lives."""

    __slots__ = ("entries",)

    def __init__(self) -> None:
        self.entries: list[OrderInitialized | OrderEvent] = []

    def append(self, entry: OrderInitialized | OrderEvent) -> None:
        """Add one entry at the end."""
        self.entries.append(entry)

    def load(self) -> Iterator[OrderInitialized | OrderEvent]:
        """Return everything appended so far, oldest first."""
        return iter(tuple(self.entries))
