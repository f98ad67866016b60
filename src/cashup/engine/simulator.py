"""A venue in memory: the kernel's matching step, behind the same port as a real exchange.

It keeps its own account of orders, positions and money, as a venue does, and knows of the node only what
commands tell it. Market data comes in by `handle`, before the node sees it; what follows from it leaves as
events.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from cashup.engine.cache import BarsClosed
from cashup.engine.codes import ORDER_TYPE_CODES, SIDE_CODES, TIME_IN_FORCE_CODES
from cashup.engine.order_rows import EVERYTHING, Row
from cashup.engine.ports import EventSink, JoinGroup
from cashup.engine.row_changes import ChangeWriter
from cashup.engine.venue_report import VenueReport, Voice
from cashup.engine.venue_voices import EventVoice, RowVoice
from cashup.engine.words import floats, integers, slot
from cashup.kernel import entry, match
from cashup.kernel import types as k
from cashup.kernel.memory import ORDER_RESERVE, Columns, InstrumentSpec, Rules, RunMemory
from cashup.model.commands import AmendOrder, CancelOrder, SubmitOrder
from cashup.model.errors import InvariantBroken, explain
from cashup.model.events import OrderAmendRejected, OrderCancelRejected
from cashup.model.ids import AccountId, ClientOrderId, Currency, GroupId
from cashup.model.instrument import Instrument
from cashup.model.orders import OrderRequest

_NAN: Final = math.nan
#: Funding settlements of one instrument that may fall into one bar.
_SETTLEMENTS: Final = 256
_PRICES: Final = ("open", "high", "low", "close", "volume", "mark")
_NOW: Final = slot(k.RUN, "now")
_N_OPEN: Final = slot(k.RUN, "n_open")
_N_MARGINED: Final = slot(k.RUN, "n_margined")
_N_UPDATES: Final = slot(k.RUN, "n_updates")
_N_FILLS: Final = slot(k.RUN, "n_fills")
_N_PAYMENTS: Final = slot(k.RUN, "n_payments")
_N_ORDERS: Final = slot(k.RUN, "n_orders")
_CAP_ORDERS: Final = slot(k.RUN, "cap_orders")
_LAST_PRICE: Final = slot(k.POSITION, "last_price")
_MARK_PRICE: Final = slot(k.POSITION, "mark_price")


class FundingDue(NamedTuple):
    """One funding settlement of an instrument, by its place in the venue's order; `mark` NaN = last price."""

    instrument: int
    ts_event: int
    ts_init: int
    rate: float
    mark: float = _NAN


