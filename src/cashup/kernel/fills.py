"""Fill an order at a price: how much, at what price after slippage, and what follows from it."""

from __future__ import annotations

import math

from cashup.kernel import types as kt
from cashup.kernel.function import FLOAT, INT, internal
from cashup.kernel.ledger import available, book, notional, profit
from cashup.kernel.lifecycle import end_order, notify
from cashup.kernel.records import as_run, instrument_at, load_f8, load_i8, order_at, position_at, tier_at
from cashup.kernel.rounding import to_grid

#: Of money beside money, or of a quantity beside a quantity, this fraction is rounding error.
ROUNDING_ERROR = 1e-12


@internal(INT, INT, returns=FLOAT)
def volume_room(address: int, k: int) -> float:
    """Return the quantity our fills may still take from the current bar of instrument k."""
    run = as_run(address)
    instrument = instrument_at(run.instruments, k)
    if run.volume_limit <= 0.0 or instrument.volume == 0:
        return math.inf
    volume = load_f8(instrument.volume, run.i)
    if not volume > 0.0:
        return 0.0
    room = run.volume_limit * volume - position_at(run.positions, k).bar_volume_used
    if room <= ROUNDING_ERROR * volume:
        return 0.0
    return to_grid(room, instrument.lot, -1)


@internal(INT, INT, INT, FLOAT, FLOAT, returns=FLOAT)
def slipped(address: int, k: int, side: int, price: float, quantity: float) -> float:
    """Return the price a taker gets: moved against it by the slippage model, then to the next tick."""
    run = as_run(address)
    model = run.slippage_model
    if model == kt.SLIP_NONE:
        return price
    instrument = instrument_at(run.instruments, k)
    i = run.i
    share = 0.0
    if instrument.volume != 0:
        volume = load_f8(instrument.volume, i)
        if volume > 0.0 and quantity < math.inf:
            share = quantity / volume
    moved = run.slippage * price
    if model == kt.SLIP_SPREAD:
        moved = run.slippage
    elif model == kt.SLIP_VOLUME_SHARE:
        moved = run.slippage * share * share * price
    elif model == kt.SLIP_SQRT_IMPACT:
        opened = load_f8(instrument.open, i)
        spread = (load_f8(instrument.high, i) - load_f8(instrument.low, i)) / opened
        moved = run.slippage * spread * math.sqrt(share) * price
    worse = max(0.0, price + side * moved)
    worse = to_grid(worse, instrument.tick, side)
    if worse <= 0.0:
        return price
    return worse


@internal(INT, INT, INT, FLOAT, FLOAT, returns=FLOAT)
def affordable(address: int, k: int, side: int, price: float, rate: float) -> float:
    """Return the largest tradable quantity: what closes the position, plus what the money can open."""
    run = as_run(address)
    instrument = instrument_at(run.instruments, k)
    position = position_at(run.positions, k)
    dust = ROUNDING_ERROR * run.initial_cash
    free = available(address)
    unit = notional(instrument.kind, instrument.contract_size, price)
    if instrument.kind == kt.SPOT:
        if side < 0:
            return float(position.quantity)
        return free / (unit * (1.0 + rate)) if free > dust else 0.0
    closing = abs(position.quantity) if position.quantity * side < 0.0 else 0.0
    if closing > 0.0:
        # What the account has once the position is closed at this price.
        size = position.quantity * instrument.contract_size
        free += profit(instrument.kind, size, position.entry_price, price) - closing * unit * rate
        if instrument.margin_mode == kt.ISOLATED:
            free += position.margin
        else:
            free -= profit(instrument.kind, size, position.entry_price, position.mark_price)
            free += notional(instrument.kind, abs(size), position.mark_price) / instrument.leverage
    if free <= dust:
        return closing
    return float(closing + free / (unit * (1.0 / instrument.leverage + rate)))


@internal(INT, INT, INT, FLOAT, returns=FLOAT)
def leverage_room(address: int, k: int, side: int, price: float) -> float:
    """Return the largest quantity that leaves the position inside the brackets its leverage is allowed in."""
    run = as_run(address)
    instrument = instrument_at(run.instruments, k)
    held = side * position_at(run.positions, k).quantity
    for j in range(instrument.tier_count):
        tier = tier_at(run.tiers, instrument.tier_start + j)
        if tier.max_leverage > 0.0 and tier.max_leverage < instrument.leverage:
            most = tier.notional_floor / notional(instrument.kind, instrument.contract_size, price)
            return float(max(0.0, most - held))
    return math.inf


@internal(INT, INT, INT, INT)
def refuse(address: int, row: int, reason: int, ts: int) -> int:
    """End an order the venue will not (further) fill: rejected, or cancelled when part of it has filled."""
    order = order_at(as_run(address).orders, row)
    end_order(address, row, kt.REJECTED if order.filled == 0.0 else kt.CANCELLED, reason, ts)
    return 0


@internal(INT, INT, INT)
def follow_fill(address: int, row: int, inside: int) -> int:
    """Draw the consequences: OCO partners end, bracket children start, useless reduce-only orders end."""
    run = as_run(address)
    order = order_at(run.orders, row)
    k = order.instrument
    instrument = instrument_at(run.instruments, k)
    position = position_at(run.positions, k)
    ts = load_i8(run.close_ts, run.i) if inside == 1 else load_i8(run.open_ts, run.i)
    # A partly filled reduce-only order leaves its partners to guard the rest: none can sell more than is
    # held.
    ends_partners = order.group != 0 and (order.status == kt.FILLED or order.flags & kt.REDUCE_ONLY == 0)
    stop_filled = order.type == kt.STOP or order.type == kt.STOP_LIMIT or order.type == kt.TRAILING_STOP
    for j in range(run.n_open):
        other_row = load_i8(run.open_orders, j) - 1
        other = order_at(run.orders, other_row)
        if other_row == row or other.status >= kt.FIRST_FINAL_STATUS:
            continue
        if other.parent == order.id and order.side * position.quantity > 0.0:
            other.quantity = order.filled
            if other.status == kt.HELD:
                other.status = kt.ACCEPTED
                other.active_ts = ts
                notify(address, other.id)
        elif other.parent == order.id and other.status == kt.HELD:
            end_order(address, other_row, kt.CANCELLED, kt.REASON_POSITION_CLOSED, ts)
        elif ends_partners and other.group == order.group:
            if inside == 1 and other.instrument == k:
                stop_other = (
                    other.type == kt.STOP or other.type == kt.STOP_LIMIT or other.type == kt.TRAILING_STOP
                )
                level = other.stop_price
                if other.type == kt.LIMIT:
                    level = other.price
                low = load_f8(instrument.low, run.i)
                high = load_f8(instrument.high, run.i)
                both = level >= low and level <= high and stop_other != stop_filled
                if both and order.type != kt.MARKET and position.ambiguous_ts != ts:
                    position.ambiguous_ts = ts
                    run.n_ambiguous += 1
            end_order(address, other_row, kt.CANCELLED, kt.REASON_OCO, ts)
        elif (
            other.instrument == k
            and other.flags & kt.REDUCE_ONLY != 0
            and other.status != kt.HELD
            and other.status != kt.SUBMITTED
            and other.side * position.quantity >= 0.0
        ):
            end_order(address, other_row, kt.CANCELLED, kt.REASON_POSITION_CLOSED, ts)
    return 0


