"""One match bar: everything that happens to orders and positions between its open and its close.

The rules, in the order they are applied here (see docs/concepts/matching.md for their reasons):

1. orders whose time ran out or whose cancel has arrived end; funding up to the open is settled;
2. the open: positions whose mark price has jumped past liquidation are closed, then orders act on the open
price
   in order of arrival;
3. funding inside the bar is settled;
4. inside: orders act along a path through the bar's prices (`kernel.path`);
5. the close becomes the last price.
"""

from __future__ import annotations

from cashup.kernel import types as kt
from cashup.kernel.fills import fill_order, refuse
from cashup.kernel.function import FLOAT, INT, exported, internal
from cashup.kernel.lifecycle import end_order, forget_ended, notify
from cashup.kernel.margin import check_liquidation, settle_funding
from cashup.kernel.path import walk_path
from cashup.kernel.quiet import is_quiet, see_closes
from cashup.kernel.records import as_run, instrument_at, load_f8, load_i8, order_at, position_at
from cashup.kernel.triggers import AS_LIMIT, AT_MARKET, FOR_TRIGGER, is_met, ratchet, waits


@internal(INT, INT)
def expire(address: int, open_ts: int) -> int:
    """End orders whose time ran out, or whose cancel has arrived, by the open of this bar."""
    run = as_run(address)
    for j in range(run.n_open):
        row = load_i8(run.open_orders, j) - 1
        order = order_at(run.orders, row)
        if order.expire_ts != 0 and order.expire_ts <= open_ts:
            end_order(address, row, kt.EXPIRED, kt.REASON_GTD, order.expire_ts)
        elif order.cancel_ts != 0 and order.cancel_ts <= open_ts:
            end_order(address, row, kt.CANCELLED, kt.REASON_USER, order.cancel_ts)
    return 0


@internal(INT, INT, FLOAT, INT)
def act_at_open(address: int, row: int, price: float, arrives: int) -> int:
    """Let one order act on the open price."""
    run = as_run(address)
    order = order_at(run.orders, row)
    ts = load_i8(run.open_ts, run.i)
    waiting = waits(address, row)
    if waiting == FOR_TRIGGER:
        met = is_met(address, row, waiting, price)
        if order.type == kt.TRAILING_STOP:
            ratchet(address, row, price)
        if met == 0:
            return 0
        order.status = kt.TRIGGERED
        notify(address, order.id)
        waiting = waits(address, row)
    if waiting == AT_MARKET:
        fill_order(address, row, price, 1, 0)
    elif is_met(address, row, AS_LIMIT, price) == 1:
        if arrives == 1 and order.flags & kt.POST_ONLY != 0:
            return refuse(address, row, kt.REASON_POST_ONLY, ts)
        fill_order(address, row, price, 1 - order.rested, 0)
    if order.status < kt.FIRST_FINAL_STATUS:
        if order.time_in_force == kt.IOC:
            end_order(address, row, kt.CANCELLED, kt.REASON_IOC, ts)
        elif order.time_in_force == kt.FOK:
            end_order(address, row, kt.CANCELLED, kt.REASON_FOK, ts)
        elif waiting == AS_LIMIT:
            order.rested = 1
    return 0


@internal(INT, INT)
def open_phase(address: int, open_ts: int) -> int:
    """Let orders act on the open, in order of arrival over all instruments that have a bar."""
    run = as_run(address)
    for j in range(run.n_open):
        row = load_i8(run.open_orders, j) - 1
        order = order_at(run.orders, row)
        if order.status >= kt.FIRST_FINAL_STATUS or order.status == kt.HELD:
            continue
        price = load_f8(instrument_at(run.instruments, order.instrument).open, run.i)
        if price != price:
            continue
        arrives = 0
        if order.status == kt.SUBMITTED:
            if order.active_ts > open_ts:
                continue
            held = position_at(run.positions, order.instrument).quantity
            if order.flags & kt.REDUCE_ONLY != 0 and held * order.side >= 0.0:
                refuse(address, row, kt.REASON_REDUCE_ONLY, open_ts)
                continue
            order.status = kt.ACCEPTED
            notify(address, order.id)
            arrives = 1
        act_at_open(address, row, price, arrives)
    return 0


@exported(INT, INT)
def step(address: int, i: int) -> int:
    """Match one bar: `i` is its row in the columns. Callbacks are the caller's business.

    Only this row is read, so a caller that has one bar at a time may keep a single row and overwrite it.
    """
    run = as_run(address)
    run.i = i
    open_ts = load_i8(run.open_ts, i)
    close_ts = load_i8(run.close_ts, i)
    if is_quiet(address) == 1:
        run.now = close_ts
        return see_closes(address, i)
    expire(address, open_ts)
    for k in range(run.n_instruments):
        instrument = instrument_at(run.instruments, k)
        position = position_at(run.positions, k)
        position.bar_volume_used = 0.0
        if instrument.n_funding > 0:
            settle_funding(address, k, open_ts)
        price = load_f8(instrument.open, i)
        if price == price:
            position.last_price = price
            if instrument.mark == 0:
                position.mark_price = price
    if run.n_margined > 0:
        check_liquidation(address, 0, open_ts)
    open_phase(address, open_ts)
    for k in range(run.n_instruments):
        instrument = instrument_at(run.instruments, k)
        position = position_at(run.positions, k)
        if instrument.n_funding > 0:
            settle_funding(address, k, close_ts - 1)
        if position.n_open > 0 or (position.quantity != 0.0 and instrument.kind != kt.SPOT):
            price = load_f8(instrument.open, i)
            if price == price:
                walk_path(address, k)
    run.now = close_ts
    see_closes(address, i)
    if run.n_margined > 0:
        check_liquidation(address, 1, close_ts)
    if run.n_ended > 0:
        forget_ended(address)
    return 0
