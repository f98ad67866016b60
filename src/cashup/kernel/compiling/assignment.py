"""Definite assignment: whether every local variable has a value wherever it is read.

Python raises UnboundLocalError at such a place; compiled code would read garbage. A function where it cannot
be told is left to Python.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence


def first_unassigned(function: ast.FunctionDef) -> ast.Name | None:
    """Return the first read of a local variable that may not have a value yet, or None."""
    parameters = {argument.arg for argument in (*function.args.posonlyargs, *function.args.args)}
    stored = {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    flow = _Flow(stored | parameters)
    flow.block(function.body, parameters)
    return flow.found


class _Flow:
    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.found: ast.Name | None = None

    def block(self, body: Sequence[ast.stmt], assigned: set[str]) -> set[str] | None:
        """Return what is assigned after the statements, None when they never come to their end."""
        state: set[str] | None = set(assigned)
        for statement in body:
            if state is None:
                break
            state = self.statement(statement, state)
        return state

    def statement(self, node: ast.stmt, assigned: set[str]) -> set[str] | None:
        if isinstance(node, ast.If):
            self.reads(node.test, assigned)
            return _merged(self.block(node.body, assigned), self.block(node.orelse, assigned))
        if isinstance(node, (ast.For, ast.While)):
            return self.loop(node, assigned)
        self.reads(node, assigned)
        if isinstance(node, (ast.Return, ast.Raise, ast.Break, ast.Continue)):
            return None
        return assigned | _stores(node)

    def loop(self, node: ast.For | ast.While, assigned: set[str]) -> set[str]:
        if isinstance(node, ast.For):
            self.reads(node.iter, assigned)
            self.block(node.body, assigned | _stores(node.target))
        else:
            self.reads(node.test, assigned)
            self.block(node.body, assigned)
        self.block(node.orelse, assigned)
        return assigned

    def reads(self, node: ast.AST, assigned: set[str]) -> None:
        for name in ast.walk(node):
            is_read = isinstance(name, ast.Name) and isinstance(name.ctx, ast.Load)
            if isinstance(node, ast.AugAssign) and name is node.target:
                is_read = True
            if is_read and isinstance(name, ast.Name) and name.id in self.names - assigned:
                self.found = self.found or name


def _stores(node: ast.AST) -> set[str]:
    return {
        name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    }


def _merged(first: set[str] | None, second: set[str] | None) -> set[str] | None:
    if first is None or second is None:
        return first if second is None else second
    return first & second
