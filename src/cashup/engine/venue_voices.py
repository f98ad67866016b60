"""Two ways to say the same: in events, as every venue speaks, and in rows, when only the ledger listens."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from cashup.engine.codes import REASONS
from cashup.engine.grid import Grid
from cashup.engine.order_rows import Row
from cashup.engine.ports import EventSink
from cashup.engine.row_changes import ChangeWriter
from cashup.engine.venue_report import Followed
from cashup.kernel import types as k
from cashup.model.errors import InvariantBroken, explain
from cashup.model.events import (
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
from cashup.model.ids import AccountId, ClientOrderId, Currency, VenueOrderId
from cashup.model.money import MONEY_CONTEXT, ZERO
from cashup.model.orders import OrderRequest

_ENDINGS = {k.CANCELLED: OrderCancelled, k.REJECTED: OrderRejected, k.EXPIRED: OrderExpired}


class RowChanged(NamedTuple):
    """An order moved to a status; codes as in `cashup.kernel.types`."""

    number: int
    status: int
    reason: int
    ts_event: int


class RowResized(NamedTuple):
    """An order's whole quantity is known."""

    number: int
    quantity: float


class RowFilled(NamedTuple):
    """An order (0: the venue's own) traded; `total` is its whole quantity, fills included."""

    number: int
    fill: Row
    total: float
    is_last: bool
    ts_init: int


class RowPaid(NamedTuple):
    """A funding payment was made."""

    payment: Row
    ts_init: int


class RowVoice:
    """Say changes as rows, under the numbers their sender gave the orders."""

    __slots__ = ("_now", "_sink")

    def __init__(self, sink: EventSink) -> None:
        self._sink = sink
        self._now = 0

    def begin(self, now: int) -> None:
        """Take note of the time of what follows, ns UTC."""
        self._now = now

    def woken(self, order: Followed, row: Row) -> None:
        """Tell that a held order became active."""
        self._sink(RowChanged(order.number, k.SUBMITTED, k.REASON_NONE, row.active_ts))

    def accepted(self, order: Followed, row: Row) -> None:
        """Tell that an order has arrived."""
        self._sink(RowChanged(order.number, k.ACCEPTED, k.REASON_NONE, row.active_ts))

    def triggered(self, order: Followed, row: Row) -> None:  # noqa: ARG002 (as every voice)
        """Tell that an order's trigger price was reached."""
        self._sink(RowChanged(order.number, k.TRIGGERED, k.REASON_NONE, self._now))

    def resized(self, order: Followed, row: Row) -> None:
        """Tell an order's whole quantity."""
        self._sink(RowResized(order.number, row.quantity))

    def ended(self, order: Followed, row: Row, status: int, reason: int, ts: int) -> None:  # noqa: ARG002
        """Tell that an order ended without being filled whole."""
        self._sink(RowChanged(order.number, status, reason, ts))

    def filled(self, order: Followed, fill: Row, row: Row, later: Sequence[float]) -> None:
        """Tell a trade of an order."""
        is_last = not later and row.status == k.FILLED
        self._sink(RowFilled(order.number, fill, row.quantity, is_last, self._now))

    def liquidated(self, fill: Row) -> None:
        """Tell a trade the venue made for want of margin."""
        self._sink(RowFilled(0, fill, fill.quantity, True, self._now))

    def paid(self, payment: Row) -> None:
        """Tell a funding payment."""
        self._sink(RowPaid(payment, self._now))


