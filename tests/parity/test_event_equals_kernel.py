"""The event path and the kernel's loop give the same orders, fills, payments and equity, to the bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cashup.backtest.events import run_events
from cashup.backtest.fast import run_fast
from cashup.engine.rules import simulated_rules
from cashup.kernel import types as k
from parity.random_runs import RandomTrader, market

#: Bookkeeping of the matching step: what a venue keeps about an order or position and does not tell.
VENUE_ONLY = {"trail_extreme", "rested", "spent_ts"}
MATCHING_ONLY = {"bar_volume_used", "next_funding", "ambiguous_ts"}


def assert_same(first, second, but=()):
    assert len(first) == len(second)
    for name in first.dtype.names:
        if name not in but:
            np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def assert_books_agree(node):
    """The exact books and the float64 ledger were kept from the same fills."""
    memory, books = node.book.memory, node.portfolio
    run = memory.run
    scale = max(1.0, abs(float(run["initial_cash"])), float(run["turnover"]))
    for exact, fast in (
        (books.cash, run["cash"]),
        (books.fees, run["fees"]),
        (books.funding, run["funding"]),
        (books.realised, memory.positions["realized"].sum()),
    ):
        assert float(exact) == pytest.approx(float(fast), abs=1e-9 * scale)
    for name, row in zip(books.instruments, memory.positions, strict=True):
        position = books.position(name)
        assert float(position.quantity) == pytest.approx(float(row["quantity"]), rel=1e-9, abs=1e-9)
        if row["quantity"] != 0.0:  # without a lot size, dust may be left in the exact books
            assert float(position.entry_price) == pytest.approx(float(row["entry_price"]), rel=1e-9)


def compare(strategy, data):
    """Run the kernel's loop, a node with all its parts, and a node nobody watches."""
    fast = run_fast(strategy, data, mode="python")
    for rules in (simulated_rules(), None):
        assert_equal(fast, run_events(strategy, data, rules=rules))


def assert_equal(fast, event):
    memory = event.node.book.memory
    assert_same(fast.memory.fills, memory.fills)
    assert_same(fast.memory.payments, memory.payments)
    moving = fast.memory.orders["type"] == k.TRAILING_STOP
    assert_same(fast.memory.orders, memory.orders, but=VENUE_ONLY | {"stop_price"})
    np.testing.assert_array_equal(
        fast.memory.orders["stop_price"][~moving], memory.orders["stop_price"][~moving]
    )
    np.testing.assert_array_equal(fast.equity, memory.equity)
    assert_same(fast.memory.positions, memory.positions, but=MATCHING_ONLY)
    assert fast.strategy.heard == event.strategy.heard
    assert fast.memory.counters() == event.counters
    assert_books_agree(event.node)


def trader(seed, data, activity=0.3):
    spot = data.instruments[0].spec.kind == k.SPOT
    return RandomTrader(seed, instruments=len(data.instruments), activity=activity, spot=spot)


KINDS = pytest.mark.parametrize("kind", [k.SPOT, k.LINEAR, k.INVERSE])


@KINDS
@pytest.mark.parametrize("seed", range(12))
def test_one_instrument(kind, seed):
    data = market(seed, kind=kind)
    compare(trader(seed, data), data)


@KINDS
@pytest.mark.parametrize("seed", range(100, 108))
def test_several_instruments_with_bars_missing_share_one_purse(kind, seed):
    data = market(seed, kind=kind, instruments=3, holes=0.2, length=200)
    compare(trader(seed, data), data)


@KINDS
@pytest.mark.parametrize("seed", range(200, 206))
def test_orders_filled_on_finer_bars_than_decided_on(kind, seed):
    data = market(seed, kind=kind, detail=5, length=120)
    compare(trader(seed, data), data)


@pytest.mark.parametrize("kind", [k.LINEAR, k.INVERSE])
@pytest.mark.parametrize("seed", range(300, 308))
def test_wild_markets_liquidate_alike(kind, seed):
    data = market(seed, kind=kind, volatility=0.03, leverage=20.0)
    compare(trader(seed, data, activity=0.5), data)


def test_the_wild_markets_do_liquidate():
    done = [
        run_events(trader(seed, data, activity=0.5), data)
        for seed in range(300, 308)
        for data in [market(seed, kind=k.LINEAR, volatility=0.03, leverage=20.0)]
    ]
    assert sum(one.counters["n_liquidations"] for one in done) > 3
    assert sum(one.counters["n_payments"] for one in done) > 10


@pytest.mark.parametrize("seed", range(400, 410))
def test_latency_and_volume_limits(seed):
    data = market(seed, latency=90_000_000_000, volume_limit=0.03)
    compare(trader(seed, data, activity=0.6), data)


@KINDS
@pytest.mark.parametrize("seed", range(500, 504))
def test_any_quantity_and_any_price(kind, seed):
    data = market(seed, kind=kind, tick=0.0, lot=0.0, volume_limit=0.0)
    compare(trader(seed, data), data)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(1000, 2**31),
    kind=st.sampled_from([k.SPOT, k.LINEAR, k.LINEAR, k.INVERSE]),
    instruments=st.sampled_from([1, 1, 2, 3]),
    holes=st.sampled_from([0.0, 0.0, 0.3]),
    detail=st.sampled_from([1, 1, 4]),
    volatility=st.sampled_from([0.002, 0.02]),
    activity=st.sampled_from([0.05, 0.3, 0.9]),
)
def test_anything(seed, kind, instruments, holes, detail, volatility, activity):
    data = market(
        seed,
        kind=kind,
        instruments=instruments,
        holes=holes,
        detail=detail,
        volatility=volatility,
        length=100,
    )
    compare(trader(seed, data, activity), data)


def test_the_random_runs_reach_every_kind_of_order_and_ending():
    types, statuses, reasons = set(), set(), set()
    for seed in range(30):
        data = market(seed, kind=[k.SPOT, k.LINEAR][seed % 2])
        orders = run_events(trader(seed, data), data).node.book.memory.orders
        types |= set(orders["type"].tolist())
        statuses |= set(orders["status"].tolist())
        reasons |= set(orders["reason"].tolist())
    assert types == {
        k.MARKET,
        k.LIMIT,
        k.STOP,
        k.STOP_LIMIT,
        k.TRAILING_STOP,
        k.TAKE_PROFIT,
        k.TAKE_PROFIT_LIMIT,
    }
    assert statuses == {k.FILLED, k.CANCELLED, k.REJECTED, k.EXPIRED}
    assert reasons >= {
        k.REASON_USER,
        k.REASON_OCO,
        k.REASON_PARENT,
        k.REASON_POSITION_CLOSED,
        k.REASON_INSUFFICIENT_BALANCE,
        k.REASON_POST_ONLY,
        k.REASON_IOC,
        k.REASON_FOK,
        k.REASON_GTD,
        k.REASON_END_OF_RUN,
    }
