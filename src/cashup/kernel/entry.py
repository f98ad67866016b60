"""Order entry: everything a strategy can ask for, decided once for all ways of running.

Every function takes the address of the run (`RunMemory.address`) first. Orders are judged here as a venue
judges them at the door (grid, minimums, prices, leverage); a bad one exists in the table as REJECTED with
its reason. What depends on the account is judged when the order fills.

From Python call these functions directly (about half a microsecond each). Compiled strategies call the same
names on `kernel.externals`: external functions resolved by the linker, so a strategy that places orders
compiles as fast as one that does not.
"""

from __future__ import annotations

import math

from cashup.kernel import types as kt
from cashup.kernel.function import FLOAT, INT, exported, internal
from cashup.kernel.ledger import available, equity, notional
from cashup.kernel.lifecycle import end_order, forget_ended, notify
from cashup.kernel.records import as_run, instrument_at, load_i8, order_at, position_at, store_i8
from cashup.kernel.rounding import to_grid

#: A change of position this small (relative) is rounding error, not a wish.
NEGLIGIBLE = 1e-9


@internal(INT, INT)
def judge(address: int, row: int) -> int:
    """Round an order's prices and quantity to the venue's grids and return why it must be rejected, or 0."""
    run = as_run(address)
    order = order_at(run.orders, row)
    if row + 1 >= run.cap_orders:
        return kt.REASON_TOO_MANY
    instrument = instrument_at(run.instruments, order.instrument)
    kind = order.type
    if kind < kt.MARKET or kind > kt.TAKE_PROFIT_LIMIT:
        return kt.REASON_BAD_PRICE
    limited = kind == kt.LIMIT or kind == kt.STOP_LIMIT or kind == kt.TAKE_PROFIT_LIMIT
    stopped = (
        kind == kt.STOP or kind == kt.STOP_LIMIT or kind == kt.TAKE_PROFIT or kind == kt.TAKE_PROFIT_LIMIT
    )
    if limited:
        if not (order.price > 0.0 and order.price < math.inf):
            return kt.REASON_BAD_PRICE
        order.price = to_grid(order.price, instrument.tick, -order.side)
        if order.price <= 0.0:
            return kt.REASON_BAD_PRICE
    if stopped or (kind == kt.TRAILING_STOP and order.stop_price == order.stop_price):
        if not (order.stop_price > 0.0 and order.stop_price < math.inf):
            return kt.REASON_BAD_PRICE
        order.stop_price = to_grid(order.stop_price, instrument.tick, 0)
        if order.stop_price <= 0.0:
            return kt.REASON_BAD_PRICE
    if kind == kt.TRAILING_STOP:
        most = 1.0 if order.flags & kt.TRAIL_FRACTION != 0 else math.inf
        if not (order.trail > 0.0 and order.trail < most):
            return kt.REASON_BAD_PRICE
    if order.flags & kt.POST_ONLY != 0 and (
        kind != kt.LIMIT or order.time_in_force == kt.IOC or order.time_in_force == kt.FOK
    ):
        return kt.REASON_POST_ONLY
    if order.time_in_force == kt.GTD and order.expire_ts <= run.now:
        return kt.REASON_GTD
    if instrument.max_leverage > 0.0 and instrument.leverage > instrument.max_leverage:
        return kt.REASON_LEVERAGE
    if order.parent != 0 or order.flags & kt.CLOSE_POSITION != 0:
        return kt.REASON_NONE
    if order.flags & kt.VALUE_SIZED != 0:
        return kt.REASON_NONE if order.value > 0.0 else kt.REASON_BAD_QUANTITY
    if not (order.quantity > 0.0 and order.quantity < math.inf):
        return kt.REASON_BAD_QUANTITY
    order.quantity = to_grid(order.quantity, instrument.lot, -1)
    if order.quantity <= 0.0 or order.quantity < instrument.min_quantity:
        return kt.REASON_MIN_QUANTITY
    if instrument.max_quantity > 0.0 and order.quantity > instrument.max_quantity:
        return kt.REASON_MAX_QUANTITY
    price = position_at(run.positions, order.instrument).last_price
    if limited:
        price = order.price
    elif stopped:
        price = order.stop_price
    if order.flags & kt.REDUCE_ONLY == 0 and instrument.min_notional > 0.0:
        worth = notional(instrument.kind, order.quantity * instrument.contract_size, price)
        if worth < instrument.min_notional * (1.0 - NEGLIGIBLE):
            return kt.REASON_MIN_NOTIONAL
    return kt.REASON_NONE


