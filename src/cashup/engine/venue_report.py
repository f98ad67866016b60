"""What a simulated venue says after a step: changes of its tables, as events in the order they happened."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from cashup.engine.codes import REASONS, SIDES
from cashup.engine.grid import FREE, Grid, InstrumentGrid
from cashup.engine.order_rows import Row
from cashup.engine.ports import EventSink
from cashup.engine.views import FillView, OrderView, PaymentView, row_of
from cashup.engine.words import integers, slot
from cashup.kernel import types as k
from cashup.kernel.memory import RunMemory
from cashup.model.events import (
    FundingPaid,
    Liquidated,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
    OrderTriggered,
)
from cashup.model.ids import AccountId, ClientOrderId, Currency, FillId, StrategyId, VenueOrderId
from cashup.model.instrument import Instrument
from cashup.model.money import MONEY_CONTEXT, ZERO
from cashup.model.orders import Fill, FillKind, Liquidity, OrderRequest
from cashup.model.reasons import OrderReason

_UPDATES: Final = slot(k.RUN, "updates")
_N_UPDATES: Final = slot(k.RUN, "n_updates")
_N_FILLS: Final = slot(k.RUN, "n_fills")
_N_PAYMENTS: Final = slot(k.RUN, "n_payments")
_LIVE: Final = frozenset({k.ACCEPTED, k.TRIGGERED, k.PARTIALLY_FILLED, k.FILLED})


class VenueOrder:
    """What the venue has said about one order so far."""

    __slots__ = ("done", "is_accepted", "is_ended", "is_held", "is_triggered", "quantity", "request")

    def __init__(self, request: OrderRequest) -> None:
        self.request = request
        self.is_held = request.parent_id is not None
        self.is_accepted = False
        self.is_triggered = not request.type.has_trigger
        self.is_ended = False
        self.quantity = 0.0
        self.done = ZERO

    @property
    def is_flexible(self) -> bool:
        """Whether its whole quantity is the venue's to say."""
        return self.request.quantity is None or self.request.clip or self.request.reduce_only


