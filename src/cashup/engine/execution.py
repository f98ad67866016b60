"""Orders on their way: the journal first, then the venue; and what comes back, applied once.

Every state an order passes through follows the transition table of `cashup.model`. An event that was seen
before is dropped, because venues repeat themselves; an event the table has no place for is our fault, and
says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypedDict

from cashup.engine.ports import Clock, ExchangeClient, OrderJournal
from cashup.model.commands import AmendOrder, CancelOrder, SubmitOrder
from cashup.model.errors import InvariantBroken, OrderRefused, explain
from cashup.model.events import (
    OrderAmendPending,
    OrderCancelPending,
    OrderDenied,
    OrderEvent,
    OrderFilled,
    OrderHeld,
    OrderInitialized,
    OrderOutcomeUnknown,
    OrderSubmitted,
)
from cashup.model.ids import ClientOrderId
from cashup.model.orders import Order, OrderRequest, OrderStatus


class _Times(TypedDict):
    ts_event: int
    ts_init: int


class ExecutionEngine:
    """Send orders and keep their states.

    Attributes:
        orders: Every order of the session by client order id, in order of making.
        working: Those of them that have not ended, those held for a parent included.
        duplicates: How many events were dropped because they had been applied before.
    """

    __slots__ = ("_client", "_clock", "_journal", "duplicates", "orders", "working")

    def __init__(self, client: ExchangeClient, journal: OrderJournal, clock: Clock) -> None:
        self._client = client
        self._journal = journal
        self._clock = clock
        self.orders: dict[ClientOrderId, Order] = {}
        self.working: dict[ClientOrderId, Order] = {}
        self.duplicates = 0

    def submit(self, command: SubmitOrder) -> None:
        """Write the orders of `command` to the journal, then send them together."""
        parents = {request.client_order_id for request in command.requests}
        now = self._clock.now()
        for request in command.requests:
            state = OrderHeld if request.parent_id in parents else OrderSubmitted
            event = state(client_order_id=request.client_order_id, ts_event=now, ts_init=now)
            self._begin(request, event)
        self._client.submit(command)

    def deny(self, request: OrderRequest, refusal: OrderRefused) -> OrderDenied:
        """Write down that an order was refused by our own rules, and is not sent."""
        event = OrderDenied(
            client_order_id=request.client_order_id,
            reason=refusal.reason,
            message=refusal.message,
            **self._times(),
        )
        self._begin(request, event)
        return event

    def cancel(self, command: CancelOrder) -> bool:
        """Ask the venue to cancel an order; return whether there was anything to ask for."""
        order = self.orders.get(command.client_order_id)
        if order is None or order.is_final or order.status is OrderStatus.PENDING_CANCEL:
            return False
        if order.status is not OrderStatus.HELD:
            self._record(OrderCancelPending(client_order_id=command.client_order_id, **self._times()))
        self._client.cancel(command)
        return True

    def amend(self, command: AmendOrder) -> bool:
        """Ask the venue for new terms; return whether the order is in a state that allows it."""
        event = OrderAmendPending(client_order_id=command.client_order_id, **self._times())
        order = self.orders.get(command.client_order_id)
        if order is None or not order.can_apply(event):
            return False
        self._record(event)
        self._client.amend(command)
        return True

    def apply(self, event: OrderEvent) -> Order | None:
        """Apply what the venue said; return the order's new state, or None when this was known already.

        Raises:
            InvariantBroken: The order is not ours, or cannot have had this event.
        """
        order = self.orders.get(event.client_order_id)
        if order is None:
            raise InvariantBroken(explain(f"got {type(event).__name__} of an order that was never made"))
        if _is_repeated(order, event):
            self.duplicates += 1
            return None
        return self._record(event, order)

    def recover(self, entries: Iterable[OrderInitialized | OrderEvent]) -> Iterator[ClientOrderId]:
        """Rebuild the orders from a journal; yield those whose state the venue must be asked about.

        Raises:
            InvariantBroken: The journal holds an event its order could not have had.
        """
        for entry in entries:
            if isinstance(entry, OrderInitialized):
                self._keep(Order.of(entry.request))
            else:
                self._keep(self.orders[entry.client_order_id].apply(entry))
        for name, order in tuple(self.orders.items()):
            if order.status is OrderStatus.SUBMITTED:  # written, and perhaps sent: nobody knows
                lost = OrderOutcomeUnknown(
                    client_order_id=name, message="interrupted before the venue answered", **self._times()
                )
                order = self._record(lost)
            if order.is_open:
                yield name

    def _begin(self, request: OrderRequest, event: OrderEvent) -> None:
        """Make an order and let the first thing happen to it."""
        name = request.client_order_id
        if name in self.orders:
            raise InvariantBroken(explain(f"order {name} was made twice"))
        self._journal.append(OrderInitialized(request=request))
        self._record(event, Order.of(request))

    def _record(self, event: OrderEvent, order: Order | None = None) -> Order:
        """Apply first, so that nothing illegal enters the journal."""
        after = (order or self.orders[event.client_order_id]).apply(event)
        self._journal.append(event)
        self._keep(after)
        return after

    def _keep(self, order: Order) -> None:
        name = order.client_order_id
        self.orders[name] = order
        if not order.is_final:
            self.working[name] = order
        else:
            self.working.pop(name, None)

    def _times(self) -> _Times:
        now = self._clock.now()
        return {"ts_event": now, "ts_init": now}


def _is_repeated(order: Order, event: OrderEvent) -> bool:
    """Whether `event` says nothing new about `order`.

    A fill is known by its id. Of the rest, whatever reaches an order that has ended came late, and an
    acknowledgement or trigger is repeated when the order has been acknowledged or triggered before.
    """
    if isinstance(event, OrderFilled):
        return order.has_fill(event.fill)
    if order.is_final:
        return True
    return not order.can_apply(event) and event.kind in _seen(order)


def _seen(order: Order) -> frozenset[str]:
    seen = {str(order.status)}
    if order.is_accepted:
        seen.add("accepted")
    if order.is_triggered:
        seen.add("triggered")
    return frozenset(seen)
