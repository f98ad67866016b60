from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from cashup.model import events as e
from cashup.model.errors import InvariantBroken
from cashup.model.ids import ClientOrderId, VenueOrderId
from cashup.model.order_events import OrderEvent
from cashup.model.orders import (
    FINAL_STATUSES,
    OPEN_STATUSES,
    TRANSITIONS,
    Order,
    OrderEventKind,
    OrderReason,
    OrderStatus,
    OrderType,
    Resume,
    Side,
    TimeInForce,
)
from unit.model.builders import LINEAR, ORDER, fill, request

S = OrderStatus
K = OrderEventKind
D = Decimal
WHEN: dict[str, Any] = {"client_order_id": ORDER, "ts_event": 3, "ts_init": 4}


def filled(
    quantity: str, *, price: str = "100", fill_id: str = "f-1", leaves: str | None = None, **changes: Any
) -> OrderEvent:
    rest = None if leaves is None else D(leaves)
    return e.OrderFilled(fill=fill(quantity, price, fill_id=fill_id, **changes), leaves=rest, **WHEN)


EVENTS: dict[OrderEventKind, Callable[[], OrderEvent]] = {
    K.DENIED: lambda: e.OrderDenied(reason=OrderReason.RISK_LIMIT, **WHEN),
    K.HELD: lambda: e.OrderHeld(**WHEN),
    K.SUBMITTED: lambda: e.OrderSubmitted(**WHEN),
    K.OUTCOME_UNKNOWN: lambda: e.OrderOutcomeUnknown(**WHEN),
    K.ACCEPTED: lambda: e.OrderAccepted(venue_order_id=VenueOrderId("v-1"), **WHEN),
    K.REJECTED: lambda: e.OrderRejected(reason=OrderReason.POST_ONLY, **WHEN),
    K.TRIGGERED: lambda: e.OrderTriggered(**WHEN),
    K.PARTIALLY_FILLED: lambda: filled("1", fill_id="part"),
    K.FILLED: lambda: filled("10", fill_id="whole"),
    K.CANCEL_PENDING: lambda: e.OrderCancelPending(**WHEN),
    K.CANCEL_REJECTED: lambda: e.OrderCancelRejected(**WHEN),
    K.CANCELLED: lambda: e.OrderCancelled(**WHEN),
    K.AMEND_PENDING: lambda: e.OrderAmendPending(**WHEN),
    K.AMEND_REJECTED: lambda: e.OrderAmendRejected(**WHEN),
    K.AMENDED: lambda: e.OrderAmended(price=D(99), **WHEN),
    K.EXPIRED: lambda: e.OrderExpired(**WHEN),
}

#: The shortest legal life that leads to each status.
ROADS: dict[OrderStatus, tuple[OrderEventKind, ...]] = {
    S.INITIALIZED: (),
    S.HELD: (K.HELD,),
    S.SUBMITTED: (K.SUBMITTED,),
    S.UNKNOWN: (K.SUBMITTED, K.OUTCOME_UNKNOWN),
    S.ACCEPTED: (K.SUBMITTED, K.ACCEPTED),
    S.TRIGGERED: (K.SUBMITTED, K.ACCEPTED, K.TRIGGERED),
    S.PARTIALLY_FILLED: (K.SUBMITTED, K.ACCEPTED),
    S.PENDING_CANCEL: (K.SUBMITTED, K.ACCEPTED, K.CANCEL_PENDING),
    S.PENDING_AMEND: (K.SUBMITTED, K.ACCEPTED, K.AMEND_PENDING),
    S.DENIED: (K.DENIED,),
    S.REJECTED: (K.SUBMITTED, K.REJECTED),
    S.FILLED: (K.SUBMITTED, K.ACCEPTED, K.FILLED),
    S.CANCELLED: (K.SUBMITTED, K.ACCEPTED, K.CANCELLED),
    S.EXPIRED: (K.SUBMITTED, K.ACCEPTED, K.EXPIRED),
}

