"""Funding and liquidation, against published formulas and by hand."""

from __future__ import annotations

import gzip
import json
import math

import numpy as np
import pytest

from cashup.kernel import entry
from cashup.kernel import types as kt
from cashup.kernel.memory import Columns, InstrumentSpec, RunMemory, Tier
from unit.kernel.runs import NAN, at_close, ends, flat, memory, order, trades

NO_FEE = {"kind": kt.LINEAR, "leverage": 20.0}
BTC = Tier(notional_floor=0.0, max_leverage=0.0, maintenance_rate=0.025, maintenance_amount=16_300.0)
ETH = Tier(notional_floor=0.0, max_leverage=0.0, maintenance_rate=0.10, maintenance_amount=135_365.0)
WALLET = 1_535_443.01


def still(price: float, count: int):
    return [(price, price, price, price)] * count


def test_cross_liquidation_price_follows_binances_formula() -> None:
    # Formula: Binance's support article on liquidation prices of USD-margined futures, one-way mode. Figures: its
    # worked example as the test-suites of other projects (freqtrade) carry it: BTCUSDT 109.488 at 32481.98 marked
    # 31967.27, ETHUSDT 3683.979 at 1456.84 marked 1335.18; expected 26316.89 and 1153.26.
    specs = [InstrumentSpec(margin_mode=kt.CROSS, tiers=(tier,), **NO_FEE) for tier in (BTC, ETH)]
    made = memory(
        [[*still(32_481.98, 2), *still(31_967.27, 1)], [*still(1_456.84, 2), *still(1_335.18, 1)]],
        specs,
        cash=WALLET,
    )
    at_close(made, {0: lambda run: [order(run, 1, quantity=109.488), order(run, 1, quantity=3683.979, k=1)]})
    assert made.positions["liquidation_price"] == pytest.approx([26_316.89, 1_153.26], abs=0.005)


@pytest.mark.parametrize(
    ("tier", "quantity", "price", "expected"),
    [(ETH, 3683.979, 1_456.84, 1_114.78), (BTC, 109.488, 32_481.98, 18_778.73)],
)
def test_alone_in_cross_margin_the_same_formula(
    tier: Tier, quantity: float, price: float, expected: float
) -> None:
    # The same formula with no other position, the whole wallet behind it; figures from freqtrade's test-suite.
    made = memory(still(price, 2), InstrumentSpec(margin_mode=kt.CROSS, tiers=(tier,), **NO_FEE), cash=WALLET)
    at_close(made, {0: lambda run: order(run, 1, quantity=quantity)})
    assert made.positions["liquidation_price"][0] == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("quantity", [0.4, 3.0, 40.0, 300.0, 4000.0])
def test_liquidation_price_solves_the_maintenance_equation_in_real_brackets(
    shared_data, side: int, quantity: float
) -> None:
    with gzip.open(shared_data / "specs" / "binance_usdm_leverage_tiers.json.gz", "rt") as file:
        rows = json.load(file)["BTC/USDT:USDT"]
    tiers = tuple(
        Tier(
            notional_floor=row["minNotional"],
            max_leverage=row["maxLeverage"],
            maintenance_rate=row["maintenanceMarginRate"],
            maintenance_amount=float(row["info"]["cum"]),
        )
        for row in rows
    )
    spec = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.ISOLATED, leverage=2.0, tiers=tiers)
    made = memory(still(60_000.0, 2), spec, cash=1e9)
    at_close(made, {0: lambda run: order(run, side, quantity=quantity)})
    price = made.positions["liquidation_price"][0]
    worth = quantity * price
    row = max((row for row in rows if worth >= row["minNotional"]), key=lambda row: row["minNotional"])
    due = worth * row["maintenanceMarginRate"] - float(row["info"]["cum"])
    left = quantity * 30_000.0 + side * quantity * (price - 60_000.0)
    assert left == pytest.approx(due, rel=1e-9)


def test_without_brackets_ruin_is_where_the_margin_is_gone() -> None:
    for side, price in ((1, 90.0), (-1, 110.0)):
        made = memory(still(100.0, 2), InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.ISOLATED, leverage=10.0))
        at_close(made, {0: lambda run, side=side: order(run, side)})
        assert made.positions["liquidation_price"][0] == pytest.approx(price, rel=1e-11)