@exported(
    INT, INT, INT, INT, INT, INT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, INT, INT, INT, INT
)  # fmt: skip
def place(
    address: int,
    instrument: int,
    side: int,
    type: int,  # noqa: A002 - the field's name everywhere
    time_in_force: int,
    flags: int,
    quantity: float,
    value: float,
    price: float,
    stop_price: float,
    trail: float,
    expire_ts: int,
    parent: int,
    group: int,
    tag: int,
) -> int:
    """Enter an order and return its id (0 only if the table has no row left).

    Args:
        address: the run.
        instrument: index of the instrument.
        side: BUY or SELL.
        type: MARKET ... TAKE_PROFIT_LIMIT.
        time_in_force: GTC, IOC, FOK, GTD.
        flags: REDUCE_ONLY, POST_ONLY, CLIP, VALUE_SIZED, CLOSE_POSITION, TRAIL_FRACTION.
        quantity: in base units or contracts; rounded down to the lot.
        value: with VALUE_SIZED, money to spend, fees included; infinite = all that is available.
        price: limit price; a buy is rounded down to the tick, a sell up.
        stop_price: trigger price, rounded to the nearest tick; of a trailing stop, where it starts (NaN =
            from the first price it sees).
        trail: distance of a trailing stop, a price difference or (TRAIL_FRACTION) a fraction of the best
            price.
        expire_ts: with GTD, when it ends, ns.
        parent: id of the order whose fill activates this one (it takes that order's filled quantity); 0 =
            none.
        group: OCO group from `new_group`; 0 = none.
        tag: the user's own number, copied to the fills.
    """
    run = as_run(address)
    row = run.n_orders
    if row >= run.cap_orders:
        run.n_rejected += 1
        return 0
    run.n_orders = row + 1
    order = order_at(run.orders, row)
    order.id = row + 1
    order.instrument = instrument
    order.side = side
    order.type = type
    order.time_in_force = time_in_force
    order.flags = flags
    order.reason = kt.REASON_NONE
    order.quantity = quantity
    order.value = value
    order.filled = 0.0
    order.average_price = 0.0
    order.fee = 0.0
    order.price = price
    order.stop_price = stop_price
    order.trail = trail
    order.trail_extreme = math.nan
    order.group = group
    order.parent = parent
    order.tag = tag
    order.created_ts = run.now
    order.active_ts = run.now + run.latency
    order.expire_ts = expire_ts if time_in_force == kt.GTD else 0
    order.cancel_ts = 0
    order.done_ts = 0
    order.created_d = run.d
    order.rested = 0
    order.spent_ts = 0
    order.status = kt.HELD if parent != 0 else kt.SUBMITTED
    if instrument < 0 or instrument >= run.n_instruments:
        reason = kt.REASON_UNKNOWN_INSTRUMENT
    elif side != kt.BUY and side != kt.SELL:
        reason = kt.REASON_BAD_QUANTITY
    else:
        reason = judge(address, row)
    if reason != kt.REASON_NONE:
        order.status = kt.REJECTED
        order.reason = reason
        order.done_ts = run.now
        run.n_rejected += 1
        notify(address, order.id)
        return int(order.id)
    store_i8(run.open_orders, run.n_open, order.id)
    run.n_open += 1
    position_at(run.positions, instrument).n_open += 1
    return int(order.id)


@exported(INT)
def new_group(address: int) -> int:
    """Return the number of a new OCO group: when one of its orders fills, the others are cancelled."""
    run = as_run(address)
    run.n_groups += 1
    return int(run.n_groups)


@exported(INT, INT, INT)
def oco(address: int, first: int, second: int) -> int:
    """Join two orders so that a fill of one cancels the other. Return their group, 0 if an id is unknown."""
    run = as_run(address)
    if first < 1 or second < 1 or first > run.n_orders or second > run.n_orders:
        return 0
    a = order_at(run.orders, first - 1)
    b = order_at(run.orders, second - 1)
    if a.group == 0 and b.group == 0:
        run.n_groups += 1
        a.group = run.n_groups
    elif a.group == 0:
        a.group = b.group
    b.group = a.group
    return int(a.group)


