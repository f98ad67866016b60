"""Which order a call asks for, decided by the arguments that are present and never by their values.

The Python mode plans at every call and the compiler plans once per call site, both here, so both send the
same order. Plain Python on purpose: reading this module costs no compiler.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from cashup.kernel.types import (
    FOK,
    GTC,
    GTD,
    IOC,
    LIMIT,
    MARKET,
    POST_ONLY,
    REDUCE_ONLY,
    STOP,
    STOP_LIMIT,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    TRAIL_FRACTION,
    TRAILING_STOP,
    VALUE_SIZED,
)

#: Arguments of `Strategy.buy` and `Strategy.sell`, in order; `size` alone may be given by position.
ORDER_ARGUMENTS: Final = (
    "size",
    "value",
    "limit",
    "stop",
    "touch",
    "trail",
    "stop_loss",
    "take_profit",
    "trailing",
    "tif",
    "post_only",
    "reduce_only",
    "expires",
    "instrument",
    "tag",
)
BRACKET_ARGUMENTS: Final = ("stop_loss", "take_profit", "trailing")
TIMES_IN_FORCE: Final = {"GTC": GTC, "IOC": IOC, "FOK": FOK, "GTD": GTD}

_TYPES: Final = {
    (): MARKET,
    ("limit",): LIMIT,
    ("stop",): STOP,
    ("limit", "stop"): STOP_LIMIT,
    ("touch",): TAKE_PROFIT,
    ("limit", "touch"): TAKE_PROFIT_LIMIT,
    ("trail",): TRAILING_STOP,
}


class OrderPlan(NamedTuple):
    """Kernel codes of an order, known before any value is."""

    type: int
    time_in_force: int
    flags: int
    has_bracket: bool


def plan_order(
    given: Collection[str], *, tif: str = "GTC", post_only: bool = False, reduce_only: bool = False
) -> OrderPlan:
    """Decide type, time in force and flags from the names of the arguments that are not None.

    Raises:
        ValueError: The arguments contradict each other; the message says which and what to write.
    """
    if "size" in given and "value" in given:
        raise ValueError("an order has a size (quantity) or a value (money), not both")
    prices = tuple(name for name in ("limit", "stop", "touch", "trail") if name in given)
    if prices not in _TYPES:
        raise ValueError(
            f"an order cannot have {' and '.join(prices)}; allowed are limit, stop, touch, trail, "
            "stop with limit, and touch with limit"
        )
    code = TIMES_IN_FORCE.get(tif.upper())
    if code is None:
        raise ValueError(f"unknown time in force {tif!r}; allowed are {', '.join(TIMES_IN_FORCE)}")
    if "expires" in given:
        if code not in (GTC, GTD):
            raise ValueError(f"an order with tif={tif!r} ends at once and cannot have expires")
        code = GTD
    elif code == GTD:
        raise ValueError("tif='GTD' needs expires, a time in ns UTC")
    kind = _TYPES[prices]
    if post_only and (kind != LIMIT or code in (IOC, FOK)):
        raise ValueError("post_only needs a limit price and an order that may rest (GTC or GTD)")
    flags = 0 if "size" in given else VALUE_SIZED
    flags |= POST_ONLY if post_only else 0
    flags |= REDUCE_ONLY if reduce_only else 0
    flags |= TRAIL_FRACTION if kind == TRAILING_STOP else 0
    return OrderPlan(kind, code, flags, any(name in given for name in BRACKET_ARGUMENTS))
