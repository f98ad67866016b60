"""Money: cash, positions, fees, profit, spot and perpetuals. Numbers by hand."""

from __future__ import annotations

import pytest

from cashup.kernel import entry
from cashup.kernel import types as kt
from cashup.kernel.memory import InstrumentSpec, Tier
from unit.kernel.runs import at_close, ends, flat, memory, order, trades


def prices(*values: float):
    return [(v, v, v, v) for v in values]


def walk(spec: InstrumentSpec, script: dict[int, float], *values: float, cash: float = 1000.0, **more):
    """Trade signed quantities at given closes; each fills at the next bar's price."""
    made = memory(prices(*values), spec, cash=cash, **more)
    return at_close(
        made,
        {i: (lambda run, q=q: order(run, 1 if q > 0 else -1, quantity=abs(q))) for i, q in script.items()},
    )


def test_spot_cash_and_average_entry() -> None:
    made = walk(InstrumentSpec(taker_fee=0.001), {0: 2.0, 1: 2.0, 2: -1.0}, 100, 100, 110, 120)
    # 200 + 0.2, 220 + 0.22, then one sold for 120 - 0.12; entry (100 x 2 + 110 x 2) / 4 = 105
    assert made.run["cash"] == pytest.approx(1000 - 200.2 - 220.22 + 119.88, rel=1e-15)
    position = made.positions[0]
    assert (position["quantity"], position["entry_price"]) == (3.0, 105.0)
    assert made.fills["realized"][2] == 15.0
    assert made.equity[-1] == pytest.approx(made.run["cash"] + 3 * 120, rel=1e-15)
    assert made.run["fees"] == pytest.approx(0.54, rel=1e-15)
    assert made.run["turnover"] == 540.0


def test_linear_profit_short_with_contract_size() -> None:
    spec = InstrumentSpec(
        kind=kt.LINEAR, margin_mode=kt.CROSS, leverage=5.0, contract_size=0.1, taker_fee=0.001
    )
    made = walk(spec, {0: -20.0, 2: 5.0}, 100, 100, 90, 80, 80)
    # short 2 coins at 100; 0.5 coin bought back at 80: +10; fees 0.2 and 0.04; 1.5 coins open, +30
    assert made.run["cash"] == pytest.approx(1000 + 10 - 0.24, rel=1e-15)
    assert made.equity[-1] == pytest.approx(1039.76, rel=1e-15)
    assert made.equity[2] == pytest.approx(1000 - 0.2 + 20, rel=1e-15)


def test_linear_flip_closes_then_opens_at_the_new_price() -> None:
    spec = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.ISOLATED, leverage=4.0)
    made = walk(spec, {0: 2.0, 1: -5.0}, 100, 100, 110, 110)
    position = made.positions[0]
    assert (position["quantity"], position["entry_price"]) == (-3.0, 110.0)
    assert position["margin"] == pytest.approx(3 * 110 / 4)
    assert made.run["locked"] == pytest.approx(82.5)
    assert made.run["cash"] == 1020.0
    assert position["opened_ts"] == 120


def test_inverse_settles_in_coin() -> None:
    spec = InstrumentSpec(
        kind=kt.INVERSE, margin_mode=kt.CROSS, leverage=5.0, contract_size=100.0, taker_fee=0.0005
    )
    made = walk(spec, {0: 10.0, 1: 10.0, 2: -20.0}, 20_000, 20_000, 25_000, 22_000, 22_000, cash=1.0)
    # 1000 USD at 20000 and 1000 at 25000: average 2000 / (0.05 + 0.04) = 22222.22; sold at 22000
    entry_price = 2000 / 0.09
    fees = (0.05 + 0.04 + 2000 / 22_000) * 0.0005
    assert made.positions[0]["entry_price"] == 0.0
    assert made.fills["realized"][2] == pytest.approx(2000 * (1 / entry_price - 1 / 22_000), rel=1e-12)
    assert made.run["cash"] == pytest.approx(1 + 2000 * (1 / entry_price - 1 / 22_000) - fees, rel=1e-12)


