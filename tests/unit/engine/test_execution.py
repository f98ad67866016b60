from decimal import Decimal

import pytest

from cashup.engine.execution import ExecutionEngine
from cashup.engine.journal import MemoryJournal
from cashup.model.commands import AmendOrder, CancelOrder, SubmitOrder
from cashup.model.errors import InvariantBroken, OrderRefused
from cashup.model.events import (
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderCancelRejected,
    OrderFilled,
    OrderSubmitted,
)
from cashup.model.ids import (
    AccountId,
    ClientOrderId,
    Currency,
    FillId,
    InstrumentId,
    StrategyId,
    VenueOrderId,
)
from cashup.model.orders import Fill, OrderRequest, OrderStatus, OrderType, Side
from cashup.model.reasons import OrderReason
from cashup.runtime.clock import SimClock

BTC = InstrumentId("binance:BTC/USDT")
ACCOUNT = AccountId("paper")


class Venue:
    """A venue that remembers what it was asked, and how long the journal was at that moment."""

    def __init__(self, journal):
        self.journal = journal
        self.commands = []
        self.journalled = []

    def connect(self, sink):
        raise AssertionError("the engine does not connect the client")

    def submit(self, command):
        self.commands.append(command)
        self.journalled.append(len(self.journal.entries))

    cancel = amend = submit


@pytest.fixture
def venue():
    return Venue(MemoryJournal())


@pytest.fixture
def engine(venue):
    return ExecutionEngine(venue, venue.journal, SimClock(5))


def request(name="1", **terms):
    defaults = {"side": Side.BUY, "type": OrderType.LIMIT, "quantity": Decimal(2), "price": Decimal(100)}
    return OrderRequest(
        client_order_id=ClientOrderId(name),
        instrument_id=BTC,
        account_id=ACCOUNT,
        strategy_id=StrategyId("test"),
        ts_init=5,
        **(defaults | terms),
    )


def submit(*requests):
    return SubmitOrder(account_id=ACCOUNT, ts_init=5, requests=requests)


def cancel(name="1"):
    return CancelOrder(account_id=ACCOUNT, ts_init=5, instrument_id=BTC, client_order_id=ClientOrderId(name))


def accepted(name="1"):
    return OrderAccepted(
        client_order_id=ClientOrderId(name), ts_event=6, ts_init=6, venue_order_id=VenueOrderId("v" + name)
    )


def filled(quantity="1", number="1", name="1"):
    fill = Fill(
        fill_id=FillId(number),
        client_order_id=ClientOrderId(name),
        instrument_id=BTC,
        account_id=ACCOUNT,
        strategy_id=StrategyId("test"),
        side=Side.BUY,
        quantity=Decimal(quantity),
        price=Decimal(100),
        fee=Decimal(0),
        fee_currency=Currency("USDT"),
        ts_event=7,
        ts_init=7,
    )
    return OrderFilled(client_order_id=ClientOrderId(name), ts_event=7, ts_init=7, fill=fill)


def kinds(journal):
    return [type(entry).__name__ for entry in journal.entries]


def status(engine, name="1"):
    return engine.orders[ClientOrderId(name)].status


def test_the_journal_is_written_before_anything_is_sent(engine, venue):
    engine.submit(submit(request()))
    assert venue.journalled == [2]
    assert kinds(venue.journal) == ["OrderInitialized", "OrderSubmitted"]
    engine.apply(accepted())
    assert engine.cancel(cancel())
    assert venue.journalled == [2, 4]
    assert kinds(venue.journal)[-1] == "OrderCancelPending"


def test_a_bracket_is_sent_together_and_its_children_are_held(engine, venue):
    parent, child = request("1"), request("2", side=Side.SELL, parent_id=ClientOrderId("1"))
    engine.submit(submit(parent, child))
    assert len(venue.commands) == 1
    assert (status(engine, "1"), status(engine, "2")) == (OrderStatus.SUBMITTED, OrderStatus.HELD)
    engine.apply(OrderSubmitted(client_order_id=ClientOrderId("2"), ts_event=8, ts_init=8))
    assert status(engine, "2") is OrderStatus.SUBMITTED


