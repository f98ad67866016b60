"""Prices on the tick grid and quantities on the lot grid."""

from __future__ import annotations

import math

from cashup.kernel.function import FLOAT, INT, internal

#: A value this close to a grid point (in grid steps) counts as lying on it; many steps carry more rounding
#: error.
GRID_TOLERANCE = 1e-9
STEP_TOLERANCE = 1e-15


@internal(FLOAT, FLOAT, INT, returns=FLOAT)
def to_grid(value: float, step: float, direction: int) -> float:
    """Round a non-negative value to a multiple of `step`: down (-1), to the nearest (0, ties up) or up (+1).

    A step of 0 means no grid. When 1/step is a whole number the multiple is formed by division, so that the
    result is the float nearest to the decimal number (3 x 0.1 gives 0.3) and compares equal to data.
    """
    if step <= 0.0 or not value < math.inf:
        return value
    inverse = math.floor(1.0 / step + 0.5)
    whole_inverse = inverse >= 1.0 and abs(inverse * step - 1.0) < 1e-12
    steps = value * inverse if whole_inverse else value / step
    slack = GRID_TOLERANCE + STEP_TOLERANCE * steps
    if direction < 0:
        steps = math.floor(steps + slack)
    elif direction > 0:
        steps = math.ceil(steps - slack)
    else:
        steps = math.floor(steps + 0.5 + slack)
    return steps / inverse if whole_inverse else steps * step
