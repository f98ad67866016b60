"""Journals: the record of every order, written before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator

from cashup.model.events import OrderEvent, OrderInitialized
from cashup.model.ids import ClientOrderId
from cashup.model.orders import Order


class MemoryJournal:
    """Keep the entries in memory: what a backtest needs, and what tests read."""

    __slots__ = ("entries",)

    def __init__(self) -> None:
        self.entries: list[OrderInitialized | OrderEvent] = []

    def append(self, entry: OrderInitialized | OrderEvent) -> None:
        """Add one entry at the end."""
        self.entries.append(entry)

    def load(self) -> Iterator[OrderInitialized | OrderEvent]:
        """Return everything appended so far, oldest first."""
        return iter(tuple(self.entries))


class NullJournal:
    """Keep nothing: for runs that cannot be resumed and whose result is read from the order table."""

    __slots__ = ()

    def append(self, entry: OrderInitialized | OrderEvent) -> None:
        """Forget the entry."""

    def load(self) -> Iterator[OrderInitialized | OrderEvent]:
        """Return nothing."""
        return iter(())


def replay(entries: Iterator[OrderInitialized | OrderEvent]) -> dict[ClientOrderId, Order]:
    """Rebuild every order from a journal.

    Raises:
        InvariantBroken: The journal holds an event its order could not have had.
    """
    orders: dict[ClientOrderId, Order] = {}
    for entry in entries:
        if isinstance(entry, OrderInitialized):
            orders[entry.request.client_order_id] = Order.of(entry.request)
        else:
            orders[entry.client_order_id] = orders[entry.client_order_id].apply(entry)
    return orders
