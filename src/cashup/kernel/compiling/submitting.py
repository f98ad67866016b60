"""An order and its bracket in one call, for compiled strategies."""

from __future__ import annotations

from cashup.kernel.entry import bracket, place
from cashup.kernel.function import FLOAT, INT, exported


@exported(INT, INT, INT, INT, INT, INT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, INT, INT, FLOAT, FLOAT, FLOAT)
def submit(
    address: int,
    instrument: int,
    side: int,
    kind: int,
    time_in_force: int,
    flags: int,
    quantity: float,
    value: float,
    price: float,
    stop_price: float,
    trail: float,
    expire_ts: int,
    tag: int,
    stop_loss: float,
    take_profit: float,
    trailing: float,
) -> int:
    """Place an order, attach the protective orders whose price is not NaN, and return the order's id."""
    order_id = place(
        address, instrument, side, kind, time_in_force, flags, quantity, value, price, stop_price, trail,
        expire_ts, 0, 0, tag,
    )  # fmt: skip
    if stop_loss == stop_loss or take_profit == take_profit or trailing == trailing:
        bracket(address, order_id, stop_loss, take_profit, trailing)
    return order_id
