"""The border between exact money and fast numbers: the only Decimal <-> float64 converter.

Books and venues count in `Decimal`; decisions are made on float64. A value crosses in either direction
without loss: `to_float(to_decimal(x)) == x` for every finite x, and `to_decimal(to_float(d)) == d` for every
multiple of the step that float64 can tell from its neighbours (about fifteen significant digits).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cashup.model.errors import InputError, explain
from cashup.model.instrument import Instrument
from cashup.model.money import ZERO, Rounding, from_float, is_multiple, quantise


@dataclass(frozen=True, slots=True)
class Grid:
    """The multiples of a step: a venue's price tick or quantity lot.

    Attributes:
        step: Distance between neighbours, in the value's own unit; 0 means that every value is allowed.
    """

    step: Decimal = ZERO

    def __post_init__(self) -> None:
        if not self.step.is_finite() or self.step < 0:
            raise InputError(explain(f"the step of a grid is {self.step}", expected="0 or a positive number"))

    def to_float(self, value: Decimal) -> float:
        """Return the float64 nearest to `value`."""
        return float(value)

    def to_decimal(self, value: float) -> Decimal:
        """Return `value` as the multiple of the step it stands for, or exactly as it is when it is none.

        Raises:
            InputError: `value` is NaN or infinite.
        """
        shortest = from_float(value)
        if not self.step or is_multiple(shortest, self.step):
            return shortest
        on_grid = quantise(shortest, self.step, Rounding.NEAREST)
        return on_grid if float(on_grid) == value else shortest


#: Money and rates: no grid, every digit of the float kept.
FREE = Grid()


@dataclass(frozen=True, slots=True)
class InstrumentGrid:
    """The two grids of one instrument.

    Attributes:
        price: Multiples of the tick size, quote currency.
        quantity: Multiples of the lot size, base units or contracts.
    """

    price: Grid
    quantity: Grid

    @classmethod
    def of(cls, instrument: Instrument) -> InstrumentGrid:
        """Return the grids of `instrument`."""
        return cls(price=Grid(instrument.tick_size), quantity=Grid(instrument.lot_size))
