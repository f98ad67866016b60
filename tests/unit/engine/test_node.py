from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from cashup.backtest.events import ACCOUNT, StoredFeed, drive, instruments_of, run_events
from cashup.backtest.market import InstrumentData, MarketData
from cashup.engine.bars import BarTable
from cashup.engine.callbacks import wants_of
from cashup.engine.journal import MemoryJournal
from cashup.engine.node import Node, NodePorts
from cashup.engine.node_host import NodeHost
from cashup.engine.portfolio import Portfolio
from cashup.engine.rules import RiskLimits, simulated_rules
from cashup.engine.simulator import SimulatedExchange
from cashup.engine.strategy import Strategy, attach, unroll
from cashup.kernel import types as k
from cashup.kernel.memory import InstrumentSpec, Rules
from cashup.model.commands import CancelAll, HaltTrading, ResumeTrading
from cashup.model.errors import DataError, InvariantBroken, StrategyFailed
from cashup.model.events import (
    BalanceChanged,
    OrderDenied,
    OrderEvent,
    OrderFilled,
    PositionChanged,
    TradingHalted,
    TradingResumed,
)
from cashup.model.ids import StrategyId
from cashup.model.market import Bar
from cashup.model.orders import OrderStatus
from cashup.model.reasons import OrderReason
from cashup.model.time import Timeframe
from cashup.runtime.bus import MessageBus
from cashup.runtime.clock import SimClock, TimerFired

MINUTE = 60_000_000_000
NAME = "binance:BTC/USDT"


def data(closes, **spec):
    """A market that opens every bar where the last one closed, and strays 1 to each side."""
    close = np.array(closes, float)
    opened = np.concatenate([[close[0]], close[:-1]])
    high, low = np.maximum(opened, close) + 1, np.minimum(opened, close) - 1
    ts = np.arange(len(close)) * MINUTE
    table = BarTable.of(NAME, "1m", ts, opened, high, low, close, np.full(len(close), 100.0))
    constants = InstrumentSpec(tick=0.01, lot=0.001, taker_fee=0.001, **spec)
    return MarketData(instruments=(InstrumentData(spec=constants, bars=table),), cash=10_000.0, rules=Rules())


class Script(Strategy):
    """Does at each bar what it is told."""

    warmup = 0

    def __init__(self, **steps):
        super().__init__()
        self.steps = {int(name.removeprefix("at")): step for name, step in steps.items()}
        self.heard = []

    def on_bar(self):
        step = self.steps.get(self.index)
        if step is not None:
            step(self)

    def on_order(self, order):
        self.heard.append((self.index, order.id, order.status, order.reason))


def assembled(strategy, market, *, rules=None, bus=None):
    """Put a node together the way a backtest does, and leave the driving to the test."""
    host = NodeHost(market.memory(wants=wants_of(strategy)))
    attach(strategy, market.view, host)
    unroll(strategy)
    instruments = instruments_of(market)
    currency = instruments[0].settle
    exchange = SimulatedExchange(
        instruments,
        [item.spec for item in market.instruments],
        cash=market.cash,
        currency=currency,
        account_id=ACCOUNT,
        rules=market.rules,
    )
    journal = MemoryJournal()
    node = Node(
        strategy,
        host,
        Portfolio(ACCOUNT, instruments, currency=currency, cash=Decimal(repr(market.cash))),
        NodePorts(clock=SimClock(), client=exchange, journal=journal, bus=bus or MessageBus()),
        account_id=ACCOUNT,
        strategy_id=StrategyId("script"),
        rules=rules,
    )
    return node, exchange, journal


def steps_of(market):
    return list(StoredFeed(market).events())


def play(node, exchange, events):
    for event in events:
        exchange.handle(event)
        node.handle(event)


def names(journal):
    return [f"{type(entry).__name__}" for entry in journal.entries]


def test_a_bracket_lives_through_the_journal():
    market = data([100, 100, 100, 105, 105])
    script = Script(at0=lambda self: self.buy(1.0, stop_loss=95.0, take_profit=104.0))
    node, exchange, journal = assembled(script, market)
    play(node, exchange, steps_of(market))
    assert names(journal) == [
        "OrderInitialized",
        "OrderSubmitted",
        "OrderInitialized",
        "OrderHeld",
        "OrderInitialized",
        "OrderHeld",
        "OrderFilled",
        "OrderAmended",
        "OrderSubmitted",
        "OrderAccepted",
        "OrderAmended",
        "OrderSubmitted",
        "OrderAccepted",
        "OrderFilled",
        "OrderCancelled",
    ]
    states = [order.status for order in node.execution.orders.values()]
    assert states == [OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.FILLED]
    assert node.portfolio.cash == Decimal("10000") + 4 - Decimal("0.1")
    assert node.portfolio.position(instruments_of(market)[0].id).is_flat


