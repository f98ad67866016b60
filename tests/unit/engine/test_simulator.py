import math
from decimal import Decimal

import pytest

from cashup.engine.cache import BarsClosed
from cashup.engine.order_rows import EVERYTHING
from cashup.engine.ports import JoinGroup
from cashup.engine.simulator import FundingDue, SimulatedExchange
from cashup.kernel import types as k
from cashup.kernel.memory import InstrumentSpec, Rules, Tier
from cashup.model.commands import AmendOrder, CancelOrder, SubmitOrder
from cashup.model.events import FundingPaid, Liquidated, OrderFilled
from cashup.model.ids import AccountId, ClientOrderId, Currency, GroupId, InstrumentId, StrategyId
from cashup.model.instrument import Instrument, InstrumentKind
from cashup.model.orders import FillKind, OrderRequest, OrderType, Side, TimeInForce
from cashup.model.reasons import OrderReason

ACCOUNT, USDT = AccountId("paper"), Currency("USDT")
SPOT = Instrument(
    id=InstrumentId("binance:BTC/USDT"),
    kind=InstrumentKind.SPOT,
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.01"),
)
PERPETUAL = Instrument(
    id=InstrumentId("gate:BTC/USDT:USDT"),
    kind=InstrumentKind.LINEAR_PERPETUAL,
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.01"),
    max_leverage=Decimal(100),
)
PERPETUAL_SPEC = InstrumentSpec(
    kind=k.LINEAR,
    margin_mode=k.ISOLATED,
    leverage=10.0,
    tick=0.1,
    lot=0.01,
    taker_fee=0.001,
    tiers=(Tier(notional_floor=0.0, max_leverage=100.0, maintenance_rate=0.01),),
)


class Venue:
    """An exchange with one instrument, its clock and what it said."""

    def __init__(self, instrument=SPOT, spec=None, **options):
        self.instrument = instrument
        self.exchange = SimulatedExchange(
            [instrument],
            [spec or InstrumentSpec(tick=0.1, lot=0.01, taker_fee=0.001)],
            cash=1000.0,
            currency=USDT,
            account_id=ACCOUNT,
            **options,
        )
        self.events = []
        self.exchange.connect(self.events.append)
        self.minute = 0
        self.count = 0

    def bar(self, opened, high, low, close, volume=1000.0):
        step = BarsClosed(
            self.minute, self.minute + 60, self.minute + 60, ((opened, high, low, close, volume, math.nan),)
        )
        self.minute += 60
        self.exchange.handle(step)

    def order(self, side=Side.BUY, **terms):
        self.count += 1
        defaults = {"type": OrderType.MARKET, "quantity": Decimal(1)}
        if {"value", "close_position"} & set(terms):
            del defaults["quantity"]
        return OrderRequest(
            client_order_id=ClientOrderId(f"c{self.count}"),
            instrument_id=self.instrument.id,
            account_id=ACCOUNT,
            strategy_id=StrategyId("s"),
            side=side,
            ts_init=self.minute,
            **(defaults | terms),
        )

    def submit(self, *requests):
        self.exchange.submit(SubmitOrder(account_id=ACCOUNT, ts_init=self.minute, requests=requests))
        return [request.client_order_id for request in requests]

    def cancel(self, name):
        self.exchange.cancel(
            CancelOrder(
                account_id=ACCOUNT,
                ts_init=self.minute,
                instrument_id=self.instrument.id,
                client_order_id=ClientOrderId(name),
            )
        )

    def said(self):
        said = [(type(event).__name__, getattr(event, "client_order_id", None)) for event in self.events]
        self.events.clear()
        return said


def test_a_market_order_fills_at_the_next_open():
    venue = Venue()
    venue.bar(100.0, 101.0, 99.0, 100.0)
    venue.submit(venue.order())
    assert venue.events == []
    venue.bar(102.0, 103.0, 101.0, 102.5)
    (event,) = venue.events
    assert isinstance(event, OrderFilled)
    assert (event.fill.price, event.fill.quantity) == (102, 1)
    assert float(event.fill.fee) == pytest.approx(0.102)
    assert (event.ts_event, event.ts_init) == (60, 120)


