"""What kernel functions use to reach plain memory: the words the translator knows.

These are markers, not code: inside a kernel function `order_at(run.orders, row)` becomes an address
computation, and `order.price` a load. The same words for functions compiled by Numba (strategies) are in
`kernel.access`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from cashup.kernel import types as kt


class RecordWord:
    """A word that turns a base address and a row into a record."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self.dtype = dtype

    def __call__(self, base: int, row: int = 0) -> Any:
        """Kernel functions are translated, not run; this is here for type checkers."""
        raise TypeError("a record word has a meaning inside a kernel function only")


class ColumnWord:
    """A word that loads or stores one element of a column."""

    def __init__(self, *, store: bool, floating: bool) -> None:
        self.store = store
        self.floating = floating

    def __call__(self, base: int, index: int, value: float = 0.0) -> Any:
        """Kernel functions are translated, not run; this is here for type checkers."""
        raise TypeError("a column word has a meaning inside a kernel function only")


class CallbackWord:
    """A word that calls the C function at an address with three integers."""

    def __call__(self, address: int, strategy: int, event: int, argument: int) -> int:
        """Kernel functions are translated, not run; this is here for type checkers."""
        raise TypeError("a callback word has a meaning inside a kernel function only")


as_run: Final = RecordWord(kt.RUN)
instrument_at: Final = RecordWord(kt.INSTRUMENT)
position_at: Final = RecordWord(kt.POSITION)
tier_at: Final = RecordWord(kt.TIER)
order_at: Final = RecordWord(kt.ORDER)
fill_at: Final = RecordWord(kt.FILL)
payment_at: Final = RecordWord(kt.PAYMENT)
load_f8: Final = ColumnWord(store=False, floating=True)
load_i8: Final = ColumnWord(store=False, floating=False)
store_f8: Final = ColumnWord(store=True, floating=True)
store_i8: Final = ColumnWord(store=True, floating=False)
call_strategy: Final = CallbackWord()
