"""Recognise a bar in which nothing can happen, so that waiting orders cost nanoseconds.

This is an economy, not a rule: a bar called quiet here would pass `kernel.match` without changing anything
but the last price. When in doubt a bar is not quiet.
"""

from __future__ import annotations

from cashup.kernel import types as kt
from cashup.kernel.function import INT, internal
from cashup.kernel.records import as_run, instrument_at, load_f8, load_i8, order_at, position_at
from cashup.kernel.triggers import AS_LIMIT, AT_MARKET, looks_down, waits


@internal(INT, INT)
def sleeps(address: int, row: int) -> int:
    """Return 1 when the current bar cannot concern an order."""
    run = as_run(address)
    order = order_at(run.orders, row)
    if order.status == kt.HELD:
        return 1
    open_ts = load_i8(run.open_ts, run.i)
    if (order.expire_ts != 0 and order.expire_ts <= open_ts) or (
        order.cancel_ts != 0 and order.cancel_ts <= open_ts
    ):
        return 0
    if order.status == kt.SUBMITTED:
        return 1 if order.active_ts > open_ts else 0
    instrument = instrument_at(run.instruments, order.instrument)
    high = load_f8(instrument.high, run.i)
    low = load_f8(instrument.low, run.i)
    if high != high:
        return 1
    waiting = waits(address, row)
    if waiting == AT_MARKET:
        return 0
    if waiting == AS_LIMIT:
        if order.rested == 0:
            return 0
        if order.side > 0:
            return 1 if low > order.price else 0
        return 1 if high < order.price else 0
    if order.type == kt.TRAILING_STOP:
        best = high if order.side < 0 else low
        if not (best - order.trail_extreme) * order.side >= 0.0:
            return 0
    if looks_down(address, row, waiting) == 1:
        return 1 if low > order.stop_price else 0
    return 1 if high < order.stop_price else 0


@internal(INT, INT, INT)
def is_safe(address: int, k: int, close_ts: int) -> int:
    """Return 1 when neither funding nor liquidation can concern position k in the current bar."""
    run = as_run(address)
    instrument = instrument_at(run.instruments, k)
    position = position_at(run.positions, k)
    if position.next_funding < instrument.n_funding:
        if load_i8(instrument.funding_ts, position.next_funding) < close_ts:
            return 0
    level = position.liquidation_price
    if position.quantity == 0.0 or instrument.kind == kt.SPOT or level != level:
        return 1
    if instrument.mark != 0:
        mark = load_f8(instrument.mark, run.i)
        if position.quantity > 0.0:
            return 0 if mark <= level or position.mark_price <= level else 1
        return 0 if mark >= level or position.mark_price >= level else 1
    if position.quantity > 0.0:
        return 0 if load_f8(instrument.low, run.i) <= level else 1
    return 0 if load_f8(instrument.high, run.i) >= level else 1


@internal(INT)
def is_quiet(address: int) -> int:
    """Return 1 when nothing can happen in the current bar (`run.i`)."""
    run = as_run(address)
    if run.n_cross > 1:
        return 0  # every bar moves every liquidation price
    for j in range(run.n_open):
        if sleeps(address, load_i8(run.open_orders, j) - 1) == 0:
            return 0
    if run.n_margined > 0:
        close_ts = load_i8(run.close_ts, run.i)
        for k in range(run.n_instruments):
            if is_safe(address, k, close_ts) == 0:
                return 0
    return 1


@internal(INT, INT)
def see_closes(address: int, i: int) -> int:
    """Take over the closes of a bar: the last prices, and the marks."""
    run = as_run(address)
    for k in range(run.n_instruments):
        instrument = instrument_at(run.instruments, k)
        price = load_f8(instrument.close, i)
        if price == price:
            position = position_at(run.positions, k)
            position.last_price = price
            mark = price
            if instrument.mark != 0:
                mark = load_f8(instrument.mark, i)
            if mark == mark:
                position.mark_price = mark
    return 0
