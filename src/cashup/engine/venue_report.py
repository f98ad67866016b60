"""What a simulated venue says after a step: the changes of its tables, in the order they happened.

`VenueReport` works out the order; a voice says it, in events or in plain rows (`cashup.engine.venue_voices`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

from cashup.engine.order_rows import Row
from cashup.engine.views import FillView, OrderView, PaymentView, row_of
from cashup.engine.words import integers, slot
from cashup.kernel import types as k
from cashup.kernel.memory import RunMemory
from cashup.model.orders import OrderRequest

_UPDATES: Final = slot(k.RUN, "updates")
_N_UPDATES: Final = slot(k.RUN, "n_updates")
_N_FILLS: Final = slot(k.RUN, "n_fills")
_N_PAYMENTS: Final = slot(k.RUN, "n_payments")
_LIVE: Final = frozenset({k.ACCEPTED, k.TRIGGERED, k.PARTIALLY_FILLED, k.FILLED})


class Followed:
    """What the venue has said about one order so far.

    Attributes:
        number: The order's row number with whoever sent it; 0 when it came as a request.
        request: The request it came as; None when it came as a row.
        quantity: Its whole quantity as it was last said, by its sender or by the venue; 0.0 when not known.
        is_sized: Whether its sender said how much, so that the venue need not work it out.
    """

    __slots__ = (
        "is_accepted",
        "is_ended",
        "is_held",
        "is_sized",
        "is_triggered",
        "number",
        "quantity",
        "request",
    )

    def __init__(
        self, row: Row, quantity: float, *, number: int = 0, request: OrderRequest | None = None
    ) -> None:
        self.number = number
        self.request = request
        self.quantity = quantity
        self.is_sized = quantity > 0.0 and row.flags & (k.VALUE_SIZED | k.CLOSE_POSITION) == 0
        self.is_held = row.parent != 0
        self.is_accepted = False
        self.is_triggered = row.type in (k.MARKET, k.LIMIT)
        self.is_ended = False


class Voice(Protocol):
    """How changes are told."""

    def begin(self, now: int) -> None:
        """Take note of the time of what follows, ns UTC."""

    def woken(self, order: Followed, row: Row) -> None:
        """Tell that a held order became active."""

    def accepted(self, order: Followed, row: Row) -> None:
        """Tell that an order has arrived."""

    def triggered(self, order: Followed, row: Row) -> None:
        """Tell that an order's trigger price was reached."""

    def resized(self, order: Followed, row: Row) -> None:
        """Tell an order's whole quantity."""

    def ended(self, order: Followed, row: Row, status: int, reason: int, ts: int) -> None:
        """Tell that an order ended without being filled whole."""

    def filled(self, order: Followed, fill: Row, row: Row, later: Sequence[float]) -> None:
        """Tell a trade of an order: its row as after the step, and quantities it fills later in the step."""

    def liquidated(self, fill: Row) -> None:
        """Tell a trade the venue made for want of margin."""

    def paid(self, payment: Row) -> None:
        """Tell a funding payment."""


