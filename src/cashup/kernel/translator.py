"""Translate kernel functions to LLVM IR.

The kernel is written in a small part of Python: int64 and float64 scalars, records and columns reached by
address, `if`, `while`, `for ... in range`, arithmetic, comparisons, and calls of other kernel functions. That
part maps to LLVM almost word for word, which makes translating the whole kernel a matter of a fraction of a
second; anything outside it is refused with file and line.

Meaning is Python's, with three differences a kernel author must know: integers wrap at 64 bits, dividing by
zero gives an infinity or NaN, and a local variable keeps the type of its first assignment.
"""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, Final, NamedTuple

import numpy as np
from llvmlite import ir

from cashup.kernel.function import FLOAT, INT, KernelFunction
from cashup.kernel.records import CallbackWord, ColumnWord, RecordWord

_BOOL: Final = "bool"
_I64: Final = ir.IntType(64)
_F64: Final = ir.DoubleType()
_I1: Final = ir.IntType(1)
_IR_TYPES: Final[dict[str, Any]] = {INT: _I64, FLOAT: _F64, _BOOL: _I1}
_COMPARE: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_ARITHMETIC: Final[dict[type[ast.operator], tuple[str | None, str | None]]] = {
    ast.Add: ("add", "fadd"),
    ast.Sub: ("sub", "fsub"),
    ast.Mult: ("mul", "fmul"),
    ast.Div: (None, "fdiv"),
    ast.BitAnd: ("and_", None),
    ast.BitOr: ("or_", None),
}
_MATH: Final[dict[Any, str]] = {
    math.floor: "llvm.floor",
    math.ceil: "llvm.ceil",
    math.sqrt: "llvm.sqrt",
    math.copysign: "llvm.copysign",
}


class _Value(NamedTuple):
    kind: Any  # INT, FLOAT, _BOOL, or the dtype of a record (then `ir` is its address)
    ir: Any


def translate(functions: Iterable[KernelFunction[..., Any]], name: str) -> ir.Module:
    """Return one LLVM module with all the functions, the exported ones visible to the linker.

    Raises:
        SyntaxError: a function uses something outside the kernel's part of Python.
    """
    functions = list(functions)
    module = ir.Module(name=name)
    declared: dict[str, Any] = {}
    for function in functions:
        arguments = [_IR_TYPES[kind] for kind in function.arguments]
        made = ir.Function(
            module, ir.FunctionType(_IR_TYPES[function.returns], arguments), name=function.symbol
        )
        made.attributes.add("nounwind")
        if not function.exported:
            made.linkage = "internal"
        declared[function.symbol] = made
    sources: dict[str, dict[str, ast.FunctionDef]] = {}
    for function in functions:
        path = inspect.getfile(function.python)
        if path not in sources:
            with open(path, encoding="utf-8") as file:  # noqa: PTH123 - no Path object needed for one read
                tree = ast.parse(file.read(), path)
            sources[path] = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        _Body(module, declared, function, sources[path][function.python.__name__], path).translate()
    return module


