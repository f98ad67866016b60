"""Keep the tables of a run by hearsay: for whoever does not match orders, but is told what became of them.

A trading node decides on the same numbers as a compiled run, and learns of fills, payments and changes of
orders as events. These functions enter them with the arithmetic of `fills` and `margin`, so both sides hold
the same bits.
"""

from __future__ import annotations

from cashup.kernel import types as kt
from cashup.kernel.function import FLOAT, INT, exported
from cashup.kernel.ledger import book, refresh_liquidation
from cashup.kernel.lifecycle import end_order, forget_ended, notify
from cashup.kernel.records import as_run, instrument_at, order_at, payment_at, position_at
from cashup.kernel.rounding import GRID_TOLERANCE, to_grid


@exported(INT, INT, INT, INT, FLOAT, FLOAT, FLOAT, INT, INT, INT, FLOAT, INT)
def enter_fill(
    address: int,
    order_id: int,
    k: int,
    side: int,
    quantity: float,
    price: float,
    fee: float,
    kind: int,
    maker: int,
    ts: int,
    total: float,
    is_last: int,
) -> int:
    """Enter a fill into money, position, fill table and the order's row. Return 1.

    Args:
        address: the run.
        order_id: the order, 0 for one of the venue's own (a liquidation).
        k: index of the instrument.
        side: BUY or SELL.
        quantity: what traded.
        price: at which price.
        fee: what it cost, negative for a rebate.
        kind: FILL_*.
        maker: 1 when it added liquidity.
        ts: when, ns.
        total: the order's whole quantity, fills included.
        is_last: 1 when the order is complete with it.
    """
    run = as_run(address)
    tag = 0
    if order_id > 0:
        tag = order_at(run.orders, order_id - 1).tag
    book(address, k, side, quantity, price, fee, kind, maker, ts, order_id, tag)
    if kind == kt.FILL_LIQUIDATION:
        run.n_liquidations += 1
    if order_id > 0:
        order = order_at(run.orders, order_id - 1)
        filled = order.filled + quantity
        order.average_price = (order.average_price * order.filled + price * quantity) / filled
        order.fee += fee
        gridless = instrument_at(run.instruments, k).lot <= 0.0 and order.filled > 0.0
        if is_last == 1 and gridless and order.flags & (kt.CLOSE_POSITION | kt.REDUCE_ONLY) != 0:
            order.quantity = filled  # the sum the venue made, to the bit
        elif not (gridless and abs(order.quantity - total) <= GRID_TOLERANCE * total):
            order.quantity = total
        if is_last == 1:
            order.filled = order.quantity
            end_order(address, order_id - 1, kt.FILLED, kt.REASON_NONE, ts)
            forget_ended(address)
        else:
            order.filled = to_grid(filled, instrument_at(run.instruments, k).lot, 0)
            if order.status < kt.FIRST_FINAL_STATUS:
                order.status = kt.PARTIALLY_FILLED
                notify(address, order_id)
    return 1


@exported(INT, INT, INT, INT, INT)
def enter_status(address: int, order_id: int, status: int, reason: int, ts: int) -> int:
    """Move an order to a status it was said to have. Return 1, or 0 when it was that far before."""
    run = as_run(address)
    order = order_at(run.orders, order_id - 1)
    if order.status >= kt.FIRST_FINAL_STATUS or status <= order.status:
        return 0
    if status >= kt.FIRST_FINAL_STATUS:
        end_order(address, order_id - 1, status, reason, ts)
        forget_ended(address)
        return 1
    if order.status == kt.HELD:
        order.active_ts = ts
    order.status = status
    notify(address, order_id)
    return 1


@exported(INT, INT, FLOAT)
def enter_quantity(address: int, order_id: int, quantity: float) -> int:
    """Give an order the whole quantity it was said to have. Return 1."""
    order_at(as_run(address).orders, order_id - 1).quantity = quantity
    return 1


@exported(INT, INT, INT, FLOAT, FLOAT, FLOAT, FLOAT)
def enter_funding(
    address: int, k: int, ts: int, rate: float, price: float, quantity: float, amount: float
) -> int:
    """Enter a funding payment (negative: paid) of instrument k. Return 1."""
    run = as_run(address)
    position = position_at(run.positions, k)
    run.cash += amount
    run.funding += amount
    position.funding += amount
    if instrument_at(run.instruments, k).margin_mode == kt.ISOLATED:
        position.margin += amount
        run.locked += amount
    payment = payment_at(run.payments, run.n_payments)
    run.n_payments += 1
    payment.instrument = k
    payment.ts = ts
    payment.rate = rate
    payment.price = price
    payment.quantity = quantity
    payment.amount = amount
    payment.fills = run.n_fills
    refresh_liquidation(address)
    return 1


@exported(INT)
def revalue(address: int) -> int:
    """Work out liquidation prices anew after prices moved: positions in cross margin depend on each other."""
    run = as_run(address)
    if run.n_cross > 1:
        refresh_liquidation(address)
    return 1
