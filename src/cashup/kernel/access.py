"""Reaching plain memory from compiled code: records and arrays behind raw addresses, calls through addresses.

An address is an int64. Nothing here counts references or checks bounds; `kernel.memory` owns the bytes and
keeps them alive for as long as a run lasts.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from llvmlite import ir
from numba import cfunc, njit, types
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import intrinsic, lower_getattr_generic, lower_setattr_generic, models, register_model
from numpy.typing import NDArray

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
    return njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **_OPTIONS)


#: Addresses of the shared functions; a run's memory carries the address of this table.
TABLE: NDArray[np.int64] = np.zeros(64, np.int64)
_SHARED: list[Shared] = []  # compiled code and callbacks must outlive every run

_C: dict[Any, Any] = {types.int64: ctypes.c_int64, types.float64: ctypes.c_double, types.void: None}


class Shared:
    """A function whose machine code exists once and is made when it is first called.

    Attributes:
        slot: its place in `TABLE`.
    """

    def __init__(self, function: Callable[..., Any], signature: Any) -> None:
        self.slot = len(_SHARED)
        self.function = function
        self.signature = signature
        kinds = [_C[signature.return_type], *(_C.get(kind, ctypes.c_void_p) for kind in signature.args)]
        self._holding = ctypes.PYFUNCTYPE(*kinds)
        self._releasing = ctypes.CFUNCTYPE(*kinds)
        self._stub = self._holding(lambda *args: self.python(*args))
        self._compiled: Any = None
        TABLE[self.slot] = ctypes.cast(self._stub, ctypes.c_void_p).value or 0
        _SHARED.append(self)

    @property
    def address(self) -> int:
        """Address of the C function; compiles it, or loads it from the cache, when it is not there yet."""
        if self._compiled is None:
            self._compiled = cfunc(self.signature, cache=True, **_OPTIONS)(self.function)
            TABLE[self.slot] = self._compiled.address
        return int(self._compiled.address)

    @cached_property
    def python(self) -> Callable[..., Any]:
        """The function as Python calls it: blocks by their address."""
        return self._holding(self.address)

    @cached_property
    def unlocked(self) -> Callable[..., Any]:
        """The same, letting other Python threads run meanwhile."""
        return self._releasing(self.address)


def shared(signature: Any) -> Any:
    """Compile a function on its first call and let compiled code reach it through the run's table.

    The first argument is the run. Callers are not linked with the function: they compile in their own size, and
    what a run never needs is never compiled nor loaded. The result is callable from compiled code; Python calls
    `result.shared.python(...)`.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        entry = Shared(function, signature)
        call = _call_through_table(entry.slot, signature)
        call.shared = entry
        return call

    return decorate


def _call_through_table(slot: int, signature: Any) -> Any:
    """Return what compiled code calls instead of the function: a load from the run's table and a call."""

    def codegen(context: Any, builder: Any, given: Any, args: Any) -> Any:
        table = builder.load(field_pointer(builder, run_t, args[0], "functions"))
        pointer = builder.inttoptr(table, _I64.as_pointer())
        address = builder.load(builder.gep(pointer, [ir.Constant(_I64, slot)]))
        kinds = [context.get_value_type(kind) for kind in signature.args]
        cast = [
            context.cast(builder, a, t, s) for a, t, s in zip(args, given.args, signature.args, strict=True)
        ]
        nothing = signature.return_type is types.void
        result = ir.VoidType() if nothing else context.get_value_type(signature.return_type)
        called = builder.call(builder.inttoptr(address, ir.FunctionType(result, kinds).as_pointer()), cast)
        return context.get_dummy_value() if nothing else called

    names = ", ".join(f"a{n}" for n in range(len(signature.args)))
    scope: dict[str, Any] = {"signature": signature, "codegen": codegen}
    exec(f"def call(typingctx, {names}):\n    return signature, codegen\n", scope)  # noqa: S102
    return intrinsic(scope["call"])