class VenueReport:
    """Turn changed rows of the venue's memory into events.

    The memory lists orders in the order they first changed, and fills and payments in theirs. Events keep
    all of it: an order's first event comes where it first changed, and fills and payments follow each other
    as they moved the money.

    Attributes:
        orders: What was said about each order; the order of row r is at r.
        sink: Where events go.
    """

    def __init__(
        self, memory: RunMemory, instruments: Sequence[Instrument], account_id: AccountId, currency: Currency
    ) -> None:
        self.orders: list[VenueOrder] = []
        self.sink: EventSink = _nowhere
        self._memory = memory
        self._run = integers(memory.address, k.RUN.itemsize // 8)
        self._instruments = tuple(instruments)
        self._grids = tuple(InstrumentGrid.of(instrument) for instrument in instruments)
        self._account_id = account_id
        self._currency = currency
        self._children: dict[int, list[int]] = {}
        self._fills: deque[Row] = deque()
        self._payments: deque[Row] = deque()
        self._rows: dict[int, Row] = {}
        self._taken = 0
        self._fill_count = 0
        self._now = 0

    def add(self, request: OrderRequest, parent: int) -> None:
        """Follow one more order: the next row of the order table."""
        self.orders.append(VenueOrder(request))
        if parent:
            self._children.setdefault(parent, []).append(len(self.orders))

    def send(self, now: int) -> None:
        """Report everything that changed since the last report, and forget it in the venue's memory."""
        memory, run = self._memory, self._run
        count = run[_N_UPDATES]
        numbers = integers(run[_UPDATES], count).tolist() if count else ()
        self._fills = deque(map(FillView._make, memory.fills.tolist() if run[_N_FILLS] else ()))
        self._payments = deque(map(PaymentView._make, memory.payments.tolist() if run[_N_PAYMENTS] else ()))
        self._rows.clear()
        self._taken = 0
        self._now = now
        run[_N_UPDATES] = run[_N_FILLS] = run[_N_PAYMENTS] = 0
        rows = [self._row(number) for number in numbers]
        self._tell_firsts(rows)
        self._drain(None)
        self._pay(until_fill=None)
        for row in rows:
            self._finish(row)

    def _tell_firsts(self, rows: Sequence[Row]) -> None:
        """Report the first thing that happened to each order, in the order the venue lists them."""
        filled = {fill.order for fill in self._fills}
        passed = {0}
        for row in rows:
            passed.add(row.id)
            if row.id not in filled:
                self._drain(passed)
            if self._greet(row):
                continue  # how it ended, if it did, comes after everybody's first
            if row.id in filled:
                self._drain(passed)  # its fill is the first thing that happened to it
            elif not (self._ends_children_later(row, rows) and self._move_on(row)):
                self._finish(row)

    def _ends_children_later(self, row: Row, rows: Sequence[Row]) -> bool:
        """Whether its end took children with it only after other orders had changed."""
        children = [other for other in rows if other.parent == row.id]
        if not children:
            return False
        following = rows.index(row) + 1
        return list(rows[following : following + len(children)]) != children

    def _move_on(self, row: Row) -> bool:
        """Report that an order arrived or, had it arrived before, triggered; return whether that is news."""
        order = self.orders[row.id - 1]
        if not order.is_accepted:
            self._accept(row)
        elif not order.is_triggered:
            order.is_triggered = True
            self._say(OrderTriggered, row, self._now)
        else:
            return False
        return True

    def close(self, numbers: Sequence[int], now: int) -> None:
        """Report that the venue closes: these orders end with it."""
        self._now = now
        self._rows.clear()
        for number in numbers:
            order, row = self.orders[number - 1], self._row(number)
            order.is_ended = True
            self._correct(order, row)
            self.sink(
                OrderCancelled(
                    client_order_id=order.request.client_order_id,
                    ts_event=now,
                    ts_init=now,
                    reason=OrderReason.END_OF_RUN,
                )
            )

    def _row(self, number: int) -> Row:
        row = self._rows.get(number)
        if row is None:
            row = self._rows[number] = OrderView._make(row_of(self._memory.orders, number - 1))
        return row

    def _drain(self, passed: set[int] | None) -> None:
        """Report the fills that come next, as long as they are of orders already spoken of (None: of all)."""
        while self._fills and (passed is None or self._fills[0].order in passed):
            fill = self._fills.popleft()
            self._pay(until_fill=self._taken)
            self._taken += 1
            if fill.order:
                self._fill(fill)
            else:
                self._liquidate(fill)

    def _greet(self, row: Row) -> bool:
        """Report that an order woke, arrived or triggered; return whether there was anything to say."""
        order = self.orders[row.id - 1]
        # What was asked for without a quantity gets one when it is judged or, held, when its parent fills.
        was_sized = order.request.quantity is None and row.quantity > 0.0
        is_live = row.status in _LIVE or row.filled > 0.0 or was_sized
        said = False
        if order.is_held and is_live:
            order.is_held = False
            self._resize(row.id)
            self._say(OrderSubmitted, row, row.active_ts)
            said = True
        if is_live and not order.is_accepted:
            if row.status == k.FILLED and row.type == k.MARKET and not said:
                order.is_accepted = True  # it filled as it arrived: the fill says it all
                return False
            self._accept(row)
            said = True
        if not order.is_triggered and (row.filled > 0.0 or row.status == k.TRIGGERED):
            order.is_triggered = True
            self._say(OrderTriggered, row, self._now)
            said = True
        return said

    def _accept(self, row: Row) -> None:
        order = self.orders[row.id - 1]
        order.is_accepted = True
        self.sink(
            OrderAccepted(
                client_order_id=order.request.client_order_id,
                ts_event=row.active_ts,
                ts_init=self._now,
                venue_order_id=VenueOrderId(str(row.id)),
            )
        )

    def _finish(self, row: Row) -> None:
        """Report that an order ended without being filled whole."""
        order = self.orders[row.id - 1]
        if order.is_ended or row.status < k.FIRST_FINAL_STATUS:
            return
        order.is_ended = True
        if row.status != k.FILLED:
            self._correct(order, row)
        names = {
            "client_order_id": order.request.client_order_id,
            "ts_event": row.done_ts,
            "ts_init": self._now,
        }
        if row.status == k.CANCELLED:
            self.sink(OrderCancelled(reason=REASONS[row.reason], **names))
        elif row.status == k.REJECTED:
            self.sink(OrderRejected(reason=REASONS[row.reason], **names))
        elif row.status == k.EXPIRED:
            self.sink(OrderExpired(reason=REASONS[row.reason], **names))

    def _correct(self, order: VenueOrder, row: Row) -> None:
        """Report the quantity of an order that was sized at the venue and then could not trade."""
        known = order.quantity or _number(order.request.quantity)
        if order.is_accepted and row.quantity > 0.0 and row.quantity != known:
            self._amend(order, row)

    def _fill(self, fill: Row) -> None:
        order = self.orders[fill.order - 1]
        quantity = self._quantity(fill, order)
        trade = self._trade(fill, order.request.client_order_id, order.request.strategy_id, quantity)
        order.done = MONEY_CONTEXT.add(order.done, quantity)
        self.sink(
            OrderFilled(
                client_order_id=order.request.client_order_id,
                ts_event=fill.ts,
                ts_init=self._now,
                fill=trade,
                leaves=self._leaves(fill, order) if order.is_flexible else None,
            )
        )
        if order.is_flexible:
            order.quantity = self._row(fill.order).quantity
        for child in self._children.get(fill.order, ()):
            if not self.orders[child - 1].is_held:
                self._resize(child)

    def _quantity(self, fill: Row, order: VenueOrder) -> Decimal:
        """Return how much traded, so that the fills of an order filled whole make up its quantity.

        On a lot grid that follows by itself. Without one, the float64 sums of several fills are off by their
        last bit, and the last fill takes the difference.
        """
        grid: Grid = self._grids[fill.instrument].quantity
        traded = grid.to_decimal(fill.quantity)
        whole = order.request.quantity
        if grid.step or order.is_flexible or whole is None or not order.done:
            return traded
        is_last = self._row(fill.order).status == k.FILLED
        is_last = is_last and all(other.order != fill.order for other in self._fills)
        return MONEY_CONTEXT.subtract(whole, order.done) if is_last else traded

    def _leaves(self, fill: Row, order: VenueOrder) -> Decimal:
        """Return what is still to fill after a fill: in this step, and what the row has left after it."""
        row, grid = self._row(fill.order), self._grids[fill.instrument].quantity
        later = ZERO
        for other in self._fills:
            if other.order == fill.order:
                later = MONEY_CONTEXT.add(later, grid.to_decimal(other.quantity))
        if row.status == k.FILLED:
            return later
        return MONEY_CONTEXT.subtract(grid.to_decimal(row.quantity), order.done)

    def _resize(self, number: int) -> None:
        """Report the quantity a bracket child takes from what its parent has filled."""
        order, row = self.orders[number - 1], self._row(number)
        if row.quantity == order.quantity or not row.quantity > 0.0 or order.is_ended:
            return
        self._amend(order, row)

    def _amend(self, order: VenueOrder, row: Row) -> None:
        order.quantity = row.quantity
        self.sink(
            OrderAmended(
                client_order_id=order.request.client_order_id,
                ts_event=self._now,
                ts_init=self._now,
                quantity=self._grids[row.instrument].quantity.to_decimal(row.quantity),
            )
        )

    def _say(self, kind: type[OrderSubmitted] | type[OrderTriggered], row: Row, ts: int) -> None:
        name = self.orders[row.id - 1].request.client_order_id
        self.sink(kind(client_order_id=name, ts_event=ts, ts_init=self._now))

    def _trade(self, fill: Row, name: ClientOrderId, strategy_id: StrategyId, quantity: Decimal) -> Fill:
        grid = self._grids[fill.instrument]
        self._fill_count += 1
        return Fill(
            fill_id=FillId(str(self._fill_count)),
            client_order_id=name,
            venue_order_id=VenueOrderId(str(fill.order)) if fill.order else None,
            instrument_id=self._instruments[fill.instrument].id,
            account_id=self._account_id,
            strategy_id=strategy_id,
            side=SIDES[fill.side],
            quantity=quantity,
            price=grid.price.to_decimal(fill.price),
            fee=FREE.to_decimal(fill.fee),
            fee_currency=self._currency,
            liquidity=Liquidity.MAKER if fill.maker else Liquidity.TAKER,
            kind=FillKind.LIQUIDATION if fill.kind == k.FILL_LIQUIDATION else FillKind.TRADE,
            ts_event=fill.ts,
            ts_init=self._now,
        )

    def _liquidate(self, fill: Row) -> None:
        """Report a trade the venue made for want of margin, under a name of the venue's own."""
        name = ClientOrderId(f"liquidation-{self._fill_count + 1}")
        quantity = self._grids[fill.instrument].quantity.to_decimal(fill.quantity)
        trade = self._trade(fill, name, StrategyId(""), quantity)
        self.sink(OrderFilled(client_order_id=name, ts_event=fill.ts, ts_init=self._now, fill=trade))
        self.sink(
            Liquidated(
                account_id=self._account_id,
                ts_event=fill.ts,
                ts_init=self._now,
                instrument_id=trade.instrument_id,
                quantity=-trade.signed_quantity,
                price=trade.price,
                fee=trade.fee,
                currency=self._currency,
            )
        )

    def _pay(self, *, until_fill: int | None) -> None:
        """Report the payments made before a fill (by its place in this step), or all that are left."""
        while self._payments and (until_fill is None or self._payments[0].fills <= until_fill):
            row = self._payments.popleft()
            grid = self._grids[row.instrument]
            self.sink(
                FundingPaid(
                    account_id=self._account_id,
                    ts_event=row.ts,
                    ts_init=self._now,
                    instrument_id=self._instruments[row.instrument].id,
                    quantity=grid.quantity.to_decimal(row.quantity),
                    rate=FREE.to_decimal(row.rate),
                    mark_price=FREE.to_decimal(row.price),
                    amount=FREE.to_decimal(row.amount),
                    currency=self._currency,
                )
            )


def _number(value: Decimal | None) -> float:
    return 0.0 if value is None else float(value)


def _nowhere(event: object) -> None:
    raise RuntimeError(f"the venue has nobody to tell: {event}")
