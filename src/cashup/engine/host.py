"""What a strategy stands on: the one object its callbacks talk to, whichever path runs it.

The fast path's host is `cashup.engine.kernel_host.KernelHost`, over the memory of a compiled run; the event
path brings its own. All values are the kernel's: float64, int64 nanoseconds, integer codes.
"""

from __future__ import annotations

from typing import Protocol

from cashup.engine.series import Cursor
from cashup.engine.views import OrderView


class PositionView(Protocol):
    """The position in one instrument, as a strategy sees it; it follows the position as it changes."""

    @property
    def size(self) -> float:
        """Signed quantity: positive long, negative short, 0.0 flat."""

    @property
    def entry_price(self) -> float:
        """Average price paid; 0.0 when flat."""

    @property
    def value(self) -> float:
        """Signed value at the last price (perpetuals: mark price), in settlement currency."""

    @property
    def pnl(self) -> float:
        """Profit not yet realised, before fees, in settlement currency."""

    @property
    def pnl_pct(self) -> float:
        """The same as a fraction of the value at entry: 0.05 is 5 %; 0.0 when flat."""

    @property
    def is_long(self) -> bool:
        """Whether the quantity is above zero."""

    @property
    def is_short(self) -> bool:
        """Whether the quantity is below zero."""

    @property
    def is_flat(self) -> bool:
        """Whether there is no position."""

    @property
    def opened(self) -> int:
        """When it was opened, ns UTC; 0 when flat."""


class StrategyHost(Protocol):
    """Services a running strategy needs.

    Orders are answered by an id; what is wrong with one comes as its status.
    """

    @property
    def cursor(self) -> Cursor:
        """Item 0 is the index of the last closed decision bar."""

    def now(self) -> int:
        """Return the current time, ns UTC: the close of the current bar."""

    def equity(self) -> float:
        """Return cash and open positions at their last price, in settlement currency."""

    def cash(self) -> float:
        """Return free money (spot) or the wallet balance (perpetuals), in settlement currency."""

    def price(self, instrument: int) -> float:
        """Return the last known close of an instrument."""

    def position(self, instrument: int) -> PositionView:
        """Return the view of a position. Raise IndexError when there is no such instrument."""

    def order(self, order_id: int) -> OrderView:
        """Return an order as it is now. Raise IndexError when there is no such order."""

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

    def bracket(self, parent: int, stop_loss: float, take_profit: float, trailing: float) -> None:
        """Attach protective orders to an order just placed; NaN for those not wanted."""

    def link(self, first: int, second: int) -> int:
        """Make two orders cancel each other (OCO); return the group."""

    def cancel(self, order_id: int) -> int:
        """Ask to cancel an order; return 1 when it was working, else 0."""

    def cancel_all(self, instrument: int) -> int:
        """Ask to cancel all working orders of an instrument, of every instrument when -1; return how many."""

    def target(self, instrument: int, fraction: float, tolerance: float) -> int:
        """Trade towards a share of equity; return the order's id, 0 when nothing needs doing."""

    def target_size(self, instrument: int, quantity: float) -> int:
        """Trade towards a signed quantity; return the order's id, 0 when nothing needs doing."""

    def close_position(self, instrument: int) -> int:
        """Close a position at the market; return the order's id, 0 when there is none."""

    def log(self, text: str, values: tuple[float | int | bool, ...]) -> None:
        """Write a line of the strategy's log."""
