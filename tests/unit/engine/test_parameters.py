"""Parameters: declared, checked, overridden."""

import pytest

from cashup.engine.parameters import param, parameters_of
from cashup.engine.strategy import Strategy
from cashup.model.errors import InputError, UnknownNameError


class Sample(Strategy):
    fast = param(10, low=5, high=20, step=5)
    ratio = param(0.5, low=0.0, high=1.0)
    kind = param("sma", choices=["sma", "ema"])
    active = param(True)


def test_values_are_the_defaults_unless_given():
    sample = Sample(fast=15)
    assert sample.parameters == {"fast": 15, "ratio": 0.5, "kind": "sma", "active": True}
    assert (sample.fast, Sample().fast) == (15, 10)


@pytest.mark.parametrize(
    ("override", "expected"), [({"fast": 15.0}, 15), ({"ratio": 1}, 1.0), ({"active": False}, False)]
)
def test_a_value_takes_the_type_of_the_default(override, expected):
    (name,) = override
    value = getattr(Sample(**override), name)
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(
    "override",
    [
        {"fast": 4},
        {"fast": 10.5},
        {"fast": "10"},
        {"fast": True},
        {"ratio": float("nan")},
        {"kind": "wma"},
        {"active": 1},
    ],
)
def test_values_outside_are_refused_with_what_is_allowed(override):
    (name,) = override
    with pytest.raises(InputError) as caught:
        Sample(**override)
    assert caught.value.field == name
    assert parameters_of(Sample)[name].allowed in str(caught.value)


def test_an_unknown_parameter_offers_the_near_miss():
    with pytest.raises(UnknownNameError, match="Did you mean 'fast'") as caught:
        Sample(fats=3)
    assert caught.value.suggestion == "fast"


@pytest.mark.parametrize(
    "declare",
    [lambda: param(3, low=5), lambda: param(7, low=9, high=1), lambda: param(1, step=0), lambda: param([1])],
)
def test_wrong_declarations_are_refused_when_the_class_is_made(declare):
    with pytest.raises(InputError):
        type("Wrong", (Strategy,), {"value": declare()})


def test_grids_go_from_low_to_high_by_step():
    declared = parameters_of(Sample)
    assert list(declared["fast"].grid()) == [5, 10, 15, 20]
    assert list(declared["kind"].grid()) == ["sma", "ema"]
    assert list(declared["active"].grid()) == [False, True]


def test_a_subclass_may_fix_a_parameter():
    fixed = type("Fixed", (Sample,), {"fast": 7})
    assert "fast" not in parameters_of(fixed)
    assert fixed().fast == 7