@exported(INT, INT, FLOAT, FLOAT, FLOAT)
def bracket(address: int, parent: int, stop_loss: float, take_profit: float, trailing: float) -> int:
    """Add protective orders to an entry: held until it fills, then reduce-only and one-cancels-the-other.

    Args:
        address: the run.
        parent: id of the entry order; nothing is added to one that has ended.
        stop_loss: trigger price of a stop; NaN = none.
        take_profit: limit price of the exit with profit; NaN = none.
        trailing: distance of a trailing stop as a fraction of the price; NaN = none.

    Returns:
        Id of the first protective order (the others follow it), 0 if there is none.
    """
    run = as_run(address)
    if parent < 1 or parent > run.n_orders:
        return 0
    entry = order_at(run.orders, parent - 1)
    if entry.status >= kt.FIRST_FINAL_STATUS:
        return 0
    run.n_groups += 1
    group = run.n_groups
    side = -entry.side
    instrument = entry.instrument
    tag = entry.tag
    nan = math.nan
    first = 0
    if stop_loss == stop_loss:
        first = place(
            address, instrument, side, kt.STOP, kt.GTC, kt.REDUCE_ONLY, 0.0, 0.0, nan, stop_loss, nan, 0,
            parent, group, tag,
        )  # fmt: skip
    if take_profit == take_profit:
        added = place(
            address, instrument, side, kt.LIMIT, kt.GTC, kt.REDUCE_ONLY, 0.0, 0.0, take_profit, nan, nan, 0,
            parent, group, tag,
        )  # fmt: skip
        first = added if first == 0 else first
    if trailing == trailing:
        added = place(
            address, instrument, side, kt.TRAILING_STOP, kt.GTC, kt.REDUCE_ONLY | kt.TRAIL_FRACTION, 0.0,
            0.0, nan, nan, trailing, 0, parent, group, tag,
        )  # fmt: skip
        first = added if first == 0 else first
    return first


@internal(INT, INT, INT)
def ask_cancel(address: int, row: int, reason: int) -> int:
    """Cancel at once when nothing delays us or the order is still held; else let the wish travel."""
    run = as_run(address)
    order = order_at(run.orders, row)
    if order.status >= kt.FIRST_FINAL_STATUS:
        return 0
    if run.latency == 0 or order.status == kt.HELD:
        return end_order(address, row, kt.CANCELLED, reason, run.now)
    if order.cancel_ts == 0:
        order.cancel_ts = run.now + run.latency
        return 1
    return 0


@exported(INT, INT)
def cancel(address: int, order_id: int) -> int:
    """Cancel an order. Return 1 if that was done or asked for, 0 if it had ended or is unknown."""
    run = as_run(address)
    if order_id < 1 or order_id > run.n_orders:
        return 0
    done = ask_cancel(address, order_id - 1, kt.REASON_USER)
    if run.n_ended > 0:
        forget_ended(address)
    return done


@exported(INT, INT)
def cancel_all(address: int, instrument: int) -> int:
    """Cancel every open order of an instrument, or of all (-1). Return how many cancels were asked for."""
    run = as_run(address)
    count = 0
    for j in range(run.n_open):
        row = load_i8(run.open_orders, j) - 1
        if instrument < 0 or order_at(run.orders, row).instrument == instrument:
            count += ask_cancel(address, row, kt.REASON_USER)
    if run.n_ended > 0:
        forget_ended(address)
    return count


@internal(INT, INT)
def withdraw_market_orders(address: int, instrument: int) -> int:
    """Cancel market orders of an instrument that still work: a new target replaces the old one."""
    run = as_run(address)
    for j in range(run.n_open):
        row = load_i8(run.open_orders, j) - 1
        order = order_at(run.orders, row)
        if order.instrument == instrument and order.type == kt.MARKET and order.parent == 0:
            ask_cancel(address, row, kt.REASON_USER)
    if run.n_ended > 0:
        forget_ended(address)
    return 0


