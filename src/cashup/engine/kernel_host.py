"""The host of a strategy in the fast path: everything is answered from the memory of a compiled run."""

from __future__ import annotations

import ctypes
from typing import Any, Final

from cashup.engine.series import Cursor
from cashup.engine.strategy_log import StrategyLog
from cashup.engine.views import FillView, OrderView, PaymentView, row_of
from cashup.kernel import entry
from cashup.kernel.compiling.accounts import position_pnl, position_pnl_fraction, position_value
from cashup.kernel.memory import RunMemory
from cashup.kernel.types import POSITION, RUN


def _slot(dtype: Any, name: str) -> int:
    return int(dtype.fields[name][1]) // 8


def _bytes(address: int, count: int) -> memoryview[int]:
    return memoryview((ctypes.c_char * (8 * count)).from_address(address)).cast("B")


def _integers(address: int, count: int) -> memoryview[int]:
    """Look at `count` words of plain memory as int64; it reads faster than NumPy's scalars."""
    return _bytes(address, count).cast("q")


def _floats(address: int, count: int) -> memoryview[float]:
    """Look at `count` words of plain memory as float64."""
    return _bytes(address, count).cast("d")


_NOW: Final = _slot(RUN, "now")
_CURSOR: Final = _slot(RUN, "d")
_CASH: Final = _slot(RUN, "cash")
_QUANTITY: Final = _slot(POSITION, "quantity")
_ENTRY: Final = _slot(POSITION, "entry_price")
_LAST: Final = _slot(POSITION, "last_price")
_OPENED: Final = _slot(POSITION, "opened_ts")


class KernelPosition:
    """The position in one instrument, read from the run's memory at every look."""

    __slots__ = ("_address", "_floats", "_instrument", "_integers")

    def __init__(self, memory: RunMemory, instrument: int) -> None:
        address = int(memory.positions.ctypes.data) + instrument * POSITION.itemsize
        self._floats = _floats(address, POSITION.itemsize // 8)
        self._integers = _integers(address, POSITION.itemsize // 8)
        self._address = memory.address
        self._instrument = instrument

    @property
    def size(self) -> float:
        """Signed quantity."""
        return self._floats[_QUANTITY]

    @property
    def entry_price(self) -> float:
        """Average price paid; 0.0 when flat."""
        return self._floats[_ENTRY]

    @property
    def last_price(self) -> float:
        """Last known close of the instrument."""
        return self._floats[_LAST]

    @property
    def value(self) -> float:
        """Signed value at the last price (perpetuals: mark price)."""
        return float(position_value(self._address, self._instrument))

    @property
    def pnl(self) -> float:
        """Profit not yet realised, before fees."""
        return float(position_pnl(self._address, self._instrument))

    @property
    def pnl_pct(self) -> float:
        """The same as a fraction of the value at entry."""
        return float(position_pnl_fraction(self._address, self._instrument))

    @property
    def is_long(self) -> bool:
        """Whether the quantity is above zero."""
        return self._floats[_QUANTITY] > 0.0

    @property
    def is_short(self) -> bool:
        """Whether the quantity is below zero."""
        return self._floats[_QUANTITY] < 0.0

    @property
    def is_flat(self) -> bool:
        """Whether there is no position."""
        return self._floats[_QUANTITY] == 0.0

    @property
    def opened(self) -> int:
        """When it was opened, ns UTC; 0 when flat."""
        return self._integers[_OPENED]


class KernelHost:
    """Answers a strategy from a `RunMemory`; see `cashup.engine.host.StrategyHost`.

    Attributes:
        memory: The run.
        cursor: Item 0 is the index of the last closed decision bar.
        messages: What the strategy logged.
    """

    __slots__ = ("_address", "_floats", "_integers", "_positions", "cursor", "memory", "messages")

    def __init__(self, memory: RunMemory) -> None:
        self.memory = memory
        self.messages = StrategyLog()
        self._address = memory.address
        self._floats = _floats(memory.address, RUN.itemsize // 8)
        self._integers = _integers(memory.address, RUN.itemsize // 8)
        self.cursor: Cursor = self._integers[_CURSOR : _CURSOR + 1]
        self._positions = tuple(KernelPosition(memory, k) for k in range(len(memory.positions)))

    def now(self) -> int:
        """Return the current time, ns UTC."""
        return self._integers[_NOW]

    def equity(self) -> float:
        """Return cash and open positions at their last price."""
        return float(entry.equity(self._address))

    def cash(self) -> float:
        """Return free money (spot) or the wallet balance (perpetuals)."""
        return self._floats[_CASH]

    def price(self, instrument: int) -> float:
        """Return the last known close of an instrument."""
        return self.position(instrument).last_price

    def position(self, instrument: int) -> KernelPosition:
        """Return the view of a position. Raise IndexError when there is no such instrument."""
        if instrument < 0:
            raise IndexError(f"instrument {instrument}; instruments are counted from 0")
        return self._positions[instrument]

    def order(self, order_id: int) -> OrderView:
        """Return an order as it is now. Raise IndexError when there is no such order."""
        orders = self.memory.orders
        if not 1 <= order_id <= len(orders):
            raise IndexError(f"order {order_id}; ids go from 1 to {len(orders)}")
        return OrderView._make(row_of(orders, order_id - 1))

    def fill(self, index: int) -> FillView:
        """Return a fill by its row."""
        return FillView._make(row_of(self.memory.fills, index))

    def payment(self, index: int) -> PaymentView:
        """Return a funding payment by its row."""
        return PaymentView._make(row_of(self.memory.payments, index))

    def place(
        self,
        *,
        instrument: int,
        side: int,
        type: int,  # noqa: A002 (the order's own field)
        time_in_force: int,
        flags: int,
        quantity: float,
        value: float,
        price: float,
        stop_price: float,
        trail: float,
        expire_ts: int,
        tag: int,
    ) -> int:
        """Send an order, NaN for prices it has not; return its id."""
        return int(
            entry.place(
                self._address, instrument, side, type, time_in_force, flags, quantity, value, price,
                stop_price, trail, expire_ts, 0, 0, tag,
            )
        )  # fmt: skip

    def bracket(self, parent: int, stop_loss: float, take_profit: float, trailing: float) -> None:
        """Attach protective orders to an order just placed; NaN for those not wanted."""
        entry.bracket(self._address, parent, stop_loss, take_profit, trailing)

    def link(self, first: int, second: int) -> int:
        """Make two orders cancel each other; return the group."""
        return int(entry.oco(self._address, first, second))

    def cancel(self, order_id: int) -> int:
        """Ask to cancel an order; return 1 when it was working, else 0."""
        return int(entry.cancel(self._address, order_id))

    def cancel_all(self, instrument: int) -> int:
        """Ask to cancel all working orders of an instrument, of every instrument when -1; return how many."""
        return int(entry.cancel_all(self._address, instrument))

    def target(self, instrument: int, fraction: float, tolerance: float) -> int:
        """Trade towards a share of equity; return the order's id, 0 when nothing needs doing."""
        return int(entry.target(self._address, instrument, fraction, tolerance))

    def target_size(self, instrument: int, quantity: float) -> int:
        """Trade towards a signed quantity; return the order's id, 0 when nothing needs doing."""
        return int(entry.target_size(self._address, instrument, quantity))

    def close_position(self, instrument: int) -> int:
        """Close a position at the market; return the order's id, 0 when there is none."""
        return int(entry.close_position(self._address, instrument))

    def log(self, text: str, values: tuple[float | int | bool, ...]) -> None:
        """Write a line of the strategy's log."""
        self.messages.write(self.now(), text, values)