class _Body:
    """Translation of one function: statements in `_do_*`, expressions in `_of_*`, by name of the node."""

    def __init__(
        self,
        module: ir.Module,
        declared: dict[str, Any],
        function: KernelFunction[..., Any],
        tree: ast.FunctionDef,
        path: str,
    ) -> None:
        self._module = module
        self._declared = declared
        self._function = function
        self._tree = tree
        self._path = path
        self._globals: dict[str, Any] = function.python.__globals__
        self._made = declared[function.symbol]
        self._entry = self._made.append_basic_block("entry")
        self._builder = ir.IRBuilder(self._made.append_basic_block("body"))
        self._locals: dict[str, _Value] = {}
        self._loops: list[tuple[Any, Any]] = []  # (where `continue` goes, where `break` goes)

    def translate(self) -> None:
        first = self._builder.block
        for argument, kind, value in zip(
            self._tree.args.args, self._function.arguments, self._made.args, strict=True
        ):
            self._assign_local(argument, argument.arg, _Value(kind, value))
        self._block(self._tree.body)
        if not self._builder.block.is_terminated:
            self._builder.unreachable()
        ir.IRBuilder(self._entry).branch(first)

    def _refuse(self, node: ast.AST, what: str) -> SyntaxError:
        line = getattr(node, "lineno", self._tree.lineno)
        return SyntaxError(f"{self._path}:{line}: {what}, in kernel function {self._tree.name}")

    # ---- statements

    def _block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            if self._builder.block.is_terminated:
                return
            handle: Callable[[Any], None] | None = getattr(self, f"_do_{type(statement).__name__}", None)
            if handle is None:
                raise self._refuse(
                    statement, f"{type(statement).__name__} is not part of the kernel's Python"
                )
            handle(statement)

    def _do_Expr(self, node: ast.Expr) -> None:  # noqa: N802 - named after the node
        if not isinstance(node.value, ast.Constant):  # a docstring
            self._value(node.value)

    def _do_Assign(self, node: ast.Assign) -> None:  # noqa: N802
        value = self._value(node.value)
        for target in node.targets:
            self._store(target, value)

    def _do_AugAssign(self, node: ast.AugAssign) -> None:  # noqa: N802
        load = ast.copy_location(ast.BinOp(left=node.target, op=node.op, right=node.value), node)
        self._store(node.target, self._value(load))

    def _store(self, target: ast.expr, value: _Value) -> None:
        if isinstance(target, ast.Name):
            self._assign_local(target, target.id, value)
            return
        if isinstance(target, ast.Attribute):
            record = self._value(target.value)
            kind, pointer = self._field(target, record, target.attr)
            self._builder.store(self._as(target, value, kind).ir, pointer)
            return
        raise self._refuse(target, "only variables and record fields can be assigned")

    def _assign_local(self, node: ast.AST, name: str, value: _Value) -> None:
        known = self._locals.get(name)
        if known is None:
            kind = value.kind
            slot = ir.IRBuilder(self._entry).alloca(
                _IR_TYPES.get(kind, _I64) if isinstance(kind, str) else _I64
            )
            self._locals[name] = known = _Value(kind, slot)
        self._builder.store(self._as(node, value, known.kind).ir, known.ir)

    def _do_Return(self, node: ast.Return) -> None:  # noqa: N802
        if node.value is None:
            raise self._refuse(node, "return needs a value")
        self._builder.ret(self._as(node, self._value(node.value), self._function.returns).ir)

    def _do_If(self, node: ast.If) -> None:  # noqa: N802
        condition = self._truth(node.test)
        then = self._made.append_basic_block("then")
        otherwise = self._made.append_basic_block("else") if node.orelse else None
        after = self._made.append_basic_block("after")
        self._builder.cbranch(condition, then, otherwise or after)
        self._branch_into(then, node.body, after)
        if otherwise is not None:
            self._branch_into(otherwise, node.orelse, after)
        self._builder.position_at_end(after)

    def _branch_into(self, block: Any, statements: list[ast.stmt], after: Any) -> None:
        self._builder.position_at_end(block)
        self._block(statements)
        if not self._builder.block.is_terminated:
            self._builder.branch(after)

    def _do_While(self, node: ast.While) -> None:  # noqa: N802
        test = self._made.append_basic_block("while")
        body = self._made.append_basic_block("do")
        after = self._made.append_basic_block("done")
        self._builder.branch(test)
        self._builder.position_at_end(test)
        self._builder.cbranch(self._truth(node.test), body, after)
        self._loop(body, node.body, test, after)

    def _do_For(self, node: ast.For) -> None:  # noqa: N802
        call = node.iter
        is_range = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "range"
        if not is_range or not isinstance(node.target, ast.Name) or len(call.args) > 2:  # type: ignore[attr-defined]
            raise self._refuse(node, "a for loop goes over range(stop) or range(start, stop)")
        bounds = [self._as(node, self._value(each), INT).ir for each in call.args]  # type: ignore[attr-defined]
        start, stop = bounds if len(bounds) == 2 else (_I64(0), bounds[0])
        counter = ir.IRBuilder(self._entry).alloca(_I64)
        self._builder.store(start, counter)
        test, body, advance, after = (
            self._made.append_basic_block(name) for name in ("for", "do", "next", "done")
        )
        self._builder.branch(test)
        self._builder.position_at_end(test)
        current = self._builder.load(counter)
        self._builder.cbranch(self._builder.icmp_signed("<", current, stop), body, after)
        self._builder.position_at_end(body)
        self._assign_local(node, node.target.id, _Value(INT, current))
        self._loop(body, node.body, advance, after)
        self._builder.position_at_end(advance)
        self._builder.store(self._builder.add(self._builder.load(counter), _I64(1)), counter)
        self._builder.branch(test)
        self._builder.position_at_end(after)

    def _loop(self, body: Any, statements: list[ast.stmt], again: Any, after: Any) -> None:
        self._loops.append((again, after))
        self._branch_into(body, statements, again)
        self._loops.pop()
        self._builder.position_at_end(after)

    def _do_Break(self, node: ast.Break) -> None:  # noqa: N802
        self._builder.branch(self._loops[-1][1])

    def _do_Continue(self, node: ast.Continue) -> None:  # noqa: N802
        self._builder.branch(self._loops[-1][0])

    # ---- expressions

    def _value(self, node: ast.expr) -> _Value:
        handle: Callable[[Any], _Value] | None = getattr(self, f"_of_{type(node).__name__}", None)
        if handle is None:
            raise self._refuse(node, f"{type(node).__name__} is not part of the kernel's Python")
        return handle(node)

    def _truth(self, node: ast.expr) -> Any:
        return self._as(node, self._value(node), _BOOL).ir

    def _as(self, node: ast.AST, value: _Value, kind: Any) -> _Value:
        """Convert: integers become floats where floats are wanted; nothing else changes by itself."""
        if value.kind == kind:
            return value
        if kind == FLOAT and value.kind == INT:
            return _Value(FLOAT, self._builder.sitofp(value.ir, _F64))
        raise self._refuse(node, f"{kind} wanted, {value.kind} given")

    def _constant(self, node: ast.AST, value: Any) -> _Value:
        if isinstance(value, bool):
            return _Value(_BOOL, _I1(value))
        if isinstance(value, int):
            return _Value(INT, _I64(value))
        if isinstance(value, float):
            return _Value(FLOAT, _F64(value))
        raise self._refuse(node, f"{value!r} is not a number")

    def _of_Constant(self, node: ast.Constant) -> _Value:  # noqa: N802
        return self._constant(node, node.value)

    def _of_Name(self, node: ast.Name) -> _Value:  # noqa: N802
        known = self._locals.get(node.id)
        if known is not None:
            return _Value(known.kind, self._builder.load(known.ir))
        return self._constant(node, self._global(node))

    def _global(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            if node.id in self._globals:
                return self._globals[node.id]
            builtin = _BUILTINS.get(node.id)
            if builtin is not None:
                return builtin
        elif isinstance(node, ast.Attribute):
            owner = self._global(node.value)
            if isinstance(owner, ModuleType):
                return getattr(owner, node.attr)
        raise self._refuse(node, f"unknown name {ast.unparse(node)}")

    def _of_Attribute(self, node: ast.Attribute) -> _Value:  # noqa: N802
        if isinstance(node.value, ast.Name) and node.value.id not in self._locals:
            return self._constant(node, self._global(node))
        kind, pointer = self._field(node, self._value(node.value), node.attr)
        return _Value(kind, self._builder.load(pointer))

    def _field(self, node: ast.AST, record: _Value, name: str) -> tuple[str, Any]:
        if (
            not isinstance(record.kind, np.dtype)
            or record.kind.fields is None
            or name not in record.kind.fields
        ):
            raise self._refuse(node, f"no field {name}")
        dtype, offset = record.kind.fields[name][:2]
        kind = FLOAT if dtype.kind == "f" else INT
        address = self._builder.add(record.ir, _I64(offset))
        return kind, self._builder.inttoptr(address, _IR_TYPES[kind].as_pointer())

    def _of_UnaryOp(self, node: ast.UnaryOp) -> _Value:  # noqa: N802
        if isinstance(node.op, ast.Not):
            return _Value(_BOOL, self._builder.not_(self._truth(node.operand)))
        if not isinstance(node.op, ast.USub):
            raise self._refuse(node, "only minus and not")
        value = self._value(node.operand)
        if value.kind == FLOAT:
            return _Value(FLOAT, self._builder.fneg(value.ir))
        return _Value(INT, self._builder.neg(self._as(node, value, INT).ir))

    def _of_BinOp(self, node: ast.BinOp) -> _Value:  # noqa: N802
        left, right = self._value(node.left), self._value(node.right)
        whole, floating = _ARITHMETIC.get(type(node.op), (None, None))
        if left.kind == INT and right.kind == INT and whole is not None:
            return _Value(INT, getattr(self._builder, whole)(left.ir, right.ir))
        if floating is None:
            raise self._refuse(node, f"{type(node.op).__name__} of {left.kind} and {right.kind}")
        left, right = self._as(node, left, FLOAT), self._as(node, right, FLOAT)
        return _Value(FLOAT, getattr(self._builder, floating)(left.ir, right.ir))

    def _of_Compare(self, node: ast.Compare) -> _Value:  # noqa: N802
        if len(node.ops) != 1:
            raise self._refuse(node, "compare two values at a time")
        left, right = self._value(node.left), self._value(node.comparators[0])
        sign = _COMPARE.get(type(node.ops[0]))
        if sign is None:
            raise self._refuse(node, f"{type(node.ops[0]).__name__} is not part of the kernel's Python")
        if left.kind == right.kind and left.kind in (INT, _BOOL):
            return _Value(_BOOL, self._builder.icmp_signed(sign, left.ir, right.ir))
        left, right = self._as(node, left, FLOAT), self._as(node, right, FLOAT)
        compare = self._builder.fcmp_unordered if sign == "!=" else self._builder.fcmp_ordered
        return _Value(_BOOL, compare(sign, left.ir, right.ir))

    def _of_BoolOp(self, node: ast.BoolOp) -> _Value:  # noqa: N802
        stops_on = isinstance(node.op, ast.Or)
        after = self._made.append_basic_block("decided")
        arrivals: list[tuple[Any, Any]] = []
        for index, each in enumerate(node.values):
            truth = self._truth(each)
            arrivals.append((truth, self._builder.block))
            if index + 1 == len(node.values):
                self._builder.branch(after)
                break
            more = self._made.append_basic_block("more")
            self._builder.cbranch(truth, after if stops_on else more, more if stops_on else after)
            self._builder.position_at_end(more)
        return _Value(_BOOL, self._join(after, _I1, arrivals))

    def _of_IfExp(self, node: ast.IfExp) -> _Value:  # noqa: N802
        condition = self._truth(node.test)
        then, otherwise, after = (self._made.append_basic_block(name) for name in ("then", "else", "after"))
        self._builder.cbranch(condition, then, otherwise)
        self._builder.position_at_end(then)
        first = self._value(node.body)
        then = self._builder.block
        self._builder.position_at_end(otherwise)
        second = self._value(node.orelse)
        kind = first.kind if first.kind == second.kind else FLOAT
        second = self._as(node, second, kind)
        otherwise = self._builder.block
        self._builder.branch(after)
        self._builder.position_at_end(then)
        first = self._as(node, first, kind)
        self._builder.branch(after)
        joined = self._join(after, _IR_TYPES[kind], [(first.ir, then), (second.ir, otherwise)])
        return _Value(kind, joined)

    def _join(self, block: Any, kind: Any, arrivals: list[tuple[Any, Any]]) -> Any:
        self._builder.position_at_end(block)
        joined = self._builder.phi(kind)
        for value, origin in arrivals:
            joined.add_incoming(value, origin)
        return joined

    # ---- calls

    def _of_Call(self, node: ast.Call) -> _Value:  # noqa: N802
        called = self._global(node.func)
        arguments = [self._value(each) for each in node.args]
        if isinstance(called, KernelFunction):
            if len(arguments) != len(called.arguments):
                raise self._refuse(node, f"{len(called.arguments)} arguments wanted, {len(arguments)} given")
            given = [
                self._as(node, value, kind).ir
                for value, kind in zip(arguments, called.arguments, strict=True)
            ]
            return _Value(called.returns, self._builder.call(self._declared[called.symbol], given))
        if isinstance(called, RecordWord):
            base = self._as(node, arguments[0], INT).ir
            if len(arguments) == 2:
                row = self._as(node, arguments[1], INT).ir
                base = self._builder.add(base, self._builder.mul(row, _I64(called.dtype.itemsize)))
            return _Value(called.dtype, base)
        if isinstance(called, ColumnWord):
            return self._column(node, called, arguments)
        if isinstance(called, CallbackWord):
            signature = ir.FunctionType(_I64, [_I64] * (len(arguments) - 1)).as_pointer()
            given = [self._as(node, value, INT).ir for value in arguments]
            target = self._builder.inttoptr(given[0], signature)
            return _Value(INT, self._builder.call(target, given[1:]))
        if called in _MATH:
            given = [self._as(node, value, FLOAT).ir for value in arguments]
            signature = ir.FunctionType(_F64, [_F64] * len(given))
            intrinsic = self._module.declare_intrinsic(_MATH[called], [_F64], signature)
            return _Value(FLOAT, self._builder.call(intrinsic, given))
        if called is int or called is float:
            return self._as(node, arguments[0], INT if called is int else FLOAT)
        if called is abs or called is min or called is max:
            return self._choice(node, called, arguments)
        raise self._refuse(node, f"{ast.unparse(node.func)} is not part of the kernel's Python")

    def _column(self, node: ast.Call, word: ColumnWord, arguments: list[_Value]) -> _Value:
        kind = FLOAT if word.floating else INT
        base = self._builder.inttoptr(self._as(node, arguments[0], INT).ir, _IR_TYPES[kind].as_pointer())
        element = self._builder.gep(
            base, [self._as(node, arguments[1], INT).ir], source_etype=_IR_TYPES[kind]
        )
        if not word.store:
            return _Value(kind, self._builder.load(element))
        self._builder.store(self._as(node, arguments[2], kind).ir, element)
        return _Value(INT, _I64(0))

    def _choice(self, node: ast.Call, called: Any, arguments: list[_Value]) -> _Value:
        kind = FLOAT if any(each.kind == FLOAT for each in arguments) else INT
        values = [self._as(node, each, kind).ir for each in arguments]
        if called is abs:
            if kind == FLOAT:
                return _Value(
                    FLOAT, self._builder.call(self._module.declare_intrinsic("llvm.fabs", [_F64]), values)
                )
            negative = self._builder.icmp_signed("<", values[0], _I64(0))
            return _Value(INT, self._builder.select(negative, self._builder.neg(values[0]), values[0]))
        if len(values) != 2:
            raise self._refuse(node, "min and max of two values")
        first, second = values
        sign = "<" if called is min else ">"
        compare = self._builder.fcmp_ordered if kind == FLOAT else self._builder.icmp_signed
        return _Value(kind, self._builder.select(compare(sign, second, first), second, first))


_BUILTINS: Final[dict[str, Any]] = {"abs": abs, "min": min, "max": max, "int": int, "float": float}
