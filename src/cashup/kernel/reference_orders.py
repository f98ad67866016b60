"""The slow twin's orders: what they are, how they are judged at the door, and when their price is met."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from cashup.kernel.reference_account import ReferenceInstrument

#: A value this close to a grid point, in steps, lies on it (part of the rounding rule).
NEARLY = Decimal("1e-9")

OPEN_STATES = ("held", "submitted", "accepted", "triggered", "partial")
AT_VENUE = ("accepted", "triggered", "partial")
STOPS = ("stop", "stop_limit", "trailing")
TARGETS = ("take_profit", "take_profit_limit")
LIMITED = ("limit", "stop_limit", "take_profit_limit")


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """Round down to a multiple of step (0 = no grid)."""
    return value if step == 0 else (value / step + NEARLY).to_integral_value(ROUND_FLOOR) * step


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """Round up to a multiple of step (0 = no grid)."""
    return value if step == 0 else (value / step - NEARLY).to_integral_value(ROUND_CEILING) * step


def nearest_to(value: Decimal, step: Decimal) -> Decimal:
    """Round to the nearest multiple of step, a tie up (0 = no grid)."""
    return value if step == 0 else floor_to(value + step / 2, step)


@dataclass(slots=True, kw_only=True)
class ReferenceOrder:
    """One order; sized by value, `value` None = all that can be afforded; `close` = the whole position."""

    id: int
    instrument: int
    side: int
    type: str
    quantity: Decimal | None = None
    value: Decimal | None = None
    price: Decimal | None = None
    stop: Decimal | None = None
    trail: Decimal | None = None
    trail_is_fraction: bool = False
    tif: str = "gtc"
    expire: int = 0
    reduce_only: bool = False
    post_only: bool = False
    clip: bool = False
    close: bool = False
    sized_by_value: bool = False
    parent: int = 0
    group: int = 0
    status: str = "submitted"
    reason: str = ""
    filled: Decimal = Decimal(0)
    active: int = 0
    cancel_at: int = 0
    rested: bool = False
    extreme: Decimal | None = None
    spent_bar: int = -1

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.status in OPEN_STATES

    @property
    def waits_for_trigger(self) -> bool:
        """Whether its stop price is still to be touched."""
        return self.type in STOPS + TARGETS and self.status not in ("triggered", "partial")

    @property
    def acts_as_limit(self) -> bool:
        """Whether it now works at a limit price."""
        return self.type in LIMITED and not self.waits_for_trigger

    @property
    def level(self) -> Decimal | None:
        """The price it waits for; None if it waits for none."""
        if self.waits_for_trigger:
            return self.stop
        return self.price if self.acts_as_limit else None

    @property
    def looks_down(self) -> bool:
        """Whether it acts at its level or below: a buy limit, a sell stop, a buy target."""
        favourable = self.acts_as_limit or self.type in TARGETS
        return (self.side > 0) == favourable

    def is_met(self, price: Decimal, *, must_cross: bool) -> bool:
        """Whether a market price meets its level; `must_cross`: a limit has to be traded through."""
        if self.level is None:
            return False
        if price == self.level:
            return not (self.acts_as_limit and must_cross)
        return price < self.level if self.looks_down else price > self.level

    def follow(self, price: Decimal, tick: Decimal) -> None:
        """Let a trailing stop see a price."""
        if self.extreme is not None and (price - self.extreme) * self.side >= 0:
            return
        assert self.trail is not None
        self.extreme = price
        distance = self.trail * price if self.trail_is_fraction else self.trail
        level = nearest_to(max(Decimal(0), price + self.side * distance), tick)
        if self.stop is None or (level - self.stop) * self.side < 0:
            self.stop = level


def judge(order: ReferenceOrder, instrument: ReferenceInstrument, last: Decimal | None, now: int) -> str:
    """Round an order to the venue's grids; return why it is refused at the door, or an empty string."""
    if order.type in LIMITED:
        if order.price is None or order.price <= 0:
            return "bad_price"
        order.price = (floor_to if order.side > 0 else ceil_to)(order.price, instrument.tick)
    if order.type in ("stop", "stop_limit", *TARGETS) or (
        order.type == "trailing" and order.stop is not None
    ):
        if order.stop is None or order.stop <= 0:
            return "bad_price"
        order.stop = nearest_to(order.stop, instrument.tick)
    if order.price == 0 or order.stop == 0:
        return "bad_price"
    if order.type == "trailing" and (
        order.trail is None or order.trail <= 0 or (order.trail_is_fraction and order.trail >= 1)
    ):
        return "bad_price"
    if order.post_only and (order.type != "limit" or order.tif in ("ioc", "fok")):
        return "post_only"
    if order.tif == "gtd" and order.expire <= now:
        return "gtd"
    if order.parent or order.close:
        return ""
    if order.sized_by_value:
        return "" if order.value is None or order.value > 0 else "bad_quantity"
    return _judge_quantity(order, instrument, last)


def _judge_quantity(order: ReferenceOrder, instrument: ReferenceInstrument, last: Decimal | None) -> str:
    if order.quantity is None or order.quantity <= 0:
        return "bad_quantity"
    order.quantity = floor_to(order.quantity, instrument.lot)
    if order.quantity == 0 or order.quantity < instrument.min_quantity:
        return "min_quantity"
    if ZERO_MEANS_NONE < instrument.max_quantity < order.quantity:
        return "max_quantity"
    price = (
        order.price
        if order.type in LIMITED
        else order.stop
        if order.type in ("stop", "take_profit")
        else last
    )
    if not order.reduce_only and price is not None:
        if instrument.worth(order.quantity, price) < instrument.min_notional * (1 - NEARLY):
            return "min_notional"
    return ""


ZERO_MEANS_NONE = Decimal(0)