def test_an_order_our_rules_refuse_never_reaches_the_venue():
    market = data([100] * 4)
    script = Script(at0=lambda self: self.buy(6.0, stop_loss=95.0), at1=lambda self: self.buy(4.0))
    bus, denied = MessageBus(), []
    bus.subscribe(OrderDenied, denied.append)
    rules = simulated_rules(RiskLimits(max_order_notional=Decimal(500)))
    node, exchange, _ = assembled(script, market, rules=rules, bus=bus)
    play(node, exchange, steps_of(market))
    assert [event.reason for event in denied] == [OrderReason.RISK_LIMIT, OrderReason.PARENT]
    assert "max_order_notional" in denied[0].message
    assert len(exchange.memory.orders) == 1
    orders = node.book.memory.orders
    assert orders["status"].tolist() == [k.REJECTED, k.CANCELLED, k.FILLED]
    assert orders["reason"].tolist() == [k.REASON_RISK_LIMIT, k.REASON_PARENT, k.REASON_NONE]
    assert (1, 1, k.REJECTED, k.REASON_RISK_LIMIT) in script.heard


def test_what_arrives_while_an_event_is_handled_waits():
    market = data([100] * 3)
    order = []
    bus = MessageBus()
    node, exchange, _ = assembled(Script(at0=lambda self: self.buy(1.0)), market, bus=bus)

    def nested(event):
        order.append("outer begins")
        node.handle(TimerFired(name="inner", ts_event=1, ts_init=1))
        order.append("outer ends")

    bus.subscribe(OrderFilled, nested)
    bus.subscribe(TimerFired, lambda event: order.append(event.name))
    play(node, exchange, steps_of(market))
    assert order == ["outer begins", "outer ends", "inner"]


def test_a_halt_withdraws_and_closes_and_lets_only_reductions_out():
    market = data([100] * 8)
    script = Script(
        at0=lambda self: (self.buy(1.0), self.buy(1.0, limit=90.0)),
        at4=lambda self: self.buy(1.0),
        at5=lambda self: self.buy(1.0),
    )
    bus, heard = MessageBus(), []
    for kind in (TradingHalted, TradingResumed):
        bus.subscribe(kind, heard.append)
    node, exchange, _ = assembled(script, market, bus=bus)
    steps = steps_of(market)
    play(node, exchange, steps[:3])
    halt = HaltTrading(account_id=ACCOUNT, ts_init=3, close_positions=True, message="enough")
    node.handle(halt)
    play(node, exchange, steps[3:5])
    node.handle(ResumeTrading(account_id=ACCOUNT, ts_init=5))
    play(node, exchange, steps[5:])
    states = [order.status for order in node.execution.orders.values()]
    assert states == [
        OrderStatus.FILLED,
        OrderStatus.CANCELLED,
        OrderStatus.FILLED,
        OrderStatus.DENIED,
        OrderStatus.FILLED,
    ]
    assert [type(event).__name__ for event in heard] == ["TradingHalted", "TradingResumed"]
    assert heard[0].message == "enough"


def test_a_person_cancels_by_side():
    market = data([100] * 4)
    script = Script(at0=lambda self: (self.buy(1.0, limit=90.0), self.buy(1.0, stop=120.0)))
    node, exchange, _ = assembled(script, market)
    steps = steps_of(market)
    play(node, exchange, steps[:2])
    node.handle(CancelAll(account_id=ACCOUNT, ts_init=2))
    assert [order.status for order in node.execution.orders.values()] == [OrderStatus.CANCELLED] * 2


def test_changes_of_the_books_are_told_to_those_who_listen():
    market = data([100] * 4)
    bus, positions, balances = MessageBus(), [], []
    bus.subscribe(PositionChanged, positions.append)
    bus.subscribe(BalanceChanged, balances.append)
    script = Script(at0=lambda self: self.buy(2.0), at1=lambda self: self.close())
    node, exchange, _ = assembled(script, market, bus=bus)
    play(node, exchange, steps_of(market))
    assert [event.position.quantity for event in positions] == [2, 0]
    assert [event.change for event in balances] == [Decimal("-200.2"), Decimal("199.8")]


