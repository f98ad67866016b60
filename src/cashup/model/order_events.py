"""What happens to an order. Import these from `cashup.model.events`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from cashup.model.ids import ClientOrderId, VenueOrderId
from cashup.model.order_status import OrderEventKind
from cashup.model.order_terms import Fill, OrderRequest
from cashup.model.reasons import OrderReason


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """Base of everything that happens to one order.

    Attributes:
        kind: Row of the transition table it belongs to.
        ts_event: When it happened (at the venue, if it happened there), ns UTC.
        ts_init: When we learnt of it, ns UTC.
    """

    kind: ClassVar[OrderEventKind]

    client_order_id: ClientOrderId
    ts_event: int
    ts_init: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderInitialized:
    """Report that an order was made; the first entry of its journal."""

    request: OrderRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDenied(OrderEvent):
    """Report that our own rules did not let the order out."""

    kind: ClassVar[OrderEventKind] = OrderEventKind.DENIED

    reason: OrderReason
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderHeld(OrderEvent):
    """Report that the order is kept by us until its parent fills."""

    kind: ClassVar[OrderEventKind] = OrderEventKind.HELD


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSubmitted(OrderEvent):
    """Report that the order is journalled and about to leave."""

    kind: ClassVar[OrderEventKind] = OrderEventKind.SUBMITTED


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderOutcomeUnknown(OrderEvent):
    """Report that the order was sent and the answer lost."""

    kind: ClassVar[OrderEventKind] = OrderEventKind.OUTCOME_UNKNOWN

    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAccepted(OrderEvent):
    """Report that the venue has the order."""

    kind: ClassVar[OrderEventKind] = OrderEventKind.ACCEPTED

    venue_order_id: VenueOrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRejected(OrderEvent):
    """Report that the venue did not take the order, or that it never arrived there."""

    kind: ClassVar[OrderEventKind] = OrderEventKind.REJECTED

    reason: OrderReason
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTriggered(OrderEvent):
    """Report that the trigger price was reached."""

    kind: ClassVar[OrderEventKind] = OrderEventKind.TRIGGERED


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilled(OrderEvent):
    """Report one trade of the order. Whether it completes the order follows from the quantities.

    Attributes:
        fill: The trade.
        leaves: Quantity still working afterwards, when the venue or simulator says so. Needed for orders
            whose quantity the fill decides (`value`, `close_position`); allowed for those it may shrink
            (`clip`, `reduce_only`).
    """

    kind: ClassVar[OrderEventKind] = OrderEventKind.FILLED

    fill: Fill
    leaves: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelPending(OrderEvent):
    """Report that we asked the venue to cancel."""

    kind: ClassVar[OrderEventKind] = OrderEventKind.CANCEL_PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelRejected(OrderEvent):
    """Report that the venue did not cancel; the order works on."""

    kind: ClassVar[OrderEventKind] = OrderEventKind.CANCEL_REJECTED

    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled(OrderEvent):
    """Report that the rest of the order is gone. Its fills must have been applied before."""

    kind: ClassVar[OrderEventKind] = OrderEventKind.CANCELLED

    reason: OrderReason = OrderReason.USER
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAmendPending(OrderEvent):
    """Report that we asked the venue to change the order."""

    kind: ClassVar[OrderEventKind] = OrderEventKind.AMEND_PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAmendRejected(OrderEvent):
    """Report that the venue did not change the order; the old terms hold."""

    kind: ClassVar[OrderEventKind] = OrderEventKind.AMEND_REJECTED

    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAmended(OrderEvent):
    """Report new terms in force; None leaves a term as it is.

    Attributes:
        quantity: New total quantity, fills included.
        venue_order_id: New venue id, where the venue replaces instead of changing.
    """

    kind: ClassVar[OrderEventKind] = OrderEventKind.AMENDED

    quantity: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    venue_order_id: VenueOrderId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderExpired(OrderEvent):
    """Report that the order's time ran out."""

    kind: ClassVar[OrderEventKind] = OrderEventKind.EXPIRED

    reason: OrderReason = OrderReason.GTD
