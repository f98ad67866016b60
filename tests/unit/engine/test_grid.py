from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashup.engine.grid import EXACT, Grid, exact_decimal
from cashup.model.errors import InputError

steps = st.sampled_from(
    [Decimal(text) for text in ("1", "0.1", "0.01", "0.05", "0.25", "0.00000001", "5", "0.0025")]
)
finite = st.floats(allow_nan=False, allow_infinity=False)
amounts = st.builds(lambda size, sign: size * sign, st.floats(1e-12, 1e12), st.sampled_from([-1, 1]))


@given(steps, finite)
def test_every_float_survives_the_round_trip(step, value):
    grid = Grid(step)
    assert grid.to_float(grid.to_decimal(value)) == value


@given(steps, st.integers(-(10**14), 10**14))
def test_every_multiple_of_the_step_survives_the_round_trip(step, count):
    grid = Grid(step)
    value = count * step
    back = grid.to_decimal(grid.to_float(value))
    assert back == value
    assert grid.holds(back)


@given(
    steps, st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=12)
)
def test_rounding_goes_the_way_it_says(step, value):
    grid = Grid(step)
    down, up, nearest = grid.down(value), grid.up(value), grid.nearest(value)
    assert down <= value <= up
    assert up - down in (0, step)
    assert nearest in (down, up)
    assert abs(nearest - value) <= step / 2
    assert all(grid.holds(rounded) for rounded in (down, up, nearest))


def test_a_value_between_two_steps_is_kept_as_it_is():
    assert Grid(Decimal("0.01")).to_decimal(1.005) == Decimal("1.005")


def test_a_product_of_floats_is_not_mistaken_for_its_multiple():
    noisy = 3 * 0.1
    assert Grid(Decimal("0.1")).to_decimal(noisy) == Decimal("0.30000000000000004")


def test_without_a_step_every_value_is_allowed():
    grid = Grid()
    assert grid.to_decimal(0.1) == Decimal("0.1")
    assert grid.down(Decimal("0.123")) == Decimal("0.123")
    assert grid.holds(Decimal("0.123"))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_a_number_does_not_cross(value):
    with pytest.raises(InputError, match="finite"):
        exact_decimal(value)


@pytest.mark.parametrize("step", [Decimal(-1), Decimal("NaN"), Decimal("Infinity")])
def test_a_step_is_zero_or_positive(step):
    with pytest.raises(InputError, match="step"):
        Grid(step)


@given(st.lists(amounts, max_size=30))
def test_sums_in_the_exact_context_never_round(values):
    total = Decimal(0)
    for value in values:
        total = EXACT.add(total, exact_decimal(value))
    for value in values:
        total = EXACT.subtract(total, exact_decimal(value))
    assert total == 0
