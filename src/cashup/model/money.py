"""Exact numbers: money, prices and quantities as `Decimal`, never through a float by accident.

Sums and products are exact in `MONEY_CONTEXT` (50 digits). A division may not end, so its result is cut to
`MONEY_PLACES` once, and whatever is cut stays in the other part of the same sum: books always add up.
"""

from __future__ import annotations

import math
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from enum import StrEnum
from typing import Final

from cashup.model.errors import InputError, explain

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)

MONEY_PLACES: Final = Decimal("1e-18")
"""Divisions are cut to this; the smallest unit any venue keeps is far larger."""

MONEY_CONTEXT: Final = Context(
    prec=50, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow]
)
"""Context of all arithmetic on money; enter it with `decimal.localcontext(MONEY_CONTEXT)`."""


class Rounding(StrEnum):
    """Direction in which a number is brought to its grid."""

    DOWN = ROUND_DOWN  # towards zero: never more than asked for
    UP = ROUND_UP  # away from zero
    FLOOR = ROUND_FLOOR  # towards minus infinity
    CEILING = ROUND_CEILING  # towards plus infinity
    NEAREST = ROUND_HALF_UP  # ties away from zero


def exact(value: str | int | Decimal, *, name: str = "value") -> Decimal:
    """Return `value` as a finite Decimal, digit for digit.

    Args:
        value: Text such as "0.10", an integer or a Decimal. A float is refused: 0.1 as a float is
            0.1000000000000000055..., and nobody means that; pass text, or use `from_float`.
        name: What the number is, for the message.

    Raises:
        InputError: It is not a number, not finite, a float or a bool.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise InputError(
            explain(
                f"{name} is the {type(value).__name__} {value!r}",
                expected=f"text, an integer or a Decimal, such as '{value}'",
            ),
            field=name,
        )
    if isinstance(value, str) and "_" in value:
        raise _not_a_number(value, name)
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise _not_a_number(value, name) from None
    if not number.is_finite():
        raise _not_a_number(value, name)
    return number


def from_float(value: float, *, name: str = "value") -> Decimal:
    """Return the shortest decimal that reads back as `value`: 0.1 becomes exactly 0.1.

    Raises:
        InputError: It is NaN or infinite.
    """
    if not math.isfinite(value):
        raise _not_a_number(value, name)
    return Decimal(repr(float(value)))


def quantise(value: Decimal, step: Decimal, rounding: Rounding = Rounding.DOWN) -> Decimal:
    """Bring `value` to a multiple of `step` (a tick or lot size; 0 means any value is allowed).

    Raises:
        InputError: The step is negative.
    """
    if step == 0:
        return value
    if step < 0:
        raise InputError(explain(f"the step is {step}", expected="zero or a positive number"), field="step")
    steps = MONEY_CONTEXT.divide(value, step).to_integral_value(rounding=rounding.value)
    return MONEY_CONTEXT.multiply(steps, step)


def is_multiple(value: Decimal, step: Decimal) -> bool:
    """Return whether `value` lies on the grid of `step`; every value lies on the grid of 0."""
    return step == 0 or MONEY_CONTEXT.remainder(value, step) == 0


def divide(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Divide and cut the result to `MONEY_PLACES`, rounding half to even."""
    return MONEY_CONTEXT.divide(dividend, divisor).quantize(MONEY_PLACES, context=MONEY_CONTEXT)


def plain(value: Decimal) -> str:
    """Write a number without exponent or trailing zeros: 1E+3 as "1000", 0.10 as "0.1"."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _not_a_number(value: object, name: str) -> InputError:
    return InputError(explain(f"{name} is {value!r}", expected="a finite number, such as 0.001"), field=name)
