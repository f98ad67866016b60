"""Money: what a fill, a fee and a position are worth. Spot cash, linear and inverse perpetuals."""

from __future__ import annotations

import math

from cashup.kernel import types as kt
from cashup.kernel.function import FLOAT, INT, exported, internal
from cashup.kernel.records import as_run, fill_at, instrument_at, position_at, tier_at
from cashup.kernel.rounding import to_grid

#: Liquidation prices are this much (relative) nearer to the market, so that a tie counts as touched.
TIE = 1e-12
#: A quantity this small beside what it is left over from is rounding error (only without a lot size).
DUST = 1e-12


@internal(INT, FLOAT, FLOAT, returns=FLOAT)
def notional(kind: int, size: float, price: float) -> float:
    """Return the worth of `size` (quantity x contract size) at a price, in settlement currency."""
    if kind == kt.INVERSE:
        return size / price
    return size * price


@internal(INT, FLOAT, FLOAT, FLOAT, returns=FLOAT)
def profit(kind: int, size: float, entry: float, price: float) -> float:
    """Return the profit of a signed size bought (sold) at `entry` when it is worth `price`."""
    if size == 0.0:
        return 0.0
    if kind == kt.INVERSE:
        return size * (1.0 / entry - 1.0 / price)
    return size * (price - entry)


@exported(INT, returns=FLOAT)
def equity(address: int) -> float:
    """Return cash plus the worth of all positions: spot at the last price, perpetuals at the mark price."""
    run = as_run(address)
    total = run.cash
    for k in range(run.n_instruments):
        position = position_at(run.positions, k)
        if position.quantity != 0.0:
            instrument = instrument_at(run.instruments, k)
            size = position.quantity * instrument.contract_size
            if instrument.kind == kt.SPOT:
                total += size * position.last_price
            else:
                total += profit(instrument.kind, size, position.entry_price, position.mark_price)
    return float(total)


@exported(INT, returns=FLOAT)
def available(address: int) -> float:
    """Return the money a new order may use.

    Cash, less isolated margin; positions in cross margin add their unrealised profit or loss at the mark
    price and take their initial margin (notional at the mark price / leverage).
    """
    run = as_run(address)
    free = run.cash - run.locked
    if run.n_cross > 0:
        for k in range(run.n_instruments):
            position = position_at(run.positions, k)
            instrument = instrument_at(run.instruments, k)
            if position.quantity != 0.0 and instrument.margin_mode == kt.CROSS:
                size = position.quantity * instrument.contract_size
                free += profit(instrument.kind, size, position.entry_price, position.mark_price)
                free -= notional(instrument.kind, abs(size), position.mark_price) / instrument.leverage
    return float(free)


@internal(INT, INT, FLOAT, returns=FLOAT)
def maintenance(address: int, k: int, price: float) -> float:
    """Return the maintenance margin of position k at a price: notional x rate - amount of its bracket."""
    run = as_run(address)
    instrument = instrument_at(run.instruments, k)
    size = abs(position_at(run.positions, k).quantity) * instrument.contract_size
    worth = notional(instrument.kind, size, price)
    rate = 0.0
    amount = 0.0
    for j in range(instrument.tier_count):
        tier = tier_at(run.tiers, instrument.tier_start + j)
        if j == 0 or worth >= tier.notional_floor:
            rate = tier.maintenance_rate
            amount = tier.maintenance_amount
    return max(0.0, worth * rate - amount)


@internal(INT, INT, FLOAT, returns=FLOAT)
def liquidation_price(address: int, k: int, wallet: float) -> float:
    """Return the mark price at which `wallet` + profit of position k equals its maintenance margin, else NaN.

    Linear, side s, size Q, entry e, rate r, amount a: p = (s Q e - wallet - a) / (Q (s - r)); inverse, in
    1/p: 1/p = (wallet + s Q / e + a) / (Q (r + s)). The bracket (r, a) is the one the notional at p falls in.
    """
    run = as_run(address)
    instrument = instrument_at(run.instruments, k)
    position = position_at(run.positions, k)
    side = 1.0 if position.quantity > 0.0 else -1.0
    size = abs(position.quantity) * instrument.contract_size
    count = max(1, instrument.tier_count)
    for j in range(count):
        rate = 0.0
        amount = 0.0
        ceiling = math.inf
        if instrument.tier_count > 0:
            tier = tier_at(run.tiers, instrument.tier_start + j)
            rate = tier.maintenance_rate
            amount = tier.maintenance_amount
            if j + 1 < count:
                ceiling = tier_at(run.tiers, instrument.tier_start + j + 1).notional_floor
        if instrument.kind == kt.INVERSE:
            reciprocal = (wallet + side * size / position.entry_price + amount) / (size * (rate + side))
            price = 1.0 / reciprocal if reciprocal > 0.0 else math.nan
        else:
            price = (side * size * position.entry_price - wallet - amount) / (size * (side - rate))
        if not price > 0.0:
            continue
        # Notional grows with j; the first bracket whose upper end is not passed holds the crossing.
        if notional(instrument.kind, size, price) < ceiling:
            return price * (1.0 + side * TIE)
    return math.nan


