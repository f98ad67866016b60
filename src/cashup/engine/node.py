"""A trading node: events in by one door, orders out to one venue.

The same node trades in a backtest, on paper and live; what surrounds it comes in by its ports. It is
synchronous and has one thread. What arrives while an event is being handled waits its turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple

from cashup.engine.cache import BarCollector, BarsClosed, DataCache
from cashup.engine.callbacks import strategy_failed, wants_of
from cashup.engine.codes import reason_code
from cashup.engine.decision_book import DecisionBook
from cashup.engine.execution import ExecutionEngine
from cashup.engine.journal import MemoryJournal
from cashup.engine.node_host import NodeHost
from cashup.engine.order_router import OrderRouter
from cashup.engine.portfolio import Change, Portfolio
from cashup.engine.ports import Clock, ExchangeClient, IdSource, OrderJournal, RowVenue
from cashup.engine.risk import AccountView, RiskEngine
from cashup.engine.row_entries import RowEntries, RowRouter
from cashup.engine.rules import Rule, simulated_rules
from cashup.engine.strategy import Strategy
from cashup.kernel import types as k
from cashup.model.commands import CancelAll, CancelOrder, HaltTrading, ResumeTrading
from cashup.model.errors import InvariantBroken, explain
from cashup.model.events import (
    BalanceChanged,
    FundingPaid,
    Liquidated,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
    OrderTriggered,
    PositionChanged,
    TradingHalted,
    TradingResumed,
)
from cashup.model.ids import AccountId, InstrumentId, StrategyId
from cashup.model.market import Bar
from cashup.model.orders import FillKind, OrderStatus
from cashup.runtime.bus import MessageBus
from cashup.runtime.clock import TimerFired
from cashup.runtime.ids import CounterIds

_STATUS: Final[dict[type, int]] = {
    OrderSubmitted: k.SUBMITTED,
    OrderAccepted: k.ACCEPTED,
    OrderTriggered: k.TRIGGERED,
    OrderCancelled: k.CANCELLED,
    OrderRejected: k.REJECTED,
    OrderExpired: k.EXPIRED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePorts:
    """What surrounds a node; the defaults are those of a backtest."""

    clock: Clock
    client: ExchangeClient
    ids: IdSource = field(default_factory=CounterIds)
    journal: OrderJournal = field(default_factory=MemoryJournal)
    bus: MessageBus = field(default_factory=MessageBus)


class UnwatchedPorts(NamedTuple):
    """What surrounds a node nobody watches: no journal, no requests, exact books only when looked at."""

    clock: Clock
    venue: RowVenue


class Node:
    """One strategy on one account of one venue.

    Args:
        strategy: Ready to run: attached to `host`.
        host: Its host, over the node's own memory.
        portfolio: The exact books, with the instruments in the order bars come in.
        ports: What surrounds the node. `UnwatchedPorts` leave out everything a run needs only when somebody
            follows it: risk rules, the journal, the orders' lives. Decisions and their results are the same.
        rules: Risk rules in order; those before a simulated venue when not given.
        account_id: The account orders are placed on.
        strategy_id: The running strategy's name.
        first_decision: The first decision bar `on_bar` is called for.

    Attributes:
        portfolio: The exact books.
        book: The same on float64, what decisions are made on.
        execution: Every order and its state (of a watched node).
        risk: The gate orders pass; `risk.halt` stops trading (of a watched node).
    """

    def __init__(
        self,
        strategy: Strategy,
        host: NodeHost,
        portfolio: Portfolio,
        ports: NodePorts | UnwatchedPorts,
        *,
        account_id: AccountId,
        strategy_id: StrategyId,
        rules: Sequence[Rule] | None = None,
        first_decision: int = 0,
    ) -> None:
        self.portfolio = portfolio
        self.book = DecisionBook(host.memory, tuple(portfolio.instruments.values()))
        self._strategy = strategy
        self._ask = strategy.on_bar
        self._host = host
        self._clock = ports.clock
        self._cache = DataCache()
        self._collector = BarCollector(tuple(portfolio.instruments))
        self._first_decision = first_decision
        self._wants = wants_of(strategy)
        self._account_id = account_id
        self._queue: deque[object] = deque()
        self._is_busy = False
        self._handlers: dict[type, Callable[[Any], None]] = {
            BarsClosed: self._on_bars,
            Bar: self._on_bar,
            TimerFired: self._publish,
        }
        if isinstance(ports, UnwatchedPorts):
            self._go_unwatched(ports, strategy_id)
        else:
            self._go_watched(ports, rules, strategy_id)

    def _go_unwatched(self, ports: UnwatchedPorts, strategy_id: StrategyId) -> None:
        self._bus = MessageBus()
        self._flush_actions = RowRouter(self._host, ports.venue).flush
        entries = RowEntries(self.book, self._cache, self._host, self.portfolio, strategy_id)
        self._handlers |= entries.handlers()
        ports.venue.connect_rows(self.handle)

    def _go_watched(self, ports: NodePorts, rules: Sequence[Rule] | None, strategy_id: StrategyId) -> None:
        self._bus = ports.bus
        self.execution = ExecutionEngine(ports.client, ports.journal, ports.clock)
        view = AccountView(self.portfolio, self.execution, self._last_price)
        self.risk = RiskEngine(simulated_rules() if rules is None else rules, view)
        self._router = OrderRouter(
            self._host,
            self.book,
            risk=self.risk,
            execution=self.execution,
            client=ports.client,
            clock=ports.clock,
            ids=ports.ids,
            bus=ports.bus,
            instruments=tuple(self.portfolio.instruments),
            account_id=self._account_id,
            strategy_id=strategy_id,
        )
        self._flush_actions = self._router.flush
        self._handlers |= {
            OrderFilled: self._on_fill,
            FundingPaid: self._on_funding,
            Liquidated: self._publish,
            HaltTrading: self._on_halt,
            ResumeTrading: self._on_resume,
            CancelOrder: self._on_cancel,
            CancelAll: self._on_cancel_all,
        }
        ports.client.connect(self.handle)

    def start(self) -> None:
        """Let the strategy set itself up; call once, before the first event."""
        self._call("on_start", self._strategy.on_start)

    def stop(self) -> None:
        """Let the strategy finish; call once, after the last event."""
        self._call("on_stop", self._strategy.on_stop)

    def handle(self, event: object) -> None:
        """Take one event in: the only door. While one is being handled, the next ones wait.

        Raises:
            StrategyFailed: A callback of the strategy raised.
            InvariantBroken: An event that cannot be, such as a fill of an order that was never made.
            DataError: Bars out of order.
        """
        if self._is_busy:
            self._queue.append(event)
            return
        self._is_busy = True
        handlers, queue = self._handlers, self._queue
        try:
            while queue:  # left over when a handler raised
                waiting = queue.popleft()
                (handlers.get(type(waiting)) or self._handler_of(waiting))(waiting)
            (handlers.get(type(event)) or self._handler_of(event))(event)
            while queue:
                waiting = queue.popleft()
                (handlers.get(type(waiting)) or self._handler_of(waiting))(waiting)
        finally:
            self._is_busy = False

    def _handler_of(self, event: object) -> Callable[[Any], None]:
        if not isinstance(event, OrderEvent):
            raise InvariantBroken(explain(f"a node has no use for a {type(event).__name__}"))
        self._handlers[type(event)] = self._on_order
        return self._on_order

    # Market data

    def _on_bar(self, bar: Bar) -> None:
        for step in self._collector.add(bar):
            self._on_bars(step)

    def _on_bars(self, step: BarsClosed) -> None:
        if self.book.is_empty:
            return
        self.book.advance(self._cache.write(step), step)
        if not step.is_decision:
            return
        index = self.book.decide()
        if self._wants:
            self._tell()
        if index >= self._first_decision and not self.book.is_empty:
            try:
                self._ask()
            except Exception as e:
                raise strategy_failed(e, self._strategy, "on_bar", step.ts_open) from e
        if self._host.actions:
            self._flush()

    def _flush(self) -> None:
        self._flush_actions()
        self._host.make_room()

    def _tell(self) -> None:
        """Tell the strategy what happened since it was last told, in the kernel's order."""
        run, host, strategy = self.book.memory.run, self._host, self._strategy
        fills, payments, updates = int(run["n_fills"]), int(run["n_payments"]), int(run["n_updates"])
        if self._wants & k.WANTS_FILL:
            for row in range(int(run["seen_fills"]), fills):
                self._call("on_fill", strategy.on_fill, host.fill(row))
        run["seen_fills"] = fills
        for number in self.book.updates(updates):
            self._call("on_order", strategy.on_order, host.order(number))
        self.book.forget_updates(updates)  # not before: what changes again meanwhile is told once
        if self._wants & k.WANTS_FUNDING:
            for row in range(int(run["seen_payments"]), payments):
                self._call("on_funding", strategy.on_funding, host.payment(row))
        run["seen_payments"] = payments

    def _call(self, name: str, callback: Callable[..., None], *arguments: Any) -> None:
        try:
            callback(*arguments)
        except Exception as e:
            last = self._cache.last
            raise strategy_failed(e, self._strategy, name, last and last.ts_open) from e
        if self._host.actions:
            self._flush()

    # What the venue says

    def _on_order(self, event: OrderEvent) -> None:
        number = self._router.numbers.get(event.client_order_id, 0)
        self.book.expect(self._cache.count)
        is_known = self.execution.apply(event) is None
        if not is_known:
            self._move(number, event)
        if not is_known and self._bus.listens(type(event)):
            self._bus.publish(event)

    def _on_fill(self, event: OrderFilled) -> None:
        number = self._router.numbers.get(event.client_order_id, 0)
        self.book.expect(self._cache.count)
        fill, total, is_last = event.fill, 0.0, True
        if number or fill.kind is FillKind.TRADE:
            after = self.execution.apply(event)
            if after is None:
                return
            assert after.quantity is not None, "an order with a fill has a quantity"
            total, is_last = float(after.quantity), after.status is OrderStatus.FILLED
        self._enter(fill)
        self.book.fill(number, fill, total=total, is_last=is_last)
        self._host.make_room()
        if self._bus.listens(OrderFilled):
            self._bus.publish(event)

    def _move(self, number: int, event: OrderEvent) -> None:
        if isinstance(event, OrderAmended):
            if event.quantity is not None:
                self.book.quantity(number, float(event.quantity))
            return
        status = _STATUS.get(type(event))
        if status is None:
            return
        reason = k.REASON_NONE
        if isinstance(event, OrderCancelled | OrderRejected | OrderExpired):
            reason = reason_code(event.reason)
        self.book.status(number, status, reason, event.ts_event)

    def _on_funding(self, payment: FundingPaid) -> None:
        self.book.expect(self._cache.count)
        self._enter(payment)
        self.book.funding(payment)
        self._publish(payment)

    def _enter(self, change: Change) -> None:
        """Enter a change into the exact books: now when somebody listens, else when they are looked at."""
        if self._bus.listens(PositionChanged) or self._bus.listens(BalanceChanged):
            for event in self.portfolio.enter(change):
                self._bus.publish(event)
        else:
            self.portfolio.add(change)

    # What a person asks for

    def _on_halt(self, command: HaltTrading) -> None:
        self.risk.halt(command.message)
        if command.cancel_orders:
            self._host.cancel_all(-1)
        if command.close_positions:
            for place in range(len(self.portfolio.instruments)):
                self._host.close_position(place)
        self._router.flush()
        now = self._clock.now()
        self._publish(
            TradingHalted(
                account_id=self._account_id, ts_event=now, ts_init=now, message=self.risk.halted or ""
            )
        )

    def _on_resume(self, command: ResumeTrading) -> None:
        self.risk.resume()
        self._publish(
            TradingResumed(account_id=self._account_id, ts_event=command.ts_init, ts_init=self._clock.now())
        )

    def _on_cancel(self, command: CancelOrder) -> None:
        number = self._router.numbers.get(command.client_order_id)
        if number is not None:
            self._host.cancel(number)
            self._router.flush()

    def _on_cancel_all(self, command: CancelAll) -> None:
        for order in tuple(self.execution.working.values()):
            request = order.request
            is_named = command.instrument_id in (None, request.instrument_id)
            if is_named and command.side in (None, request.side):
                self._host.cancel(self._router.numbers[request.client_order_id])
        self._router.flush()

    def _publish(self, event: object) -> None:
        if self._bus.listens(type(event)):
            self._bus.publish(event)

    def _last_price(self, instrument_id: InstrumentId) -> Decimal | None:
        place = self.book.place_of(instrument_id)
        price = self.book.price(place)
        return self.book.grid_of(place).price.to_decimal(price) if price > 0.0 else None
