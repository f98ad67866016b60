"""Inside a bar: the price walks open, one extreme, the other, close, and meets orders on its way."""

from __future__ import annotations

import math

from cashup.kernel.access import (
    b1,
    f8,
    i8,
    inner,
    instrument_t,
    load_f8,
    load_i8,
    order_at,
    order_t,
    position_t,
    run_t,
    shared,
    void,
)
from cashup.kernel.execution import execute, liquidate
from cashup.kernel.lifecycle import finish, note_update, set_trailing_stop
from cashup.kernel.types import (
    ACCEPTED,
    BUY,
    CANCELLED,
    FIRST_FINAL_STATUS,
    FOK,
    HELD,
    IOC,
    LIMIT,
    LIMIT_CROSS,
    MARKET,
    POST_ONLY,
    REASON_FOK,
    REASON_IOC,
    REASON_POST_ONLY,
    REDUCE_ONLY,
    REJECTED,
    STOP,
    STOP_LIMIT,
    SUBMITTED,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    TRAILING_STOP,
    TRIGGERED,
)

# Whom the price meets first when several wait at one price.
RANK_LIQUIDATION = 0
RANK_STOP = 1
RANK_LIMIT = 2


@inner(b1(order_t, i8, i8))
def is_working(order, k, now):
    """Tell whether an order is on the book of instrument `k` at `now`."""
    return (
        order.instrument == k
        and order.status < FIRST_FINAL_STATUS
        and order.status != HELD
        and order.active_ts <= now
    )


@inner(b1(order_t))
def works_as_limit(order):
    """Tell whether an order now waits at its limit price."""
    if order.type == LIMIT:
        return True
    return order.triggered != 0 and (order.type == STOP_LIMIT or order.type == TAKE_PROFIT_LIMIT)


@inner(b1(order_t))
def works_as_market(order):
    """Tell whether an order now takes whatever the market gives."""
    if order.type == MARKET:
        return True
    return order.triggered != 0 and (
        order.type == STOP or order.type == TRAILING_STOP or order.type == TAKE_PROFIT
    )


@inner(b1(order_t))
def waits_for_rise(order):
    """Tell whether an order waits for the price to rise (buy stop, sell limit) or to fall (sell stop, buy limit)."""
    if order.type == STOP or order.type == STOP_LIMIT or order.type == TRAILING_STOP:
        if order.triggered == 0:
            return order.side == BUY
        return order.side != BUY
    return order.side != BUY


@inner(f8(order_t))
def waiting_price(order):
    """Return the price an order waits for."""
    if works_as_limit(order):
        return order.price
    return order.stop_price


@inner(b1(run_t, position_t, i8, i8, f8, f8, f8))
def choose_low_first(run, position, k, now, bar_open, high, low):
    """Decide which extreme comes first: the one that is worse for what is at stake."""
    if position.quantity > 0.0:
        return True
    if position.quantity < 0.0:
        return False
    buys = False
    sells = False
    for index in range(run.n_open):
        order = order_at(run.orders, load_i8(run.open_orders, index) - 1)
        if is_working(order, k, now) and not order.flags & REDUCE_ONLY:
            if order.side == BUY:
                buys = True
            else:
                sells = True
    if buys and not sells:
        return False
    if sells and not buys:
        return True
    return bar_open - low <= high - bar_open


@inner(void(run_t, i8, f8, i8))
def ratchet(run, k, price, now):
    """Let trailing stops follow the price; return nothing."""
    for index in range(run.n_open):
        order = order_at(run.orders, load_i8(run.open_orders, index) - 1)
        if order.type == TRAILING_STOP and order.triggered == 0 and is_working(order, k, now):
            better = price > order.trail_extreme if order.side < 0 else price < order.trail_extreme
            if better:
                order.trail_extreme = price
                set_trailing_stop(order)


@inner(b1(run_t, instrument_t, position_t))
def can_fill(run, instrument, position):
    """Tell whether the bar's volume leaves room for another fill."""
    if run.volume_limit <= 0.0:
        return True
    room = run.volume_limit * load_f8(instrument.volume, run.i) - position.bar_volume_used
    return room > 0.0 and room >= instrument.lot


