"""The event path: a strategy over stored data through the node that also trades on paper and live."""

from __future__ import annotations

import copy
import gc
import itertools
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cashup.backtest.market import MarketData
from cashup.engine.cache import BarsClosed
from cashup.engine.callbacks import strategy_failed, wants_of
from cashup.engine.codes import INSTRUMENT_KINDS
from cashup.engine.grid import FREE
from cashup.engine.node import Node, NodePorts, UnwatchedPorts
from cashup.engine.node_host import NodeHost
from cashup.engine.portfolio import Portfolio
from cashup.engine.rules import Rule
from cashup.engine.simulator import FundingDue, SimulatedExchange
from cashup.engine.strategy import Strategy, attach, unroll, warm_up
from cashup.engine.strategy_log import LogLine
from cashup.kernel import types as k
from cashup.kernel.memory import Columns, InstrumentSpec
from cashup.model.errors import InputError
from cashup.model.ids import AccountId, InstrumentId, StrategyId
from cashup.model.instrument import Instrument
from cashup.runtime.bus import MessageBus
from cashup.runtime.clock import SimClock

ACCOUNT = AccountId("backtest")
_BATCH = 4096
_PRICES = ("open", "high", "low", "close", "volume")


class EventOutcome(NamedTuple):
    """What one run through a node gave.

    Attributes:
        node: The node as the run left it: exact books, every order's life, and in `node.book.memory` the
            kernel's tables of orders, fills, payments and equity.
        exchange: The simulated exchange.
        strategy: The instance that ran.
        first_decision: The first decision bar `on_bar` was called for.
        counters: Totals of the run by the names of `cashup.kernel.types.RUN`.
        log: Lines the strategy wrote.
        timings: Seconds spent in "prepare" and "run".
    """

    node: Node
    exchange: SimulatedExchange
    strategy: Strategy
    first_decision: int
    counters: dict[str, int | float]
    log: tuple[LogLine, ...]
    timings: dict[str, float]


class StoredFeed:
    """Stored data as events, in order of time: all bars that end at one moment, and funding before them."""

    def __init__(self, market: MarketData) -> None:
        self._market = market

    def events(self) -> Iterator[BarsClosed | FundingDue]:
        """Yield bars and funding settlements, each when it is known."""
        due = self._funding()
        following = next(due, None)
        if following is None:
            yield from self._steps()
            return
        for step in self._steps():
            while following is not None and following.ts_event < step.ts_event:
                yield following
                following = next(due, None)
            yield step

    def _steps(self) -> Iterator[BarsClosed]:
        timeline = self._market.timeline
        length = len(timeline.open_ts)
        columns = [_columns(columns, length) for columns in timeline.columns]
        decision = timeline.decision
        for start in range(0, length, _BATCH):
            part = slice(start, min(start + _BATCH, length))
            opens, closes = timeline.open_ts[part].tolist(), timeline.close_ts[part].tolist()
            bars = zip(*(_bars(table, part) for table in columns), strict=True)
            asks = itertools.repeat(True) if decision is None else (decision[part] >= 0).tolist()
            yield from map(BarsClosed, opens, closes, closes, bars, asks)

    def _funding(self) -> Iterator[FundingDue]:
        due = [
            FundingDue(place, ts, ts, rate, mark)
            for place, columns in enumerate(self._market.timeline.columns)
            for ts, rate, mark in _settlements(columns)
        ]
        return iter(sorted(due, key=lambda event: event.ts_event))