def test_single_bars_as_live_feeds_send_them_do_the_same():
    market = data([100, 101, 102, 103])
    steps = {"at0": lambda self: self.buy(1.0), "at2": lambda self: self.close()}
    node, exchange, _ = assembled(Script(**steps), market)
    for step in steps_of(market):
        opened, high, low, close, volume, _ = step.bars[0]
        bar = Bar(
            instrument_id=instruments_of(market)[0].id,
            timeframe=Timeframe.parse("1m"),
            ts_open=step.ts_open,
            open=opened,
            high=high,
            low=low,
            close=close,
            volume=volume,
            ts_event=step.ts_event,
            ts_init=step.ts_event,
        )
        exchange.handle(step)
        node.handle(bar)
    expected = run_events(Script(**steps), market)
    assert node.portfolio.cash == expected.node.portfolio.cash
    np.testing.assert_array_equal(node.book.memory.equity, expected.node.book.memory.equity)


def test_a_repeated_fill_changes_nothing():
    market = data([100] * 4)
    bus, fills = MessageBus(), []
    bus.subscribe(OrderFilled, fills.append)
    node, exchange, _ = assembled(Script(at0=lambda self: self.buy(1.0)), market, bus=bus)
    play(node, exchange, steps_of(market)[:2])
    before = node.book.memory.counters()
    node.handle(fills[0])
    assert node.execution.duplicates == 1
    assert len(fills) == 1
    assert node.book.memory.counters() == before


def test_what_cannot_be_is_a_fault():
    market = data([100] * 4)
    bus, fills = MessageBus(), []
    bus.subscribe(OrderEvent, fills.append)
    node, exchange, _ = assembled(Script(at0=lambda self: self.buy(1.0)), market, bus=bus)
    steps = steps_of(market)
    play(node, exchange, steps[:2])
    with pytest.raises(InvariantBroken, match="never made"):
        node.handle(replace(fills[-1], client_order_id="nobody"))
    with pytest.raises(InvariantBroken, match="no use"):
        node.handle("a text")
    with pytest.raises(DataError, match="came after"):
        node.handle(steps[0])
    play(node, exchange, steps[2:])  # a fault does not jam the door


@pytest.mark.parametrize("callback", ["on_start", "on_bar", "on_order", "on_stop"])
def test_a_strategy_that_raises_is_named_with_its_callback(callback):
    def fail(self, *arguments):
        raise ZeroDivisionError("by design")

    def on_bar(self):
        self.buy(1.0)

    broken = type("Broken", (Strategy,), {"warmup": 0, "on_bar": on_bar, callback: fail})
    with pytest.raises(StrategyFailed, match=f"Broken.{callback} raised ZeroDivisionError.*by design"):
        run_events(broken(), data([100] * 4))


def test_timers_come_between_the_bars_they_lie_between():
    market = data([100] * 4)
    bus, seen = MessageBus(), []
    node, exchange, _ = assembled(Script(), market, bus=bus)
    clock = SimClock()
    bus.subscribe(TimerFired, lambda timer: seen.append((timer.ts_event, int(node.book.memory.run["d"]))))
    clock.set_timer("tick", MINUTE + 1, interval=MINUTE)
    drive(StoredFeed(market), clock, exchange, node)
    assert seen == [(MINUTE + 1, 0), (2 * MINUTE + 1, 1), (3 * MINUTE + 1, 2)]


def test_an_empty_account_stops_the_run_and_the_curve_stays_flat():
    market = data(
        [100, 100, 100, 50, 50, 50],
        kind=k.LINEAR,
        margin_mode=k.CROSS,
        leverage=10.0,
    )
    script = Script(at0=lambda self: self.buy(), at5=lambda self: self.heard.append("asked"))
    done = run_events(script, market)
    assert done.counters["n_liquidations"] == 1
    equity = done.node.book.memory.equity
    assert equity[-1] == equity[3] == pytest.approx(0.0, abs=1e-6)
    assert "asked" not in done.strategy.heard


def test_names_that_are_no_symbols_get_stand_ins():
    market = data([100] * 3)
    item = market.instruments[0]
    named = replace(item, bars=replace(item.bars, instrument="my file.csv"))
    (instrument,) = instruments_of(replace(market, instruments=(named,)))
    assert instrument.id == "data:I0/CASH"
    done = run_events(Script(at0=lambda self: self.buy(1.0)), replace(market, instruments=(named,)))
    assert done.counters["n_fills"] == 1
