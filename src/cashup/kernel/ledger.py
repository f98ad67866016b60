"""Money: what positions are worth, what fills and funding do to the account, where liquidation lies.

Sources: Binance "How to calculate liquidation price of USDⓈ-M futures contracts" and "COIN-M futures
contracts"; Gate "Calculation of liquidation price". Signs: `quantity` is signed, money received is positive.
"""

from __future__ import annotations

import math

from cashup.kernel.access import (
    f8,
    i8,
    inner,
    instrument_at,
    instrument_t,
    load_f8,
    load_i8,
    payment_at,
    position_at,
    position_t,
    run_t,
    shared,
    tier_at,
    void,
)
from cashup.kernel.types import CROSS, INVERSE, ISOLATED, LINEAR, SPOT


@inner(f8(instrument_t, f8, f8))
def notional(instrument, quantity, price):
    """Return the value of `quantity` at `price` in the settlement currency, not signed."""
    if instrument.kind == INVERSE:
        return abs(quantity) * instrument.contract_size / price
    return abs(quantity) * instrument.contract_size * price


@inner(f8(instrument_t, f8, f8, f8))
def profit(instrument, quantity, entry, price):
    """Return the profit of a signed `quantity` opened at `entry` and valued at `price`."""
    if quantity == 0.0:
        return 0.0
    if instrument.kind == INVERSE:
        return quantity * instrument.contract_size * (1.0 / entry - 1.0 / price)
    return quantity * instrument.contract_size * (price - entry)


@inner(i8(run_t, instrument_t, f8))
def tier_of(run, instrument, value):
    """Return the index of the maintenance tier for a notional `value`, or -1 without tiers."""
    index = -1
    for t in range(instrument.tier_start, instrument.tier_start + instrument.tier_count):
        if value >= tier_at(run.tiers, t).notional_floor:
            index = t
    return index


@inner(f8(run_t, instrument_t, f8, f8))
def maintenance_margin(run, instrument, quantity, price):
    """Return the margin below which the venue takes the position over."""
    if quantity == 0.0 or instrument.kind == SPOT:
        return 0.0
    value = notional(instrument, quantity, price)
    t = tier_of(run, instrument, value)
    if t < 0:
        return 0.0
    tier = tier_at(run.tiers, t)
    return max(0.0, value * tier.maintenance_rate - tier.maintenance_amount)


@shared(f8(run_t))
def equity_of(run):
    """Return cash plus the value of all positions at their last prices."""
    total = run.cash
    for k in range(run.n_instruments):
        position = position_at(run.positions, k)
        if position.quantity != 0.0:
            instrument = instrument_at(run.instruments, k)
            if instrument.kind == SPOT:
                total += position.quantity * instrument.contract_size * position.last_price
            else:
                total += profit(instrument, position.quantity, position.entry_price, position.mark_price)
    return total


@shared(f8(run_t))
def available_of(run):
    """Return the money new orders may use: cash less isolated margin, less what cross positions tie up."""
    total = run.cash - run.locked
    for k in range(run.n_instruments):
        position = position_at(run.positions, k)
        if position.quantity != 0.0:
            instrument = instrument_at(run.instruments, k)
            if instrument.margin_mode == CROSS:
                total += profit(instrument, position.quantity, position.entry_price, position.mark_price)
                total -= notional(instrument, position.quantity, position.mark_price) / instrument.leverage
    return total


@inner(f8(run_t, i8))
def cross_wallet(run, except_instrument):
    """Return the wallet that backs the cross position of one instrument: all others marked and margined."""
    total = run.cash - run.locked
    for k in range(run.n_instruments):
        position = position_at(run.positions, k)
        if k != except_instrument and position.quantity != 0.0:
            instrument = instrument_at(run.instruments, k)
            if instrument.margin_mode == CROSS:
                total += profit(instrument, position.quantity, position.entry_price, position.mark_price)
                total -= maintenance_margin(run, instrument, position.quantity, position.mark_price)
    return total