@internal(INT, INT, FLOAT, INT, INT)
def fill_order(address: int, row: int, price: float, taker: int, inside: int) -> int:
    """Fill an order at a price as far as volume and account allow; refuse it where the venue would.

    Args:
        address: the run.
        row: row of the order.
        price: market price it meets (its own limit price, for a resting limit order).
        taker: 1 when it takes liquidity: slippage and the taker fee apply.
        inside: 1 inside the bar, 0 at its open.

    Returns:
        1 if something was filled.
    """
    run = as_run(address)
    order = order_at(run.orders, row)
    k = order.instrument
    instrument = instrument_at(run.instruments, k)
    position = position_at(run.positions, k)
    side = order.side
    ts = load_i8(run.close_ts, run.i) if inside == 1 else load_i8(run.open_ts, run.i)
    rate = instrument.taker_fee if taker == 1 else instrument.maker_fee
    reducible = abs(position.quantity) if position.quantity * side < 0.0 else 0.0
    room = volume_room(address, k)
    limited = order.type == kt.LIMIT or order.type == kt.STOP_LIMIT or order.type == kt.TAKE_PROFIT_LIMIT

    # How much is wanted, and at what price.
    sized_now = order.flags & kt.VALUE_SIZED != 0 and order.filled == 0.0
    wanted = to_grid(order.quantity - order.filled, instrument.lot, 0)
    if order.flags & kt.CLOSE_POSITION != 0:
        wanted = reducible
    elif sized_now:
        wanted = order.value / (notional(instrument.kind, instrument.contract_size, price) * (1.0 + rate))
    if order.flags & kt.REDUCE_ONLY != 0:
        wanted = min(wanted, reducible)
        if wanted <= 0.0:
            return refuse(address, row, kt.REASON_REDUCE_ONLY, ts)
    paid = price
    if taker == 1:
        paid = slipped(address, k, side, price, min(wanted, room))
        if limited and (paid - order.price) * side > 0.0:
            paid = order.price
    if sized_now and order.flags & kt.REDUCE_ONLY == 0:
        wanted = order.value / (notional(instrument.kind, instrument.contract_size, paid) * (1.0 + rate))

    # What the account can carry.
    clipped = sized_now
    if order.flags & kt.REDUCE_ONLY == 0:
        short_sale = instrument.kind == kt.SPOT and side < 0
        most = affordable(address, k, side, paid, rate)
        if wanted > most * (1.0 + ROUNDING_ERROR):
            reason = kt.REASON_SHORT_NOT_ALLOWED if short_sale else kt.REASON_INSUFFICIENT_BALANCE
            if (order.flags & kt.CLIP == 0 and not (sized_now and wanted == math.inf)) or most <= 0.0:
                return refuse(address, row, reason, ts)
            wanted = most
            clipped = True
        if instrument.tier_count > 0:
            most = leverage_room(address, k, side, paid)
            if wanted > most * (1.0 + ROUNDING_ERROR):
                if (
                    order.flags & kt.CLIP == 0 and not (sized_now and order.value == math.inf)
                ) or most <= 0.0:
                    return refuse(address, row, kt.REASON_LEVERAGE, ts)
                wanted = most
                clipped = True
    wanted = to_grid(wanted, instrument.lot, -1)
    if clipped:
        worth = notional(instrument.kind, wanted * instrument.contract_size, paid)
        if wanted <= 0.0 or wanted < instrument.min_quantity:
            return refuse(address, row, kt.REASON_MIN_QUANTITY, ts)
        if instrument.max_quantity > 0.0 and wanted > instrument.max_quantity:
            return refuse(address, row, kt.REASON_MAX_QUANTITY, ts)
        if worth < instrument.min_notional * (1.0 - ROUNDING_ERROR):
            return refuse(address, row, kt.REASON_MIN_NOTIONAL, ts)
    if clipped or order.flags & (kt.CLOSE_POSITION | kt.REDUCE_ONLY) != 0:
        order.quantity = to_grid(order.filled + wanted, instrument.lot, 0)

    # What the bar's volume allows.
    if wanted <= room * (1.0 + ROUNDING_ERROR):
        room = wanted
    if order.time_in_force == kt.FOK and room < wanted:
        end_order(address, row, kt.CANCELLED, kt.REASON_FOK, ts)
        return 0
    quantity = min(wanted, room)
    if quantity < wanted:
        order.spent_ts = load_i8(run.close_ts, run.i)
    if quantity <= 0.0:
        return 0
    position.bar_volume_used += quantity
    worth = notional(instrument.kind, quantity * instrument.contract_size, paid)
    fee = worth * rate
    run.slippage_cost += abs(worth - notional(instrument.kind, quantity * instrument.contract_size, price))
    book(address, k, side, quantity, paid, fee, kt.FILL_TRADE, 1 - taker, ts, order.id, order.tag)
    filled = order.filled + quantity
    order.average_price = (order.average_price * order.filled + paid * quantity) / filled
    order.fee += fee
    if quantity == wanted:
        order.filled = order.quantity
        end_order(address, row, kt.FILLED, kt.REASON_NONE, ts)
    else:
        order.filled = to_grid(filled, instrument.lot, 0)
        order.status = kt.PARTIALLY_FILLED
        notify(address, order.id)
    follow_fill(address, row, inside)
    return 1
