"""Functions of the C library, called from compiled code by address.

Under their own names the optimiser knows them and may put another formula in their place: it turns
`pow(x, 2.0)` into `x * x`, which may differ in the last bit from what Python's `**` gives.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from typing import Any, Final

import llvmlite.binding as llvm
from llvmlite import ir

from cashup.kernel.compiling.numba_api import cgutils

_F64 = ir.DoubleType()


def call_c(builder: Any, name: str, *args: Any) -> Any:
    """Return the result of a C function of float64."""
    if name in _INSTRUCTIONS:
        kind = ir.FunctionType(_F64, [_F64] * len(args))
        return builder.call(builder.module.declare_intrinsic(f"llvm.{name}", [_F64], kind), args)
    kind = ir.FunctionType(_F64, [_F64] * len(args))
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"cashup_c_{name}"), args)


ONE_ARGUMENT: Final = (
    "sqrt", "exp", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos", "atan",
    "sinh", "cosh", "tanh", "fabs",
)  # fmt: skip
#: Exact by IEEE 754, so the processor's own instruction gives the C library's number.
_INSTRUCTIONS: Final = ("sqrt", "fabs", "floor", "ceil", "trunc", "rint", "copysign")
TWO_ARGUMENTS: Final = ("pow", "atan2", "copysign", "fmod")
_OTHERS: Final = ("snprintf", "strtod")


def _publish() -> None:
    library = ctypes.CDLL(None)
    try:
        _ = library.pow
    except AttributeError:
        library = ctypes.CDLL(ctypes.util.find_library("m") or ctypes.util.find_library("msvcrt"))
    c_library = ctypes.CDLL(None)
    for name in (*ONE_ARGUMENT, *TWO_ARGUMENTS, *_OTHERS):
        source = c_library if name in ("snprintf", "strtod") else library
        address = ctypes.cast(getattr(source, name), ctypes.c_void_p).value
        assert address is not None
        llvm.add_symbol(f"cashup_c_{name}", address)


_publish()