class VenueReport:
    """Tell changed rows of the venue's memory through a voice.

    The memory lists orders in the order they first changed, and fills and payments in theirs. What is told
    keeps all of it: an order's first news comes where it first changed, and fills and payments follow each
    other as they moved the money.

    Attributes:
        orders: What was said about each order; the order of row r is at r.
        voice: Who says it.
    """

    def __init__(self, memory: RunMemory, voice: Voice) -> None:
        self.orders: list[Followed] = []
        self.voice = voice
        self._memory = memory
        self._run = integers(memory.address, k.RUN.itemsize // 8)
        self._children: dict[int, list[int]] = {}
        self._fills: deque[Row] = deque()
        self._payments: deque[Row] = deque()
        self._rows: dict[int, Row] = {}
        self._taken = 0

    def follow(self, *, number: int = 0, request: OrderRequest | None = None) -> None:
        """Follow one more order: the next row of the order table."""
        row: Row = OrderView._make(row_of(self._memory.orders, len(self.orders)))
        quantity = row.quantity
        if request is not None:
            quantity = 0.0 if request.quantity is None else float(request.quantity)
        self.orders.append(Followed(row, quantity, number=number, request=request))
        if row.parent:
            self._children.setdefault(row.parent, []).append(len(self.orders))

    def send(self, now: int) -> None:
        """Tell everything that changed since the last report, and forget it in the venue's memory."""
        memory, run = self._memory, self._run
        count = run[_N_UPDATES]
        numbers = integers(run[_UPDATES], count).tolist() if count else ()
        self._fills = deque(map(FillView._make, memory.fills.tolist() if run[_N_FILLS] else ()))
        self._payments = deque(map(PaymentView._make, memory.payments.tolist() if run[_N_PAYMENTS] else ()))
        self._rows.clear()
        self._taken = 0
        self.voice.begin(now)
        run[_N_UPDATES] = run[_N_FILLS] = run[_N_PAYMENTS] = 0
        rows = [self._row(number) for number in numbers]
        self._tell_firsts(rows)
        self._drain(None)
        self._pay(until_fill=None)
        for row in rows:
            self._finish(row)

    def close(self, numbers: Sequence[int], now: int) -> None:
        """Tell that the venue closes: these orders end with it."""
        self._rows.clear()
        self.voice.begin(now)
        for number in numbers:
            order, row = self.orders[number - 1], self._row(number)
            order.is_ended = True
            self._correct(order, row)
            self.voice.ended(order, row, k.CANCELLED, k.REASON_END_OF_RUN, now)

    def _row(self, number: int) -> Row:
        row = self._rows.get(number)
        if row is None:
            row = self._rows[number] = OrderView._make(row_of(self._memory.orders, number - 1))
        return row

    def _tell_firsts(self, rows: Sequence[Row]) -> None:
        """Tell the first thing that happened to each order, in the order the venue lists them."""
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
        """Tell that an order arrived or, had it arrived before, triggered; return whether that is news."""
        order = self.orders[row.id - 1]
        if not order.is_accepted:
            order.is_accepted = True
            self.voice.accepted(order, row)
        elif not order.is_triggered:
            order.is_triggered = True
            self.voice.triggered(order, row)
        else:
            return False
        return True

    def _greet(self, row: Row) -> bool:
        """Tell that an order woke, arrived or triggered; return whether there was anything to say."""
        order = self.orders[row.id - 1]
        # What was asked for without a quantity gets one when it is judged or, held, when its parent fills.
        was_sized = not order.is_sized and row.quantity > 0.0 and row.quantity != order.quantity
        is_live = row.status in _LIVE or row.filled > 0.0 or was_sized
        said = False
        if order.is_held and is_live:
            order.is_held = False
            self._resize(row.id)
            self.voice.woken(order, row)
            said = True
        if is_live and not order.is_accepted:
            order.is_accepted = True
            if row.status == k.FILLED and row.type == k.MARKET and not said:
                return False  # it filled as it arrived: the fill says it all
            self.voice.accepted(order, row)
            said = True
        if not order.is_triggered and (row.filled > 0.0 or row.status == k.TRIGGERED):
            order.is_triggered = True
            self.voice.triggered(order, row)
            said = True
        return said

    def _finish(self, row: Row) -> None:
        """Tell that an order ended without being filled whole."""
        order = self.orders[row.id - 1]
        if order.is_ended or row.status < k.FIRST_FINAL_STATUS:
            return
        order.is_ended = True
        if row.status != k.FILLED:
            self._correct(order, row)
            self.voice.ended(order, row, row.status, row.reason, row.done_ts)

    def _correct(self, order: Followed, row: Row) -> None:
        """Tell the quantity of an order that was sized at the venue and then could not trade."""
        if order.is_accepted and row.quantity > 0.0 and row.quantity != order.quantity:
            order.quantity = row.quantity
            self.voice.resized(order, row)

    def _resize(self, number: int) -> None:
        """Tell the quantity a bracket child takes from what its parent has filled."""
        order, row = self.orders[number - 1], self._row(number)
        if row.quantity != order.quantity and row.quantity > 0.0 and not order.is_ended:
            order.quantity = row.quantity
            self.voice.resized(order, row)

    def _drain(self, passed: set[int] | None) -> None:
        """Tell the fills that come next, as long as they are of orders already spoken of (None: of all)."""
        while self._fills and (passed is None or self._fills[0].order in passed):
            fill = self._fills.popleft()
            self._pay(until_fill=self._taken)
            self._taken += 1
            if fill.order:
                self._fill(fill)
            else:
                self.voice.liquidated(fill)

    def _fill(self, fill: Row) -> None:
        order, row = self.orders[fill.order - 1], self._row(fill.order)
        later = [other.quantity for other in self._fills if other.order == fill.order]
        self.voice.filled(order, fill, row, later)
        order.quantity = row.quantity
        for child in self._children.get(fill.order, ()):
            if not self.orders[child - 1].is_held:
                self._resize(child)

    def _pay(self, *, until_fill: int | None) -> None:
        """Tell the payments made before a fill (by its place in this step), or all that are left."""
        while self._payments and (until_fill is None or self._payments[0].fills <= until_fill):
            self.voice.paid(self._payments.popleft())
