"""The loop over a run's bars: compiled once, for every strategy.

It calls the strategy through a C address, so a compiled strategy and a Python one go through the same machine
code. It can be left and entered again: everything it knows is in the run's memory.
"""

from __future__ import annotations

from cashup.kernel.access import (
    b1,
    call_strategy,
    fill_at,
    i8,
    inner,
    instrument_at,
    load_f8,
    load_i8,
    position_at,
    run_t,
    shared,
    store_f8,
    void,
)
from cashup.kernel.ledger import equity_of
from cashup.kernel.match import step
from cashup.kernel.types import (
    ON_BAR,
    ON_FILL,
    ON_FUNDING,
    ON_ORDER,
    RUN_BANKRUPT,
    RUN_DONE,
    RUN_GROW,
    RUN_STOPPED,
    SPOT,
    WANTS_FILL,
    WANTS_FUNDING,
    WANTS_ORDER,
)

#: Rows kept free before every bar: a strategy may place so many orders in one bar.
ORDER_RESERVE = 1024


@inner(b1(run_t))
def is_full(run):
    """Tell whether a table might overflow on the next bar."""
    return (
        run.n_orders + ORDER_RESERVE > run.cap_orders
        or run.n_fills + 2 * run.n_open + ORDER_RESERVE > run.cap_fills
        or run.n_payments + ORDER_RESERVE > run.cap_payments
    )


@inner(void(run_t, i8))
def mark_all(run, i):
    """Take every instrument's last price from the bar, where it has one and was not matched."""
    for k in range(run.n_instruments):
        close = load_f8(instrument_at(run.instruments, k).close, i)
        if close == close:
            position = position_at(run.positions, k)
            position.last_price = close
            if instrument_at(run.instruments, k).mark == 0:
                position.mark_price = close


@shared(i8(run_t, i8))
def tell(run, callback):
    """Tell the strategy what happened since it was last called; returns non-zero when it wants to stop."""
    if run.wants & WANTS_FILL:
        while run.fills_seen < run.n_fills:
            row = run.fills_seen
            run.fills_seen += 1
            if fill_at(run.fills, row).quantity > 0.0:
                if call_strategy(callback, run.strategy, ON_FILL, row) != 0:
                    return 1
    if run.wants & WANTS_FUNDING:
        while run.payments_seen < run.n_payments:
            row = run.payments_seen
            run.payments_seen += 1
            if call_strategy(callback, run.strategy, ON_FUNDING, row) != 0:
                return 1
    if run.wants & WANTS_ORDER:
        # What the strategy does in on_order may change orders again: they are told in the same round.
        told = 0
        while told < run.n_updates:
            identity = load_i8(run.updates, told)
            told += 1
            if call_strategy(callback, run.strategy, ON_ORDER, identity) != 0:
                return 1
        run.n_updates = 0
    return 0


@shared(i8(run_t, i8, i8, i8))
def decide(run, callback, i, d):
    """Close decision bar `d`: write equity, tell what happened, ask the strategy."""
    run.d = d
    total = equity_of(run)
    store_f8(run.equity, d, total)
    if total <= 0.0:
        return 2
    if run.wants != 0:
        if tell(run, callback) != 0:
            return 1
    if d >= run.first_decision:
        if call_strategy(callback, run.strategy, ON_BAR, d) != 0:
            return 1
    return 0


@inner(void(run_t, i8))
def flatten_curve(run, d):
    """Keep equity constant after the account is gone."""
    last = run.initial_cash
    if d >= 0:
        last = equity_of(run)
    for index in range(d + 1, run.n_decision):
        store_f8(run.equity, index, last)


@shared(i8(run_t, i8))
def advance(run, callback):
    """Run from where the run stands until it is done, a table must grow, or the strategy stops it.

    Args:
        run: the run.
        callback: C function `int64(strategy, event, argument)`; non-zero stops.

    Returns:
        One of the RUN_* codes, also kept in the run's `status`.
    """
    n = run.n_match
    single = run.n_instruments == 1 and instrument_at(run.instruments, 0).kind == SPOT
    position = position_at(run.positions, 0)
    closes = instrument_at(run.instruments, 0).close
    strategy = run.strategy
    i = run.i
    while i < n:
        if is_full(run):
            run.i = i
            run.status = RUN_GROW
            return RUN_GROW
        run.i = i
        run.now = load_i8(run.close_ts, i)
        if run.n_open > 0 or run.n_margined > 0:
            step(run, i)
        d = i
        if run.decision != 0:
            d = load_i8(run.decision, i)
        if single and run.wants == 0 and d >= 0:
            # The common case, kept short: one spot instrument, a callback a bar.
            close = load_f8(closes, i)
            position.last_price = close
            total = run.cash
            if position.quantity != 0.0:
                total += position.quantity * instrument_at(run.instruments, 0).contract_size * close
            run.d = d
            store_f8(run.equity, d, total)
            answer = 0
            if total <= 0.0:
                answer = 2
            elif d >= run.first_decision:
                answer = call_strategy(callback, strategy, ON_BAR, d)
        else:
            mark_all(run, i)
            answer = 0
            if d >= 0:
                answer = decide(run, callback, i, d)
        i += 1
        if answer != 0:
            run.i = i
            run.status = RUN_STOPPED
            if answer == 2 and d >= 0:
                flatten_curve(run, d)
                run.status = RUN_BANKRUPT
            return run.status
    run.i = n
    run.status = RUN_DONE
    return RUN_DONE