#: Written down again, by hand, so that a slip in the table is seen.
TRADES = "partially_filled filled cancelled expired"
LEGAL: dict[OrderStatus, str] = {
    S.INITIALIZED: "denied held submitted",
    S.HELD: "denied submitted amended cancelled expired",
    S.SUBMITTED: f"{TRADES} outcome_unknown accepted rejected triggered cancel_pending",
    S.UNKNOWN: f"{TRADES} accepted rejected triggered cancel_pending cancel_rejected",
    S.ACCEPTED: f"{TRADES} rejected triggered cancel_pending amend_pending amended",
    S.TRIGGERED: f"{TRADES} accepted rejected cancel_pending amend_pending amended",
    S.PARTIALLY_FILLED: f"{TRADES} accepted cancel_pending amend_pending amended",
    S.PENDING_CANCEL: (
        f"{TRADES} outcome_unknown accepted rejected triggered cancel_rejected amended amend_rejected"
    ),
    S.PENDING_AMEND: f"{TRADES} accepted rejected triggered cancel_pending amended amend_rejected",
    S.DENIED: "",
    S.REJECTED: "",
    S.FILLED: "",
    S.CANCELLED: "",
    S.EXPIRED: "",
}


def order_in(status: OrderStatus) -> Order:
    order = Order.of(request())
    for kind in ROADS[status]:
        order = order.apply(EVENTS[kind]())
    if status is S.PARTIALLY_FILLED:
        order = order.apply(filled("2", fill_id="first"))
    assert order.status is status
    return order


def closing_event(order: Order, kind: OrderEventKind) -> OrderEvent:
    if kind is K.FILLED and order.remaining is not None and order.remaining > 0:
        return filled(str(order.remaining), fill_id="whole")
    return EVENTS[kind]()


def test_every_status_and_event_is_covered() -> None:
    assert set(TRANSITIONS) == set(OrderStatus) == set(ROADS) == set(LEGAL)
    assert set(EVENTS) == set(OrderEventKind)


@pytest.mark.parametrize("kind", OrderEventKind)
@pytest.mark.parametrize("status", OrderStatus)
def test_exactly_the_legal_transitions_happen(status: OrderStatus, kind: OrderEventKind) -> None:
    order = order_in(status)
    event = closing_event(order, kind)
    if kind in LEGAL[status].split():
        target = TRANSITIONS[status][kind]
        after = order.apply(event)
        assert after.status is (S.ACCEPTED if isinstance(target, Resume) else target)
        assert order.can_apply(event)
        assert order.status is status, "the order itself must not change"
        assert after.ts_last == 3
    else:
        assert not order.can_apply(event)
        with pytest.raises(InvariantBroken, match="order o-1"):
            order.apply(event)


@pytest.mark.parametrize("status", sorted(FINAL_STATUSES))
def test_a_final_order_accepts_nothing(status: OrderStatus) -> None:
    assert not TRANSITIONS[status]
    assert status.is_final
    assert not status.is_open


def test_an_order_is_open_exactly_when_it_may_exist_at_the_venue() -> None:
    assert OPEN_STATUSES | FINAL_STATUSES | {S.INITIALIZED, S.HELD} == set(OrderStatus)
    assert not OPEN_STATUSES & FINAL_STATUSES


def test_every_status_is_reached_and_every_open_one_can_end() -> None:
    targets = {target for row in TRANSITIONS.values() for target in row.values()}
    assert set(OrderStatus) - {S.INITIALIZED} <= targets
    for status in OPEN_STATUSES:
        assert FINAL_STATUSES & set(TRANSITIONS[status].values())


def test_whole_and_partial_fills_are_legal_in_the_same_states() -> None:
    for row in TRANSITIONS.values():
        assert (K.FILLED in row) == (K.PARTIALLY_FILLED in row)


def test_the_same_client_order_is_never_sent_twice() -> None:
    for status in OrderStatus:
        if status not in (S.INITIALIZED, S.HELD):
            assert K.SUBMITTED not in TRANSITIONS[status]


@pytest.mark.parametrize(
    ("before", "resumed"),
    [
        ((K.SUBMITTED,), S.SUBMITTED),
        ((K.SUBMITTED, K.OUTCOME_UNKNOWN), S.UNKNOWN),
        ((K.SUBMITTED, K.OUTCOME_UNKNOWN, K.ACCEPTED), S.ACCEPTED),
        ((K.SUBMITTED, K.ACCEPTED), S.ACCEPTED),
        ((K.SUBMITTED, K.ACCEPTED, K.TRIGGERED), S.TRIGGERED),
        ((K.SUBMITTED, K.ACCEPTED, K.TRIGGERED, K.PARTIALLY_FILLED), S.PARTIALLY_FILLED),
    ],
)
def test_a_refused_cancel_returns_to_where_the_order_was(
    before: tuple[OrderEventKind, ...], resumed: OrderStatus
) -> None:
    order = Order.of(request())
    for kind in (*before, K.CANCEL_PENDING, K.CANCEL_REJECTED):
        order = order.apply(EVENTS[kind]())
    assert order.status is resumed


