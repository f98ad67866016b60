"""Reach plain memory from compiled code: records and columns by address.

Each intrinsic is one or two machine instructions. A record is used like an object (`run.cash += 1.0`), a
column through `load_f8`, `load_i8` and the two stores. Nothing is counted, owned or checked: `kernel.memory`
keeps the arrays alive, and callers keep indices inside them.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cashup.kernel import types as kt


def _record_intrinsic(dtype: np.dtype[np.void]) -> Any:
    record = numba.from_dtype(dtype)
    size = dtype.itemsize

    @intrinsic
    def record_at(typing_context, base, row):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
            offset = builder.mul(args[1], ir.Constant(ir.IntType(64), size))
            return builder.inttoptr(builder.add(args[0], offset), context.get_value_type(record))

        return record(types.int64, types.int64), generate

    return record_at


instrument_at = _record_intrinsic(kt.INSTRUMENT)
position_at = _record_intrinsic(kt.POSITION)
tier_at = _record_intrinsic(kt.TIER)
order_at = _record_intrinsic(kt.ORDER)
fill_at = _record_intrinsic(kt.FILL)
payment_at = _record_intrinsic(kt.PAYMENT)

_RUN_RECORD = numba.from_dtype(kt.RUN)


@intrinsic
def as_run(typing_context, address):  # type: ignore[no-untyped-def]
    """Return the RUN record at an address."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.inttoptr(args[0], context.get_value_type(_RUN_RECORD))

    return _RUN_RECORD(types.int64), generate


def _element(builder: Any, address: Any, index: Any, kind: Any) -> Any:
    return builder.gep(builder.inttoptr(address, kind.as_pointer()), [index])


@intrinsic
def load_f8(typing_context, address, index):  # type: ignore[no-untyped-def]
    """Return element `index` of the float64 column at `address`."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.load(_element(builder, args[0], args[1], ir.DoubleType()))

    return types.float64(types.int64, types.int64), generate


@intrinsic
def store_f8(typing_context, address, index, value):  # type: ignore[no-untyped-def]
    """Set element `index` of the float64 column at `address`."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        builder.store(args[2], _element(builder, args[0], args[1], ir.DoubleType()))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.float64), generate


@intrinsic
def load_i8(typing_context, address, index):  # type: ignore[no-untyped-def]
    """Return element `index` of the int64 column at `address`."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.load(_element(builder, args[0], args[1], ir.IntType(64)))

    return types.int64(types.int64, types.int64), generate


@intrinsic
def store_i8(typing_context, address, index, value):  # type: ignore[no-untyped-def]
    """Set element `index` of the int64 column at `address`."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        builder.store(args[2], _element(builder, args[0], args[1], ir.IntType(64)))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate
