"""Filling one order at one price: slippage, size, what the account can pay, the booking."""

from __future__ import annotations

import math

from cashup.kernel.access import (
    b1,
    f8,
    fill_at,
    i8,
    inner,
    instrument_t,
    load_f8,
    load_i8,
    order_t,
    position_t,
    run_t,
    shared,
    tier_at,
    void,
)
from cashup.kernel.ledger import (
    apply_fill,
    available_of,
    maintenance_margin,
    notional,
    profit,
    refresh_liquidation,
    snap,
    tier_of,
)
from cashup.kernel.lifecycle import (
    cancel_group,
    end_all,
    end_reduce_only,
    finish,
    note_update,
    wake_children,
)
from cashup.kernel.types import (
    BUY,
    CANCELLED,
    CLIP,
    CLOSE_POSITION,
    CROSS,
    FILL_LIQUIDATION,
    FILL_TRADE,
    FILLED,
    FOK,
    IOC,
    ISOLATED,
    PARTIALLY_FILLED,
    REASON_FOK,
    REASON_INSUFFICIENT_BALANCE,
    REASON_IOC,
    REASON_LEVERAGE,
    REASON_MIN_NOTIONAL,
    REASON_MIN_QUANTITY,
    REASON_NONE,
    REASON_POSITION_CLOSED,
    REASON_REDUCE_ONLY,
    REASON_SHORT_NOT_ALLOWED,
    REDUCE_ONLY,
    REJECTED,
    SLIP_NONE,
    SLIP_RATE,
    SLIP_SPREAD,
    SLIP_VOLUME_SHARE,
    SPOT,
    VALUE_SIZED,
)


@inner(f8(f8, f8))
def round_down(quantity, lot):
    """Return `quantity` rounded down to whole lots; a billionth of a lot short counts as whole."""
    if lot > 0.0:
        return math.floor(quantity / lot + 1e-9) * lot
    return quantity


@inner(f8(f8, f8, i8))
def round_against(price, tick, side):
    """Return `price` on the tick grid, rounded against the side that takes it."""
    if tick > 0.0:
        if side > 0:
            return math.ceil(price / tick - 1e-9) * tick
        return math.floor(price / tick + 1e-9) * tick
    return price


@shared(f8(run_t, instrument_t, i8, f8, f8))
def slipped(run, instrument, side, quantity, price):
    """Return the price a taker of `quantity` gets where the market stands at `price`."""
    model = run.slippage_model
    if model == SLIP_NONE:
        return price
    if model == SLIP_SPREAD:
        distance = run.slippage
    elif model == SLIP_RATE:
        distance = price * run.slippage
    else:
        volume = load_f8(instrument.volume, run.i)
        share = 1.0
        if volume > 0.0:
            share = min(1.0, quantity / volume)
        if model == SLIP_VOLUME_SHARE:
            distance = price * run.slippage * share * share
        else:
            high = load_f8(instrument.high, run.i)
            low = load_f8(instrument.low, run.i)
            spread = (high - low) / load_f8(instrument.open, run.i)
            distance = price * run.slippage * spread * math.sqrt(share)
    moved = round_against(price + side * distance, instrument.tick, side)
    if moved <= 0.0:
        return price
    return moved


@shared(f8(run_t, instrument_t, position_t, i8, f8, f8))
def affordable(run, instrument, position, side, price, rate):
    """Return the largest quantity the account can pay for at `price`."""
    if instrument.kind == SPOT:
        if side > 0:
            return max(0.0, run.cash / (price * instrument.contract_size * (1.0 + rate)))
        return max(0.0, position.quantity)
    unit = notional(instrument, 1.0, price)
    free = available_of(run)
    reducible = 0.0
    if position.quantity * side < 0.0:
        # Closing comes first: it frees its margin and books its profit.
        reducible = abs(position.quantity)
        gain = profit(instrument, position.quantity, position.entry_price, price)
        if instrument.margin_mode == ISOLATED:
            free += position.margin + gain
        else:
            free += notional(instrument, position.quantity, position.mark_price) / instrument.leverage
            free += gain - profit(instrument, position.quantity, position.entry_price, position.mark_price)
        free -= reducible * unit * rate
    return reducible + max(0.0, free / (unit * (1.0 / instrument.leverage + rate)))


@inner(void(run_t, instrument_t, position_t, order_t, f8, f8))
def size_by_value(run, instrument, position, order, price, rate):
    """Work out the quantity of an order that was given as money."""
    quantity = 0.0
    if order.value > 0.0:
        unit = notional(instrument, 1.0, price)
        if instrument.kind == SPOT and order.side > 0:
            quantity = order.value / (unit * (1.0 + rate))
        else:
            quantity = order.value / unit
    else:
        quantity = affordable(run, instrument, position, order.side, price, rate)
    order.quantity = round_down(quantity, instrument.lot)
    order.flags = (order.flags & ~VALUE_SIZED) | CLIP


@inner(void(run_t, order_t, i8, i8))
def refuse(run, order, reason, ts):
    """End an order that cannot be filled: rejected when nothing of it was, else the rest is cancelled."""
    if order.filled > 0.0:
        finish(run, order, CANCELLED, reason, ts)
    else:
        finish(run, order, REJECTED, reason, ts)


@inner(b1(run_t, instrument_t, position_t, f8, f8))
def tier_allows(run, instrument, position, signed, price):
    """Tell whether the position after a fill stays within its tier's maximum leverage."""
    if position.quantity * signed < 0.0 and abs(signed) <= abs(position.quantity):
        return True
    t = tier_of(run, instrument, notional(instrument, position.quantity + signed, price))
    if t < 0:
        return True
    return instrument.leverage <= tier_at(run.tiers, t).max_leverage


@shared(f8(run_t, instrument_t, position_t, order_t, f8, f8, i8))
def wanted_quantity(run, instrument, position, order, price, rate, ts):
    """Return how much of an order may be filled now; 0.0 when it was ended here."""
    if order.flags & CLOSE_POSITION:
        order.quantity = abs(position.quantity) + order.filled
    if order.flags & VALUE_SIZED:
        size_by_value(run, instrument, position, order, price, rate)
    quantity = order.quantity - order.filled
    exits = position.quantity * order.side < 0.0
    if order.flags & REDUCE_ONLY:
        if not exits:
            if order.rested != 0 or order.filled > 0.0 or order.flags & CLOSE_POSITION:
                finish(run, order, CANCELLED, REASON_POSITION_CLOSED, ts)
            else:
                finish(run, order, REJECTED, REASON_REDUCE_ONLY, ts)
            return 0.0
        return min(quantity, abs(position.quantity))
    limit = affordable(run, instrument, position, order.side, price, rate)
    if quantity > limit * (1.0 + 1e-12):
        if not order.flags & CLIP:
            if instrument.kind == SPOT and order.side < 0:
                refuse(run, order, REASON_SHORT_NOT_ALLOWED, ts)
            else:
                refuse(run, order, REASON_INSUFFICIENT_BALANCE, ts)
            return 0.0
        clipped = round_down(limit, instrument.lot)
        order.quantity = order.filled + clipped
        quantity = clipped
    else:
        quantity = min(quantity, limit)
        if instrument.lot > 0.0:
            quantity = snap(quantity, instrument.lot)
    if quantity <= 0.0 or quantity < instrument.min_quantity * (1.0 - 1e-9):
        if instrument.kind == SPOT and order.side < 0 and limit <= 0.0:
            refuse(run, order, REASON_SHORT_NOT_ALLOWED, ts)
        elif limit <= 0.0:
            refuse(run, order, REASON_INSUFFICIENT_BALANCE, ts)
        else:
            refuse(run, order, REASON_MIN_QUANTITY, ts)
        return 0.0
    if (
        order.filled == 0.0
        and not exits
        and notional(instrument, quantity, price) < instrument.min_notional * (1.0 - 1e-9)
    ):
        refuse(run, order, REASON_MIN_NOTIONAL, ts)
        return 0.0
    if instrument.kind != SPOT and not tier_allows(run, instrument, position, order.side * quantity, price):
        refuse(run, order, REASON_LEVERAGE, ts)
        return 0.0
    return quantity


@inner(void(run_t, i8, i8, i8, i8, i8, i8, f8, f8, f8, f8, f8, i8))
def record_fill(run, order_id, k, side, kind, maker, ts, price, quantity, fee, realized, after, tag):
    """Append one row to the fill table."""
    row = fill_at(run.fills, run.n_fills)
    row.order = order_id
    row.instrument = k
    row.side = side
    row.kind = kind
    row.maker = maker
    row.ts = ts
    row.i = run.i
    row.d = load_i8(run.decision, run.i) if run.decision != 0 else run.i
    if row.d < 0:
        row.d = run.d + 1
    row.price = price
    row.quantity = quantity
    row.fee = fee
    row.realized = realized
    row.position = after
    row.tag = tag
    run.n_fills += 1