def test_a_limit_order_is_acknowledged_and_rests():
    venue = Venue()
    venue.bar(100.0, 101.0, 99.0, 100.0)
    venue.submit(venue.order(type=OrderType.LIMIT, price=Decimal("95.0")))
    venue.bar(100.0, 101.0, 99.0, 100.0)
    assert venue.said() == [("OrderAccepted", "c1")]
    venue.bar(96.0, 97.0, 94.0, 96.0)
    assert venue.said() == [("OrderFilled", "c1")]


def test_children_wake_with_their_parents_fill_and_cancel_each_other():
    venue = Venue()
    venue.bar(100.0, 101.0, 99.0, 100.0)
    parent = venue.order()
    exits = {
        "close_position": True,
        "reduce_only": True,
        "parent_id": parent.client_order_id,
        "group_id": GroupId("g"),
    }
    stop = venue.order(Side.SELL, type=OrderType.STOP, stop_price=Decimal("95.0"), **exits)
    goal = venue.order(Side.SELL, type=OrderType.LIMIT, price=Decimal("110.0"), **exits)
    venue.submit(parent, stop, goal)
    venue.bar(100.0, 101.0, 99.0, 100.0)
    assert venue.said() == [
        ("OrderFilled", "c1"),
        ("OrderAmended", "c2"),
        ("OrderSubmitted", "c2"),
        ("OrderAccepted", "c2"),
        ("OrderAmended", "c3"),
        ("OrderSubmitted", "c3"),
        ("OrderAccepted", "c3"),
    ]
    venue.bar(100.0, 101.0, 94.0, 100.0)
    assert venue.said() == [("OrderTriggered", "c2"), ("OrderFilled", "c2"), ("OrderCancelled", "c3")]


def test_orders_joined_later_cancel_each_other_too():
    venue = Venue()
    venue.bar(100.0, 101.0, 99.0, 100.0)
    names = venue.submit(
        venue.order(type=OrderType.LIMIT, price=Decimal("95.0")),
        venue.order(type=OrderType.LIMIT, price=Decimal("90.0")),
    )
    for name in names:
        venue.exchange.join_group(
            JoinGroup(account_id=ACCOUNT, ts_init=60, client_order_id=name, group_id=GroupId("late"))
        )
    venue.bar(96.0, 97.0, 94.0, 96.0)
    assert venue.said()[-2:] == [("OrderFilled", "c1"), ("OrderCancelled", "c2")]


def test_what_cannot_be_cancelled_or_changed_is_said():
    venue = Venue()
    venue.cancel("nobody")
    (name,) = venue.submit(venue.order(type=OrderType.LIMIT, price=Decimal("95.0")))
    venue.exchange.amend(
        AmendOrder(
            account_id=ACCOUNT,
            ts_init=0,
            instrument_id=SPOT.id,
            client_order_id=name,
            price=Decimal(96),
        )
    )
    venue.cancel(name)
    venue.cancel(name)
    assert venue.said() == [
        ("OrderCancelRejected", "nobody"),
        ("OrderAmendRejected", "c1"),
        ("OrderCancelled", "c1"),
        ("OrderCancelRejected", "c1"),
    ]


def test_a_cancel_travels_as_long_as_an_order():
    venue = Venue(rules=Rules(latency=90))
    venue.bar(100.0, 101.0, 99.0, 100.0)
    (name,) = venue.submit(venue.order(type=OrderType.LIMIT, price=Decimal("95.0")))
    venue.bar(100.0, 101.0, 94.0, 100.0)
    assert venue.said() == []  # not there yet
    venue.bar(100.0, 101.0, 99.0, 100.0)
    venue.bar(100.0, 101.0, 99.0, 100.0)
    assert venue.said() == [("OrderAccepted", "c1")]
    venue.cancel(name)
    venue.cancel(name)
    venue.bar(96.0, 97.0, 94.0, 96.0)
    assert venue.said() == [("OrderFilled", "c1")]