def test_inverse_liquidation_price() -> None:
    # 1000 USD long at 20000, leverage 10, maintenance 1 %: 0.005 + 1000 (1/20000 - 1/p) = 1000/p x 0.01
    tier = Tier(notional_floor=0.0, max_leverage=0.0, maintenance_rate=0.01)
    spec = InstrumentSpec(
        kind=kt.INVERSE, margin_mode=kt.ISOLATED, leverage=10.0, contract_size=100.0, tiers=(tier,)
    )
    made = memory(still(20_000.0, 2), spec, cash=1.0)
    at_close(made, {0: lambda run: order(run, 1, quantity=10.0)})
    assert made.positions["liquidation_price"][0] == pytest.approx(1000 * 1.01 / 0.055, rel=1e-11)
    # A short backed by more coin than it is worth at any price cannot be ruined.
    made = memory(
        still(20_000.0, 2),
        InstrumentSpec(kind=kt.INVERSE, margin_mode=kt.CROSS, contract_size=100.0),
        cash=1.0,
    )
    at_close(made, {0: lambda run: order(run, -1, quantity=10.0)})
    assert math.isnan(made.positions["liquidation_price"][0])


TIER = Tier(notional_floor=0.0, max_leverage=0.0, maintenance_rate=0.02)
ISOLATED = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.ISOLATED, leverage=10.0, tiers=(TIER,))


def test_isolated_liquidation_costs_the_margin_and_no_more() -> None:
    made = memory([*still(100.0, 2), (100.0, 100.0, 80.0, 95.0), *still(95.0, 1)], ISOLATED)
    at_close(
        made, {0: lambda run: [order(run, 1, quantity=10.0), order(run, -1, kt.LIMIT, 10.0, price=120.0)]}
    )
    level = 90.0 / 0.98  # (100 - 10) / (1 - 0.02)
    assert trades(made)[1] == (-1, pytest.approx(level), 10.0, 180)
    assert made.fills["kind"][1] == kt.FILL_LIQUIDATION
    assert made.fills["fee"][1] == pytest.approx(10 * level * 0.02)
    assert made.run["cash"] == pytest.approx(900.0)
    assert ends(made)[1] == (kt.CANCELLED, kt.REASON_LIQUIDATION)
    assert made.counters()["n_liquidations"] == 1
    assert made.run["locked"] == 0.0


@pytest.mark.parametrize(("opened", "price"), [(91.0, 91.0), (85.0, 90.0)])
def test_a_gap_liquidates_at_the_open_but_never_past_the_margin(opened: float, price: float) -> None:
    made = memory([*still(100.0, 2), (opened, opened, opened, opened)], ISOLATED)
    at_close(made, {0: lambda run: order(run, 1, quantity=10.0)})
    assert trades(made)[1] == (-1, pytest.approx(price), 10.0, 120)
    assert made.run["cash"] == pytest.approx(900.0)  # whatever is left of the margin goes to the venue


def test_a_stop_before_the_liquidation_price_saves_the_margin() -> None:
    made = memory([*still(100.0, 2), (100.0, 100.0, 80.0, 95.0)], ISOLATED)
    at_close(
        made,
        {
            0: lambda run: [
                order(run, 1, quantity=10.0),
                order(run, -1, kt.STOP, 10.0, stop=93.0, flags=kt.REDUCE_ONLY),
            ]
        },
    )
    assert trades(made)[1][1] == 93.0
    assert made.counters()["n_liquidations"] == 0


def test_cross_ruin_ends_the_run_with_a_flat_curve() -> None:
    spec = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.CROSS, leverage=10.0, tiers=(TIER,))
    made = memory([*still(100.0, 2), (100.0, 100.0, 50.0, 95.0), *still(95.0, 3)], spec)
    at_close(
        made, {0: lambda run: order(run, 1, quantity=100.0), 3: lambda run: pytest.fail("called when ruined")}
    )
    assert made.run["status"] == kt.RUN_BANKRUPT
    assert made.equity[2:] == pytest.approx([0.0] * 4, abs=1e-9)
    assert np.all(made.equity[2:] == made.equity[2])


def test_cross_positions_lend_each_other_margin() -> None:
    spec = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.CROSS, leverage=10.0, tiers=(TIER,))
    falling = [*still(100.0, 2), (100.0, 100.0, 85.0, 85.0), *still(85.0, 1)]
    rising = [*still(100.0, 2), (130.0, 130.0, 130.0, 130.0), *still(130.0, 1)]

    def both(second):
        made = memory([falling, second], [spec, spec])
        at_close(made, {0: lambda run: [order(run, 1, quantity=60.0), order(run, 1, quantity=10.0, k=1)]})
        return made.counters()["n_liquidations"]

    assert both(still(100.0, 4)) > 0
    assert both(rising) == 0


