"""Rounding to grids, seen through order entry."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from cashup.kernel import types as kt
from cashup.kernel.memory import InstrumentSpec
from unit.kernel.runs import flat, memory, order


@given(
    st.integers(1, 10**7),
    st.sampled_from(["0.00000001", "0.0001", "0.01", "0.05", "0.1", "0.25", "0.5", "1", "5", "2.5"]),
    st.sampled_from([1, -1]),
)
@settings(deadline=None)
def test_a_price_on_the_grid_stays_the_float_its_decimal_text_reads_as(
    steps: int, tick: str, side: int
) -> None:
    price = float(Decimal(steps) * Decimal(tick))
    made = memory(flat(1.0), InstrumentSpec(tick=float(tick), lot=float(tick)))
    order(made.address, side, kt.LIMIT, quantity=price, price=price)
    assert made.orders["price"][0] == price
    assert made.orders["quantity"][0] == price


@given(st.floats(0.02, 1e7), st.sampled_from([0.01, 0.1, 1.0, 0.25, 0.03]))
@settings(deadline=None)
def test_limits_round_passively_and_by_less_than_a_tick(price: float, tick: float) -> None:
    made = memory(flat(1.0), InstrumentSpec(tick=tick))
    order(made.address, 1, kt.LIMIT, price=price + tick)
    order(made.address, -1, kt.LIMIT, price=price + tick)
    low, high = made.orders["price"]
    slack = 1e-8 * tick + 2e-15 * price
    assert price - slack < low <= price + tick + slack
    assert price + tick - slack <= high < price + 2 * tick + slack