def test_maker_rebate_adds_to_cash() -> None:
    spec = InstrumentSpec(maker_fee=-0.001)
    made = memory(prices(100, 100, 90), spec)
    at_close(made, {0: lambda run: order(run, 1, kt.LIMIT, price=95.0)})
    assert made.fills["fee"][0] == pytest.approx(-0.090)
    assert made.run["cash"] == pytest.approx(1000 - 90 + 0.09)


def test_decimal_quantities_leave_no_dust() -> None:
    made = walk(InstrumentSpec(lot=0.1), {0: 0.1, 1: 0.2, 2: -0.3}, 100, 100, 100, 100, 100)
    assert made.positions[0]["quantity"] == 0.0
    made = walk(InstrumentSpec(), {0: 0.1, 1: 0.2, 2: -0.3}, 100, 100, 100, 100, 100)
    assert made.positions[0]["quantity"] == 0.0


def test_isolated_margin_is_locked_and_available_shrinks() -> None:
    spec = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.ISOLATED, leverage=10.0)
    made = memory(prices(100, 100, 120), spec)
    seen: list[float] = []
    at_close(
        made,
        {
            0: lambda run: order(run, 1, quantity=20.0),
            1: lambda run: seen.append(entry.available(run)),
            2: lambda run: seen.append(entry.available(run)),
        },
    )
    assert seen == [800.0, 800.0]  # unrealised profit of an isolated position is no margin for others


def test_cross_margin_lends_profit_to_new_orders() -> None:
    spec = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.CROSS, leverage=10.0)
    made = memory(prices(100, 100, 120), spec)
    seen: list[float] = []
    at_close(
        made, {0: lambda run: order(run, 1, quantity=20.0), 2: lambda run: seen.append(entry.available(run))}
    )
    assert seen == [1000.0 + 400.0 - 240.0]
    assert entry.equity(made.address) == 1400.0


def test_initial_margin_and_fee_decide_what_can_be_opened() -> None:
    spec = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.ISOLATED, leverage=10.0, taker_fee=0.01, lot=0.01)
    most = 1000 / (100 * (0.1 + 0.01))  # 90.909
    made = walk(spec, {0: 90.91}, 100, 100)
    assert ends(made) == [(kt.REJECTED, kt.REASON_INSUFFICIENT_BALANCE)]
    made = walk(spec, {0: 90.90}, 100, 100)
    assert trades(made)[0][2] == 90.90 < most


def test_a_flip_may_use_the_margin_it_frees() -> None:
    spec = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.ISOLATED, leverage=10.0)
    made = walk(spec, {0: 100.0, 1: -200.0}, 100, 100, 100)
    assert [t[2] for t in trades(made)] == [100.0, 200.0]


def test_brackets_cap_the_leverage() -> None:
    tiers = (
        Tier(notional_floor=0.0, max_leverage=20.0, maintenance_rate=0.01),
        Tier(notional_floor=1000.0, max_leverage=5.0, maintenance_rate=0.05, maintenance_amount=40.0),
    )
    spec = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.CROSS, leverage=10.0, tiers=tiers)
    made = walk(spec, {0: 10.5}, 100, 100)
    assert ends(made) == [(kt.REJECTED, kt.REASON_LEVERAGE)]
    made = memory(flat(100.0, 2), spec)
    at_close(made, {0: lambda run: order(run, 1, quantity=10.5, flags=kt.CLIP)})
    assert trades(made)[0][2] == 10.0


def test_two_instruments_share_cash() -> None:
    made = memory([prices(100, 100, 100), prices(10, 10, 12)], [InstrumentSpec(), InstrumentSpec()])
    at_close(made, {0: lambda run: [order(run, 1, quantity=9.0), order(run, 1, quantity=20.0, k=1)]})
    assert ends(made) == [(kt.FILLED, 0), (kt.REJECTED, kt.REASON_INSUFFICIENT_BALANCE)]
    made = memory([prices(100, 100, 100), prices(10, 10, 12)], [InstrumentSpec(), InstrumentSpec()])
    at_close(made, {0: lambda run: [order(run, 1, quantity=9.0), order(run, 1, quantity=10.0, k=1)]})
    assert made.run["cash"] == 0.0
    assert made.equity[-1] == 900.0 + 120.0
