"""Inside a bar: orders and liquidations act along one path through its prices.

A bar says how far the price went, not in which order. The path decides it: open, one extreme, the other,
close, with the extreme that hurts first. Along it, everything acts when its price is met.
"""

from __future__ import annotations

import math

from cashup.kernel import types as kt
from cashup.kernel.fills import fill_order
from cashup.kernel.function import FLOAT, INT, internal
from cashup.kernel.lifecycle import end_order, notify
from cashup.kernel.margin import liquidate
from cashup.kernel.records import as_run, instrument_at, load_f8, load_i8, order_at, position_at
from cashup.kernel.triggers import AS_LIMIT, AT_MARKET, FOR_TRIGGER, is_met, looks_down, ratchet, waits

#: Order of things that happen at the same price.
LIQUIDATION_FIRST = 0
STOPS_NEXT = 1
LIMITS_LAST = 2

#: Result of a search that found nothing, and of one that found the liquidation.
NOTHING = -2
LIQUIDATION = -1


@internal(INT, INT)
def goes_low_first(address: int, k: int) -> int:
    """Return 1 for the path open-low-high-close, 0 for open-high-low-close.

    The extreme that hurts comes first: the low for a long position, the high for a short one. Flat, what is
    waiting to enter decides: only buys - the high first; only sells - the low first; both - the extreme
    nearer to the open, at a tie the low.
    """
    run = as_run(address)
    quantity = position_at(run.positions, k).quantity
    if quantity != 0.0:
        return 1 if quantity > 0.0 else 0
    buys = 0
    sells = 0
    for j in range(run.n_open):
        order = order_at(run.orders, load_i8(run.open_orders, j) - 1)
        if (
            order.instrument == k
            and order.status >= kt.ACCEPTED
            and order.status < kt.FIRST_FINAL_STATUS
            and order.flags & kt.REDUCE_ONLY == 0
        ):
            buys += 1 if order.side > 0 else 0
            sells += 1 if order.side < 0 else 0
    if buys > 0 and sells == 0:
        return 0
    if sells > 0 and buys == 0:
        return 1
    instrument = instrument_at(run.instruments, k)
    opened = load_f8(instrument.open, run.i)
    up = load_f8(instrument.high, run.i) - opened
    down = opened - load_f8(instrument.low, run.i)
    return 1 if down <= up else 0


@internal(INT, INT, FLOAT, FLOAT, returns=FLOAT)
def meeting_price(address: int, row: int, price: float, end: float) -> float:
    """Return where between `price` and `end` an order acts, NaN if it does not."""
    run = as_run(address)
    order = order_at(run.orders, row)
    waiting = waits(address, row)
    if waiting == AT_MARKET:
        return math.nan
    if (
        waiting == FOR_TRIGGER
        and order.type == kt.TRAILING_STOP
        and order.trail_extreme != order.trail_extreme
    ):
        ratchet(address, row, price)
    if is_met(address, row, waiting, price) == 1:
        return price
    if looks_down(address, row, waiting) != (1 if end < price else 0) or end == price:
        return math.nan
    if is_met(address, row, waiting, end) == 1:
        return float(order.price if waiting == AS_LIMIT else order.stop_price)
    return math.nan


