"""Reaching plain memory from compiled code: records and arrays behind raw addresses, calls through addresses.

An address is an int64. Nothing here counts references or checks bounds; `kernel.memory` owns the bytes and
keeps them alive for as long as a run lasts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.extending import intrinsic

from cashup.kernel.cache import CACHE_DIR
from cashup.kernel.types import FILL, INSTRUMENT, ORDER, PAYMENT, POSITION, RUN, TIER

assert CACHE_DIR  # imported for its effect: the cache must be set before anything is compiled

_I64 = ir.IntType(64)
_F64 = ir.DoubleType()


def _record_at(dtype: np.dtype[np.void]) -> Any:  # numba intrinsics carry no types
    """Return an intrinsic `(base address, index) -> record` for arrays of `dtype`."""
    record = from_dtype(dtype)
    size = dtype.itemsize

    @intrinsic
    def at(typingctx: Any, base: Any, index: Any) -> Any:  # noqa: ARG001
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            offset = builder.mul(args[1], ir.Constant(_I64, size))
            return builder.inttoptr(builder.add(args[0], offset), context.get_value_type(signature.return_type))

        return record(types.int64, types.int64), codegen

    return at


run_at = _record_at(RUN)
instrument_at = _record_at(INSTRUMENT)
position_at = _record_at(POSITION)
tier_at = _record_at(TIER)
order_at = _record_at(ORDER)
fill_at = _record_at(FILL)
payment_at = _record_at(PAYMENT)


@intrinsic
def load_f8(typingctx: Any, base: Any, index: Any) -> Any:  # noqa: ARG001
    """Return float64 `index` of the array at address `base`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        pointer = builder.inttoptr(args[0], _F64.as_pointer())
        return builder.load(builder.gep(pointer, [args[1]]))

    return types.float64(types.int64, types.int64), codegen


@intrinsic
def load_i8(typingctx: Any, base: Any, index: Any) -> Any:  # noqa: ARG001
    """Return int64 `index` of the array at address `base`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        pointer = builder.inttoptr(args[0], _I64.as_pointer())
        return builder.load(builder.gep(pointer, [args[1]]))

    return types.int64(types.int64, types.int64), codegen


@intrinsic
def store_f8(typingctx: Any, base: Any, index: Any, value: Any) -> Any:  # noqa: ARG001
    """Write float64 `value` at `index` of the array at address `base`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        pointer = builder.inttoptr(args[0], _F64.as_pointer())
        builder.store(args[2], builder.gep(pointer, [args[1]]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.float64), codegen


@intrinsic
def store_i8(typingctx: Any, base: Any, index: Any, value: Any) -> Any:  # noqa: ARG001
    """Write int64 `value` at `index` of the array at address `base`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        pointer = builder.inttoptr(args[0], _I64.as_pointer())
        builder.store(args[2], builder.gep(pointer, [args[1]]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def call_strategy(typingctx: Any, function: Any, strategy: Any, event: Any, argument: Any) -> Any:  # noqa: ARG001
    """Call the C function at address `function` with three int64 and return its int64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        kind = ir.FunctionType(_I64, [_I64, _I64, _I64])
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])

    return types.int64(types.int64, types.int64, types.int64, types.int64), codegen


Compiled = Callable[..., Any]