@inner(void(run_t, instrument_t, position_t, order_t, i8, f8, f8, f8, f8, b1, i8, b1))
def book(run, instrument, position, order, k, price, market_price, quantity, rate, taker, ts, inside_bar):
    """Book a fill on account and order, and tell the orders that depend on it."""
    fee = notional(instrument, quantity, price) * rate
    realized = apply_fill(run, instrument, position, order.side, quantity, price, fee, ts)
    run.slippage_cost += notional(instrument, quantity, price) * abs(price - market_price) / price
    order.average_price = (order.average_price * order.filled + price * quantity) / (order.filled + quantity)
    order.filled += quantity
    order.fee += fee
    maker = 0 if taker else 1
    record_fill(
        run,
        order.id,
        k,
        order.side,
        FILL_TRADE,
        maker,
        ts,
        price,
        quantity,
        fee,
        realized,
        position.quantity,
        order.tag,
    )
    left = order.quantity - order.filled
    if left <= 1e-9 * order.quantity or order.flags & CLOSE_POSITION and position.quantity == 0.0:
        finish(run, order, FILLED, REASON_NONE, ts)
    elif order.time_in_force == IOC:
        finish(run, order, CANCELLED, REASON_IOC, ts)
    else:
        order.status = PARTIALLY_FILLED
        note_update(run, order)
    if order.group != 0:
        cancel_group(run, order, ts, inside_bar)
    if order.children != 0:
        wake_children(run, order, price, ts)
    if position.n_open > 0 and position.quantity * order.side >= 0.0:
        end_reduce_only(run, k, ts)
    if instrument.kind != SPOT:
        refresh_liquidation(run, instrument, position, k)


@shared(i8(run_t, instrument_t, position_t, order_t, i8, f8, i8, f8, i8, i8))
def execute(run, instrument, position, order, k, market_price, taker, limit_price, ts, inside_bar):
    """Fill an order as far as rules allow at `market_price`.

    A taker pays slippage but never more than `limit_price` (NaN = no limit). Returns True if anything was filled.
    """
    rate = instrument.taker_fee if taker else instrument.maker_fee
    price = market_price
    if taker and run.slippage_model != SLIP_NONE:
        estimate = order.quantity - order.filled
        if order.flags & VALUE_SIZED or order.flags & CLOSE_POSITION:
            estimate = abs(position.quantity)
            if order.flags & VALUE_SIZED:
                estimate = affordable(run, instrument, position, order.side, market_price, rate)
                if order.value > 0.0:
                    estimate = order.value / notional(instrument, 1.0, market_price)
        price = slipped(run, instrument, order.side, estimate, market_price)
        if limit_price == limit_price:
            price = min(price, limit_price) if order.side == BUY else max(price, limit_price)
    quantity = wanted_quantity(run, instrument, position, order, price, rate, ts)
    if quantity <= 0.0:
        return 0
    if run.volume_limit > 0.0:
        room = run.volume_limit * load_f8(instrument.volume, run.i) - position.bar_volume_used
        capped = min(quantity, round_down(max(0.0, room), instrument.lot))
        if capped < quantity and order.time_in_force == FOK:
            finish(run, order, CANCELLED, REASON_FOK, ts)
            return 0
        if capped <= 0.0:
            if order.time_in_force == IOC:
                finish(run, order, CANCELLED, REASON_IOC, ts)
            return 0
        quantity = capped
        position.bar_volume_used += quantity
    book(run, instrument, position, order, k, price, market_price, quantity, rate, taker, ts, inside_bar)
    return 1


@shared(void(run_t, instrument_t, position_t, i8, f8, i8))
def liquidate(run, instrument, position, k, price, ts):
    """Close a position at the venue's hand; what is left of its maintenance margin is the venue's."""
    quantity = abs(position.quantity)
    side = -1 if position.quantity > 0.0 else 1
    gain = profit(instrument, position.quantity, position.entry_price, price)
    backing = position.margin
    if instrument.margin_mode == CROSS:
        backing = run.cash - run.locked
    left = max(0.0, backing + gain)
    fee = min(left, maintenance_margin(run, instrument, position.quantity, price))
    realized = apply_fill(run, instrument, position, side, quantity, price, fee, ts)
    record_fill(
        run, 0, k, side, FILL_LIQUIDATION, 0, ts, price, quantity, fee, realized, position.quantity, 0
    )
    run.n_liquidations += 1
    end_all(run, k, ts)
    refresh_liquidation(run, instrument, position, k)
