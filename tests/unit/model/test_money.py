from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from cashup.model.errors import InputError
from cashup.model.money import Rounding, divide, exact, from_float, is_multiple, plain, quantise

D = Decimal


@pytest.mark.parametrize(
    ("value", "expected"), [("0.10", "0.10"), (3, "3"), (D("1e-8"), "1E-8"), (" 7 ", "7")]
)
def test_exact_keeps_every_digit(value: Any, expected: str) -> None:
    assert str(exact(value)) == expected


@pytest.mark.parametrize(
    "value", [0.1, True, None, "abc", "", "nan", "inf", "1_000", D("NaN"), D("-Infinity")]
)
def test_exact_refuses_what_is_not_an_exact_number(value: Any) -> None:
    with pytest.raises(InputError) as caught:
        exact(value, name="fee")
    assert "fee" in str(caught.value)
    assert caught.value.field == "fee"


def test_a_float_becomes_the_number_it_is_written_as() -> None:
    assert from_float(0.1) == D("0.1")
    assert from_float(1e22) == D(10) ** 22
    for value in (math.nan, math.inf):
        with pytest.raises(InputError):
            from_float(value)


@pytest.mark.parametrize(
    ("value", "step", "rounding", "expected"),
    [
        ("1.29", "0.1", Rounding.DOWN, "1.2"),
        ("-1.29", "0.1", Rounding.DOWN, "-1.2"),
        ("1.21", "0.1", Rounding.UP, "1.3"),
        ("-1.21", "0.1", Rounding.FLOOR, "-1.3"),
        ("-1.29", "0.1", Rounding.CEILING, "-1.2"),
        ("1.25", "0.1", Rounding.NEAREST, "1.3"),
        ("-1.25", "0.1", Rounding.NEAREST, "-1.3"),
        ("7", "2.5", Rounding.DOWN, "5"),
        ("0.123456789", "0", Rounding.DOWN, "0.123456789"),
        ("123456789012345678901234567890.7", "1", Rounding.DOWN, "123456789012345678901234567890"),
    ],
)
def test_quantise(value: str, step: str, rounding: Rounding, expected: str) -> None:
    assert quantise(D(value), D(step), rounding) == D(expected)


def test_a_negative_step_is_refused() -> None:
    with pytest.raises(InputError, match="step"):
        quantise(D(1), D(-1))


def test_multiples() -> None:
    assert is_multiple(D("0.30"), D("0.1"))
    assert not is_multiple(D("0.35"), D("0.1"))
    assert is_multiple(D("0.35"), D(0))


def test_division_is_cut_to_eighteen_places() -> None:
    assert divide(D(1), D(3)) == D("0.333333333333333333")


@pytest.mark.parametrize(
    ("value", "text"),
    [("1E+3", "1000"), ("0.10", "0.1"), ("1E-8", "0.00000001"), ("-0.0", "0"), ("100", "100")],
)
def test_plain_numbers(value: str, text: str) -> None:
    assert plain(D(value)) == text
