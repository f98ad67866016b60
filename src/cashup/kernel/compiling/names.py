"""Names compiled code refers to what is not the user's by, and the nodes that do."""

from __future__ import annotations

import ast

PREFIX = "_cu_"


def call(name: str, *arguments: ast.expr) -> ast.Call:
    """Return a call of one of our functions."""
    return ast.Call(ast.Name(PREFIX + name, ast.Load()), list(arguments), [])


def local(name: str, *arguments: ast.expr) -> ast.Call:
    """Return a call of another function of the program."""
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def constant(value: float | bool) -> ast.Constant:
    """Return a number as a node."""
    return ast.Constant(value)


def setter(field: str) -> str:
    """Return the name of the function that assigns to a field."""
    return f"set_{field}"