@internal(INT, INT, FLOAT, FLOAT)
def find_next(address: int, k: int, price: float, end: float) -> int:
    """Return the row of what acts first between `price` and `end`, LIQUIDATION, or NOTHING."""
    run = as_run(address)
    instrument = instrument_at(run.instruments, k)
    position = position_at(run.positions, k)
    close_ts = load_i8(run.close_ts, run.i)
    best = NOTHING
    nearest = math.inf
    rank = LIMITS_LAST + 1
    level = position.liquidation_price
    if instrument.mark == 0 and position.quantity != 0.0 and level == level:
        past = (level - price) * position.quantity
        reached = (level - end) * position.quantity
        if past >= 0.0 or reached >= 0.0:
            nearest = 0.0 if past >= 0.0 else abs(level - price)
            rank = LIQUIDATION_FIRST
            best = LIQUIDATION
    for j in range(run.n_open):
        row = load_i8(run.open_orders, j) - 1
        order = order_at(run.orders, row)
        if (
            order.instrument != k
            or order.status < kt.ACCEPTED
            or order.status >= kt.FIRST_FINAL_STATUS
            or order.spent_ts == close_ts
        ):
            continue
        met = meeting_price(address, row, price, end)
        if met != met:
            continue
        distance = abs(met - price)
        stop = order.type == kt.STOP or order.type == kt.TRAILING_STOP
        stop = stop or (order.type == kt.STOP_LIMIT and waits(address, row) == FOR_TRIGGER)
        own_rank = STOPS_NEXT if stop else LIMITS_LAST
        if distance < nearest or (distance == nearest and own_rank < rank):
            nearest = distance
            rank = own_rank
            best = row
    return best


@internal(INT, INT, FLOAT, INT)
def act_inside(address: int, row: int, price: float, at_once: int) -> int:
    """Let one order act at a price inside the bar.

    A limit order that is met where the path stands (`at_once`) and has not rested takes liquidity; one the
    path comes to makes it.
    """
    run = as_run(address)
    order = order_at(run.orders, row)
    ts = load_i8(run.close_ts, run.i)
    waiting = waits(address, row)
    reached = 1
    if waiting == FOR_TRIGGER:
        order.status = kt.TRIGGERED
        notify(address, order.id)
        waiting = waits(address, row)
        at_once = 1
        reached = is_met(address, row, AS_LIMIT, price) if waiting == AS_LIMIT else 1
    if reached == 1:
        taker = 1 if waiting == AT_MARKET or (at_once == 1 and order.rested == 0) else 0
        if fill_order(address, row, price, taker, 1) == 0:
            order.spent_ts = ts
    if order.status < kt.FIRST_FINAL_STATUS:
        if order.time_in_force == kt.IOC:
            end_order(address, row, kt.CANCELLED, kt.REASON_IOC, ts)
        elif order.time_in_force == kt.FOK:
            end_order(address, row, kt.CANCELLED, kt.REASON_FOK, ts)
    return 0


@internal(INT, INT, FLOAT)
def see_price(address: int, k: int, price: float) -> int:
    """Let limit orders that were not met rest, and trailing stops follow, at a price the path has reached."""
    run = as_run(address)
    for j in range(run.n_open):
        row = load_i8(run.open_orders, j) - 1
        order = order_at(run.orders, row)
        if order.instrument != k or order.status < kt.ACCEPTED or order.status >= kt.FIRST_FINAL_STATUS:
            continue
        if order.type == kt.TRAILING_STOP:
            if waits(address, row) == FOR_TRIGGER:
                ratchet(address, row, price)
        elif waits(address, row) == AS_LIMIT:
            order.rested = 1
    return 0


@internal(INT, INT)
def walk_path(address: int, k: int) -> int:
    """Walk instrument k through the current bar."""
    run = as_run(address)
    instrument = instrument_at(run.instruments, k)
    position = position_at(run.positions, k)
    i = run.i
    ts = load_i8(run.close_ts, i)
    price = load_f8(instrument.open, i)
    low_first = goes_low_first(address, k)
    for leg in range(3):
        end = load_f8(instrument.close, i)
        if leg < 2:
            low = (low_first == 1) == (leg == 0)
            end = load_f8(instrument.low, i) if low else load_f8(instrument.high, i)
        while True:
            row = find_next(address, k, price, end)
            if row == NOTHING:
                break
            if row == LIQUIDATION:
                level = position.liquidation_price
                if (level - price) * position.quantity < 0.0:
                    price = level
                liquidate(address, k, price, ts)
            else:
                at_once = is_met(address, row, waits(address, row), price)
                price = meeting_price(address, row, price, end)
                act_inside(address, row, price, at_once)
        see_price(address, k, end)
        price = end
    return 0
