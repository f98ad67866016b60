"""One bar of the market against all open orders. The rules exist here once, for every way a strategy runs.

`docs/concepts/matching.md` says them in words; `kernel.reference` is their slow Decimal twin.
"""

from __future__ import annotations

from cashup.kernel.access import (
    b1,
    f8,
    i8,
    inner,
    instrument_at,
    instrument_t,
    load_f8,
    load_i8,
    order_at,
    position_at,
    position_t,
    run_t,
    shared,
    void,
)
from cashup.kernel.execution import liquidate
from cashup.kernel.ledger import pay_funding, refresh_liquidation
from cashup.kernel.lifecycle import compact, finish
from cashup.kernel.path import (
    arrive,
    choose_low_first,
    is_working,
    ratchet,
    waiting_price,
    waits_for_rise,
    walk,
    works_as_market,
)
from cashup.kernel.types import (
    CANCELLED,
    EXPIRED,
    FIRST_FINAL_STATUS,
    GTD,
    REASON_GTD,
    REASON_USER,
    SPOT,
    TRAILING_STOP,
)


@inner(void(run_t, i8, i8))
def clear_ended(run, k, ts):
    """Expire what ran out of time and cancel what was asked to be cancelled, as of the bar's open."""
    for index in range(run.n_open):
        order = order_at(run.orders, load_i8(run.open_orders, index) - 1)
        if order.instrument != k or order.status >= FIRST_FINAL_STATUS:
            continue
        if order.cancel_ts != 0 and order.cancel_ts <= ts:
            finish(run, order, CANCELLED, REASON_USER, ts)
        elif order.time_in_force == GTD and order.expire_ts != 0 and order.expire_ts <= ts:
            finish(run, order, EXPIRED, REASON_GTD, ts)


@inner(void(run_t, instrument_t, position_t, i8, f8, i8))
def open_phase(run, instrument, position, k, bar_open, ts):
    """Meet every working order with the opening price, in order of arrival."""
    for index in range(run.n_open):
        order = order_at(run.orders, load_i8(run.open_orders, index) - 1)
        if is_working(order, k, ts):
            if order.type == TRAILING_STOP and order.triggered == 0 and order.trail_extreme > 0.0:
                ratchet(run, k, bar_open, ts)
            arrive(run, instrument, position, order, k, bar_open, ts)


@inner(b1(run_t, position_t, i8, f8, f8, i8, b1))
def anything_in_reach(run, position, k, high, low, ts, watch_liquidation):
    """Tell cheaply whether the bar's range can touch anything, so that most bars end here."""
    if watch_liquidation and position.quantity != 0.0:
        level = position.liquidation_price
        if position.quantity > 0.0 and low <= level:
            return True
        if position.quantity < 0.0 and high >= level:
            return True
    for index in range(run.n_open):
        order = order_at(run.orders, load_i8(run.open_orders, index) - 1)
        if not is_working(order, k, ts) or works_as_market(order):
            continue
        if order.type == TRAILING_STOP:
            return True
        level = waiting_price(order)
        if waits_for_rise(order):
            if high >= level:
                return True
        elif low <= level:
            return True
    return False


@inner(void(run_t, instrument_t, position_t, i8, i8))
def step_instrument(run, instrument, position, k, i):
    """Take one instrument through one bar."""
    bar_open = load_f8(instrument.open, i)
    if bar_open != bar_open:
        return
    open_ts = load_i8(run.open_ts, i)
    close_ts = load_i8(run.close_ts, i)
    high = load_f8(instrument.high, i)
    low = load_f8(instrument.low, i)
    close = load_f8(instrument.close, i)
    position.bar_volume_used = 0.0
    margined = instrument.kind != SPOT
    has_mark = instrument.mark != 0
    watch = margined and not has_mark
    if position.n_open > 0:
        clear_ended(run, k, open_ts)
    if margined:
        pay_funding(run, instrument, position, k, open_ts, bar_open)
        if not has_mark:
            position.mark_price = bar_open
        if position.quantity != 0.0:
            refresh_liquidation(run, instrument, position, k)
            if watch:
                level = position.liquidation_price
                gone = bar_open <= level if position.quantity > 0.0 else bar_open >= level
                if gone:
                    liquidate(run, instrument, position, k, bar_open, open_ts)
    position.last_price = bar_open
    if position.n_open > 0:
        open_phase(run, instrument, position, k, bar_open, open_ts)
    if margined:
        pay_funding(run, instrument, position, k, close_ts - 1, bar_open)
    if anything_in_reach(run, position, k, high, low, open_ts, watch):
        first, second = high, low
        if choose_low_first(run, position, k, open_ts, bar_open, high, low):
            first, second = low, high
        walk(run, instrument, position, k, bar_open, first, open_ts, close_ts, watch)
        walk(run, instrument, position, k, first, second, open_ts, close_ts, watch)
        walk(run, instrument, position, k, second, close, open_ts, close_ts, watch)
    position.last_price = close
    position.mark_price = close
    if has_mark:
        mark = load_f8(instrument.mark, i)
        if mark == mark:
            position.mark_price = mark
        if position.quantity != 0.0:
            refresh_liquidation(run, instrument, position, k)
            level = position.liquidation_price
            gone = position.mark_price <= level if position.quantity > 0.0 else position.mark_price >= level
            if gone:
                liquidate(run, instrument, position, k, position.mark_price, close_ts)


@shared(void(run_t, i8))
def step(run, i):
    """Take every instrument through match bar `i`; needed only while there are orders or margined positions."""
    for k in range(run.n_instruments):
        position = position_at(run.positions, k)
        step_instrument(run, instrument_at(run.instruments, k), position, k, i)
    compact(run)
