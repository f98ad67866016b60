from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashup.engine.grid import Grid, InstrumentGrid
from cashup.model.errors import InputError
from cashup.model.ids import InstrumentId
from cashup.model.instrument import Instrument, InstrumentKind
from cashup.model.money import is_multiple

steps = st.sampled_from(
    [Decimal(text) for text in ("1", "0.1", "0.01", "0.05", "0.25", "0.00000001", "5", "0.0025")]
)


@given(steps, st.floats(allow_nan=False, allow_infinity=False, min_value=-1e30, max_value=1e30))
def test_every_float_survives_the_round_trip(step, value):
    grid = Grid(step)
    assert grid.to_float(grid.to_decimal(value)) == value


@given(steps, st.integers(-(10**14), 10**14))
def test_every_multiple_of_the_step_survives_the_round_trip(step, count):
    grid = Grid(step)
    value = count * step
    back = grid.to_decimal(grid.to_float(value))
    assert back == value
    assert is_multiple(back, step)


def test_a_value_between_two_steps_is_kept_as_it_is():
    assert Grid(Decimal("0.01")).to_decimal(1.005) == Decimal("1.005")


def test_a_product_of_floats_is_not_mistaken_for_its_multiple():
    assert Grid(Decimal("0.1")).to_decimal(3 * 0.1) == Decimal("0.30000000000000004")


def test_without_a_step_every_value_is_allowed():
    assert Grid().to_decimal(0.1) == Decimal("0.1")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_a_number_does_not_cross(value):
    with pytest.raises(InputError, match="number"):
        Grid(Decimal(1)).to_decimal(value)


@pytest.mark.parametrize("step", [Decimal(-1), Decimal("NaN"), Decimal("Infinity")])
def test_a_step_is_zero_or_positive(step):
    with pytest.raises(InputError, match="step"):
        Grid(step)


def test_an_instrument_has_a_grid_of_prices_and_one_of_quantities():
    instrument = Instrument(
        id=InstrumentId("binance:BTC/USDT"),
        kind=InstrumentKind.SPOT,
        tick_size=Decimal("0.1"),
        lot_size=Decimal("0.001"),
    )
    grid = InstrumentGrid.of(instrument)
    assert grid.price.to_decimal(42000.3) == Decimal("42000.3")
    assert grid.quantity.to_decimal(0.035) == Decimal("0.035")
