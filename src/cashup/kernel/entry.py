"""Placing and cancelling orders: what strategies call, compiled or not.

Compiled strategies call these as they are; Python calls `place.shared.python(run_address, ...)`. Both run the
same machine code and therefore decide alike.
"""

from __future__ import annotations

import math

from cashup.kernel.access import (
    b1,
    f8,
    i8,
    inner,
    instrument_at,
    instrument_t,
    load_i8,
    order_at,
    order_t,
    position_at,
    run_t,
    shared,
    store_i8,
)
from cashup.kernel.execution import round_down
from cashup.kernel.ledger import available_of, equity_of
from cashup.kernel.lifecycle import finish, note_update
from cashup.kernel.types import (
    BUY,
    CANCELLED,
    CLIP,
    CLOSE_POSITION,
    FIRST_FINAL_STATUS,
    GTC,
    GTD,
    HELD,
    INVERSE,
    LIMIT,
    MARKET,
    REASON_BAD_PRICE,
    REASON_BAD_QUANTITY,
    REASON_LEVERAGE,
    REASON_MAX_QUANTITY,
    REASON_MIN_NOTIONAL,
    REASON_MIN_QUANTITY,
    REASON_NONE,
    REASON_SHORT_NOT_ALLOWED,
    REASON_USER,
    REDUCE_ONLY,
    REJECTED,
    SELL,
    SPOT,
    STOP,
    STOP_LIMIT,
    SUBMITTED,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    TRAIL_FRACTION,
    TRAILING_STOP,
    VALUE_SIZED,
)


@inner(f8(f8, f8, i8))
def passive(price, tick, side):
    """Return a limit price on the tick grid, rounded away from the market (buys down, sells up)."""
    if tick > 0.0:
        if side > 0:
            return math.floor(price / tick + 1e-9) * tick
        return math.ceil(price / tick - 1e-9) * tick
    return price


@inner(f8(f8, f8))
def nearest(price, tick):
    """Return a trigger price on the tick grid."""
    if tick > 0.0:
        return round(price / tick) * tick
    return price


@inner(b1(f8))
def good(number):
    """Tell whether a number is finite and above zero."""
    return number > 0.0 and number < math.inf


@inner(i8(order_t))
def price_problem(order):
    """Return why the prices of an order cannot stand, or REASON_NONE."""
    kind = order.type
    if kind == LIMIT or kind == STOP_LIMIT or kind == TAKE_PROFIT_LIMIT:
        if not good(order.price):
            return REASON_BAD_PRICE
    if kind == STOP or kind == STOP_LIMIT or kind == TAKE_PROFIT or kind == TAKE_PROFIT_LIMIT:
        if not good(order.stop_price):
            return REASON_BAD_PRICE
    if kind == TRAILING_STOP:
        if not good(order.trail) or (order.flags & TRAIL_FRACTION and order.trail >= 1.0):
            return REASON_BAD_PRICE
    return REASON_NONE


@inner(i8(run_t, instrument_t, order_t))
def size_problem(run, instrument, order):
    """Return why the size of an order cannot stand, or REASON_NONE. Rounds the quantity down to the lot."""
    if order.flags & CLOSE_POSITION:
        return REASON_NONE
    if order.flags & VALUE_SIZED:
        # No value means everything available; NaN and infinity are mistakes.
        if order.value == order.value and order.value >= 0.0 and order.value < math.inf:
            return REASON_NONE
        return REASON_BAD_QUANTITY
    if not good(order.quantity):
        return REASON_BAD_QUANTITY
    order.quantity = round_down(order.quantity, instrument.lot)
    if order.quantity <= 0.0 or order.quantity < instrument.min_quantity * (1.0 - 1e-9):
        return REASON_MIN_QUANTITY
    if instrument.max_quantity > 0.0 and order.quantity > instrument.max_quantity * (1.0 + 1e-9):
        return REASON_MAX_QUANTITY
    position = position_at(run.positions, order.instrument)
    if instrument.min_notional > 0.0 and not order.flags & REDUCE_ONLY:
        price = position.last_price
        if order.type == LIMIT or order.type == STOP_LIMIT or order.type == TAKE_PROFIT_LIMIT:
            price = order.price
        elif order.type == STOP or order.type == TAKE_PROFIT:
            price = order.stop_price
        exits = position.quantity * order.side < 0.0
        value = order.quantity * instrument.contract_size * price
        if instrument.kind == INVERSE:  # contracts are worth their size in quote currency
            value = order.quantity * instrument.contract_size
        if not exits and value < instrument.min_notional * (1.0 - 1e-9):
            return REASON_MIN_NOTIONAL
    if instrument.kind != SPOT and instrument.max_leverage > 0.0:
        if instrument.leverage > instrument.max_leverage:
            return REASON_LEVERAGE
    return REASON_NONE


