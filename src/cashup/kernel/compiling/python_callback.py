"""A Python function as the loop's callback: the same compiled loop serves strategies that run in Python."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

_SIGNATURE = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


class AddressedFunction:
    """A function the compiled loop calls by its address.

    Attributes:
        address: Where its machine code starts; valid while this object lives.
    """

    __slots__ = ("_keep_alive", "address")

    def __init__(self, address: int, keep_alive: object = None) -> None:
        self.address = address
        self._keep_alive = keep_alive


def python_callback(function: Callable[[int, int, int], int]) -> AddressedFunction:
    """Make `function(strategy, event, argument) -> int` callable from the loop; it must not raise."""
    wrapped = _SIGNATURE(function)
    address = ctypes.cast(wrapped, ctypes.c_void_p).value
    assert address is not None
    return AddressedFunction(address, wrapped)
