"""The loop of a run: match bars one after another, and call the strategy at each close of a decision bar.

The strategy is one C function `int64(int64 strategy, int64 event, int64 argument)`, compiled or made from a
Python callable, so the loop is compiled once for all of them. A non-zero answer stops the run.
"""

from __future__ import annotations

from cashup.kernel import types as kt
from cashup.kernel.function import INT, exported, internal
from cashup.kernel.ledger import equity
from cashup.kernel.lifecycle import end_order, forget_ended
from cashup.kernel.match import step
from cashup.kernel.quiet import see_closes
from cashup.kernel.records import (
    as_run,
    call_strategy,
    instrument_at,
    load_f8,
    load_i8,
    position_at,
    store_f8,
    store_i8,
)

#: Free rows of the order table guaranteed to the callbacks of one bar (`memory.ORDER_RESERVE`).
RESERVE = 1024
#: What is left of the initial cash when an account counts as empty.
NOTHING_LEFT = 1e-12


@internal(INT)
def end_all(address: int) -> int:
    """End what is still open when the data ends."""
    run = as_run(address)
    for j in range(run.n_open):
        end_order(address, load_i8(run.open_orders, j) - 1, kt.CANCELLED, kt.REASON_END_OF_RUN, run.now)
    return forget_ended(address)


@internal(INT, INT)
def tell(address: int, callback: int) -> int:
    """Tell the strategy of fills, changed orders and payments since it was last told, in this order."""
    run = as_run(address)
    fills = run.n_fills
    payments = run.n_payments
    updates = run.n_updates
    answer = 0
    if run.wants & kt.WANTS_FILL != 0:
        for j in range(run.seen_fills, fills):
            answer = answer | call_strategy(callback, run.strategy, kt.ON_FILL, j)
    run.seen_fills = fills
    for j in range(updates):
        answer = answer | call_strategy(callback, run.strategy, kt.ON_ORDER, load_i8(run.updates, j))
    # Changes made by these callbacks themselves are told at the next bar.
    for j in range(updates, run.n_updates):
        store_i8(run.updates, j - updates, load_i8(run.updates, j))
    run.n_updates -= updates
    if run.wants & kt.WANTS_FUNDING != 0:
        for j in range(run.seen_payments, payments):
            answer = answer | call_strategy(callback, run.strategy, kt.ON_FUNDING, j)
    run.seen_payments = payments
    return answer


@exported(INT, INT, release_gil=True)
def run(address: int, callback: int) -> int:
    """Run from where the run stands to its end, or to the next reason to stop.

    Args:
        address: the run (`RunMemory.address`).
        callback: address of the strategy's C function `int64(int64 strategy, int64 event, int64 argument)`:
            of a Numba function by `externals.address_of`, of a Python one by `ctypes.CFUNCTYPE`.

    Returns:
        RUN_DONE, RUN_GROW (enlarge the tables with `RunMemory.grow` and call again), RUN_STOPPED (a callback
        returned non-zero) or RUN_BANKRUPT (nothing is left; the rest of the curve is flat).
    """
    run = as_run(address)
    strategy = run.strategy
    if run.started == 0:
        run.started = 1
        if run.n_match > 0:
            run.now = load_i8(run.open_ts, 0)
        if call_strategy(callback, strategy, kt.ON_START, 0) != 0:
            run.status = kt.RUN_STOPPED
            return kt.RUN_STOPPED
    single = run.n_instruments == 1 and instrument_at(run.instruments, 0).mark == 0
    position = position_at(run.positions, 0)
    closes = instrument_at(run.instruments, 0).close
    spot = instrument_at(run.instruments, 0).kind == kt.SPOT
    contract = instrument_at(run.instruments, 0).contract_size
    decision = run.decision
    close_ts = run.close_ts
    curve = run.equity
    first = run.first_decision
    order_limit = run.cap_orders - RESERVE
    i = run.next_i
    while i < run.n_match:
        if run.n_orders > order_limit:
            run.status = kt.RUN_GROW
            return kt.RUN_GROW
        if run.n_open > 0 or run.n_margined > 0:
            if run.n_fills + run.n_open + RESERVE > run.cap_fills:
                run.status = kt.RUN_GROW
                return kt.RUN_GROW
            step(address, i)
        elif single:
            run.i = i
            run.now = load_i8(close_ts, i)
            price = load_f8(closes, i)
            if price == price:
                position.last_price = price
                position.mark_price = price
        else:
            run.i = i
            run.now = load_i8(close_ts, i)
            see_closes(address, i)
        i += 1
        run.next_i = i
        d = i - 1
        if decision != 0:
            d = load_i8(decision, i - 1)
            if d < 0:
                continue
        run.d = d
        worth = run.cash
        if not single:
            worth = equity(address)
        elif position.quantity != 0.0:
            if spot:
                worth += position.quantity * contract * position.last_price
            else:
                worth = equity(address)
        store_f8(curve, d, worth)
        if run.wants != 0:
            if tell(address, callback) != 0:
                run.status = kt.RUN_STOPPED
                return kt.RUN_STOPPED
        if worth <= NOTHING_LEFT * run.initial_cash:
            for rest in range(d + 1, run.n_decision):
                store_f8(curve, rest, worth)
            run.status = kt.RUN_BANKRUPT
            break
        if d >= first:
            if call_strategy(callback, strategy, kt.ON_BAR, d) != 0:
                run.status = kt.RUN_STOPPED
                return kt.RUN_STOPPED
    if run.status != kt.RUN_BANKRUPT:
        run.status = kt.RUN_DONE
    if call_strategy(callback, strategy, kt.ON_STOP, 0) != 0:
        run.status = kt.RUN_STOPPED
    end_all(address)
    return int(run.status)
