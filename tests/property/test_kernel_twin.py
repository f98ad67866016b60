"""The compiled kernel and its slow twin in exact decimals agree on every run."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from property.kernel_scenarios import (
    REASONS,
    STATUSES,
    Scenario,
    play_kernel,
    play_reference,
    scenarios,
)

TOLERANCE = 1e-9


def close(left: float, right: Decimal, scale: float = 0.0) -> bool:
    return abs(left - float(right)) <= TOLERANCE * max(abs(left), abs(float(right)), scale)


def assert_same_run(scenario: Scenario) -> None:
    twin, memory = play_reference(scenario), play_kernel(scenario)
    money = float(scenario.cash)
    said = [(f.order, f.instrument, f.side, f.ts, f.maker) for f in twin.fills]
    fills = memory.fills
    got = [
        (int(f["order"]), int(f["instrument"]), int(f["side"]), int(f["ts"]), bool(f["maker"])) for f in fills
    ]
    assert got == said
    for f, t in zip(fills, twin.fills, strict=True):
        assert close(f["price"], t.price)
        assert close(f["quantity"], t.quantity)
        assert close(f["fee"], t.fee, money)
    ends = [(STATUSES[o.status], REASONS[o.reason]) for o in twin.orders]
    for row, (status, reason) in zip(memory.orders, ends, strict=True):
        assert (int(row["status"]), int(row["reason"])) == (status, reason), int(row["id"])
    assert len(memory.payments) == len(twin.payments)
    for p, amount in zip(memory.payments, twin.payments, strict=True):
        assert close(p["amount"], amount, money)
    assert close(memory.run["cash"], twin.account.cash, money)
    assert len(memory.equity) == len(twin.equity)
    for e, worth in zip(memory.equity, twin.equity, strict=True):
        assert close(e, worth, money)
    assert memory.counters()["n_ambiguous"] == twin.ambiguous
    assert memory.counters()["n_liquidations"] == twin.liquidations
    assert np.all(np.isfinite(memory.equity))


@given(scenarios())
@settings(
    max_examples=300,
    derandomize=True,  # the same cases every time; new ones are searched nightly
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_same_fills_cash_and_equity(scenario: Scenario) -> None:
    assert_same_run(scenario)


@pytest.mark.nightly
@given(scenarios(longest=40))
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_same_fills_cash_and_equity_at_length(scenario: Scenario) -> None:
    assert_same_run(scenario)
