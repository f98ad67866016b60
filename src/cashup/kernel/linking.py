"""Compile a kernel function once and let other compiled code call it by symbol.

Numba's own way of calling one compiled function from another copies the callee into the caller and optimises it
again: a chain of calls is optimised over and over, and every strategy that places an order would pay for the
whole of order entry. Here each function is compiled on its own (and cached), its address is published to the
linker under a name, and callers refer to the name. A call costs a couple of nanoseconds; a caller compiles as if
the callee were a C function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from numba import njit, types

from cashup.kernel.cache import use_cache_directory

use_cache_directory()

INT: Any = types.int64
FLOAT: Any = types.float64


def linked(*arguments: Any, returns: Any = INT) -> Callable[[Callable[..., Any]], Any]:
    """Compile for compiled callers only; the decorated name is the external function they call."""

    def decorate(function: Callable[..., Any]) -> Any:
        return _publish(_compile(function, returns(*arguments), python=False), returns(*arguments))

    return decorate


def callable_from_python(*arguments: Any, returns: Any = INT) -> Callable[[Callable[..., Any]], Any]:
    """Compile for Python callers (about a quarter of a microsecond a call); see `external` for compiled ones."""

    def decorate(function: Callable[..., Any]) -> Any:
        return _compile(function, returns(*arguments), python=True)

    return decorate


def external(dispatcher: Any) -> Any:
    """Publish a Python-callable kernel function and return what compiled code calls instead of it."""
    return _publish(dispatcher, dispatcher.nopython_signatures[0])


def _compile(function: Callable[..., Any], signature: Any, *, python: bool) -> Any:
    return njit(signature, cache=True, error_model="numpy", no_cpython_wrapper=not python)(function)


def address_of(dispatcher: Any) -> int:
    """Return the address of a Numba function compiled for one signature, callable as a C function."""
    result = dispatcher.get_compile_result(dispatcher.nopython_signatures[0])
    return int(result.library.get_pointer_to_function(result.fndesc.llvm_cfunc_wrapper_name))


def _publish(dispatcher: Any, signature: Any) -> Any:
    address = address_of(dispatcher)
    symbol = f"cashup_{dispatcher.py_func.__module__.rpartition('.')[2]}_{dispatcher.py_func.__name__}"
    llvm.add_symbol(symbol, address)
    return types.ExternalFunction(symbol, signature)
