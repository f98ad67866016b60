"""What of Python's syntax compiled callbacks cannot hold, in words, and what to write instead."""

from __future__ import annotations

import ast
from typing import Final

REFUSED: Final[dict[type[ast.AST], tuple[str, str]]] = {
    ast.JoinedStr: ("an f-string", "write self.log('x is {}', x)"),
    ast.Dict: ("a dict", "use fields on self or a NumPy array made in on_start"),
    ast.Set: ("a set", "use comparisons, or a NumPy array made in on_start"),
    ast.List: ("a list", "use a tuple, or a NumPy array made in on_start"),
    ast.ListComp: ("a list comprehension", "use a for loop over range(...)"),
    ast.SetComp: ("a set comprehension", "use a for loop over range(...)"),
    ast.DictComp: ("a dict comprehension", "use a for loop over range(...)"),
    ast.GeneratorExp: ("a generator expression", "use a for loop over range(...)"),
    ast.Lambda: ("a lambda", "write a method or a plain function with def"),
    ast.FunctionDef: ("a function inside a function", "move it to the module or the class"),
    ast.AsyncFunctionDef: ("an async function", "callbacks are ordinary functions"),
    ast.ClassDef: ("a class inside a function", "move it to the module"),
    ast.Try: ("try/except", "test for the condition instead"),
    ast.With: ("a with statement", "open files in on_start or on_stop"),
    ast.Import: ("an import inside a callback", "import at the top of the module"),
    ast.ImportFrom: ("an import inside a callback", "import at the top of the module"),
    ast.Global: ("a global variable", "keep state on self"),
    ast.Nonlocal: ("a nonlocal variable", "keep state on self"),
    ast.Delete: ("a del statement", "assign another value instead"),
    ast.Match: ("a match statement", "use if and elif"),
    ast.Starred: ("a starred expression", "write the arguments out"),
    ast.NamedExpr: ("an assignment inside an expression", "assign on a line of its own"),
    ast.Yield: ("yield", "callbacks return nothing"),
    ast.YieldFrom: ("yield from", "callbacks return nothing"),
    ast.Await: ("await", "callbacks are ordinary functions"),
    ast.Slice: ("a slice", "use a for loop over range(...)"),
    ast.BitAnd: ("bit arithmetic", "use and, or, not"),
    ast.BitOr: ("bit arithmetic", "use and, or, not"),
    ast.BitXor: ("bit arithmetic", "use !="),
    ast.LShift: ("bit arithmetic", "multiply by a power of two"),
    ast.RShift: ("bit arithmetic", "use // with a power of two"),
    ast.Invert: ("the operator ~", "use not"),
    ast.MatMult: ("the operator @", "use a for loop"),
}
