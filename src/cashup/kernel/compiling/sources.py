"""The source of the user's functions, as syntax trees with the file's own line numbers."""

from __future__ import annotations

import ast
import copy
import linecache
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from cashup.kernel.compiling.errors import CannotCompile

#: Global of a module loaded from a file: its text as it was then, whatever the file says now.
SOURCE_TEXT: Final = "__cashup_source_text__"


def tree_of(function: Callable[..., Any]) -> ast.FunctionDef:
    """Return a copy of a function's syntax tree.

    Raises:
        CannotCompile: Its source is not known, as for code typed into an interpreter.
    """
    code = function.__code__
    text = function.__globals__.get(SOURCE_TEXT)
    if text is None:
        text = "".join(linecache.getlines(code.co_filename, function.__globals__))
    found = _functions(text, code.co_filename).get((code.co_name, code.co_firstlineno))
    if found is None:
        raise CannotCompile(
            f"the source of {function.__qualname__} is not known",
            file=code.co_filename,
            line=code.co_firstlineno,
            suggestion="define it with def in a file",
        )
    return copy.deepcopy(found)


@lru_cache(maxsize=64)
def _functions(text: str, file: str) -> dict[tuple[str, int], ast.FunctionDef]:
    try:
        tree = ast.parse(text, file)
    except SyntaxError:
        return {}  # the file was changed after it was loaded
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            first = min((decorator.lineno for decorator in node.decorator_list), default=node.lineno)
            found[node.name, first] = node
    return found


def outer_names(function: Callable[..., Any]) -> dict[str, Any]:
    """Return what the function's free names mean: its module's globals, and the names it closes over."""
    names = dict(function.__globals__)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            names[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            names.pop(name, None)
    return names
