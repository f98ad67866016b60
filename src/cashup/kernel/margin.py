"""Funding and liquidation of perpetual positions."""

from __future__ import annotations

import math

from cashup.kernel import types as kt
from cashup.kernel.function import FLOAT, INT, internal
from cashup.kernel.ledger import TIE, book, maintenance, notional, profit, refresh_liquidation
from cashup.kernel.lifecycle import end_order
from cashup.kernel.records import as_run, instrument_at, load_f8, load_i8, order_at, payment_at, position_at


@internal(INT, INT, INT)
def settle_funding(address: int, k: int, until: int) -> int:
    """Pay or receive funding of instrument k for every settlement up to and including `until`.

    A flat position pays nothing; the settlement passes. Payment = -quantity x size x mark x rate, from cash
    and, in isolated margin, out of (into) the position's margin.
    """
    run = as_run(address)
    instrument = instrument_at(run.instruments, k)
    position = position_at(run.positions, k)
    paid = 0
    while position.next_funding < instrument.n_funding:
        j = position.next_funding
        ts = load_i8(instrument.funding_ts, j)
        if ts > until:
            break
        position.next_funding = j + 1
        if position.quantity == 0.0 or instrument.margin_mode == kt.NO_MARGIN:
            continue
        rate = load_f8(instrument.funding_rate, j)
        price = position.mark_price
        if instrument.funding_mark != 0:
            recorded = load_f8(instrument.funding_mark, j)
            if recorded > 0.0:
                price = recorded
        worth = notional(instrument.kind, abs(position.quantity) * instrument.contract_size, price)
        amount = -worth * rate if position.quantity > 0.0 else worth * rate
        run.cash += amount
        run.funding += amount
        position.funding += amount
        if instrument.margin_mode == kt.ISOLATED:
            position.margin += amount
            run.locked += amount
        payment = payment_at(run.payments, run.n_payments)
        run.n_payments += 1
        payment.instrument = k
        payment.ts = ts
        payment.rate = rate
        payment.price = price
        payment.quantity = position.quantity
        payment.amount = amount
        payment.fills = run.n_fills
        paid += 1
    if paid > 0:
        refresh_liquidation(address)
    return paid


@internal(INT, INT)
def is_past_liquidation(address: int, k: int) -> int:
    """Return 1 when position k's mark price is at or through its liquidation price."""
    run = as_run(address)
    position = position_at(run.positions, k)
    if position.quantity > 0.0 and position.mark_price <= position.liquidation_price:
        return 1
    if position.quantity < 0.0 and position.mark_price >= position.liquidation_price:
        return 1
    return 0


@internal(INT, INT, FLOAT, INT)
def liquidate(address: int, k: int, price: float, ts: int) -> int:
    """Close position k for the venue: its orders end, what is left of its maintenance margin is the fee.

    The account answers with the position's margin (isolated) or with everything (cross), never with more:
    when the price has jumped past the point where that is gone, the position closes at that point and the
    venue bears the rest.
    """
    run = as_run(address)
    instrument = instrument_at(run.instruments, k)
    position = position_at(run.positions, k)
    for j in range(run.n_open):
        row = load_i8(run.open_orders, j) - 1
        if order_at(run.orders, row).instrument == k:
            end_order(address, row, kt.CANCELLED, kt.REASON_LIQUIDATION, ts)
    wallet = position.margin
    if instrument.margin_mode == kt.CROSS:
        wallet = run.cash - run.locked
        for j in range(run.n_instruments):
            other = position_at(run.positions, j)
            constants = instrument_at(run.instruments, j)
            if j != k and other.quantity != 0.0 and constants.margin_mode == kt.CROSS:
                wallet += profit(
                    constants.kind,
                    other.quantity * constants.contract_size,
                    other.entry_price,
                    other.mark_price,
                )
    size = position.quantity * instrument.contract_size
    left = wallet + profit(instrument.kind, size, position.entry_price, price)
    fee = 0.0
    if left >= 0.0:
        fee = maintenance(address, k, price)
        if left - fee <= 10.0 * TIE * notional(instrument.kind, abs(size), price):
            fee = left
    elif instrument.kind == kt.INVERSE:
        price = 1.0 / (1.0 / position.entry_price + wallet / size)
    else:
        price = position.entry_price - wallet / size
    side = kt.SELL if position.quantity > 0.0 else kt.BUY
    book(address, k, side, abs(position.quantity), price, fee, kt.FILL_LIQUIDATION, 0, ts, 0, 0)
    run.n_liquidations += 1
    return 1


@internal(INT, INT, INT)
def check_liquidation(address: int, inside: int, ts: int) -> int:
    """Liquidate every position whose mark price is at or through its liquidation price, if it has a bar now.

    The greatest loss goes first: it is the one that ends at the point where nothing is left.

    Args:
        address: the run.
        inside: 0 = at the open (a gap): it closes at the open price; 1 = at the close, for instruments with
            mark prices of their own: it closes at its liquidation price.
        ts: time of the fill.
    """
    run = as_run(address)
    if run.n_cross > 1:
        refresh_liquidation(address)
    count = 0
    while True:
        worst = -1
        least = math.inf
        for k in range(run.n_instruments):
            instrument = instrument_at(run.instruments, k)
            position = position_at(run.positions, k)
            opened = load_f8(instrument.open, run.i)
            if (
                opened != opened
                or is_past_liquidation(address, k) == 0
                or (inside == 1 and instrument.mark == 0)
            ):
                continue
            size = position.quantity * instrument.contract_size
            gain = profit(instrument.kind, size, position.entry_price, position.mark_price)
            if gain < least:
                least = gain
                worst = k
        if worst < 0:
            return count
        price = load_f8(instrument_at(run.instruments, worst).open, run.i)
        if inside == 1:
            price = position_at(run.positions, worst).liquidation_price
        count += liquidate(address, worst, price, ts)
