"""Money is conserved: cash and positions change by fills, fees and funding, and by nothing else."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import HealthCheck, given, settings

from cashup.kernel import types as kt
from property.kernel_scenarios import MINUTE, Scenario, play_kernel, scenarios

QUIET = settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@given(scenarios())
@QUIET
def test_the_equity_curve_follows_from_the_tables_alone(scenario: Scenario) -> None:
    """Recompute the curve from fills, payments and closes: every position as a sum of its trades."""
    memory = play_kernel(scenario)
    start = float(scenario.cash)
    last = [math.nan] * len(scenario.instruments)
    for i in range(scenario.n):
        close_ts = (i + 1) * MINUTE
        for k, rows in enumerate(scenario.bars):
            row = rows[i]
            if row is not None:
                marks = scenario.marks[k]
                last[k] = float(row[3]) if marks is None else float(marks[i])
        total = start + float(memory.payments["amount"][memory.payments["ts"] < close_ts].sum())
        done = memory.fills[memory.fills["ts"] <= close_ts]
        # A fill stamped with this close happened inside this bar; one at the next open is stamped the same.
        done = done[done["i"] <= i]
        for fill in done:
            constants = memory.instruments[int(fill["instrument"])]
            kind, price = int(constants["kind"]), last[int(fill["instrument"])]
            size = float(fill["side"] * fill["quantity"] * constants["contract_size"])
            if kind == kt.INVERSE:
                total += size / float(fill["price"]) - size / price
            else:
                total += size * (price - float(fill["price"]))
            total -= float(fill["fee"])
        if memory.run["status"] == kt.RUN_BANKRUPT and i > int(memory.run["d"]):
            break
        turnover = max(start, float(memory.run["turnover"]))
        assert abs(memory.equity[i] - total) <= 1e-9 * turnover


@given(scenarios())
@QUIET
def test_tables_agree_with_each_other(scenario: Scenario) -> None:
    memory = play_kernel(scenario)
    run, fills, orders = memory.run, memory.fills, memory.orders
    assert math.isclose(fills["fee"].sum(), run["fees"], rel_tol=1e-9, abs_tol=1e-12)
    assert math.isclose(memory.payments["amount"].sum(), run["funding"], rel_tol=1e-9, abs_tol=1e-12)
    assert len(memory.open_orders) == 0
    assert not np.any(memory.positions["n_open"])
    assert np.all(orders["status"] >= kt.FIRST_FINAL_STATUS)
    assert np.all(np.diff(fills["ts"]) >= 0) or len(scenario.instruments) > 1
    assert run["n_rejected"] == np.sum(orders["status"] == kt.REJECTED)
    for order in orders:
        own = fills[fills["order"] == order["id"]]
        assert math.isclose(own["quantity"].sum(), order["filled"], rel_tol=1e-9, abs_tol=1e-12)
        assert math.isclose(own["fee"].sum(), order["fee"], rel_tol=1e-9, abs_tol=1e-12)
        assert (order["status"] == kt.FILLED) <= (order["filled"] > 0)
        assert order["status"] != kt.REJECTED or order["filled"] == 0
    for k, constants in enumerate(memory.instruments):
        own = fills[fills["instrument"] == k]
        held = memory.positions[k]["quantity"]
        assert math.isclose((own["side"] * own["quantity"]).sum(), held, rel_tol=1e-9, abs_tol=1e-9)
        if constants["kind"] == kt.SPOT:
            assert np.all(own["position"] >= 0)


@given(scenarios())
@QUIET
def test_limit_orders_never_fill_worse_than_their_limit(scenario: Scenario) -> None:
    memory = play_kernel(scenario)
    limited = (kt.LIMIT, kt.STOP_LIMIT, kt.TAKE_PROFIT_LIMIT)
    for fill in memory.fills:
        if fill["order"]:
            order = memory.orders[fill["order"] - 1]
            if order["type"] in limited:
                assert (fill["price"] - order["price"]) * order["side"] <= 0
            if order["flags"] & kt.REDUCE_ONLY:
                assert fill["position"] * fill["side"] <= 0


@given(scenarios())
@QUIET
def test_the_same_run_gives_the_same_bytes_and_growing_tables_leave_no_trace(scenario: Scenario) -> None:
    first, second = play_kernel(scenario), play_kernel(scenario, order_capacity=1 << 15)
    for table in ("orders", "fills", "payments", "equity"):
        assert getattr(first, table).tobytes() == getattr(second, table).tobytes()
