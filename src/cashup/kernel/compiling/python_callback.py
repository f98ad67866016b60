"""A Python function as the loop's callback: the same compiled loop serves strategies that run in Python."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from numba import types

_SIGNATURE = types.int64(types.int64, types.int64, types.int64)
_C_SIGNATURE = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


class AddressedFunction(types.WrapperAddressProtocol):  # type: ignore[misc]  # numba carries no types
    """A function the compiled loop calls by its address.

    Attributes:
        address: Where its machine code starts.
    """

    def __init__(self, address: int, keep_alive: object = None) -> None:
        self.address = address
        self._keep_alive = keep_alive

    def __wrapper_address__(self) -> int:
        return self.address

    def signature(self) -> Any:
        """Return its Numba signature."""
        return _SIGNATURE


def python_callback(function: Callable[[int, int, int], int]) -> AddressedFunction:
    """Make `function(strategy, event, argument) -> int` callable from the loop; it must not raise."""
    wrapped = _C_SIGNATURE(function)
    address = ctypes.cast(wrapped, ctypes.c_void_p).value
    assert address is not None
    return AddressedFunction(address, wrapped)