def test_what_happens_while_a_cancel_is_under_way_is_not_forgotten() -> None:
    order = order_in(S.PENDING_CANCEL).apply(EVENTS[K.PARTIALLY_FILLED]())
    assert order.status is S.PENDING_CANCEL
    assert order.filled == 1
    assert order.apply(EVENTS[K.CANCEL_REJECTED]()).status is S.PARTIALLY_FILLED


def test_fills_add_up() -> None:
    order = order_in(S.ACCEPTED)
    order = order.apply(filled("4", price="100", fill_id="a", fee="0.4"))
    assert (order.status, order.filled, order.remaining) == (S.PARTIALLY_FILLED, 4, 6)
    order = order.apply(filled("6", price="110", fill_id="b", fee="0.001", fee_currency="BNB"))
    assert (order.status, order.filled, order.remaining) == (S.FILLED, 10, 0)
    assert order.average_price == 106
    assert order.fees == {"USDT": D("0.4"), "BNB": D("0.001")}
    assert [known.fill_id for known in order.fills] == ["a", "b"]


@pytest.mark.parametrize(
    ("event", "match"),
    [
        (filled("11"), "11 filled in all; expected at most 10"),
        (filled("1", price="0"), "of 1 at 0"),
        (filled("0"), "of 0 at 100"),
        (filled("1", side=Side.SELL), "sell on"),
        (filled("1", instrument=LINEAR), "on binance:BTC/USDT:USDT"),
        (filled("1", leaves="8"), "has 9 in all after fill f-1; expected 10"),
    ],
)
def test_a_fill_that_does_not_fit_the_order_is_refused(event: OrderEvent, match: str) -> None:
    with pytest.raises(InvariantBroken, match=match):
        order_in(S.ACCEPTED).apply(event)


def test_a_repeated_fill_is_refused_and_can_be_recognised() -> None:
    event = filled("4", fill_id="a")
    order = order_in(S.ACCEPTED).apply(event)
    assert isinstance(event, e.OrderFilled)
    assert order.has_fill(event.fill)
    with pytest.raises(InvariantBroken, match="fill a twice"):
        order.apply(event)


def test_events_and_fills_of_another_order_are_refused() -> None:
    other = ClientOrderId("o-2")
    with pytest.raises(InvariantBroken, match="an event of order o-2"):
        order_in(S.SUBMITTED).apply(
            e.OrderAccepted(client_order_id=other, venue_order_id=VenueOrderId("v"), ts_event=1, ts_init=1)
        )
    with pytest.raises(InvariantBroken, match="a fill of order o-2"):
        order_in(S.SUBMITTED).apply(filled("1", client_order_id=other))


def test_an_order_for_a_value_learns_its_quantity_from_its_fills() -> None:
    order = Order.of(request(quantity=None, value=D(1000))).apply(EVENTS[K.SUBMITTED]())
    assert order.remaining is None
    with pytest.raises(InvariantBroken, match="no fixed quantity"):
        order.apply(filled("4"))
    order = order.apply(filled("4", leaves="5", fill_id="a"))
    assert (order.status, order.quantity) == (S.PARTIALLY_FILLED, 9)
    order = order.apply(filled("4.5", leaves="0", fill_id="b"))
    assert (order.status, order.quantity, order.filled) == (S.FILLED, D("8.5"), D("8.5"))


@pytest.mark.parametrize("flag", ["clip", "reduce_only"])
def test_an_order_that_may_shrink_is_done_when_nothing_is_left(flag: str) -> None:
    order = Order.of(request(**{flag: True})).apply(EVENTS[K.SUBMITTED]())
    order = order.apply(filled("7", leaves="0"))
    assert (order.status, order.quantity) == (S.FILLED, 7)


