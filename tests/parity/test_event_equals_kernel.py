"""The event path and the kernel's loop give the same orders, fills, payments and equity: equality, no tolerance."""

import numpy as np
import pytest
from parity.random_runs import RandomTrader, market

from cashup.backtest.events import run_events
from cashup.backtest.fast import run_fast
from cashup.kernel import types as k

#: What the venue keeps about a working order and does not tell: bookkeeping of the matching step.
VENUE_ONLY = {"trail_extreme", "rested", "spent_ts"}
MATCHING_ONLY = {"bar_volume_used", "next_funding", "ambiguous_ts"}


def assert_same(first, second, but=()):
    assert len(first) == len(second)
    for name in first.dtype.names:
        if name not in but:
            np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def compare(strategy, data):
    fast = run_fast(strategy, data, mode="python")
    event = run_events(strategy, data)
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
    return fast, event


def trader(seed, data, activity=0.3):
    spot = data.instruments[0].spec.kind == k.SPOT
    return RandomTrader(seed, instruments=len(data.instruments), activity=activity, spot=spot)


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("kind", [k.SPOT, k.LINEAR, k.INVERSE])
def test_one_instrument(kind, seed):
    data = market(seed, kind=kind)
    compare(trader(seed, data), data)