@internal(INT)
def refresh_liquidation(address: int) -> int:
    """Work out every liquidation price: of isolated positions from their margin, of cross from equity."""
    run = as_run(address)
    wallet = run.cash - run.locked
    if run.n_cross > 1:
        for k in range(run.n_instruments):
            position = position_at(run.positions, k)
            instrument = instrument_at(run.instruments, k)
            if position.quantity != 0.0 and instrument.margin_mode == kt.CROSS:
                size = position.quantity * instrument.contract_size
                wallet += profit(instrument.kind, size, position.entry_price, position.mark_price)
                wallet -= maintenance(address, k, position.mark_price)
    for k in range(run.n_instruments):
        position = position_at(run.positions, k)
        instrument = instrument_at(run.instruments, k)
        if position.quantity == 0.0 or instrument.margin_mode == kt.NO_MARGIN:
            position.liquidation_price = math.nan
        elif instrument.margin_mode == kt.ISOLATED:
            position.liquidation_price = liquidation_price(address, k, position.margin)
        else:
            own = wallet
            if run.n_cross > 1:
                size = position.quantity * instrument.contract_size
                own -= profit(instrument.kind, size, position.entry_price, position.mark_price)
                own += maintenance(address, k, position.mark_price)
            position.liquidation_price = liquidation_price(address, k, own)
    return 0


@internal(INT, INT, INT, FLOAT, FLOAT, FLOAT, INT, INT, INT, INT, INT, returns=FLOAT)
def book(
    address: int,
    k: int,
    side: int,
    quantity: float,
    price: float,
    fee: float,
    kind: int,
    maker: int,
    ts: int,
    order_id: int,
    tag: int,
) -> float:
    """Enter a fill: money, position, margin and the row of the fill table. Return the profit it realised."""
    run = as_run(address)
    instrument = instrument_at(run.instruments, k)
    position = position_at(run.positions, k)
    size = instrument.contract_size
    old = position.quantity
    entry = position.entry_price
    closing = min(quantity, abs(old)) if old * side < 0.0 else 0.0
    opening = quantity - closing
    worth = notional(instrument.kind, quantity * size, price)
    realized = profit(instrument.kind, -side * closing * size, entry, price)
    spot = instrument.kind == kt.SPOT
    run.cash -= (side * worth + fee) if spot else (fee - realized)

    new = old + side * quantity
    if instrument.lot > 0.0:
        new = math.copysign(to_grid(abs(new), instrument.lot, 0), new)
    elif abs(new) <= DUST * max(abs(old), quantity):
        new = 0.0
    if new == 0.0:
        new = 0.0  # not -0.0
        entry = 0.0
    elif closing > 0.0 and opening > 0.0:
        entry = price
    elif opening > 0.0 and instrument.kind == kt.INVERSE and old != 0.0:
        entry = (abs(old) + opening) / (abs(old) / entry + opening / price)
    elif opening > 0.0:
        entry = (abs(old) * entry + opening * price) / (abs(old) + opening)

    if not spot:
        margined = (1 if new != 0.0 else 0) - (1 if old != 0.0 else 0)
        run.n_margined += margined
        if instrument.margin_mode == kt.CROSS:
            run.n_cross += margined
        else:
            margin = position.margin
            if closing > 0.0:
                margin = 0.0 if closing == abs(old) else margin * (1.0 - closing / abs(old))
            if new == 0.0:
                margin = 0.0
            elif opening > 0.0:
                margin += notional(instrument.kind, opening * size, price) / instrument.leverage
            run.locked += margin - position.margin
            if run.n_margined == run.n_cross:
                run.locked = 0.0
            position.margin = margin
    if old == 0.0 or (closing > 0.0 and opening > 0.0):
        position.opened_ts = ts
    position.quantity = new
    position.entry_price = entry
    position.realized += realized
    position.fees += fee
    run.fees += fee
    run.turnover += worth

    fill = fill_at(run.fills, run.n_fills)
    run.n_fills += 1
    fill.order = order_id
    fill.instrument = k
    fill.side = side
    fill.kind = kind
    fill.maker = maker
    fill.ts = ts
    fill.i = run.i
    fill.d = run.d + 1
    fill.price = price
    fill.quantity = quantity
    fill.fee = fee
    fill.realized = realized
    fill.position = new
    fill.tag = tag
    if run.n_margined > 0 or not spot:
        refresh_liquidation(address)
    return realized