@exported(INT, INT)
def close_position(address: int, instrument: int) -> int:
    """Close a position at the market: whatever it is when the order fills. Return the order id, 0 when flat.

    While such an order still works, its id is returned and no second one is made.
    """
    run = as_run(address)
    if instrument < 0 or instrument >= run.n_instruments:
        return 0
    quantity = position_at(run.positions, instrument).quantity
    if quantity == 0.0:
        return 0
    for j in range(run.n_open):
        order = order_at(run.orders, load_i8(run.open_orders, j) - 1)
        if (
            order.instrument == instrument
            and order.type == kt.MARKET
            and order.flags & kt.CLOSE_POSITION != 0
        ):
            if order.cancel_ts == 0:
                return int(order.id)
    side = kt.SELL if quantity > 0.0 else kt.BUY
    flags = kt.REDUCE_ONLY | kt.CLOSE_POSITION
    nan = math.nan
    return place(
        address, instrument, side, kt.MARKET, kt.GTC, flags, abs(quantity), 0.0, nan, nan, nan, 0, 0, 0, 0
    )


@internal(INT, INT, FLOAT, FLOAT)
def move_to(address: int, k: int, wanted: float, tolerance: float) -> int:
    """Send the market order that takes the position to `wanted` (signed). Return its id, 0 = not needed."""
    run = as_run(address)
    instrument = instrument_at(run.instruments, k)
    withdraw_market_orders(address, k)
    held = position_at(run.positions, k).quantity
    nan = math.nan
    if not abs(wanted) < math.inf:
        return place(
            address, k, kt.BUY, kt.MARKET, kt.GTC, 0, wanted, 0.0, nan, nan, nan, 0, 0, 0, 0
        )  # refused and on record: BAD_QUANTITY
    if instrument.kind == kt.SPOT and wanted < 0.0:
        refused = place(
            address, k, kt.SELL, kt.MARKET, kt.GTC, kt.REDUCE_ONLY, -wanted, 0.0, nan, nan, nan, 0, 0, 0, 0
        )
        if refused > 0:
            end_order(address, refused - 1, kt.REJECTED, kt.REASON_SHORT_NOT_ALLOWED, run.now)
            forget_ended(address)
        return refused
    wanted = math.copysign(to_grid(abs(wanted), instrument.lot, -1), wanted)
    if wanted == 0.0:
        return close_position(address, k)
    change = wanted - held
    size = abs(change)
    if size <= NEGLIGIBLE * max(abs(wanted), abs(held)) or size < tolerance * abs(wanted):
        return 0
    side = kt.BUY if change > 0.0 else kt.SELL
    flags = kt.CLIP
    if held * wanted > 0.0 and abs(wanted) < abs(held):
        flags = kt.CLIP | kt.REDUCE_ONLY
    size = to_grid(size, instrument.lot, -1 if instrument.lot <= 0.0 else 0)
    if size <= 0.0 or size < instrument.min_quantity:
        return 0
    price = position_at(run.positions, k).last_price
    worth = notional(instrument.kind, size * instrument.contract_size, price)
    if flags & kt.REDUCE_ONLY == 0 and worth < instrument.min_notional:
        return 0
    return place(address, k, side, kt.MARKET, kt.GTC, flags, size, 0.0, nan, nan, nan, 0, 0, 0, 0)


@exported(INT, INT, FLOAT, FLOAT)
def target(address: int, instrument: int, fraction: float, tolerance: float) -> int:
    """Bring a position to a fraction of equity, sized at the last price. Return the order id, 0 if none.

    Args:
        address: the run.
        instrument: index of the instrument.
        fraction: signed; 1.0 = equity's worth long, -0.5 = half of it short, above 1 with leverage only.
        tolerance: no order while the quantity would change by less than this fraction of the wanted one.
    """
    run = as_run(address)
    if instrument < 0 or instrument >= run.n_instruments:
        return 0
    constants = instrument_at(run.instruments, instrument)
    price = position_at(run.positions, instrument).last_price
    if not price > 0.0:
        return 0
    money = fraction * equity(address)
    wanted = money / notional(constants.kind, constants.contract_size, price)
    return move_to(address, instrument, wanted, tolerance)


@exported(INT, INT, FLOAT)
def target_size(address: int, instrument: int, quantity: float) -> int:
    """Bring a position to a signed quantity at the market. Return the order id, 0 if none is needed."""
    run = as_run(address)
    if instrument < 0 or instrument >= run.n_instruments:
        return 0
    return move_to(address, instrument, quantity, 0.0)


__all__ = [
    "available",
    "bracket",
    "cancel",
    "cancel_all",
    "close_position",
    "equity",
    "new_group",
    "oco",
    "place",
    "target",
    "target_size",
]
