"""The border between exact money and fast numbers: the only Decimal <-> float64 converter.

Books and venues count in `Decimal`; decisions are made on float64. A value crosses in either direction
without loss: `to_float(to_decimal(x)) == x` for every finite x, and `to_decimal(to_float(d)) == d` for every
multiple of the step that float64 can tell from its neighbours (about fifteen significant digits).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, Inexact
from typing import Final

from cashup.model.errors import InputError, explain

#: Arithmetic of the books: enough digits that sums and products of money never round, and an error if they
#: do.
EXACT: Final = Context(prec=120, traps=[Inexact])
_WIDE: Final = Context(prec=120)
_ZERO: Final = Decimal(0)


def exact_decimal(value: float) -> Decimal:
    """Return the shortest decimal that float64 reads back as `value`.

    Raises:
        InputError: `value` is NaN or infinite.
    """
    if not math.isfinite(value):
        raise InputError(explain(f"the number is {value}", expected="a finite number"))
    return Decimal(repr(float(value)))


@dataclass(frozen=True, slots=True)
class Grid:
    """The multiples of a step: a venue's price tick or quantity lot.

    Attributes:
        step: Distance between neighbours, in the value's own unit; 0 means that every value is allowed.
    """

    step: Decimal = _ZERO
    _step: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.step.is_finite() or self.step < 0:
            raise InputError(explain(f"the step of a grid is {self.step}", expected="0 or a positive number"))
        object.__setattr__(self, "_step", float(self.step))

    def to_float(self, value: Decimal) -> float:
        """Return the float64 nearest to `value`."""
        return float(value)

    def to_decimal(self, value: float) -> Decimal:
        """Return `value` as the multiple of the step it stands for, or exactly as it is when it is none.

        Raises:
            InputError: `value` is NaN or infinite.
        """
        shortest = exact_decimal(value)
        if not self.step:
            return shortest
        on_grid = self.nearest(shortest)
        return on_grid if float(on_grid) == value else shortest

    def nearest(self, value: Decimal) -> Decimal:
        """Round to the nearest multiple; a tie goes to the even one."""
        return self._round(value, ROUND_HALF_EVEN)

    def down(self, value: Decimal) -> Decimal:
        """Round towards minus infinity."""
        return self._round(value, ROUND_FLOOR)

    def up(self, value: Decimal) -> Decimal:
        """Round towards plus infinity."""
        return self._round(value, ROUND_CEILING)

    def holds(self, value: Decimal) -> bool:
        """Say whether `value` is a multiple of the step."""
        return not self.step or _WIDE.remainder(value, self.step) == 0

    def _round(self, value: Decimal, rounding: str) -> Decimal:
        if not self.step:
            return value
        count = _WIDE.divide(value, self.step).to_integral_value(rounding=rounding)
        return _WIDE.multiply(count, self.step)
