"""Let Python call kernel functions at the price of a built-in, a tenth of what `ctypes` takes.

For each exported function a small adapter is written in LLVM IR. It follows CPython's fast calling
convention: it unpacks the arguments, calls the kernel function (without the GIL where that was asked for)
and packs the result. Numbers that are not integers or floats raise TypeError as in any built-in.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir

from cashup.kernel.function import FLOAT, INT, KernelFunction

_I64: Final = ir.IntType(64)
_F64: Final = ir.DoubleType()
_POINTER: Final = ir.IntType(8).as_pointer()
_FASTCALL: Final = 0x0080
_ADAPTER: Final = ir.FunctionType(_POINTER, [_POINTER, _POINTER.as_pointer(), _I64])
_FROM_PYTHON: Final = {INT: ("PyLong_AsLongLong", _I64), FLOAT: ("PyFloat_AsDouble", _F64)}
_TO_PYTHON: Final = {INT: ("PyLong_FromLongLong", _I64), FLOAT: ("PyFloat_FromDouble", _F64)}


class _MethodDef(ctypes.Structure):
    """CPython's PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("method", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


#: CPython keeps a pointer to each definition for as long as the function object lives.
_definitions: Final[list[_MethodDef]] = []


def adapter_symbol(function: KernelFunction[..., Any]) -> str:
    """Return the linker's name of a function's adapter."""
    return f"{function.symbol}_python"


def write_adapter(module: ir.Module, function: KernelFunction[..., Any]) -> None:
    """Add a function's adapter to the module that holds the function."""
    made = ir.Function(module, _ADAPTER, name=adapter_symbol(function))
    _self, arguments, count = made.args
    builder = ir.IRBuilder(made.append_basic_block("entry"))
    failed = made.append_basic_block("failed")
    miscounted = made.append_basic_block("miscounted")
    first = made.append_basic_block("unpack")
    builder.cbranch(builder.icmp_signed("==", count, _I64(len(function.arguments))), first, miscounted)
    builder.position_at_end(first)
    given = []
    for index, kind in enumerate(function.arguments):
        name, native = _FROM_PYTHON[kind]
        item = builder.load(builder.gep(arguments, [_I64(index)], source_etype=_POINTER))
        value = builder.call(_declare(module, name, native, [_POINTER]), [item])
        given.append(value)
        # -1 may be a number or the sign of an error.
        if kind == FLOAT:
            suspicious = builder.fcmp_ordered("==", value, _F64(-1.0))
        else:
            suspicious = builder.icmp_signed("==", value, _I64(-1))
        look, go_on = made.append_basic_block("look"), made.append_basic_block("go_on")
        builder.cbranch(suspicious, look, go_on)
        builder.position_at_end(look)
        error = builder.call(_declare(module, "PyErr_Occurred", _POINTER, []), [])
        builder.cbranch(builder.icmp_unsigned("==", error, _POINTER(None)), go_on, failed)
        builder.position_at_end(go_on)
    if function.release_gil:
        thread = builder.call(_declare(module, "PyEval_SaveThread", _POINTER, []), [])
    result = builder.call(module.globals[function.symbol], given)
    if function.release_gil:
        builder.call(_declare(module, "PyEval_RestoreThread", ir.VoidType(), [_POINTER]), [thread])
    name, native = _TO_PYTHON[function.returns]
    builder.ret(builder.call(_declare(module, name, _POINTER, [native]), [result]))
    builder.position_at_end(miscounted)
    builder.call(_declare(module, "PyErr_BadArgument", ir.IntType(32), []), [])
    builder.branch(failed)
    builder.position_at_end(failed)
    builder.ret(_POINTER(None))


def _declare(module: ir.Module, name: str, returns: Any, arguments: list[Any]) -> Any:
    known = module.globals.get(name)
    if known is None:
        known = ir.Function(module, ir.FunctionType(returns, arguments), name=name)
    return known


def bind(function: KernelFunction[..., Any], adapter: int) -> Callable[..., Any]:
    """Return the built-in function whose adapter lies at an address."""
    definition = _MethodDef(function.symbol.encode(), adapter, _FASTCALL, None)
    _definitions.append(definition)
    # Also past the interpreter's end: built-ins alive until then look into their definition when they go.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(definition))
    create = ctypes.pythonapi.PyCFunction_NewEx
    create.restype = ctypes.py_object
    create.argtypes = (ctypes.POINTER(_MethodDef), ctypes.c_void_p, ctypes.c_void_p)
    made: Callable[..., Any] = create(ctypes.byref(definition), None, None)
    return made
