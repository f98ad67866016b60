"""Kernel functions: Python functions over int64 and float64, translated to machine code as one library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

INT: Final = "int"
FLOAT: Final = "float"


class KernelFunction(Generic[P, R]):
    """One function of the kernel: its source, its signature and, for Python, its machine code.

    Attributes:
        python: the function as written.
        arguments: INT or FLOAT for each argument.
        returns: INT or FLOAT.
        exported: callable from Python and from compiled strategies, under `symbol`.
        release_gil: a call from Python lets other threads run meanwhile.
        symbol: the linker's name.
        native: the machine code as a Python callable, loaded at the first call.
    """

    def __init__(
        self,
        python: Callable[P, R],
        arguments: tuple[str, ...],
        returns: str,
        *,
        exported: bool,
        release_gil: bool = False,
    ) -> None:
        self.python = python
        self.arguments = arguments
        self.returns = returns
        self.exported = exported
        self.release_gil = release_gil
        self.symbol = f"cashup_{python.__module__.rpartition('.')[2]}_{python.__name__}"
        self.native: Callable[P, R] = self._load
        self.__doc__ = python.__doc__

    def __call__(self, *arguments: P.args, **_: P.kwargs) -> R:
        """Call the machine code."""
        return self.native(*arguments)  # type: ignore[call-arg]  # machine code takes no keywords

    def _load(self, *arguments: P.args, **_: P.kwargs) -> R:
        """Stand in for `native` until the first call, which loads the library."""
        from cashup.kernel.library import from_python

        if not self.exported:
            raise TypeError(f"{self.symbol} is called by kernel functions only")
        self.native = from_python(self)
        return self.native(*arguments)


#: Every kernel function by symbol, in the order their modules define them.
REGISTRY: Final[dict[str, KernelFunction[..., Any]]] = {}


def internal(*arguments: str, returns: str = INT) -> Callable[[Callable[P, R]], KernelFunction[P, R]]:
    """Declare a function that only other kernel functions call."""

    def decorate(python: Callable[P, R]) -> KernelFunction[P, R]:
        return _register(KernelFunction(python, arguments, returns, exported=False))

    return decorate


def exported(
    *arguments: str, returns: str = INT, release_gil: bool = False
) -> Callable[[Callable[P, R]], KernelFunction[P, R]]:
    """Declare a function that Python and compiled strategies call too."""

    def decorate(python: Callable[P, R]) -> KernelFunction[P, R]:
        return _register(KernelFunction(python, arguments, returns, exported=True, release_gil=release_gil))

    return decorate


def _register(function: KernelFunction[P, R]) -> KernelFunction[P, R]:
    REGISTRY[function.symbol] = function
    return function
