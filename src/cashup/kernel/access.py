"""Reaching plain memory from compiled code: records and arrays behind raw addresses, calls through addresses.

An address is an int64. Nothing here counts references or checks bounds; `kernel.memory` owns the bytes and
keeps them alive for as long as a run lasts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import cfunc, njit, types
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import intrinsic, lower_getattr_generic, lower_setattr_generic, models, register_model

from cashup.kernel.cache import CACHE_DIR
from cashup.kernel.types import FILL, INSTRUMENT, ORDER, PAYMENT, POSITION, RUN, TIER

assert CACHE_DIR  # imported for its effect: the cache must be set before anything is compiled

_I64 = ir.IntType(64)
_F64 = ir.DoubleType()


class Block(types.Type):  # type: ignore[misc]  # numba carries no types
    """A record behind a raw address: a name and, for every field, its type and offset.

    Numba has a record type of its own, but it spells every field into the name of every function that takes one,
    which makes compiling several times slower.
    """

    def __init__(self, name: str, fields: dict[str, tuple[Any, int]]) -> None:
        self.fields = fields
        super().__init__(name)


@register_model(Block)
class BlockModel(models.PrimitiveModel):  # type: ignore[misc]
    """In machine code a block is its address."""

    def __init__(self, manager: Any, block: Block) -> None:
        super().__init__(manager, block, ir.IntType(8).as_pointer())


@infer_getattr
class BlockAttribute(AttributeTemplate):  # type: ignore[misc]
    """Typing of `block.field`."""

    key = Block

    def generic_resolve(self, block: Block, name: str) -> Any:
        """Return the type of a field, or None where there is no such field."""
        field = block.fields.get(name)
        return None if field is None else field[0]


def field_pointer(builder: Any, block: Block, value: Any, name: str) -> Any:
    """Return a typed pointer to a field of the block at `value`."""
    kind, offset = block.fields[name]
    llvm_type = _F64 if kind is types.float64 else _I64
    return builder.bitcast(builder.gep(value, [ir.Constant(_I64, offset)]), llvm_type.as_pointer())


@lower_getattr_generic(Block)
def _load_field(context: Any, builder: Any, block: Any, value: Any, name: str) -> Any:  # noqa: ARG001
    return builder.load(field_pointer(builder, block, value, name))


@lower_setattr_generic(Block)
def _store_field(context: Any, builder: Any, signature: Any, args: Any, name: str) -> None:
    block, given = signature.args
    value = context.cast(builder, args[1], given, block.fields[name][0])
    builder.store(value, field_pointer(builder, block, args[0], name))


def block_of(name: str, dtype: np.dtype[np.void]) -> Block:
    """Return the block type of a structured dtype whose fields are all int64 or float64."""
    fields = {}
    for field, (kind, offset, *_) in (dtype.fields or {}).items():
        fields[field] = (types.float64 if kind == np.float64 else types.int64, offset)
    return Block(name, fields)


def _block_at(block: Block, size: int) -> Any:
    """Return an intrinsic `(base address, index) -> block` for arrays of blocks of `size` bytes."""

    @intrinsic
    def at(typingctx: Any, base: Any, index: Any) -> Any:  # noqa: ARG001
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            offset = builder.mul(args[1], ir.Constant(_I64, size))
            return builder.inttoptr(
                builder.add(args[0], offset), context.get_value_type(signature.return_type)
            )

        return block(types.int64, types.int64), codegen

    return at


run_t = block_of("Run", RUN)
instrument_t = block_of("Instrument", INSTRUMENT)
position_t = block_of("Position", POSITION)
tier_t = block_of("Tier", TIER)
order_t = block_of("Order", ORDER)
fill_t = block_of("Fill", FILL)
payment_t = block_of("Payment", PAYMENT)

run_at = _block_at(run_t, RUN.itemsize)
instrument_at = _block_at(instrument_t, INSTRUMENT.itemsize)
position_at = _block_at(position_t, POSITION.itemsize)
tier_at = _block_at(tier_t, TIER.itemsize)
order_at = _block_at(order_t, ORDER.itemsize)
fill_at = _block_at(fill_t, FILL.itemsize)
payment_at = _block_at(payment_t, PAYMENT.itemsize)


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


i8 = types.int64
f8 = types.float64
b1 = types.boolean
void = types.void

_OPTIONS = {"error_model": "numpy", "boundscheck": False}


def inner(signature: Any) -> Any:
    """Compile a small function into its callers.

    The signature is explicit because Numba would otherwise compile one copy for every literal it is called with.
    """
    return njit(signature, no_cpython_wrapper=True, no_cfunc_wrapper=True, **_OPTIONS)


def entry(signature: Any) -> Any:
    """Compile a function to a C function that Python may call; it is cached between processes."""
    return cfunc(signature, cache=True, **_OPTIONS)


def shared(signature: Any) -> Any:
    """Compile a function once and let compiled code call it through a symbol.

    Callers are not linked with it, so its machine code exists once and they compile in their own size.
    """

    def decorate(function: Any) -> Any:
        compiled = entry(signature)(function)
        return publish(compiled, f"cashup_{function.__name__}", signature)

    return decorate


def publish(compiled: Any, symbol: str, signature: Any) -> Any:
    """Give a C function a symbol and return the name compiled code calls it by; keep the code alive."""
    _PUBLISHED[symbol] = compiled
    binding.add_symbol(symbol, compiled.address)
    return types.ExternalFunction(symbol, signature)


_PUBLISHED: dict[str, Any] = {}
