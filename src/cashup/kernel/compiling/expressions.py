"""Rewrites the expressions of a user function: names, attributes of self, operators, calls."""

from __future__ import annotations

import ast
import builtins
from types import FunctionType, ModuleType
from typing import Any, NoReturn

import numpy as np

from cashup.kernel.compiling import api_calls, names
from cashup.kernel.compiling.errors import CannotCompile
from cashup.kernel.compiling.program import Chain, NotAField, Program, is_series, refusal
from cashup.kernel.compiling.refusals import REFUSED
from cashup.kernel.compiling.sources import outer_names

_BINARY = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.FloorDiv: "floor_divide",
    ast.Mod: "modulo",
}


class ExpressionRewriter(ast.NodeTransformer):
    """Rewrites the expressions of one function."""

    def __init__(
        self, program: Program, function: FunctionType, owner: type | None, tree: ast.FunctionDef
    ) -> None:
        self.program = program
        self.owner = owner
        self.tree = tree
        self.file = function.__code__.co_filename
        self.outer = outer_names(function)
        arguments = tree.args
        positional = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
        self.me = positional[0] if owner is not None and positional else None
        self.locals = set(positional) | {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }

    def refuse(self, node: ast.AST, reason: str, suggestion: str = "") -> NoReturn:
        """Give up at a node."""
        line = getattr(node, "lineno", self.tree.lineno)
        raise CannotCompile(reason, file=self.file, line=line, suggestion=suggestion)

    def generic_visit(self, node: ast.AST) -> ast.AST:  # noqa: D102 (of the base)
        refused = REFUSED.get(type(node))
        if refused is not None:
            self.refuse(node, *refused)
        return super().generic_visit(node)

    # ------------------------------------------------------------------ names and attributes

    def _self(self) -> ast.Name:
        assert self.me is not None
        return ast.Name(self.me, ast.Load())

    def _chain(self, node: ast.expr) -> Chain | None:
        """Return the attribute chain from self to a node, None when the node is something else."""
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id == self.me:
                return (node.attr,)
            before = self._chain(node.value)
            return None if before is None else (*before, node.attr)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            before = self._chain(node.value)
            place = node.slice.value
            return None if before is None or not isinstance(place, int) else (*before, place)
        return None

    def _value(self, node: ast.AST, chain: Chain) -> Any:
        try:
            return self.program.value(chain)
        except NotAField as e:
            raise refusal(e, self.file, getattr(node, "lineno", 0)) from None

    def _field(self, node: ast.AST, chain: Chain) -> str:
        try:
            return self.program.field(chain)
        except NotAField as e:
            raise refusal(e, self.file, getattr(node, "lineno", 0)) from None

    def visit_Name(self, node: ast.Name) -> Any:  # noqa: D102 (named after the node)
        if node.id in self.locals or isinstance(node.ctx, ast.Store):
            if node.id == self.me and isinstance(node.ctx, ast.Load):
                self.refuse(node, "self is passed on or used whole", "pass the values instead")
            return node
        value = self._outer(node)
        return self._constant(node, value, node.id)

    def _outer(self, node: ast.Name) -> Any:
        if node.id in self.outer:
            return self.outer[node.id]
        if hasattr(builtins, node.id):
            return getattr(builtins, node.id)
        self.refuse(node, f"the name {node.id!r} is not defined")

    def _constant(self, node: ast.expr, value: Any, spelled: str) -> ast.expr:
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, bool) or _is_number_or_tuple(value):
            plain = value if type(value) in (bool, int, float, tuple) else int(value)
            return ast.copy_location(ast.Constant(plain), node)
        kind = type(value).__name__
        self.refuse(node, f"{spelled} is a {kind}", "use numbers and tuples of numbers, or a field on self")

    def visit_Constant(self, node: ast.Constant) -> Any:  # noqa: D102 (named after the node)
        if node.value is None:
            self.refuse(node, "None", "use a number for 'nothing': 0, -1 or math.nan")
        if isinstance(node.value, (str, bytes)):
            self.refuse(node, "a text", "use an integer code")
        if isinstance(node.value, complex) or (isinstance(node.value, int) and abs(node.value) >= 2**63):
            self.refuse(node, f"the number {node.value}", "use floats and integers of 64 bits")
        return node

    def visit_Attribute(self, node: ast.Attribute) -> Any:  # noqa: D102 (named after the node)
        chain = self._chain(node)
        if chain is not None:
            return ast.copy_location(self._read_chain(node, chain), node)
        if isinstance(node.value, ast.Name) and node.value.id not in self.locals:
            outer = self._outer(node.value)
            if isinstance(outer, (ModuleType, type)) and hasattr(outer, node.attr):
                return self._constant(node, getattr(outer, node.attr), f"{node.value.id}.{node.attr}")
            self.refuse(node, f"{node.value.id}.{node.attr} is not known")
        return ast.copy_location(ast.Attribute(self.visit(node.value), node.attr, ast.Load()), node)

    def _read_chain(self, node: ast.Attribute | ast.Subscript, chain: Chain) -> ast.expr:
        first = str(chain[0])
        found = self.program.method(first)
        if found is not None and isinstance(found[0], property):
            head = self._read_property(node, first, *found)
            if len(chain) == 1:
                return head
            if isinstance(node, ast.Attribute):
                return ast.Attribute(self.visit(node.value), node.attr, ast.Load())
        value = self._value(node, chain)
        if isinstance(value, str):
            self.refuse(node, f"self.{first} is a text", "compare it with == only, or use an integer code")
        if callable(value) and not is_series(value):
            self.refuse(node, f"the method self.{first} is used without calling it")
        return ast.Attribute(self._self(), self._field(node, chain), ast.Load())

    def _read_property(self, node: ast.AST, name: str, value: Any, owner: type) -> ast.expr:
        if self.program.is_ours(owner):
            made = api_calls.read(self, name)
            if made is None:
                self.refuse(node, f"self.{name} cannot be read in compiled code")
            return made
        getter = value.fget
        if not isinstance(getter, FunctionType):
            self.refuse(node, f"the property self.{name} is not an ordinary function")
        return names.local(self.program.name_of(getter, owner), self._self())

    def visit_Subscript(self, node: ast.Subscript) -> Any:  # noqa: D102 (named after the node)
        chain = self._chain(node)
        if chain is not None and isinstance(self._tuple_behind(chain), tuple):
            return ast.copy_location(self._read_chain(node, chain), node)
        index = self.visit(node.slice)
        return ast.copy_location(names.call("item", self.visit(node.value), index), node)

    def _tuple_behind(self, chain: Chain) -> Any:
        try:
            return self.program.value(chain[:-1])
        except (NotAField, AttributeError, TypeError, IndexError):
            return None

    # ------------------------------------------------------------------ operators

    def visit_BinOp(self, node: ast.BinOp) -> Any:  # noqa: D102 (named after the node)
        kind = type(node.op)
        if kind is ast.Pow:
            return self._power(node)
        if kind not in _BINARY:
            self.refuse(node, *REFUSED[kind])
        made = names.call(_BINARY[kind], self.visit(node.left), self.visit(node.right))
        return ast.copy_location(made, node)

    def _power(self, node: ast.BinOp) -> Any:
        base, exponent = self.visit(node.left), self.visit(node.right)
        is_small = (
            isinstance(exponent, ast.Constant)
            and isinstance(exponent.value, int)
            and 0 <= exponent.value <= 64
        )
        return ast.copy_location(names.call("power_integer" if is_small else "power", base, exponent), node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:  # noqa: D102 (named after the node)
        operand = self.visit(node.operand)
        if isinstance(node.op, ast.Invert):
            self.refuse(node, *REFUSED[ast.Invert])
        if isinstance(node.op, ast.Not):
            return ast.copy_location(ast.UnaryOp(ast.Not(), operand), node)
        number: Any = operand.value if isinstance(operand, ast.Constant) else None
        if type(number) in (int, float):
            value = -number if isinstance(node.op, ast.USub) else number
            return ast.copy_location(ast.Constant(value), node)
        if isinstance(node.op, ast.UAdd):
            return operand
        return ast.copy_location(names.call("negate", operand), node)

    def visit_Compare(self, node: ast.Compare) -> Any:  # noqa: D102 (named after the node)
        if any(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            self.refuse(node, "a comparison with is", "use == with a number")
        folded = self._compared_text(node)
        if folded is not None:
            return ast.copy_location(ast.Constant(folded), node)
        left = self.visit(node.left)
        others = [self.visit(other) for other in node.comparators]
        return ast.copy_location(ast.Compare(left, node.ops, others), node)

    def _compared_text(self, node: ast.Compare) -> bool | None:
        """Decide `self.kind == "ema"` now: a text on self cannot change while compiled code runs."""
        if len(node.ops) != 1 or not isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            return None
        texts = [self._text(side) for side in (node.left, node.comparators[0])]
        if None in texts:
            return None
        return (texts[0] == texts[1]) == isinstance(node.ops[0], ast.Eq)

    def _text(self, node: ast.expr) -> str | None:
        value: Any = node.value if isinstance(node, ast.Constant) else None
        chain = self._chain(node)
        if chain is not None:
            try:
                value = self.program.value(chain)
            except (NotAField, AttributeError, TypeError, IndexError):
                value = None
        elif isinstance(node, ast.Name) and node.id not in self.locals:
            value = self.outer.get(node.id)
        return value if isinstance(value, str) else None

    # ------------------------------------------------------------------ calls

    def visit_Call(self, node: ast.Call) -> Any:  # noqa: D102 (named after the node)
        if any(isinstance(argument, ast.Starred) for argument in node.args) or any(
            keyword.arg is None for keyword in node.keywords
        ):
            self.refuse(node, "a call with * or **", "write the arguments out")
        called = node.func
        if isinstance(called, ast.Attribute):
            made = self._call_attribute(node, called)
        elif isinstance(called, ast.Name) and called.id not in self.locals:
            made = self._call_value(node, self._outer(called), called.id)
        else:
            self.refuse(node, "a call of a computed function", "call methods and module functions by name")
        return ast.fix_missing_locations(ast.copy_location(made, node))

    def _call_attribute(self, node: ast.Call, called: ast.Attribute) -> ast.expr:
        base = called.value
        if isinstance(base, ast.Name) and base.id == self.me:
            return self._call_method(node, called.attr, None)
        if isinstance(base, ast.Call) and isinstance(base.func, ast.Name) and base.func.id == "super":
            if base.args or self.owner is None:
                self.refuse(node, "super with arguments", "write super()")
            return self._call_method(node, called.attr, self.owner)
        if isinstance(base, ast.Name) and base.id not in self.locals:
            outer = self._outer(base)
            if isinstance(outer, (ModuleType, type)):
                return self._call_value(node, getattr(outer, called.attr, None), f"{base.id}.{called.attr}")
        self.refuse(node, f"the method .{called.attr}() is called on a value", "use operators and functions")

    def _call_method(self, node: ast.Call, name: str, after: type | None) -> ast.expr:
        found = self.program.method(name, after)
        if found is None:
            self.refuse(node, f"self.{name} is not a method of the class", "write it with def in the class")
        value, owner = found
        if self.program.is_ours(owner):
            made = api_calls.call_api(self, node, name)
            if made is None:
                self.refuse(node, f"self.{name}() cannot be called in compiled code")
            return made
        if name in vars(self.program.strategy):
            self.refuse(node, f"self.{name} was replaced on the instance")
        if isinstance(value, staticmethod):
            return self._call_function(node, value.__func__, None)
        if not isinstance(value, FunctionType):
            self.refuse(
                node, f"self.{name} is not an ordinary method", "write it with def, without decorators"
            )
        return self._call_function(node, value, owner)

    def _call_function(self, node: ast.Call, function: Any, owner: type | None) -> ast.expr:
        if not isinstance(function, FunctionType):
            self.refuse(node, "a call of something that is not an ordinary function")
        name = self.program.name_of(function, owner)
        arguments = [self.visit(argument) for argument in node.args]
        if owner is not None:
            arguments.insert(0, self._self())
        keywords = [ast.keyword(keyword.arg, self.visit(keyword.value)) for keyword in node.keywords]
        return ast.Call(ast.Name(name, ast.Load()), arguments, keywords)

    def _call_value(self, node: ast.Call, value: Any, spelled: str) -> ast.expr:
        made = api_calls.builtin(self, node, value)
        if made is not None:
            return made
        if isinstance(value, FunctionType):
            return self._call_function(node, value, None)
        module = getattr(value, "__module__", "") or ""
        if module == "math" or isinstance(value, np.ufunc):
            self.refuse(
                node, f"{spelled}() has no exact compiled form", "use the functions of math, abs and **"
            )
        self.refuse(node, f"{spelled}() cannot be called in compiled code", "compute it in prepare")


def _is_number_or_tuple(value: Any) -> bool:
    if isinstance(value, tuple):
        return bool(value) and all(type(part) in (int, float, bool) for part in value)
    if isinstance(value, int):
        return abs(value) < 2**63
    return isinstance(value, float)