class SimulatedExchange:
    """Match orders on bars, with the rules and numbers of a compiled run.

    Its memory is that of a run of one single bar, which every step of time overwrites. `handle` takes what
    the market does; `submit`, `cancel` and `join_group` take commands; consequences go to the connected sink.

    Args:
        instruments: What is traded, in the order bars come in.
        specs: The same instruments' constants for the kernel.
        cash: Money at the start, in `currency`.
        currency: What the account is settled in.
        account_id: The account's name.
        rules: How orders meet bars.
        marked: Of which instruments bars bring a mark price; the others are valued at their last price.
        start: Time before the first bar, ns UTC.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        specs: Sequence[InstrumentSpec],
        *,
        cash: float,
        currency: Currency,
        account_id: AccountId,
        rules: Rules | None = None,
        marked: Sequence[bool] = (),
        start: int = 0,
    ) -> None:
        self._marked = tuple(marked) or (False,) * len(specs)
        self._bars = [np.full((len(_PRICES), 1), _NAN) for _ in specs]
        self._funding_columns = [
            (np.zeros(_SETTLEMENTS, np.int64), *np.zeros((2, _SETTLEMENTS))) for _ in specs
        ]
        self._times = np.full(2, start, np.int64)
        self.memory = RunMemory(
            instruments=specs,
            columns=[self._columns(index) for index in range(len(specs))],
            open_ts=self._times[:1],
            close_ts=self._times[1:],
            cash=cash,
            rules=rules,
            wants=k.WANTS_ORDER,
        )
        self._address = self.memory.address
        self._integers = integers(self._address, k.RUN.itemsize // 8)
        self._integers[_NOW] = start
        self._writers: list[list[Any]] = [[column.data for column in bars] for bars in self._bars]
        self._time_writer: Any = self._times.data
        base = int(self.memory.positions.ctypes.data)
        words = k.POSITION.itemsize // 8
        self._positions = [floats(base + index * 8 * words, words) for index in range(len(specs))]
        self._places = {instrument.id: index for index, instrument in enumerate(instruments)}
        self._numbers: dict[ClientOrderId, int] = {}
        self._groups: dict[GroupId | int, int] = {}
        self._rows: dict[int, int] = {}  # sender's order number -> ours
        self._funding: tuple[deque[FundingDue], ...] = tuple(deque() for _ in specs)
        self._funded: set[int] = set()  # instruments that ever had funding
        self._unseen: BarsClosed | None = None
        self._speak: Callable[[EventSink], Voice] = lambda sink: EventVoice(
            sink, ChangeWriter(instruments, account_id, currency), account_id, currency
        )
        self._sink: EventSink = _nobody
        self._report = VenueReport(self.memory, self._speak(_nobody))

    def connect(self, sink: EventSink) -> None:
        """Send every event from now on to `sink`."""
        self._sink = sink
        self._report.voice = self._speak(sink)

    def connect_rows(self, sink: EventSink) -> None:
        """Send every change from now on to `sink`, as rows of the kernel's tables instead of events.

        For a node in the same process that nobody watches: orders must then come by `place_rows`.
        """
        self._sink = sink
        self._report.voice = RowVoice(sink)

    def handle(self, event: object) -> None:
        """Take market data: match working orders on bars, remember funding that falls due."""
        if isinstance(event, BarsClosed):
            self._integers[_NOW] = event.ts_event
            if self._integers[_N_OPEN] or self._integers[_N_MARGINED]:
                self._match(event)
            else:
                self._unseen = event  # prices are looked up when the next order comes
        elif isinstance(event, FundingDue):
            self._funding[event.instrument].append(event)
            self._funded.add(event.instrument)

    def submit(self, command: SubmitOrder) -> None:
        """Take orders in; they act from the first bar that opens when they have arrived."""
        self._catch_up()
        self._make_room(len(command.requests))
        for request in command.requests:
            parent = self._numbers.get(request.parent_id, 0) if request.parent_id is not None else 0
            self._numbers[request.client_order_id] = self._place(request, parent)
            self._report.follow(request=request)
        self._send()

    def place_rows(self, rows: Sequence[Row]) -> None:
        """Take orders in as rows of their sender's order table."""
        self._catch_up()
        self._make_room(len(rows))
        for row in rows:
            self._rows[row.id] = entry.place(
                self._address,
                row.instrument,
                row.side,
                row.type,
                row.time_in_force,
                row.flags,
                row.quantity,
                row.value,
                row.price,
                row.stop_price,
                row.trail,
                row.expire_ts,
                self._rows[row.parent] if row.parent else 0,
                self._group(row.group or None),
                row.tag,
            )
            self._report.follow(number=row.id)
        self._send()

    def cancel_row(self, number: int) -> None:
        """Cancel an order its sender numbers so, or start the wish on its way when there is latency."""
        self._catch_up()
        entry.cancel(self._address, self._rows.get(number, 0))
        self._send()

    def group_row(self, number: int, group: int) -> None:
        """Put an order into a one-cancels-other group of its sender's."""
        own = self._rows.get(number, 0)
        if own:
            self.memory.orders[own - 1]["group"] = self._group(group)

    def cancel(self, command: CancelOrder) -> None:
        """Cancel an order, or start the wish on its way when there is latency."""
        self._catch_up()
        number = self._numbers.get(command.client_order_id, 0)
        if not entry.cancel(self._address, number) and not self._is_leaving(number):
            now = self._integers[_NOW]
            self._sink(
                OrderCancelRejected(
                    client_order_id=command.client_order_id,
                    ts_event=now,
                    ts_init=now,
                    message="the order is not known, or has ended",
                )
            )
        self._send()

    def join_group(self, command: JoinGroup) -> None:
        """Put an order into a one-cancels-other group."""
        number = self._numbers.get(command.client_order_id, 0)
        if number:
            self.memory.orders[number - 1]["group"] = self._group(command.group_id)

    def amend(self, command: AmendOrder) -> None:
        """Refuse: orders of this venue are changed by cancelling and placing again."""
        now = self._integers[_NOW]
        self._sink(
            OrderAmendRejected(
                client_order_id=command.client_order_id,
                ts_event=now,
                ts_init=now,
                message="the simulated exchange does not change orders; cancel and place a new one",
            )
        )

    def close(self) -> None:
        """End what still works: no more data will come."""
        self._catch_up()
        self._report.close(self.memory.open_orders.tolist(), self._integers[_NOW])

    def _columns(self, index: int) -> Columns:
        times, rates, marks = self._funding_columns[index]
        prices = dict(zip(_PRICES, self._bars[index], strict=True))
        if not self._marked[index]:
            del prices["mark"]
        return Columns(**prices, funding_ts=times, funding_rate=rates, funding_mark=marks)

    def _match(self, step: BarsClosed) -> None:
        self._unseen = None
        self._time_writer[0], self._time_writer[1] = step.ts_open, step.ts_event
        for index, values in enumerate(step.bars):
            writers = self._writers[index]
            for writer, value in zip(writers, values or _NO_BAR, strict=True):
                writer[0] = value
        for index in self._funded:
            self._load_funding(index, step.ts_event)
        match.step(self._address, 0)
        self._send()

    def _load_funding(self, index: int, until: int) -> None:
        """Give the kernel the settlements up to the end of this bar; it takes each when its time comes."""
        due = self._funding[index]
        row = self.memory.instruments[index]
        position = self.memory.positions[index]
        times, rates, marks = self._funding_columns[index]
        count = 0
        while due and due[0].ts_event < until:
            if count == _SETTLEMENTS:
                raise InvariantBroken(explain(f"more than {_SETTLEMENTS} funding settlements in one bar"))
            event = due.popleft()
            times[count], rates[count], marks[count] = event.ts_event, event.rate, event.mark
            count += 1
        if count or row["n_funding"]:
            row["n_funding"] = count
            position["next_funding"] = 0

    def _catch_up(self) -> None:
        """Look at the prices of bars that passed while nothing was to be matched."""
        step, self._unseen = self._unseen, None
        if step is None:
            return
        for words, values, marked in zip(self._positions, step.bars, self._marked, strict=True):
            if values is not None:
                words[_LAST_PRICE] = values[3]
                mark = values[5] if marked else values[3]
                if mark == mark:
                    words[_MARK_PRICE] = mark

    def _make_room(self, count: int) -> None:
        if self._integers[_N_ORDERS] + count + ORDER_RESERVE > self._integers[_CAP_ORDERS]:
            self.memory.grow()

    def _place(self, request: OrderRequest, parent: int) -> int:
        flags = (
            (k.REDUCE_ONLY if request.reduce_only else 0)
            | (k.POST_ONLY if request.post_only else 0)
            | (k.CLIP if request.clip and request.value != EVERYTHING else 0)
            | (k.VALUE_SIZED if request.value is not None else 0)
            | (k.CLOSE_POSITION if request.close_position and not parent else 0)
            | (k.TRAIL_FRACTION if request.trail_fraction is not None else 0)
        )
        value = math.inf if request.value == EVERYTHING else _number(request.value, 0.0)
        trail = request.trail if request.trail_fraction is None else request.trail_fraction
        number: int = entry.place(
            self._address,
            self._places.get(request.instrument_id, -1),
            SIDE_CODES[request.side],
            ORDER_TYPE_CODES[request.type],
            TIME_IN_FORCE_CODES[request.time_in_force],
            flags,
            _number(request.quantity, 0.0),
            value,
            _number(request.price, _NAN),
            _number(request.stop_price, _NAN),
            _number(trail, _NAN),
            request.expire_ts or 0,
            parent,
            self._group(request.group_id),
            request.tag,
        )
        return number

    def _group(self, name: GroupId | int | None) -> int:
        if name is None:
            return 0
        if name not in self._groups:
            self._groups[name] = entry.new_group(self._address)
        return self._groups[name]

    def _is_leaving(self, number: int) -> bool:
        """Whether a cancel of this order is on its way already."""
        if not number:
            return False
        row = self.memory.orders[number - 1]
        return bool(row["cancel_ts"] and row["status"] < k.FIRST_FINAL_STATUS)

    def _send(self) -> None:
        run = self._integers
        if run[_N_UPDATES] or run[_N_FILLS] or run[_N_PAYMENTS]:
            self._report.send(run[_NOW])


_NO_BAR: Final = (_NAN,) * len(_PRICES)


def _nobody(event: object) -> None:
    raise InvariantBroken(explain(f"the venue has nobody to tell of {event}", expected="a connected sink"))


def _number(value: Any, missing: float) -> float:
    return missing if value is None else float(value)
