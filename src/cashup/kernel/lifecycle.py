"""The life of an order inside the kernel: how it ends, whom it takes along, whom it wakes."""

from __future__ import annotations

from cashup.kernel.access import (
    b1,
    f8,
    i8,
    inner,
    instrument_at,
    load_f8,
    load_i8,
    order_at,
    order_t,
    position_at,
    run_t,
    shared,
    store_i8,
    void,
)
from cashup.kernel.types import (
    ACCEPTED,
    CANCELLED,
    FIRST_FINAL_STATUS,
    HELD,
    LIMIT,
    REASON_LIQUIDATION,
    REASON_OCO,
    REASON_PARENT,
    REASON_POSITION_CLOSED,
    REDUCE_ONLY,
    REJECTED,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    TRAIL_FRACTION,
    TRAILING_STOP,
    WANTS_ORDER,
)


@inner(void(run_t, order_t))
def note_update(run, order):
    """Remember that an order changed, for strategies that listen."""
    if run.wants & WANTS_ORDER and run.n_updates < run.cap_updates:
        store_i8(run.updates, run.n_updates, order.id)
        run.n_updates += 1


@inner(void(run_t, order_t, i8, i8, i8))
def end_order(run, order, status, reason, ts):
    """Bring an order to a final status. Idempotent."""
    if order.status >= FIRST_FINAL_STATUS:
        return
    order.status = status
    order.reason = reason
    order.done_ts = ts
    position_at(run.positions, order.instrument).n_open -= 1
    if status == REJECTED:
        run.n_rejected += 1
    note_update(run, order)


@inner(void(run_t, order_t, i8))
def end_children(run, order, ts):
    """Cancel bracket orders that wait for an order which ended without any fill."""
    if order.filled > 0.0:
        return
    for index in range(run.n_open):
        child = order_at(run.orders, load_i8(run.open_orders, index) - 1)
        if child.parent == order.id and child.status == HELD:
            end_order(run, child, CANCELLED, REASON_PARENT, ts)


@shared(void(run_t, order_t, i8, i8, i8))
def finish(run, order, status, reason, ts):
    """End an order and the children that now wait in vain."""
    end_order(run, order, status, reason, ts)
    if order.children != 0:
        end_children(run, order, ts)


@inner(b1(order_t))
def is_profit_taking(order):
    """Tell whether an exit fills at a better price than now (limit, take profit) rather than a worse one."""
    return order.type == LIMIT or order.type == TAKE_PROFIT or order.type == TAKE_PROFIT_LIMIT


@inner(f8(order_t))
def level_of(order):
    """Return the price an order waits for."""
    if order.type == LIMIT or order.triggered != 0:
        return order.price
    return order.stop_price


@shared(void(run_t, order_t, i8, i8))
def cancel_group(run, order, ts, inside_bar):
    """Cancel the other orders of a one-cancels-other group after a fill.

    A reduce-only sibling (the other leg of a bracket) stays until this order is filled whole, because the rest
    of the position still wants its protection. Counts the bars in which a stop and a target were both in reach.
    """
    whole = order.status >= FIRST_FINAL_STATUS
    for index in range(run.n_open):
        other = order_at(run.orders, load_i8(run.open_orders, index) - 1)
        if other.group != order.group or other.id == order.id or other.status >= FIRST_FINAL_STATUS:
            continue
        if other.flags & REDUCE_ONLY and not whole:
            continue
        if inside_bar and is_profit_taking(order) != is_profit_taking(other) and other.status != HELD:
            instrument = instrument_at(run.instruments, order.instrument)
            level = level_of(other)
            if load_f8(instrument.low, run.i) <= level and level <= load_f8(instrument.high, run.i):
                run.n_ambiguous += 1
        finish(run, other, CANCELLED, REASON_OCO, ts)


@inner(void(order_t))
def set_trailing_stop(order):
    """Move a trailing stop to its distance from the best price seen."""
    distance = order.trail
    if order.flags & TRAIL_FRACTION:
        distance = order.trail * order.trail_extreme
    if order.side < 0:
        order.stop_price = order.trail_extreme - distance
    else:
        order.stop_price = order.trail_extreme + distance


@shared(void(run_t, order_t, f8, i8))
def wake_children(run, order, price, ts):
    """Let bracket orders work for what their parent has filled so far."""
    for index in range(run.n_open):
        child = order_at(run.orders, load_i8(run.open_orders, index) - 1)
        if child.parent != order.id or child.status >= FIRST_FINAL_STATUS:
            continue
        child.quantity = order.filled
        if child.status == HELD:
            child.status = ACCEPTED
            child.active_ts = ts
            child.rested = 1
            if child.type == TRAILING_STOP:
                child.trail_extreme = price
                set_trailing_stop(child)
            note_update(run, child)


@shared(void(run_t, i8, i8))
def end_reduce_only(run, k, ts):
    """Cancel reduce-only orders of an instrument that have nothing left to reduce."""
    quantity = position_at(run.positions, k).quantity
    for index in range(run.n_open):
        order = order_at(run.orders, load_i8(run.open_orders, index) - 1)
        if order.instrument != k or order.status >= FIRST_FINAL_STATUS or order.status == HELD:
            continue
        if order.flags & REDUCE_ONLY and quantity * order.side >= 0.0:
            finish(run, order, CANCELLED, REASON_POSITION_CLOSED, ts)


@shared(void(run_t, i8, i8))
def end_all(run, k, ts):
    """Cancel every order of an instrument whose position was liquidated."""
    for index in range(run.n_open):
        order = order_at(run.orders, load_i8(run.open_orders, index) - 1)
        if order.instrument == k and order.status < FIRST_FINAL_STATUS:
            end_order(run, order, CANCELLED, REASON_LIQUIDATION, ts)


@inner(void(run_t))
def compact(run):
    """Drop ended orders from the open list, keeping the order of arrival."""
    kept = 0
    for index in range(run.n_open):
        identity = load_i8(run.open_orders, index)
        if order_at(run.orders, identity - 1).status < FIRST_FINAL_STATUS:
            store_i8(run.open_orders, kept, identity)
            kept += 1
    run.n_open = kept