class EventVoice:
    """Say changes as events, under the client order ids of the requests."""

    def __init__(
        self, sink: EventSink, writer: ChangeWriter, account_id: AccountId, currency: Currency
    ) -> None:
        self._sink = sink
        self._writer = writer
        self._account_id = account_id
        self._currency = currency
        self._done: dict[ClientOrderId, Decimal] = {}  # what orders filled in part have traded
        self._now = 0

    def begin(self, now: int) -> None:
        """Take note of the time of what follows, ns UTC."""
        self._now = now

    def woken(self, order: Followed, row: Row) -> None:
        """Tell that a held order became active."""
        name = _request(order).client_order_id
        self._sink(OrderSubmitted(client_order_id=name, ts_event=row.active_ts, ts_init=self._now))

    def accepted(self, order: Followed, row: Row) -> None:
        """Tell that an order has arrived."""
        self._sink(
            OrderAccepted(
                client_order_id=_request(order).client_order_id,
                ts_event=row.active_ts,
                ts_init=self._now,
                venue_order_id=VenueOrderId(str(row.id)),
            )
        )

    def triggered(self, order: Followed, row: Row) -> None:  # noqa: ARG002 (as every voice)
        """Tell that an order's trigger price was reached."""
        name = _request(order).client_order_id
        self._sink(OrderTriggered(client_order_id=name, ts_event=self._now, ts_init=self._now))

    def resized(self, order: Followed, row: Row) -> None:
        """Tell an order's whole quantity."""
        self._sink(
            OrderAmended(
                client_order_id=_request(order).client_order_id,
                ts_event=self._now,
                ts_init=self._now,
                quantity=self._writer.grids[row.instrument].quantity.to_decimal(row.quantity),
            )
        )

    def ended(self, order: Followed, row: Row, status: int, reason: int, ts: int) -> None:  # noqa: ARG002
        """Tell that an order ended without being filled whole."""
        name = _request(order).client_order_id
        self._done.pop(name, None)
        kind = _ENDINGS[status]
        self._sink(kind(client_order_id=name, ts_event=ts, ts_init=self._now, reason=REASONS[reason]))

    def filled(self, order: Followed, fill: Row, row: Row, later: Sequence[float]) -> None:
        """Tell a trade of an order, with what it leaves where the sender cannot know."""
        request = _request(order)
        name = request.client_order_id
        is_last = not later and row.status == k.FILLED
        before = self._done.pop(name, ZERO)
        quantity = self._quantity(request, fill, before, is_last=is_last)
        done = MONEY_CONTEXT.add(before, quantity)
        if not is_last:
            self._done[name] = done
        trade = self._writer.fill(
            fill, self._now, name=name, strategy_id=request.strategy_id, quantity=quantity
        )
        is_flexible = request.quantity is None or request.clip or request.reduce_only
        self._sink(
            OrderFilled(
                client_order_id=name,
                ts_event=fill.ts,
                ts_init=self._now,
                fill=trade,
                leaves=self._leaves(row, done, later) if is_flexible else None,
            )
        )

    def liquidated(self, fill: Row) -> None:
        """Tell a trade the venue made for want of margin, under a name of the venue's own."""
        trade = self._writer.fill(fill, self._now)
        name = trade.client_order_id
        self._sink(OrderFilled(client_order_id=name, ts_event=fill.ts, ts_init=self._now, fill=trade))
        self._sink(
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

    def paid(self, payment: Row) -> None:
        """Tell a funding payment."""
        self._sink(self._writer.payment(payment, self._now))

    def _quantity(self, request: OrderRequest, fill: Row, before: Decimal, *, is_last: bool) -> Decimal:
        """Return how much traded, so that the fills of an order filled whole make up its quantity.

        On a lot grid that follows by itself. Without one, the float64 sums of several fills are off by their
        last bit, and the last fill takes the difference.
        """
        grid: Grid = self._writer.grids[fill.instrument].quantity
        is_flexible = request.quantity is None or request.clip or request.reduce_only
        if not is_last or not before or grid.step or is_flexible or request.quantity is None:
            return grid.to_decimal(fill.quantity)
        return MONEY_CONTEXT.subtract(request.quantity, before)

    def _leaves(self, row: Row, done: Decimal, later: Sequence[float]) -> Decimal:
        """Return what is still to fill: later in this step, and what the row has left after it."""
        grid: Grid = self._writer.grids[row.instrument].quantity
        if row.status != k.FILLED:
            return MONEY_CONTEXT.subtract(grid.to_decimal(row.quantity), done)
        left = ZERO
        for quantity in later:
            left = MONEY_CONTEXT.add(left, grid.to_decimal(quantity))
        return left


def _request(order: Followed) -> OrderRequest:
    if order.request is None:
        raise InvariantBroken(explain(f"order {order.number} came as a row and was to be told as events"))
    return order.request
