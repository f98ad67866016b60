"""From the kernel's order rows to the model's order requests."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Final

from cashup.engine.codes import ORDER_TYPES, SIDES, TIMES_IN_FORCE
from cashup.engine.grid import FREE, InstrumentGrid
from cashup.kernel import types as k
from cashup.model.ids import AccountId, ClientOrderId, GroupId, InstrumentId, StrategyId
from cashup.model.orders import OrderRequest

#: A row of the order table as values by name (`engine.views.OrderView`): its fields come from the dtype.
Row = Any

#: The value of an order that spends all there is: more than anybody has, to be shrunk by the venue (`clip`).
EVERYTHING: Final = Decimal("1e18")


def request_of(
    row: Row,
    *,
    client_order_id: ClientOrderId,
    parent_id: ClientOrderId | None,
    instrument_id: InstrumentId,
    grid: InstrumentGrid,
    account_id: AccountId,
    strategy_id: StrategyId,
) -> OrderRequest:
    """Write a row as the request that asks a venue for the same."""
    flags = row.flags
    by_value = bool(flags & k.VALUE_SIZED)
    # A bracket child takes the quantity its parent fills: until then it can only say "what there is".
    by_position = bool(flags & k.CLOSE_POSITION) or (parent_id is not None and not row.quantity > 0.0)
    is_fraction = bool(flags & k.TRAIL_FRACTION)
    return OrderRequest(
        client_order_id=client_order_id,
        instrument_id=instrument_id,
        account_id=account_id,
        strategy_id=strategy_id,
        side=SIDES[row.side],
        type=ORDER_TYPES[row.type],
        quantity=None if by_value or by_position else grid.quantity.to_decimal(row.quantity),
        value=_money(row.value) if by_value and not by_position else None,
        close_position=by_position,
        price=_price(row.price, grid),
        stop_price=None if row.type == k.TRAILING_STOP else _price(row.stop_price, grid),
        trail=None if is_fraction else _distance(row.trail),
        trail_fraction=_distance(row.trail) if is_fraction else None,
        time_in_force=TIMES_IN_FORCE[row.time_in_force],
        expire_ts=row.expire_ts or None,
        post_only=bool(flags & k.POST_ONLY),
        reduce_only=bool(flags & k.REDUCE_ONLY),
        clip=bool(flags & k.CLIP) or (by_value and row.value == math.inf),
        group_id=group_of(row, strategy_id),
        parent_id=parent_id,
        tag=row.tag,
        ts_init=row.created_ts,
    )


def group_of(row: Row, strategy_id: StrategyId) -> GroupId | None:
    """Return the name of the one-cancels-other group of a row."""
    return GroupId(f"{strategy_id}-{row.group}") if row.group else None


def _money(value: float) -> Decimal:
    return FREE.to_decimal(value) if value < math.inf else EVERYTHING


def _price(value: float, grid: InstrumentGrid) -> Decimal | None:
    return grid.price.to_decimal(value) if math.isfinite(value) and value > 0.0 else None


def _distance(value: float) -> Decimal | None:
    return FREE.to_decimal(value) if math.isfinite(value) and value > 0.0 else None