def test_prices_of_bars_without_orders_are_known_when_one_comes():
    venue = Venue(spec=InstrumentSpec(tick=0.1, lot=0.01, min_notional=50.0))
    venue.bar(100.0, 101.0, 99.0, 100.0)
    venue.submit(venue.order(quantity=Decimal("0.5")))
    assert venue.said() == []
    venue.bar(10.0, 10.0, 10.0, 10.0)
    venue.bar(10.0, 10.0, 10.0, 10.0)
    venue.said()
    venue.submit(venue.order(quantity=Decimal("0.5")))
    (event,) = venue.events
    assert event.reason is OrderReason.MIN_NOTIONAL


def test_all_there_is_is_spent_and_the_quantity_told():
    venue = Venue()
    venue.bar(100.0, 100.0, 100.0, 100.0)
    venue.submit(venue.order(value=EVERYTHING, clip=True))
    venue.bar(100.0, 100.0, 100.0, 100.0)
    (event,) = venue.events
    assert (event.fill.quantity, event.leaves) == (Decimal("9.99"), 0)


def test_a_thin_bar_fills_part_and_immediate_orders_lose_the_rest():
    venue = Venue(rules=Rules(volume_limit=0.1))
    venue.bar(100.0, 100.0, 100.0, 100.0)
    venue.submit(venue.order(quantity=Decimal(2), time_in_force=TimeInForce.IOC))
    venue.bar(100.0, 100.0, 100.0, 100.0, volume=5.0)
    kinds = venue.said()
    assert kinds == [("OrderAccepted", "c1"), ("OrderFilled", "c1"), ("OrderCancelled", "c1")]


def test_funding_is_paid_at_its_time_on_the_position_held_then():
    venue = Venue(PERPETUAL, PERPETUAL_SPEC)
    venue.bar(100.0, 100.0, 100.0, 100.0)
    venue.submit(venue.order(quantity=Decimal(2)))
    venue.exchange.handle(FundingDue(0, 60, 60, 0.01, 100.0))  # at the open: nothing is held yet
    venue.exchange.handle(FundingDue(0, 90, 90, 0.001, 102.0))
    venue.bar(100.0, 100.0, 100.0, 100.0)
    paid = [event for event in venue.events if isinstance(event, FundingPaid)]
    (event,) = paid
    assert (event.ts_event, event.mark_price) == (90, 102)
    assert float(event.amount) == pytest.approx(-0.204)


def test_a_liquidation_is_a_trade_of_the_venues_own():
    venue = Venue(PERPETUAL, PERPETUAL_SPEC)
    venue.bar(100.0, 100.0, 100.0, 100.0)
    venue.submit(venue.order(quantity=Decimal(10)))
    venue.bar(100.0, 100.0, 100.0, 100.0)
    venue.events.clear()
    venue.bar(100.0, 100.0, 80.0, 85.0)
    fill, told = venue.events
    assert fill.fill.kind is FillKind.LIQUIDATION
    assert isinstance(told, Liquidated)
    assert (told.quantity, told.price) == (10, fill.fill.price)
    assert told.price == pytest.approx(Decimal("90.909"), abs=Decimal("0.01"))


def test_closing_the_venue_ends_what_still_works():
    venue = Venue()
    venue.submit(venue.order(type=OrderType.LIMIT, price=Decimal("95.0")))
    venue.exchange.close()
    (event,) = venue.events
    assert event.reason is OrderReason.END_OF_RUN


def test_an_instrument_the_venue_does_not_know_is_rejected():
    venue = Venue()
    stranger = OrderRequest(
        client_order_id=ClientOrderId("x"),
        instrument_id=PERPETUAL.id,
        account_id=ACCOUNT,
        strategy_id=StrategyId("s"),
        side=Side.BUY,
        type=OrderType.MARKET,
        quantity=Decimal(1),
        ts_init=0,
    )
    venue.submit(stranger)
    (event,) = venue.events
    assert event.reason is OrderReason.UNKNOWN_INSTRUMENT
