"""Orders: their terms, their states, and `Order`, which only legal events can change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import Any

from cashup.model.errors import InvariantBroken, explain
from cashup.model.ids import ClientOrderId, Currency, VenueOrderId
from cashup.model.money import MONEY_CONTEXT, ZERO, divide
from cashup.model.order_events import (
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderTriggered,
)
from cashup.model.order_status import (
    FINAL_STATUSES,
    OPEN_STATUSES,
    TRANSITIONS,
    OrderEventKind,
    OrderStatus,
    Resume,
)
from cashup.model.order_terms import (
    Fill,
    FillKind,
    Liquidity,
    OrderRequest,
    OrderType,
    Side,
    TimeInForce,
)
from cashup.model.reasons import OrderReason

__all__ = [
    "FINAL_STATUSES",
    "OPEN_STATUSES",
    "TRANSITIONS",
    "Fill",
    "FillKind",
    "Liquidity",
    "Order",
    "OrderEventKind",
    "OrderReason",
    "OrderRequest",
    "OrderStatus",
    "OrderType",
    "Resume",
    "Side",
    "TimeInForce",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order and everything that happened to it. `apply` returns the next state; nothing changes in place.

    Attributes:
        request: The terms in force; amendments replace the original ones.
        status: Where it is in its life.
        quantity: Total quantity in force, fills included; None while a value or position decides it.
        filled: Quantity traded so far.
        fills: Its trades, oldest first.
        is_accepted: Whether the venue ever acknowledged it.
        is_unknown: Whether the answer to it was lost and nothing has shown since that the venue has it.
        is_triggered: Whether its trigger price was reached.
        reason: Why it ended, if it did not fill.
        message: The same in words.
        ts_last: When the last event happened, ns UTC.
    """

    request: OrderRequest
    status: OrderStatus = OrderStatus.INITIALIZED
    venue_order_id: VenueOrderId | None = None
    quantity: Decimal | None
    filled: Decimal = ZERO
    fills: tuple[Fill, ...] = ()
    is_accepted: bool = False
    is_unknown: bool = False
    is_triggered: bool = False
    reason: OrderReason | None = None
    message: str = ""
    ts_last: int

    @classmethod
    def of(cls, request: OrderRequest) -> Order:
        """Start the life of an order."""
        return cls(request=request, quantity=request.quantity, ts_last=request.ts_init)

    @property
    def client_order_id(self) -> ClientOrderId:
        """Our own name of it."""
        return self.request.client_order_id

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status.is_final

    @property
    def is_open(self) -> bool:
        """Whether it exists, or may exist, at the venue."""
        return self.status.is_open

    @property
    def remaining(self) -> Decimal | None:
        """Quantity that has not traded; None while the total is not known."""
        return None if self.quantity is None else self.quantity - self.filled

    @property
    def average_price(self) -> Decimal | None:
        """Average price of its fills weighted by quantity, or None without a fill."""
        if not self.fills:
            return None
        with localcontext(MONEY_CONTEXT):
            return divide(sum((fill.quantity * fill.price for fill in self.fills), ZERO), self.filled)

    @property
    def fees(self) -> dict[Currency, Decimal]:
        """Fees paid, by currency; negative is a rebate."""
        paid: dict[Currency, Decimal] = {}
        for fill in self.fills:
            paid[fill.fee_currency] = paid.get(fill.fee_currency, ZERO) + fill.fee
        return paid

    def has_fill(self, fill: Fill) -> bool:
        """Return whether this trade was applied before (venues repeat themselves)."""
        return any(known.fill_id == fill.fill_id for known in self.fills)

    def kind_of(self, event: OrderEvent) -> OrderEventKind:
        """Return the row of the transition table: a fill counts as partial while something remains."""
        if not isinstance(event, OrderFilled):
            return event.kind
        total = self._total_after(event)
        done = self.filled + event.fill.quantity
        return OrderEventKind.PARTIALLY_FILLED if done < total else OrderEventKind.FILLED

    def can_apply(self, event: OrderEvent) -> bool:
        """Return whether the transition table has a place for `event` now (late answers have none)."""
        return event.kind in TRANSITIONS[self.status]

    def apply(self, event: OrderEvent) -> Order:
        """Return the order after `event`.

        Raises:
            InvariantBroken: The event is about another order, illegal in this state, repeats a fill, or
                its quantities do not add up.
        """
        if event.client_order_id != self.client_order_id:
            raise self._broken(f"got an event of order {event.client_order_id}")
        kind = self.kind_of(event)
        target = TRANSITIONS[self.status].get(kind)
        if target is None:
            allowed = ", ".join(TRANSITIONS[self.status]) or "no event at all"
            raise self._broken(f"is {self.status} and got '{kind}'", expected=allowed)
        facts = self._facts_of(event)
        if isinstance(target, Resume):
            resumed = replace(self, ts_last=event.ts_event, **facts)
            return replace(resumed, status=resumed._working_status())
        return replace(self, status=target, ts_last=event.ts_event, **facts)

    def _facts_of(self, event: OrderEvent) -> dict[str, Any]:
        """Return the fields `event` changes, besides the status and the time."""
        match event:
            case OrderFilled():
                return self._facts_of_fill(event)
            case OrderAccepted():
                return {"is_accepted": True, "is_unknown": False, "venue_order_id": event.venue_order_id}
            case OrderOutcomeUnknown():
                return {"is_unknown": True}
            case OrderTriggered():
                return {"is_triggered": True, "is_unknown": False}
            case OrderAmended():
                return self._facts_of_amendment(event)
            case OrderDenied() | OrderRejected() | OrderCancelled():
                return {"reason": event.reason, "message": event.message or event.reason.description}
            case OrderExpired():
                return {"reason": event.reason, "message": event.reason.description}
            case _:
                return {}

    def _facts_of_fill(self, event: OrderFilled) -> dict[str, Any]:
        fill = event.fill
        if fill.client_order_id != self.client_order_id:
            raise self._broken(f"got a fill of order {fill.client_order_id}")
        if fill.instrument_id != self.request.instrument_id or fill.side is not self.request.side:
            raise self._broken(f"got fill {fill.fill_id}: {fill.side} on {fill.instrument_id}")
        if fill.quantity <= 0 or fill.price <= 0:
            raise self._broken(f"got fill {fill.fill_id} of {fill.quantity} at {fill.price}")
        if self.has_fill(fill):
            raise self._broken(f"got fill {fill.fill_id} twice")
        total = self._total_after(event)
        filled = MONEY_CONTEXT.add(self.filled, fill.quantity)
        if filled > total:
            raise self._broken(
                f"got fill {fill.fill_id}: {filled} filled in all", expected=f"at most {total}"
            )
        return {
            "quantity": total,
            "filled": filled,
            "fills": (*self.fills, fill),
            "is_unknown": False,
            "venue_order_id": fill.venue_order_id or self.venue_order_id,
        }

    def _facts_of_amendment(self, event: OrderAmended) -> dict[str, Any]:
        if event.quantity is not None and event.quantity <= self.filled:
            found = f"was amended to {event.quantity} with {self.filled} filled"
            raise self._broken(found, expected="more than that")
        terms = self.request
        return {
            "request": replace(
                terms,
                quantity=terms.quantity if event.quantity is None else event.quantity,
                price=terms.price if event.price is None else event.price,
                stop_price=terms.stop_price if event.stop_price is None else event.stop_price,
            ),
            "quantity": self.quantity if event.quantity is None else event.quantity,
            "venue_order_id": event.venue_order_id or self.venue_order_id,
        }

    def _total_after(self, event: OrderFilled) -> Decimal:
        """Return the total quantity once `event` is known."""
        done = self.filled + event.fill.quantity
        if event.leaves is None:
            if self.quantity is None:
                raise self._broken("has no fixed quantity and got a fill", expected="what the fill leaves")
            return self.quantity
        total = done + event.leaves
        is_flexible = self.request.clip or self.request.reduce_only or self.request.quantity is None
        if not is_flexible and total != self.quantity:
            raise self._broken(
                f"has {total} in all after fill {event.fill.fill_id}", expected=str(self.quantity)
            )
        return total

    def _working_status(self) -> OrderStatus:
        if self.filled > 0:
            return OrderStatus.PARTIALLY_FILLED
        if self.is_triggered:
            return OrderStatus.TRIGGERED
        if self.is_accepted:
            return OrderStatus.ACCEPTED
        return OrderStatus.UNKNOWN if self.is_unknown else OrderStatus.SUBMITTED

    def _broken(self, found: str, *, expected: str = "") -> InvariantBroken:
        return InvariantBroken(explain(f"order {self.client_order_id} {found}", expected=expected))