@inner(void(run_t, instrument_t, position_t, order_t, i8, f8, i8))
def meet(run, instrument, position, order, k, price, ts):
    """Let the price meet an order inside the bar: trigger it, fill it, or let it rest."""
    if works_as_limit(order):
        # A price beyond the limit belongs to an order that became active on the way.
        execute(run, instrument, position, order, k, order.price, order.rested == 0, order.price, ts, True)
        return
    order.triggered = 1
    order.status = TRIGGERED
    note_update(run, order)
    if order.type == STOP_LIMIT or order.type == TAKE_PROFIT_LIMIT:
        marketable = order.price >= price if order.side == BUY else order.price <= price
        if marketable:
            execute(run, instrument, position, order, k, price, True, order.price, ts, True)
        if order.status < FIRST_FINAL_STATUS:
            order.rested = 1
        return
    execute(run, instrument, position, order, k, price, True, math.nan, ts, True)


@shared(void(run_t, instrument_t, position_t, i8, f8, f8, i8, i8, i8))
def walk(run, instrument, position, k, start, end, now, ts, watch_liquidation):
    """Move the price from `start` to `end` in a straight line, filling what it meets, nearest first."""
    price = start
    rising = end >= start
    for _ in range(4 * run.n_open + 8):
        best = -1
        best_level = end
        best_rank = 9
        room = can_fill(run, instrument, position)
        for index in range(run.n_open):
            order = order_at(run.orders, load_i8(run.open_orders, index) - 1)
            if not is_working(order, k, now) or works_as_market(order):
                continue
            level = waiting_price(order)
            limit = works_as_limit(order)
            if limit and not room:
                continue
            up = waits_for_rise(order)
            met = level <= price if up else level >= price
            if limit and run.limit_rule == LIMIT_CROSS:
                met = level < price if up else level > price
            if met:
                level = price  # it became active on the way and is already met
            elif up != rising:
                continue
            elif limit and run.limit_rule == LIMIT_CROSS:
                if (level >= end) if rising else (level <= end):
                    continue
            elif (level > end) if rising else (level < end):
                continue
            rank = RANK_LIMIT if limit else RANK_STOP
            nearer = level < best_level if rising else level > best_level
            if best < 0 or nearer or (level == best_level and rank < best_rank):
                best = index
                best_level = level
                best_rank = rank
        if watch_liquidation and position.quantity != 0.0:
            level = position.liquidation_price
            if level == level:
                falling_kills = position.quantity > 0.0
                met = level >= price if falling_kills else level <= price
                if met:
                    level = price
                reached = met
                if not met and falling_kills != rising:
                    reached = level >= end if falling_kills else level <= end
                if reached:
                    nearer = level <= best_level if rising else level >= best_level
                    if best < 0 or nearer:
                        if rising == (price < level):
                            ratchet(run, k, level, now)
                        liquidate(run, instrument, position, k, level, ts)
                        price = level
                        continue
        if best < 0:
            break
        order = order_at(run.orders, load_i8(run.open_orders, best) - 1)
        price = best_level
        ratchet(run, k, price, now)
        meet(run, instrument, position, order, k, price, ts)
    ratchet(run, k, end, now)


@shared(void(run_t, instrument_t, position_t, order_t, i8, f8, i8))
def arrive(run, instrument, position, order, k, bar_open, ts):
    """Let one working order meet the price at the bar's open."""
    if order.status == SUBMITTED:
        order.status = ACCEPTED
        note_update(run, order)
        if order.type == TRAILING_STOP:
            order.trail_extreme = bar_open
            set_trailing_stop(order)
    if order.type != MARKET and order.type != LIMIT and order.triggered == 0:
        level = order.stop_price
        met = bar_open >= level if waits_for_rise(order) else bar_open <= level
        if not met:
            return
        order.triggered = 1
        order.status = TRIGGERED
        note_update(run, order)
    if works_as_market(order):
        execute(run, instrument, position, order, k, bar_open, True, math.nan, ts, False)
        return
    marketable = order.price >= bar_open if order.side == BUY else order.price <= bar_open
    fresh = order.rested == 0
    if not fresh and run.limit_rule == LIMIT_CROSS:
        marketable = order.price > bar_open if order.side == BUY else order.price < bar_open
    if marketable:
        if fresh and order.flags & POST_ONLY:
            finish(run, order, REJECTED, REASON_POST_ONLY, ts)
            return
        execute(run, instrument, position, order, k, bar_open, fresh, order.price, ts, False)
    if order.status < FIRST_FINAL_STATUS:
        if order.time_in_force == IOC or order.time_in_force == FOK:
            finish(run, order, CANCELLED, REASON_IOC if order.time_in_force == IOC else REASON_FOK, ts)
        order.rested = 1