@shared(i8(run_t, i8, i8, i8, i8, i8, f8, f8, f8, f8, f8, i8, i8, i8, i8))
def add_order(
    run, k, side, kind, tif, flags, quantity, value, price, stop_price, trail, expire_ts, parent, group, tag
):
    """Write an order to the table and the open list; return its id, 0 when the table is full."""
    if run.n_orders >= run.cap_orders:
        run.n_rejected += 1
        return 0
    order = order_at(run.orders, run.n_orders)
    run.n_orders += 1
    instrument = instrument_at(run.instruments, k)
    order.id = run.n_orders
    order.instrument = k
    order.side = side
    order.type = kind
    order.time_in_force = tif
    order.flags = flags
    order.status = HELD if parent != 0 else SUBMITTED
    order.reason = REASON_NONE
    order.quantity = quantity
    order.value = value
    order.filled = 0.0
    order.average_price = 0.0
    order.fee = 0.0
    order.price = passive(price, instrument.tick, side)
    order.stop_price = nearest(stop_price, instrument.tick)
    order.trail = trail
    order.trail_extreme = 0.0
    order.group = group
    order.parent = parent
    order.children = 0
    order.tag = tag
    order.created_ts = run.now
    order.active_ts = run.now + run.latency
    order.expire_ts = expire_ts
    order.cancel_ts = 0
    order.done_ts = 0
    order.created_d = run.d
    order.rested = 0
    order.triggered = 0
    position_at(run.positions, k).n_open += 1
    store_i8(run.open_orders, run.n_open, order.id)
    run.n_open += 1
    reason = price_problem(order)
    if reason == REASON_NONE and parent == 0:
        reason = size_problem(run, instrument, order)
    if tif == GTD and expire_ts <= run.now:
        reason = REASON_BAD_PRICE
    if reason != REASON_NONE:
        finish(run, order, REJECTED, reason, run.now)
        run.n_open -= 1  # it is the last one
    else:
        note_update(run, order)
    return order.id


@shared(i8(run_t, i8, i8, i8, i8, i8, f8, f8, f8, f8, f8, i8, i8, i8, i8))
def place(
    run,
    k,
    side,
    kind,
    tif,
    flags,
    quantity,
    value,
    price,
    stop_price,
    trail,
    expire_ts,
    parent,
    group,
    tag,
):
    """Place an order and return its id; a bad order exists too, rejected with its reason. 0 = no room."""
    if k < 0 or k >= run.n_instruments:
        run.n_rejected += 1
        return 0
    return add_order(
        run,
        k,
        side,
        kind,
        tif,
        flags,
        quantity,
        value,
        price,
        stop_price,
        trail,
        expire_ts,
        parent,
        group,
        tag,
    )


@shared(i8(run_t, i8, f8, f8, f8))
def bracket(run, parent_id, stop_loss, take_profit, trailing):
    """Add protective children to an order (NaN = none); they wait for its fills. Returns how many there are."""
    if parent_id < 1 or parent_id > run.n_orders:
        return 0
    parent = order_at(run.orders, parent_id - 1)
    if parent.status >= FIRST_FINAL_STATUS:
        return 0
    run.n_groups += 1
    group = run.n_groups
    nan = math.nan
    side = -parent.side
    count = 0
    k = parent.instrument
    if stop_loss == stop_loss:
        add_order(
            run,
            k,
            side,
            STOP,
            GTC,
            REDUCE_ONLY,
            0.0,
            0.0,
            nan,
            stop_loss,
            nan,
            0,
            parent_id,
            group,
            parent.tag,
        )
        count += 1
    if trailing == trailing:
        flags = REDUCE_ONLY | TRAIL_FRACTION
        add_order(
            run,
            k,
            side,
            TRAILING_STOP,
            GTC,
            flags,
            0.0,
            0.0,
            nan,
            nan,
            trailing,
            0,
            parent_id,
            group,
            parent.tag,
        )
        count += 1
    if take_profit == take_profit:
        add_order(
            run,
            k,
            side,
            LIMIT,
            GTC,
            REDUCE_ONLY,
            0.0,
            0.0,
            take_profit,
            nan,
            nan,
            0,
            parent_id,
            group,
            parent.tag,
        )
        count += 1
    parent.children = count
    return count


@inner(i8(run_t, order_t))
def ask_cancel(run, order):
    """Cancel an order, at once or when the request has travelled to the venue."""
    if order.status >= FIRST_FINAL_STATUS:
        return 0
    if run.latency == 0 or order.status == HELD:
        finish(run, order, CANCELLED, REASON_USER, run.now)
    elif order.cancel_ts == 0:
        order.cancel_ts = run.now + run.latency
    return 1


