"""How an order row ends, and what ends with it."""

from __future__ import annotations

from cashup.kernel import types as kt
from cashup.kernel.function import INT, internal
from cashup.kernel.records import as_run, load_i8, order_at, position_at, store_i8


@internal(INT, INT)
def notify(address: int, order_id: int) -> int:
    """Remember that an order changed, once per order until the strategy was told."""
    run = as_run(address)
    if run.wants & kt.WANTS_ORDER == 0:
        return 0
    for j in range(run.n_updates):
        if load_i8(run.updates, j) == order_id:
            return 0
    store_i8(run.updates, run.n_updates, order_id)
    run.n_updates += 1
    return 1


@internal(INT, INT, INT, INT, INT)
def end_order(address: int, row: int, status: int, reason: int, ts: int) -> int:
    """Give an order its final status; children of an order that ends without a fill end with it."""
    run = as_run(address)
    order = order_at(run.orders, row)
    if order.status >= kt.FIRST_FINAL_STATUS:
        return 0
    childless = order.filled > 0.0 or order.status == kt.HELD
    order.status = status
    order.reason = reason
    order.done_ts = ts
    position_at(run.positions, order.instrument).n_open -= 1
    run.n_ended += 1
    if status == kt.REJECTED:
        run.n_rejected += 1
    notify(address, order.id)
    if childless:
        return 1
    for j in range(run.n_open):
        child = order_at(run.orders, load_i8(run.open_orders, j) - 1)
        if child.parent == order.id and child.status == kt.HELD:
            child.status = kt.CANCELLED
            child.reason = kt.REASON_PARENT
            child.done_ts = ts
            position_at(run.positions, child.instrument).n_open -= 1
            run.n_ended += 1
            notify(address, child.id)
    return 1


@internal(INT)
def forget_ended(address: int) -> int:
    """Take ended orders out of the list of open ones, keeping the order of arrival."""
    run = as_run(address)
    kept = 0
    for j in range(run.n_open):
        order_id = load_i8(run.open_orders, j)
        if order_at(run.orders, order_id - 1).status < kt.FIRST_FINAL_STATUS:
            store_i8(run.open_orders, kept, order_id)
            kept += 1
    run.n_open = kept
    run.n_ended = 0
    return kept
