"""The host of a strategy inside a node: the kernel's order entry decides, and decisions become actions.

The node keeps a memory of its own with the kernel's tables: its orders, its money, its positions. What a
strategy asks for is worked out on it by `cashup.kernel.entry`, exactly as in a compiled run. `NodeHost`
notes which orders that made or withdrew; the node sends them out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from cashup.engine.kernel_host import KernelHost
from cashup.engine.words import slot
from cashup.kernel import types as k
from cashup.kernel.memory import ORDER_RESERVE, RunMemory

_N_ORDERS: Final = slot(k.RUN, "n_orders")
_CAP_ORDERS: Final = slot(k.RUN, "cap_orders")
_N_OPEN: Final = slot(k.RUN, "n_open")
_N_FILLS: Final = slot(k.RUN, "n_fills")
_CAP_FILLS: Final = slot(k.RUN, "cap_fills")


class Placed(NamedTuple):
    """An order was made; it may have been refused at once."""

    order: int


class Withdrawn(NamedTuple):
    """The cancellation of an order was asked for."""

    order: int


class Linked(NamedTuple):
    """Two orders were joined: a fill of one cancels the other."""

    first: int
    second: int


Action = Placed | Withdrawn | Linked


class NodeHost(KernelHost):
    """Answer a strategy from the node's memory, and note what it wants done.

    Attributes:
        actions: What was decided since the node last looked, in order.
    """

    __slots__ = ("_known", "actions")

    def __init__(self, memory: RunMemory) -> None:
        super().__init__(memory)
        self.actions: list[Action] = []
        self._known = 0

    def make_room(self) -> None:
        """Enlarge the tables when the next step of time could fill them."""
        words = self._integers
        orders_short = words[_N_ORDERS] + ORDER_RESERVE > words[_CAP_ORDERS]
        if orders_short or words[_N_FILLS] + words[_N_OPEN] + ORDER_RESERVE > words[_CAP_FILLS]:
            self.memory.grow()

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
        number = super().place(
            instrument=instrument,
            side=side,
            type=type,
            time_in_force=time_in_force,
            flags=flags,
            quantity=quantity,
            value=value,
            price=price,
            stop_price=stop_price,
            trail=trail,
            expire_ts=expire_ts,
            tag=tag,
        )
        self._note_new()
        return number

    def bracket(self, parent: int, stop_loss: float, take_profit: float, trailing: float) -> None:
        """Attach protective orders to an order just placed; NaN for those not wanted."""
        super().bracket(parent, stop_loss, take_profit, trailing)
        self._note_new()

    def link(self, first: int, second: int) -> int:
        """Make two orders cancel each other; return the group."""
        group = super().link(first, second)
        if group:
            self.actions.append(Linked(first, second))
        return group

    def cancel(self, order_id: int) -> int:
        """Ask to cancel an order; return 1 when that was done or asked for."""
        return self._note_withdrawn(lambda: super(NodeHost, self).cancel(order_id))

    def cancel_all(self, instrument: int) -> int:
        """Ask to cancel all working orders of an instrument, of every instrument when -1; return how many."""
        return self._note_withdrawn(lambda: super(NodeHost, self).cancel_all(instrument))

    def target(self, instrument: int, fraction: float, tolerance: float) -> int:
        """Trade towards a share of equity; return the order's id, 0 when nothing needs doing."""
        return self._note_withdrawn(lambda: super(NodeHost, self).target(instrument, fraction, tolerance))

    def target_size(self, instrument: int, quantity: float) -> int:
        """Trade towards a signed quantity; return the order's id, 0 when nothing needs doing."""
        return self._note_withdrawn(lambda: super(NodeHost, self).target_size(instrument, quantity))

    def close_position(self, instrument: int) -> int:
        """Close a position at the market; return the order's id, 0 when there is none."""
        number = super().close_position(instrument)
        self._note_new()
        return number

    def _note_new(self) -> None:
        count = self._integers[_N_ORDERS]
        for number in range(self._known + 1, count + 1):
            self.actions.append(Placed(number))
        self._known = count

    def _note_withdrawn(self, decide: Callable[[], int]) -> int:
        """Let the kernel decide, and note which working orders it withdrew, then which it made."""
        working = self.memory.open_orders.tolist() if self._integers[_N_OPEN] else []
        working = [number for number in working if not self._is_leaving(number)]
        result = decide()
        for number in working:
            if self._was_withdrawn(number):
                self.actions.append(Withdrawn(number))
        self._note_new()
        return result

    def _was_withdrawn(self, number: int) -> bool:
        """Whether its cancel was asked for; one that ended with its parent is the venue's to end."""
        row = self.memory.orders[number - 1]
        return bool(row["cancel_ts"] or (row["status"] == k.CANCELLED and row["reason"] == k.REASON_USER))

    def _is_leaving(self, number: int) -> bool:
        row = self.memory.orders[number - 1]
        return bool(row["status"] >= k.FIRST_FINAL_STATUS or row["cancel_ts"])