def test_when_all_is_lost_at_once_winners_close_at_the_market_and_the_loser_where_nothing_is_left() -> None:
    spec = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.CROSS, leverage=10.0, tiers=(TIER,))
    winner = [*still(100.0, 2), *still(110.0, 2)]
    loser = [*still(100.0, 2), *still(60.0, 2)]
    made = memory([winner, loser], [spec, spec])
    at_close(made, {0: lambda run: [order(run, 1, quantity=10.0), order(run, 1, quantity=50.0, k=1)]})
    # 1000 + 100 won must cover 50 x (100 - p): p = 78, above the market; the venue bears the rest.
    assert trades(made)[2:] == [(-1, pytest.approx(78.0), 50.0, 120), (-1, 110.0, 10.0, 120)]
    assert made.run["cash"] == pytest.approx(0.0, abs=1e-9)
    assert made.run["status"] == kt.RUN_BANKRUPT


def test_the_mark_price_decides_when_there_is_one() -> None:
    bars = [*still(100.0, 2), (100.0, 100.0, 80.0, 95.0), *still(95.0, 1)]
    made = memory(bars, ISOLATED, marks=[100.0, 100.0, 97.0, 95.0])
    at_close(made, {0: lambda run: order(run, 1, quantity=10.0)})
    assert made.counters()["n_liquidations"] == 0  # the wick was in the last price only
    assert made.equity[2] == 1000.0 - 30.0
    made = memory(still(100.0, 4), ISOLATED, marks=[100.0, 100.0, 91.0, 95.0])
    at_close(made, {0: lambda run: order(run, 1, quantity=10.0)})
    assert trades(made)[1] == (-1, pytest.approx(90.0 / 0.98), 10.0, 180)


PERP = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.CROSS, leverage=10.0)


def test_funding_is_paid_on_what_is_held_at_the_settlement() -> None:
    # 60 is before the fill at 60's open; 90 lies inside the bar; 120 finds the position; 200 the half of it.
    made = memory(
        [*still(100.0, 2), *still(110.0, 2)],
        PERP,
        funding=[(60, 0.01), (90, 0.001), (120, -0.002), (200, 0.003)],
    )
    at_close(made, {0: lambda run: order(run, 1, quantity=2.0), 2: lambda run: order(run, -1)})
    assert [(int(p["ts"]), float(p["price"]), float(p["amount"])) for p in made.payments] == [
        (90, 100.0, pytest.approx(-0.2)),
        (120, 100.0, pytest.approx(0.4)),
        (200, 110.0, pytest.approx(-0.33)),
    ]
    assert made.run["funding"] == pytest.approx(-0.13)
    assert made.run["cash"] == pytest.approx(1000 + 10 - 0.13)


def test_shorts_receive_what_longs_pay() -> None:
    made = memory(still(100.0, 3), PERP, funding=[(150, 0.01)])
    at_close(made, {0: lambda run: order(run, -1)})
    assert made.payments["amount"][0] == 1.0


def test_funding_uses_a_recorded_mark_price_and_comes_out_of_isolated_margin() -> None:
    spec = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.ISOLATED, leverage=10.0)
    times = np.arange(4) * 60
    flat_price = np.full(4, 100.0)
    made = RunMemory(
        instruments=[spec],
        columns=[
            Columns(
                open=flat_price,
                high=flat_price,
                low=flat_price,
                close=flat_price,
                funding_ts=[130, 140],
                funding_rate=[0.01, 0.01],
                funding_mark=[101.0, NAN],
            )
        ],
        open_ts=times,
        close_ts=times + 60,
        cash=1000.0,
    )
    at_close(made, {0: lambda run: order(run, 1, quantity=10.0)})
    assert list(made.payments["amount"]) == [pytest.approx(-10.1), pytest.approx(-10.0)]
    assert made.positions[0]["margin"] == pytest.approx(100.0 - 20.1)
    assert made.positions[0]["liquidation_price"] == pytest.approx(100.0 - 7.99)


def test_funding_can_liquidate() -> None:
    made = memory(still(100.0, 4), ISOLATED, funding=[(150, 0.09)])
    at_close(made, {0: lambda run: order(run, 1, quantity=10.0)})
    assert made.counters()["n_liquidations"] == 1
    assert made.run["cash"] == pytest.approx(900.0)


def test_inverse_funding_is_paid_in_coin() -> None:
    spec = InstrumentSpec(kind=kt.INVERSE, margin_mode=kt.CROSS, leverage=5.0, contract_size=100.0)
    made = memory(still(20_000.0, 3), spec, cash=1.0, funding=[(150, 0.01)])
    at_close(made, {0: lambda run: order(run, 1, quantity=10.0)})
    assert made.payments["amount"][0] == pytest.approx(-1000 / 20_000 * 0.01)


def test_spot_pays_no_funding() -> None:
    made = memory(flat(100.0, 3), funding=[(150, 0.01)])
    at_close(made, {0: lambda run: entry.target(run, 0, 0.5, 0.0)})
    assert len(made.payments) == 0