@shared(void(run_t, instrument_t, position_t, i8))
def refresh_liquidation(run, instrument, position, k):
    """Work out the price at which margin equals maintenance margin, NaN where there is none.

    With W the backing margin, q the quantity, s the contract size, e the entry price, r and a the tier's rate
    and amount: linear long P = (q s e - W - a) / (q s (1 - r)), short P = (q s e + W + a) / (q s (1 + r));
    inverse contracts the same in 1/P.
    """
    position.liquidation_price = math.nan
    if position.quantity == 0.0 or instrument.kind == SPOT:
        return
    margin = position.margin
    if instrument.margin_mode == CROSS:
        margin = cross_wallet(run, k)
    t = tier_of(run, instrument, notional(instrument, position.quantity, position.entry_price))
    rate = 0.0
    amount = 0.0
    if t >= 0:
        tier = tier_at(run.tiers, t)
        rate = tier.maintenance_rate
        amount = tier.maintenance_amount
    size = abs(position.quantity) * instrument.contract_size
    entry = position.entry_price
    price = math.nan
    if instrument.kind == LINEAR:
        if position.quantity > 0.0:
            price = (size * entry - margin - amount) / (size * (1.0 - rate))
        else:
            price = (size * entry + margin + amount) / (size * (1.0 + rate))
    elif position.quantity > 0.0:
        price = size * (1.0 + rate) / (margin + size / entry + amount)
    else:
        denominator = size / entry - margin - amount
        if denominator > 0.0:
            price = size * (1.0 - rate) / denominator
    if price > 0.0 and price < math.inf:
        position.liquidation_price = price


@inner(f8(f8, f8))
def snap(quantity, lot):
    """Return `quantity` on the lot grid, so that sums of fills never drift off it."""
    if lot > 0.0:
        return round(quantity / lot) * lot
    return quantity


@shared(f8(run_t, instrument_t, position_t, i8, f8, f8, f8, i8))
def apply_fill(run, instrument, position, side, quantity, price, fee, ts):
    """Book one fill and return the profit of the quantity it closed, before fees."""
    signed = side * quantity
    old = position.quantity
    new = snap(old + signed, instrument.lot)
    if abs(new) <= 1e-12 * max(abs(old), quantity):
        new = 0.0
    closed = 0.0
    if old * signed < 0.0:
        closed = min(quantity, abs(old))
    opened = quantity - closed
    realized = 0.0
    if closed > 0.0:
        part = closed if old > 0.0 else -closed
        realized = profit(instrument, part, position.entry_price, price)
        if instrument.kind != SPOT:
            run.cash += realized
            if instrument.margin_mode == ISOLATED:
                released = position.margin
                if new != 0.0 and opened == 0.0:
                    released = position.margin * (closed / abs(old))
                position.margin -= released
                run.locked -= released
    if instrument.kind == SPOT:
        run.cash -= signed * price * instrument.contract_size
    if opened > 0.0 and new != 0.0:
        if closed > 0.0 or old == 0.0:
            position.entry_price = price
            position.opened_ts = ts
        elif instrument.kind == INVERSE:
            total = abs(old) + opened
            position.entry_price = total / (abs(old) / position.entry_price + opened / price)
        else:
            position.entry_price = (abs(old) * position.entry_price + opened * price) / (abs(old) + opened)
        if instrument.margin_mode == ISOLATED:
            added = notional(instrument, opened, price) / instrument.leverage
            position.margin += added
            run.locked += added
    run.cash -= fee
    run.fees += fee
    run.turnover += notional(instrument, quantity, price)
    position.fees += fee
    position.realized += realized
    position.quantity = new
    if instrument.kind != SPOT:
        if old == 0.0 and new != 0.0:
            run.n_margined += 1
        elif old != 0.0 and new == 0.0:
            run.n_margined -= 1
    if new == 0.0:
        position.entry_price = 0.0
        run.locked -= position.margin
        position.margin = 0.0
        if run.n_margined == 0:
            run.locked = 0.0  # sums of floats leave dust
    return realized


@shared(void(run_t, instrument_t, position_t, i8, i8, f8))
def pay_funding(run, instrument, position, k, until_ts, reference_price):
    """Settle funding due up to and including `until_ts`; longs pay shorts while the rate is positive."""
    while position.next_funding < instrument.n_funding:
        ts = load_i8(instrument.funding_ts, position.next_funding)
        if ts > until_ts:
            return
        if position.quantity != 0.0:
            rate = load_f8(instrument.funding_rate, position.next_funding)
            price = reference_price
            if instrument.funding_mark != 0:
                mark = load_f8(instrument.funding_mark, position.next_funding)
                if mark == mark:
                    price = mark
            value = notional(instrument, position.quantity, price)
            amount = -value * rate if position.quantity > 0.0 else value * rate
            run.cash += amount
            run.funding += amount
            position.funding += amount
            if instrument.margin_mode == ISOLATED:
                position.margin += amount
                run.locked += amount
            if run.n_payments < run.cap_payments:
                row = payment_at(run.payments, run.n_payments)
                row.instrument = k
                row.ts = ts
                row.rate = rate
                row.price = price
                row.quantity = position.quantity
                row.amount = amount
                run.n_payments += 1
            refresh_liquidation(run, instrument, position, k)
        position.next_funding += 1