def test_an_amendment_replaces_the_terms_it_names() -> None:
    order = Order.of(request(type=OrderType.LIMIT, price=D(100)))
    for kind in (K.SUBMITTED, K.ACCEPTED, K.AMEND_PENDING):
        order = order.apply(EVENTS[kind]())
    order = order.apply(e.OrderAmended(quantity=D(12), venue_order_id=VenueOrderId("v-2"), **WHEN))
    assert (order.status, order.quantity, order.request.quantity) == (S.ACCEPTED, 12, 12)
    assert (order.request.price, order.venue_order_id) == (100, "v-2")
    order = order.apply(filled("5", fill_id="a"))
    with pytest.raises(InvariantBroken, match="amended to 5 with 5 filled"):
        order.apply(e.OrderAmended(quantity=D(5), **WHEN))


def test_an_ending_says_why() -> None:
    assert order_in(S.REJECTED).reason is OrderReason.POST_ONLY
    assert order_in(S.REJECTED).message == OrderReason.POST_ONLY.description
    assert order_in(S.EXPIRED).reason is OrderReason.GTD
    assert order_in(S.FILLED).reason is None


LIMIT: dict[str, Any] = {"type": OrderType.LIMIT, "price": D(100)}


@pytest.mark.parametrize(
    "terms",
    [
        {},
        LIMIT,
        LIMIT | {"post_only": True},
        {"type": OrderType.STOP, "stop_price": D(90)},
        {"type": OrderType.STOP_LIMIT, "stop_price": D(90), "price": D(89)},
        {"type": OrderType.TRAILING_STOP, "trail_fraction": D("0.02")},
        {"type": OrderType.TRAILING_STOP, "trail": D(5), "stop_price": D(120)},
        {"quantity": None, "value": D(100)},
        {"quantity": None, "close_position": True},
        {"time_in_force": TimeInForce.GTD, "expire_ts": 9},
    ],
)
def test_sensible_requests_have_no_problem(terms: dict[str, Any]) -> None:
    assert request(**terms).problem() is None


@pytest.mark.parametrize(
    ("terms", "reason", "field"),
    [
        ({"quantity": None}, OrderReason.BAD_QUANTITY, "quantity"),
        ({"value": D(5)}, OrderReason.BAD_QUANTITY, "quantity"),
        ({"close_position": True}, OrderReason.BAD_QUANTITY, "quantity"),
        ({"quantity": D(0)}, OrderReason.BAD_QUANTITY, "quantity"),
        ({"quantity": D("NaN")}, OrderReason.BAD_QUANTITY, "quantity"),
        ({"quantity": D("Infinity")}, OrderReason.BAD_QUANTITY, "quantity"),
        ({"quantity": None, "value": D(-1)}, OrderReason.BAD_QUANTITY, "value"),
        ({"price": D(1)}, OrderReason.BAD_PRICE, "price"),
        ({"type": OrderType.LIMIT}, OrderReason.BAD_PRICE, "price"),
        (LIMIT | {"price": D("NaN")}, OrderReason.BAD_PRICE, "price"),
        (LIMIT | {"stop_price": D(1)}, OrderReason.BAD_PRICE, "stop_price"),
        ({"type": OrderType.TAKE_PROFIT}, OrderReason.BAD_PRICE, "stop_price"),
        ({"type": OrderType.TRAILING_STOP}, OrderReason.BAD_PRICE, "trail"),
        (
            {"type": OrderType.TRAILING_STOP, "trail": D(1), "trail_fraction": D("0.1")},
            OrderReason.BAD_PRICE,
            "trail",
        ),
        ({"type": OrderType.TRAILING_STOP, "trail_fraction": D(2)}, OrderReason.BAD_PRICE, "trail_fraction"),
        ({"trail": D(1)}, OrderReason.BAD_PRICE, "trail"),
        ({"time_in_force": TimeInForce.GTD}, OrderReason.UNSUPPORTED, "expire_ts"),
        ({"expire_ts": 5}, OrderReason.UNSUPPORTED, "expire_ts"),
        ({"post_only": True}, OrderReason.UNSUPPORTED, "post_only"),
        (LIMIT | {"post_only": True, "time_in_force": TimeInForce.IOC}, OrderReason.UNSUPPORTED, "post_only"),
    ],
)
def test_what_is_wrong_with_a_request(terms: dict[str, Any], reason: OrderReason, field: str) -> None:
    problem = request(**terms).problem()
    assert problem is not None
    assert (problem.reason, problem.field) == (reason, field)
    assert "order o-1 on binance:BTC/USDT" in str(problem)


def test_sides() -> None:
    assert (Side.BUY.sign, Side.SELL.sign) == (1, -1)
    assert Side.BUY.opposite is Side.SELL
    assert Side.SELL.opposite is Side.BUY
