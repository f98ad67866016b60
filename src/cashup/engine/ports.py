"""What a node needs from the world outside it. Each context (backtest, paper, live) fills these differently.

| Port           | backtest                    | paper              | live              |
|----------------|-----------------------------|--------------------|-------------------|
| Clock          | SimClock                    | LiveClock          | LiveClock         |
| MarketFeed     | stored data in time order   | the venue's stream | the venue's stream|
| ExchangeClient | SimulatedExchange           | SimulatedExchange  | the venue's client|
| IdSource       | CounterIds                  | Uuid7Ids           | Uuid7Ids          |
| OrderJournal   | memory                      | database           | database          |

A node is synchronous and single-threaded. A port never calls back into the middle of a handler: whatever it
has to say goes into the node by `handle`, which queues what arrives while another event is being handled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cashup.model.commands import AmendOrder, CancelOrder, Command, SubmitOrder
from cashup.model.events import OrderEvent, OrderInitialized
from cashup.model.ids import ClientOrderId, GroupId
from cashup.runtime.clock import Clock
from cashup.runtime.ids import IdSource

__all__ = [
    "Clock",
    "EventSink",
    "ExchangeClient",
    "IdSource",
    "JoinGroup",
    "MarketFeed",
    "OrderJournal",
    "RowVenue",
]

#: The node's one door. Its argument is any event a node knows: bars, funding, order events, timers.
EventSink = Callable[[object], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinGroup(Command):
    """Ask that an order belongs to a group from now on: when one order of a group fills, the others end."""

    client_order_id: ClientOrderId
    group_id: GroupId


class MarketFeed(Protocol):
    """Market data, in order of the moment we knew it (`ts_init`)."""

    def events(self) -> Iterator[object]:
        """Yield what there is to hand to the node: all of it (stored data), or what arrived since (live)."""
        ...


class ExchangeClient(Protocol):
    """A venue, seen from inside a node: commands go in here, their consequences come back by the event sink.

    None of the methods blocks or answers. What the venue says arrives later as order events with the client
    order id of the command; a request whose outcome is not known is reported as `OrderOutcomeUnknown`, never
    repeated. A client that journals nothing may be called again after a crash with the same client order id,
    and must then report what it already knows instead of sending twice.
    """

    def connect(self, sink: EventSink) -> None:
        """Send every event from now on to `sink`."""
        ...

    def submit(self, command: SubmitOrder) -> None:
        """Send one order, already allowed by risk and written to the journal."""
        ...

    def cancel(self, command: CancelOrder) -> None:
        """Ask for the cancellation of an order."""
        ...

    def amend(self, command: AmendOrder) -> None:
        """Ask for new terms of a working order."""
        ...

    def join_group(self, command: JoinGroup) -> None:
        """Put an order into a one-cancels-other group."""
        ...


class RowVenue(Protocol):
    """A venue in the same process that also takes orders as rows of the kernel's order table.

    For nodes nobody watches: no requests, no journal, no exact books until they are looked at.
    """

    def connect_rows(self, sink: EventSink) -> None:
        """Send every change from now on to `sink`, as rows (`cashup.engine.venue_voices`)."""
        ...

    def place_rows(self, rows: Sequence[Any]) -> None:  # Any: rows have the columns of their dtype
        """Take orders in, parents before their children."""
        ...

    def cancel_row(self, number: int) -> None:
        """Cancel an order by its number with the sender."""
        ...

    def group_row(self, number: int, group: int) -> None:
        """Put an order into a one-cancels-other group of the sender's."""
        ...


class OrderJournal(Protocol):
    """The record of every order. An entry is durable when `append` returns: only then is anything sent."""

    def append(self, entry: OrderInitialized | OrderEvent) -> None:
        """Write one entry."""
        ...

    def load(self) -> Iterator[OrderInitialized | OrderEvent]:
        """Read everything back, oldest first: what a restart begins with."""
        ...
