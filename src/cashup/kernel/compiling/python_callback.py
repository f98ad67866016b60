"""Python functions as the loop's callback, at the price of a method call.

The loop calls one C function. For a strategy in Python that function is a bridge, written in LLVM IR once a
process: it takes the GIL, calls the bound `on_bar` without arguments (or, for the rarer events, one function
with event and argument), and keeps what was raised. A `ctypes` callback would cost several times the call
itself.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from cashup.kernel.types import ON_BAR

_ON_BAR_SLOT: Final = 0
_OTHER_SLOT: Final = 1
_ERROR_SLOT: Final = 2


class AddressedFunction:
    """A function the compiled loop calls by its address.

    Attributes:
        address: Where its machine code starts; valid while this object lives.
    """

    __slots__ = ("_keep_alive", "address")

    def __init__(self, address: int, keep_alive: object = None) -> None:
        self.address = address
        self._keep_alive = keep_alive


class PythonBridge:
    """Calls into one strategy in Python: what `run.strategy` points at in that mode.

    Args:
        on_bar: Called at every decision bar, without arguments.
        other: Called with (event, argument) for every other event.

    Attributes:
        callback: What the loop calls.
        address: What goes into `run.strategy`.
    """

    def __init__(self, on_bar: Callable[[], object], other: Callable[[int, int], object]) -> None:
        self._kept = (on_bar, other)
        self._slots = (ctypes.c_void_p * 3)(id(on_bar), id(other), None)
        self.callback = _bridge()
        self.address = ctypes.addressof(self._slots)

    def take_error(self) -> BaseException | None:
        """Return what was raised, once; None when nothing was."""
        kept = self._slots[_ERROR_SLOT]
        if kept is None:
            return None
        self._slots[_ERROR_SLOT] = None
        holder = ctypes.cast(kept, ctypes.py_object)
        error: BaseException = holder.value
        ctypes.pythonapi.Py_DecRef(holder)  # the bridge's own reference
        return error


@cache
def _bridge() -> AddressedFunction:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly(_BRIDGE)
    module.verify()
    machine = llvm.Target.from_default_triple().create_target_machine(opt=2, jit=True, codemodel="jitdefault")
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return AddressedFunction(engine.get_function_address("cashup_python_bridge"), engine)


def _pointer(slot: int) -> str:
    return (
        f"  %at{slot} = getelementptr i64, i64* %slots, i64 {slot}\n"
        f"  %p{slot} = bitcast i64* %at{slot} to i8**\n"
    )


_BRIDGE: Final = f"""
@form = private constant [5 x i8] c"(LL)\\00"
declare i32 @PyGILState_Ensure()
declare void @PyGILState_Release(i32)
declare i8* @PyObject_CallNoArgs(i8*)
declare i8* @PyObject_CallFunction(i8*, i8*, ...)
declare void @Py_DecRef(i8*)
declare void @PyErr_Fetch(i8**, i8**, i8**)
declare void @PyErr_NormalizeException(i8**, i8**, i8**)
declare i32 @PyException_SetTraceback(i8*, i8*)

define i64 @cashup_python_bridge(i64 %block, i64 %event, i64 %argument) {{
entry:
  %slots = inttoptr i64 %block to i64*
{_pointer(_ON_BAR_SLOT)}{_pointer(_OTHER_SLOT)}{_pointer(_ERROR_SLOT)}
  %type = alloca i8*
  %trace = alloca i8*
  %gil = call i32 @PyGILState_Ensure()
  %is_bar = icmp eq i64 %event, {ON_BAR}
  br i1 %is_bar, label %bar, label %other
bar:
  %on_bar = load i8*, i8** %p0
  %first = call i8* @PyObject_CallNoArgs(i8* %on_bar)
  br label %called
other:
  %function = load i8*, i8** %p1
  %text = getelementptr [5 x i8], [5 x i8]* @form, i64 0, i64 0
  %second = call i8* (i8*, i8*, ...) @PyObject_CallFunction(i8* %function, i8* %text, i64 %event, i64
  %argument) br label %called
called:
  %result = phi i8* [%first, %bar], [%second, %other]
  %failed = icmp eq i8* %result, null
  br i1 %failed, label %raised, label %fine
fine:
  call void @Py_DecRef(i8* %result)
  call void @PyGILState_Release(i32 %gil)
  ret i64 0
raised:
  call void @PyErr_Fetch(i8** %type, i8** %p2, i8** %trace)
  call void @PyErr_NormalizeException(i8** %type, i8** %p2, i8** %trace)
  %tb = load i8*, i8** %trace
  %has = icmp ne i8* %tb, null
  br i1 %has, label %attach, label %done
attach:
  %error = load i8*, i8** %p2
  %set = call i32 @PyException_SetTraceback(i8* %error, i8* %tb)
  call void @Py_DecRef(i8* %tb)
  br label %done
done:
  %kind = load i8*, i8** %type
  call void @Py_DecRef(i8* %kind)
  call void @PyGILState_Release(i32 %gil)
  ret i64 1
}}
"""


def python_callback(function: Callable[[int, int, int], int]) -> AddressedFunction:
    """Make `function(strategy, event, argument) -> int` a C function for compiled code; it must not raise."""
    wrapped: Any = _SIGNATURE(function)
    address = ctypes.cast(wrapped, ctypes.c_void_p).value
    assert address is not None
    return AddressedFunction(address, wrapped)


_SIGNATURE: Final = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