def test_a_life_from_submission_to_the_last_fill(engine):
    engine.submit(submit(request()))
    states = [engine.apply(event).status for event in (accepted(), filled("0.5", "a"), filled("1.5", "b"))]
    assert states == [OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED]


@pytest.mark.parametrize("repeat", ["accepted", "fill", "late accepted"])
def test_what_a_venue_repeats_is_dropped(engine, venue, repeat):
    engine.submit(submit(request()))
    engine.apply(accepted())
    engine.apply(filled("1", "a"))
    if repeat == "late accepted":
        engine.apply(filled("1", "b"))
    before, entries = status(engine), len(venue.journal.entries)
    event = filled("1", "a") if repeat == "fill" else accepted()
    if repeat == "accepted":
        # The table lets an acknowledgement pass after a fill: it changes nothing and may be journalled.
        assert engine.apply(event).status is before
        return
    assert engine.apply(event) is None
    assert (status(engine), len(venue.journal.entries), engine.duplicates) == (before, entries, 1)


def test_a_repeated_acknowledgement_is_dropped(engine):
    engine.submit(submit(request()))
    engine.apply(accepted())
    assert engine.apply(accepted()) is None
    assert engine.duplicates == 1


def test_a_new_fill_of_a_cancelled_order_is_not_swallowed(engine):
    engine.submit(submit(request()))
    engine.apply(accepted())
    engine.apply(OrderCancelled(client_order_id=ClientOrderId("1"), ts_event=7, ts_init=7))
    with pytest.raises(InvariantBroken, match="cancelled"):
        engine.apply(filled())


def test_an_event_of_a_strange_order_is_a_fault(engine):
    with pytest.raises(InvariantBroken, match="never made"):
        engine.apply(accepted("9"))


def test_an_order_cannot_be_sent_twice(engine, venue):
    engine.submit(submit(request()))
    with pytest.raises(InvariantBroken, match="made twice"):
        engine.submit(submit(request()))
    assert len(venue.commands) == 1


def test_a_refused_order_is_journalled_and_never_sent(engine, venue):
    event = engine.deny(request(), OrderRefused("too much", reason=OrderReason.RISK_LIMIT))
    assert (event.reason, event.message) == (OrderReason.RISK_LIMIT, "too much")
    assert status(engine) is OrderStatus.DENIED
    assert kinds(venue.journal) == ["OrderInitialized", "OrderDenied"]
    assert venue.commands == []


def test_a_cancel_is_asked_for_once_and_may_fail(engine, venue):
    engine.submit(submit(request()))
    engine.apply(accepted())
    assert not engine.cancel(cancel("9"))
    assert engine.cancel(cancel())
    assert not engine.cancel(cancel())
    assert len(venue.commands) == 2
    rejected = OrderCancelRejected(client_order_id=ClientOrderId("1"), ts_event=9, ts_init=9)
    assert engine.apply(rejected).status is OrderStatus.ACCEPTED
    assert engine.cancel(cancel())


def test_terms_change_only_when_the_venue_says_so(engine, venue):
    engine.submit(submit(request()))
    amend = AmendOrder(
        account_id=ACCOUNT,
        ts_init=5,
        instrument_id=BTC,
        client_order_id=ClientOrderId("1"),
        price=Decimal(99),
    )
    assert not engine.amend(amend)
    engine.apply(accepted())
    assert engine.amend(amend)
    assert engine.orders[ClientOrderId("1")].request.price == 100
    amended = OrderAmended(client_order_id=ClientOrderId("1"), ts_event=9, ts_init=9, price=Decimal(99))
    assert engine.apply(amended).request.price == 99
    assert venue.commands[-1] is amend


def test_a_restart_rebuilds_the_orders_and_names_those_to_ask_about(engine, venue):
    for name in ("1", "2", "3"):
        engine.submit(submit(request(name)))
    engine.apply(accepted("2"))
    engine.apply(filled("2", name="3"))
    engine.deny(request("4"), OrderRefused("no"))
    again = ExecutionEngine(venue, venue.journal, SimClock(50))
    assert list(again.recover(venue.journal.load())) == ["1", "2"]
    expected = [OrderStatus.UNKNOWN, OrderStatus.ACCEPTED, OrderStatus.FILLED, OrderStatus.DENIED]
    assert [order.status for order in again.orders.values()] == expected
