"""What callbacks are handed: a fill, an order, a funding payment, as plain values with named fields."""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING, Any

import numpy as np

from cashup.kernel.types import (
    BUY,
    CANCELLED,
    EXPIRED,
    FILL,
    FILL_LIQUIDATION,
    FILLED,
    FIRST_FINAL_STATUS,
    ORDER,
    PAYMENT,
    REJECTED,
)


class _Row:
    """Fields of a row are known to Python from the dtype; to the type checker, by name only."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


def _fields(dtype: np.dtype[np.void]) -> tuple[str, ...]:
    assert dtype.names is not None
    return dtype.names


class OrderView(_Row, namedtuple("OrderView", _fields(ORDER))):  # type: ignore[misc]  # dynamic
    """One order as it was when it was looked at; fields as in `cashup.kernel.types.ORDER`."""

    __slots__ = ()

    @property
    def is_buy(self) -> bool:
        """Whether it buys."""
        return bool(self.side == BUY)

    @property
    def is_final(self) -> bool:
        """Whether it has ended: filled, cancelled, rejected or expired."""
        return bool(self.status >= FIRST_FINAL_STATUS)

    @property
    def is_filled(self) -> bool:
        """Whether it was filled whole."""
        return bool(self.status == FILLED)

    @property
    def is_cancelled(self) -> bool:
        """Whether it was cancelled."""
        return bool(self.status == CANCELLED)

    @property
    def is_rejected(self) -> bool:
        """Whether it was rejected; `reason` says why."""
        return bool(self.status == REJECTED)

    @property
    def is_expired(self) -> bool:
        """Whether its time ran out."""
        return bool(self.status == EXPIRED)

    @property
    def remaining(self) -> float:
        """Quantity not filled."""
        return float(self.quantity - self.filled)


class FillView(_Row, namedtuple("FillView", _fields(FILL))):  # type: ignore[misc]  # dynamic
    """One fill; fields as in `cashup.kernel.types.FILL`."""

    __slots__ = ()

    @property
    def is_buy(self) -> bool:
        """Whether it bought."""
        return bool(self.side == BUY)

    @property
    def is_maker(self) -> bool:
        """Whether it added liquidity."""
        return bool(self.maker != 0)

    @property
    def is_liquidation(self) -> bool:
        """Whether the exchange closed the position."""
        return bool(self.kind == FILL_LIQUIDATION)


class PaymentView(_Row, namedtuple("PaymentView", _fields(PAYMENT))):  # type: ignore[misc]  # dynamic
    """One funding payment; fields as in `cashup.kernel.types.PAYMENT`."""

    __slots__ = ()


def row_of(table: Any, index: int) -> tuple[Any, ...]:
    """Return one row of a kernel table as Python numbers."""
    row: tuple[Any, ...] = table[index].item()
    return row
