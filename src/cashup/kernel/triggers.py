"""When an order's price is met: which way it looks, at what level, and how a trailing stop moves."""

from __future__ import annotations

from cashup.kernel import types as kt
from cashup.kernel.function import FLOAT, INT, internal
from cashup.kernel.records import as_run, instrument_at, order_at
from cashup.kernel.rounding import to_grid

#: How a working order waits: for nothing (it acts at the next open), for its trigger, or as a limit order.
AT_MARKET = 0
FOR_TRIGGER = 1
AS_LIMIT = 2


@internal(INT, INT)
def waits(address: int, row: int) -> int:
    """Return AT_MARKET, FOR_TRIGGER or AS_LIMIT for an order at the venue."""
    order = order_at(as_run(address).orders, row)
    kind = order.type
    if kind == kt.MARKET:
        return AT_MARKET
    if kind == kt.LIMIT:
        return AS_LIMIT
    if order.status == kt.TRIGGERED or order.status == kt.PARTIALLY_FILLED:
        return AS_LIMIT if kind == kt.STOP_LIMIT or kind == kt.TAKE_PROFIT_LIMIT else AT_MARKET
    return FOR_TRIGGER


@internal(INT, INT, INT)
def looks_down(address: int, row: int, waiting: int) -> int:
    """Return 1 when the order acts at its level or below it, 0 when at or above.

    A buy limit, a sell stop and a buy take-profit look down; their opposites look up.
    """
    order = order_at(as_run(address).orders, row)
    buys_low = waiting == AS_LIMIT or order.type == kt.TAKE_PROFIT or order.type == kt.TAKE_PROFIT_LIMIT
    return 1 if (order.side > 0) == buys_low else 0


@internal(INT, INT, INT, FLOAT)
def is_met(address: int, row: int, waiting: int, price: float) -> int:
    """Return 1 when a market price meets the order's level (a limit under LIMIT_CROSS: goes beyond it)."""
    run = as_run(address)
    order = order_at(run.orders, row)
    level = order.price if waiting == AS_LIMIT else order.stop_price
    if price == level:
        return 0 if waiting == AS_LIMIT and run.limit_rule == kt.LIMIT_CROSS else 1
    if looks_down(address, row, waiting) == 1:
        return 1 if price < level else 0
    return 1 if price > level else 0


@internal(INT, INT, FLOAT)
def ratchet(address: int, row: int, price: float) -> int:
    """Let a trailing stop see a price: its extreme moves with profit, its trigger never moves back."""
    run = as_run(address)
    order = order_at(run.orders, row)
    if order.trail_extreme == order.trail_extreme and (price - order.trail_extreme) * order.side >= 0.0:
        return 0
    order.trail_extreme = price
    distance = order.trail * price if order.flags & kt.TRAIL_FRACTION != 0 else order.trail
    level = max(0.0, price + order.side * distance)
    level = to_grid(level, instrument_at(run.instruments, order.instrument).tick, 0)
    if not (level - order.stop_price) * order.side >= 0.0:
        order.stop_price = level
    return 1