@shared(i8(run_t, i8))
def cancel(run, order_id):
    """Ask for an order's cancellation; returns 1 if it was still working."""
    if order_id < 1 or order_id > run.n_orders:
        return 0
    return ask_cancel(run, order_at(run.orders, order_id - 1))


@shared(i8(run_t, i8))
def cancel_all(run, k):
    """Ask for the cancellation of all working orders of an instrument (-1 = all); returns how many.

    Protective children of filled brackets go too.
    """
    count = 0
    for index in range(run.n_open):
        order = order_at(run.orders, load_i8(run.open_orders, index) - 1)
        if k < 0 or order.instrument == k:
            count += ask_cancel(run, order)
    return count


@shared(i8(run_t, i8, i8))
def join(run, first_id, second_id):
    """Make two orders cancel each other; returns 1 when both still work."""
    if first_id < 1 or second_id < 1 or first_id > run.n_orders or second_id > run.n_orders:
        return 0
    first = order_at(run.orders, first_id - 1)
    second = order_at(run.orders, second_id - 1)
    if first.status >= FIRST_FINAL_STATUS or second.status >= FIRST_FINAL_STATUS:
        return 0
    if first.group == 0:
        run.n_groups += 1
        first.group = run.n_groups
    second.group = first.group
    return 1


@shared(i8(run_t, i8, f8))
def go_to(run, k, wanted):
    """Send the market order that takes a position to `wanted`; 0 when there is nothing worth sending."""
    instrument = instrument_at(run.instruments, k)
    position = position_at(run.positions, k)
    for index in range(run.n_open):
        order = order_at(run.orders, load_i8(run.open_orders, index) - 1)
        if order.instrument == k and order.type == MARKET and order.status < FIRST_FINAL_STATUS:
            ask_cancel(run, order)
    nan = math.nan
    if instrument.kind == SPOT and wanted < 0.0:
        identity = add_order(run, k, SELL, MARKET, GTC, 0, -wanted, 0.0, nan, nan, nan, 0, 0, 0, 0)
        if identity != 0:
            order = order_at(run.orders, identity - 1)
            if order.status < FIRST_FINAL_STATUS:
                finish(run, order, REJECTED, REASON_SHORT_NOT_ALLOWED, run.now)
        return identity
    if wanted == 0.0:
        if position.quantity == 0.0:
            return 0
        side = SELL if position.quantity > 0.0 else BUY
        flags = CLOSE_POSITION | REDUCE_ONLY
        return add_order(run, k, side, MARKET, GTC, flags, 0.0, 0.0, nan, nan, nan, 0, 0, 0, 0)
    delta = wanted - position.quantity
    quantity = round_down(abs(delta), instrument.lot)
    if quantity <= 0.0 or quantity < instrument.min_quantity * (1.0 - 1e-9):
        return 0
    reduces = delta * position.quantity < 0.0 and abs(delta) <= abs(position.quantity)
    flags = CLIP
    if reduces:
        flags = CLIP | REDUCE_ONLY
    elif instrument.min_notional > 0.0 and instrument.kind != INVERSE:
        if quantity * instrument.contract_size * position.last_price < instrument.min_notional:
            return 0
    side = BUY if delta > 0.0 else SELL
    return add_order(run, k, side, MARKET, GTC, flags, quantity, 0.0, nan, nan, nan, 0, 0, 0, 0)


@shared(i8(run_t, i8, f8, f8))
def target(run, k, fraction, tolerance):
    """Bring a position to a fraction of equity, sized at the last price; returns the order's id or 0.

    Nothing is sent when the change is smaller than `tolerance` times the wanted size.
    """
    if k < 0 or k >= run.n_instruments or fraction != fraction or abs(fraction) == math.inf:
        run.n_rejected += 1
        return 0
    instrument = instrument_at(run.instruments, k)
    position = position_at(run.positions, k)
    if not good(position.last_price):
        return 0
    money = fraction * equity_of(run)
    if instrument.kind == INVERSE:
        wanted = money * position.last_price / instrument.contract_size
    else:
        wanted = money / (position.last_price * instrument.contract_size)
    if tolerance > 0.0 and abs(wanted - position.quantity) < tolerance * abs(wanted):
        return 0
    return go_to(run, k, wanted)


@shared(i8(run_t, i8, f8))
def target_size(run, k, quantity):
    """Bring a position to a signed quantity; returns the order's id or 0."""
    if k < 0 or k >= run.n_instruments or quantity != quantity or abs(quantity) == math.inf:
        run.n_rejected += 1
        return 0
    return go_to(run, k, quantity)


@shared(f8(run_t))
def equity(run):
    """Return the account's equity at the last prices."""
    return equity_of(run)


@shared(f8(run_t))
def available(run):
    """Return the money that new orders may use."""
    return available_of(run)
