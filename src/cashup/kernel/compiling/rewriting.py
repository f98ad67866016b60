"""Rewrites one user function so that compiled code means exactly what Python means.

Attributes of `self` become fields, calls of the strategy API become calls of the kernel, arithmetic becomes
the checked functions of `arithmetic`, names of the module become constants or further functions to compile.
What has no exact counterpart raises `CannotCompile` with file, line and a suggestion.
"""

from __future__ import annotations

import ast
from types import FunctionType
from typing import Any

import numpy as np

from cashup.kernel.compiling import names
from cashup.kernel.compiling.assignment import first_unassigned
from cashup.kernel.compiling.errors import CannotCompile
from cashup.kernel.compiling.expressions import ExpressionRewriter
from cashup.kernel.compiling.program import Program
from cashup.kernel.compiling.sources import tree_of


def rewrite(program: Program, name: str, function: FunctionType, owner: type | None) -> ast.FunctionDef:
    """Return the tree of `function` for compilation under `name`; what it uses is added to the program.

    Raises:
        CannotCompile: It uses something that only Python can do.
    """
    tree = tree_of(function)
    file = function.__code__.co_filename
    unassigned = first_unassigned(tree)
    made = Rewriter(program, function, owner, tree).result(name)
    if unassigned is not None:
        raise CannotCompile(
            f"{unassigned.id!r} may have no value here", file=file, line=unassigned.lineno,
            suggestion="assign it before, on every path",
        )  # fmt: skip
    return made