def run_events(
    strategy: Strategy,
    market: MarketData,
    *,
    rules: Sequence[Rule] | None = None,
    bus: MessageBus | None = None,
) -> EventOutcome:
    """Run a strategy over a market, one event at a time. The instance given is not changed; its copy runs.

    Args:
        strategy: The instance.
        market: Bars, constants, rules of matching and cash.
        rules: Risk rules, such as `simulated_rules(RiskLimits(...))`.
        bus: Where the node publishes what happens, for those who want to listen. With neither rules nor a bus
            the node runs unwatched: the same result, sooner, without orders' lives in `node.execution`.

    Raises:
        StrategyFailed: A method of the strategy raised; the message names file, line and bar.
    """
    started = time.perf_counter()
    strategy = copy.deepcopy(strategy)
    host = NodeHost(market.memory(wants=wants_of(strategy)))
    try:
        attach(strategy, market.view, host)
    except Exception as e:
        raise strategy_failed(e, strategy, "prepare") from e
    unroll(strategy)
    first = warm_up(strategy)
    timeline = market.timeline
    start = int(timeline.open_ts[0])
    instruments = instruments_of(market)
    exchange = SimulatedExchange(
        instruments,
        [item.spec for item in market.instruments],
        cash=market.cash,
        currency=instruments[0].settle,
        account_id=ACCOUNT,
        rules=market.rules,
        marked=[columns.mark is not None for columns in timeline.columns],
        start=start,
    )
    clock = SimClock(start)
    ports: NodePorts | UnwatchedPorts = UnwatchedPorts(clock, exchange)
    if rules is not None or bus is not None:
        ports = NodePorts(clock=clock, client=exchange, bus=bus or MessageBus())
    node = Node(
        strategy,
        host,
        Portfolio(ACCOUNT, instruments, currency=instruments[0].settle, cash=FREE.to_decimal(market.cash)),
        ports,
        account_id=ACCOUNT,
        strategy_id=StrategyId(type(strategy).__name__),
        rules=rules,
        first_decision=first,
    )
    prepared = time.perf_counter()
    with _rare_collections():
        node.start()
        drive(StoredFeed(market), clock, exchange, node)
        node.stop()
    exchange.close()
    timings = {"prepare": prepared - started, "run": time.perf_counter() - prepared}
    log = tuple(host.messages.lines)
    return EventOutcome(node, exchange, strategy, first, _counters(node, exchange), log, timings)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Let Python look for unreachable cycles less often: a run makes many objects, and all in plain trees."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], 50_000), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def drive(feed: StoredFeed, clock: SimClock, exchange: SimulatedExchange, node: Node) -> None:
    """Hand a feed's events to the venue and then to the node, the clock set to each one's time."""
    venue, handle, advance, book = exchange.handle, node.handle, clock.advance, node.book
    for event in feed.events():
        for timer in advance(event.ts_init):
            handle(timer)
        venue(event)
        if type(event) is BarsClosed:
            handle(event)
            if book.is_empty:
                return


def instruments_of(market: MarketData) -> tuple[Instrument, ...]:
    """Write the instruments of a market with exact numbers, as the books need them.

    Data may be called anything; when a name is no symbol that fits its kind, or the instruments settle in
    different currencies while they share one purse, all get names of their place settled in "CASH".
    """
    try:
        found = tuple(_instrument(item.name, item.spec) for item in market.instruments)
    except InputError:
        found = ()
    if len({instrument.settle for instrument in found}) == 1:
        return found
    return tuple(
        _instrument(_STAND_INS[item.spec.kind].format(place), item.spec)
        for place, item in enumerate(market.instruments)
    )


_STAND_INS = {
    k.SPOT: "data:I{}/CASH",
    k.LINEAR: "data:I{}/CASH:CASH",
    k.INVERSE: "data:CASH/I{}:CASH",
}


def _instrument(name: str, spec: InstrumentSpec) -> Instrument:
    return Instrument(
        id=InstrumentId(name),
        kind=INSTRUMENT_KINDS[spec.kind],
        tick_size=FREE.to_decimal(spec.tick),
        lot_size=FREE.to_decimal(spec.lot),
        min_quantity=FREE.to_decimal(spec.min_quantity),
        max_quantity=FREE.to_decimal(spec.max_quantity) if spec.max_quantity > 0 else None,
        min_notional=FREE.to_decimal(spec.min_notional),
        contract_size=FREE.to_decimal(spec.contract_size),
        maker_fee=FREE.to_decimal(spec.maker_fee),
        taker_fee=FREE.to_decimal(spec.taker_fee),
        max_leverage=FREE.to_decimal(max(spec.leverage, spec.max_leverage, 1.0)),
    )


def _columns(columns: Columns, length: int) -> list[NDArray[np.float64]]:
    """Return prices, volume and mark of one instrument; NaN for what it does not have."""
    missing = np.full(length, math.nan)
    found = (getattr(columns, name) for name in (*_PRICES, "mark"))
    return [missing if column is None else np.asarray(column, np.float64) for column in found]


def _bars(table: list[NDArray[np.float64]], part: slice) -> Iterator[tuple[float, ...] | None]:
    rows = zip(*(column[part].tolist() for column in table), strict=True)
    if not np.isnan(table[0][part]).any():
        return rows
    return (row if row[0] == row[0] else None for row in rows)


def _settlements(columns: Columns) -> Iterator[tuple[int, float, float]]:
    if columns.funding_ts is None or columns.funding_rate is None:
        return iter(())
    times = np.asarray(columns.funding_ts, np.int64)
    marks = np.full(len(times), math.nan) if columns.funding_mark is None else columns.funding_mark
    return zip(
        times.tolist(),
        np.asarray(columns.funding_rate, np.float64).tolist(),
        np.asarray(marks, np.float64).tolist(),
        strict=True,
    )


def _counters(node: Node, exchange: SimulatedExchange) -> dict[str, int | float]:
    """Return the node's totals, with those only the venue can know."""
    counters = node.book.memory.counters()
    venue = exchange.memory.counters()
    return counters | {name: venue[name] for name in ("slippage_cost", "n_ambiguous")}