class Rewriter(ExpressionRewriter):
    """Rewrites one function: its statements here, its expressions in the base."""

    def result(self, name: str) -> ast.FunctionDef:
        """Return the rewritten function."""
        arguments = self.tree.args
        if arguments.vararg or arguments.kwarg or arguments.kwonlyargs:
            self.refuse(self.tree, "a function with * or ** arguments", "name its arguments")
        arguments.defaults = [self._constant_default(node) for node in arguments.defaults]
        for argument in (*arguments.posonlyargs, *arguments.args):
            argument.annotation = None
        body = [new for node in self.tree.body for new in self._statements(node)]
        made = ast.copy_location(
            ast.FunctionDef(
                name=name, args=arguments, body=body or [ast.Pass()], decorator_list=[], returns=None
            ),
            self.tree,
        )
        if hasattr(made, "type_params") or "type_params" in made._fields:
            made.type_params = []  # type: ignore[attr-defined,unused-ignore]  # Python 3.12 and later
        return made

    def _constant_default(self, node: ast.expr) -> ast.expr:
        new: ast.expr = self.visit(node)
        if not isinstance(new, ast.Constant):
            self.refuse(node, "a default value that is not a number", "use a number")
        return new

    # ------------------------------------------------------------------ statements

    def _statements(self, node: ast.stmt) -> list[ast.stmt]:
        new = self.visit(node)
        if new is None:
            return []
        return new if isinstance(new, list) else [new]

    def visit_Expr(self, node: ast.Expr) -> Any:  # noqa: D102, N802 (named after the node)
        if isinstance(node.value, ast.Constant):
            return ast.copy_location(ast.Pass(), node)  # a docstring, or an ellipsis
        value = self.visit(node.value)
        if isinstance(value, ast.Constant):  # super().on_bar() of a base that does nothing
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Expr(value), node)

    def visit_Return(self, node: ast.Return) -> Any:  # noqa: D102, N802 (named after the node)
        if node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None):
            return ast.copy_location(ast.Return(None), node)
        return ast.copy_location(ast.Return(self.visit(node.value)), node)

    def visit_If(self, node: ast.If) -> Any:  # noqa: D102, N802 (named after the node)
        test = self.visit(node.test)
        if isinstance(test, ast.Constant):  # a text parameter decides: the other branch need not compile
            taken = node.body if test.value else node.orelse
            return [new for child in taken for new in self._statements(child)] or [
                ast.copy_location(ast.Pass(), node)
            ]
        node.test = test
        node.body = [new for child in node.body for new in self._statements(child)]
        node.orelse = [new for child in node.orelse for new in self._statements(child)]
        return node

    def visit_Raise(self, node: ast.Raise) -> Any:  # noqa: D102, N802 (named after the node)
        # What is raised does not matter: the run is repeated in Python, which raises the real thing.
        error = ast.Call(ast.Name("RuntimeError", ast.Load()), [ast.Constant("raised by the strategy")], [])
        return ast.fix_missing_locations(ast.copy_location(ast.Raise(error, None), node))

    def visit_Assert(self, node: ast.Assert) -> Any:  # noqa: D102, N802 (named after the node)
        test = ast.copy_location(ast.UnaryOp(ast.Not(), self.visit(node.test)), node)
        failing = self.visit_Raise(ast.copy_location(ast.Raise(None, None), node))
        return ast.copy_location(ast.If(test, [failing], []), node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:  # noqa: D102, N802 (named after the node)
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return self._assign(node, node.target, self.visit(node.value))

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:  # noqa: D102, N802 (named after the node)
        target = node.target
        if isinstance(target, ast.Subscript) and any(isinstance(n, ast.Call) for n in ast.walk(target)):
            self.refuse(
                node, "a call inside the target of an assignment", "compute the index on a line before"
            )
        read = ast.copy_location(_loaded(target), node)
        value = self.visit(ast.copy_location(ast.BinOp(read, node.op, node.value), node))
        return self._assign(node, target, value)

    def visit_Assign(self, node: ast.Assign) -> Any:  # noqa: D102, N802 (named after the node)
        value = self.visit(node.value)
        if len(node.targets) == 1:
            return self._assign(node, node.targets[0], value)
        keep = ast.Name(f"_cu_value_{node.lineno}", ast.Store())
        made: list[ast.stmt] = [ast.fix_missing_locations(ast.copy_location(ast.Assign([keep], value), node))]
        for target in node.targets:
            made += _listed(self._assign(node, target, _loaded(keep)))
        return made

    def _assign(self, node: ast.stmt, target: ast.expr, value: ast.expr) -> Any:
        if isinstance(target, (ast.Tuple, ast.List)) and not all(
            isinstance(t, ast.Name) for t in target.elts
        ):
            return self._assign_parts(node, target, value)
        if isinstance(target, ast.Attribute):
            return self._expression(node, self._set_field(target, value))
        if isinstance(target, ast.Subscript):
            return self._expression(node, self._set_item(target, value))
        if isinstance(target, ast.Starred):
            self.refuse(node, "a starred target", "name every value")
        new = ast.Tuple(target.elts, ast.Store()) if isinstance(target, ast.List) else target
        return ast.fix_missing_locations(ast.copy_location(ast.Assign([new], value), node))

    def _assign_parts(self, node: ast.stmt, target: ast.Tuple | ast.List, value: ast.expr) -> list[ast.stmt]:
        parts = [f"_cu_part_{node.lineno}_{k}" for k in range(len(target.elts))]
        store = ast.Tuple([ast.Name(part, ast.Store()) for part in parts], ast.Store())
        made: list[ast.stmt] = [
            ast.fix_missing_locations(ast.copy_location(ast.Assign([store], value), node))
        ]
        for part, element in zip(parts, target.elts, strict=True):
            made += _listed(self._assign(node, element, ast.Name(part, ast.Load())))
        return made

    def _expression(self, node: ast.stmt, value: ast.expr) -> ast.Expr:
        return ast.fix_missing_locations(ast.copy_location(ast.Expr(value), node))

    def _set_field(self, target: ast.Attribute, value: ast.expr) -> ast.expr:
        chain = self._chain(target)
        if chain is None or len(chain) != 1:
            self.refuse(target, "an assignment to an attribute of something else than self")
        found = self.program.method(str(chain[0]))
        if found is not None and (self.program.is_ours(found[1]) and isinstance(found[0], property)):
            self.refuse(target, f"self.{chain[0]} cannot be assigned to")
        field = self._field(target, chain)
        self.program.assigned.add(field)
        setter = names.setter(field)
        self.program.externals[setter] = field
        return ast.copy_location(names.call(setter, self._self(), value), target)

    def _set_item(self, target: ast.Subscript, value: ast.expr) -> ast.expr:
        chain = self._chain(target.value)
        if chain is not None:
            array = self._value(target, chain)
            if isinstance(array, np.ndarray) and not array.flags.writeable:
                self.refuse(target, f"self.{chain[0]} is read-only", "copy it in prepare")
        container = self.visit(target.value)
        return ast.copy_location(names.call("set_item", container, self.visit(target.slice), value), target)


def _listed(made: Any) -> list[ast.stmt]:
    return made if isinstance(made, list) else [made]


def _loaded(node: ast.expr) -> ast.expr:
    """Return a target as an expression that reads it."""
    if isinstance(node, ast.Name):
        return ast.Name(node.id, ast.Load())
    if isinstance(node, ast.Attribute):
        return ast.Attribute(node.value, node.attr, ast.Load())
    assert isinstance(node, ast.Subscript)
    return ast.Subscript(node.value, node.slice, ast.Load())
