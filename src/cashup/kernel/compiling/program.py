"""What a strategy's compiled code is made of while it is being written: functions, fields, log texts."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

import numpy as np

from cashup.kernel.compiling.errors import CannotCompile
from cashup.kernel.compiling.strategy_type import (
    ARRAY,
    BOOLEAN,
    FLOAT,
    INTEGER,
    JOINED_SERIES,
    SERIES,
    FieldKind,
)

Chain = tuple[str | int, ...]

_DTYPES = {np.dtype(np.float64): "f8", np.dtype(np.int64): "i8", np.dtype(np.bool_): "b1"}


class NotAField(Exception):  # noqa: N818 (internal: becomes CannotCompile with its place)
    """Say why an attribute of a strategy cannot be a field."""

    def __init__(self, reason: str, suggestion: str = "") -> None:
        super().__init__(reason, suggestion)
        self.reason = reason
        self.suggestion = suggestion


class Program:
    """The functions one entry needs, found by following the calls from its callbacks.

    Attributes:
        strategy: The prepared instance; its values decide the kinds of the fields.
        base: The class every strategy inherits; its methods are not the user's.
        fields: Kind of every attribute the code uses, by chain ("fast_ma",) or ("bars", "close").
        trees: The rewritten functions by their name, with file and the names they refer to.
        texts: Texts of `self.log`, by place.
    """

    def __init__(self, strategy: Any, base: type) -> None:
        self.strategy = strategy
        self.base = base
        self.fields: dict[Chain, FieldKind] = {}
        self.assigned: set[str] = set()
        self.trees: dict[str, ast.FunctionDef] = {}
        self.files: dict[str, str] = {}
        self.externals: dict[str, Any] = {}
        self.texts: list[str] = []
        self.waiting: list[tuple[str, FunctionType, type | None]] = []
        self._names: dict[tuple[int, int], str] = {}

    def name_of(self, function: FunctionType, owner: type | None) -> str:
        """Return the name a function has in compiled code, and see to it that it gets there."""
        key = (id(function), id(owner))
        if key not in self._names:
            prefix = "function" if owner is None else f"method_{owner.__name__}"
            name = f"{prefix}_{function.__name__}_{len(self._names)}"
            self._names[key] = name
            self.waiting.append((name, function, owner))
        return self._names[key]

    @property
    def has_arrays(self) -> bool:
        """Whether the instance holds state arrays, whose elements are NumPy's numbers in Python."""
        return any(isinstance(value, np.ndarray) for value in vars(self.strategy).values())

    def method(self, name: str, after: type | None = None) -> tuple[Any, type] | None:
        """Return what a class says about `name`, and which class; after `after` for super()."""
        order = type(self.strategy).__mro__
        if after is not None:
            order = order[order.index(after) + 1 :]
        for owner in order:
            if name in vars(owner):
                return vars(owner)[name], owner
        return None

    def is_ours(self, owner: type) -> bool:
        """Tell whether a class is CashUp's, not the user's."""
        return owner in self.base.__mro__

    def value(self, chain: Chain) -> Any:
        """Return the value an attribute chain has on the prepared instance.

        Raises:
            NotAField: There is none.
        """
        value = self.strategy
        for step in chain:
            if isinstance(step, int):
                value = value[step]
            elif hasattr(type(value), "series") and value is not self.strategy:
                value = value.series(step)  # bars in callbacks: a field is a series, made when asked for
            else:
                try:
                    value = getattr(value, step)
                except AttributeError:
                    raise NotAField(
                        f"self.{_spelled(chain)} has no value when the run begins",
                        f"set self.{_spelled(chain)} in on_start or as a class attribute",
                    ) from None
        return value

    def field(self, chain: Chain) -> str:
        """Return the name of the field that holds an attribute chain.

        Raises:
            NotAField: Its value is of a kind compiled code cannot hold.
        """
        if chain not in self.fields:
            self.fields[chain] = kind_of(self.value(chain), _spelled(chain))
        return _spelled(chain)


def _spelled(chain: Iterable[str | int]) -> str:
    return ".".join(map(str, chain))


def is_series(value: Any) -> bool:
    """Tell whether a value is a series: a column with a frame, seen from the current bar."""
    return hasattr(value, "data") and hasattr(value, "frame") and not isinstance(value, np.ndarray)


def kind_of(value: Any, name: str) -> FieldKind:
    """Return how a value is kept in the block.

    Raises:
        NotAField: It cannot be.
    """
    if isinstance(value, (bool, np.bool_)):
        return FieldKind(BOOLEAN)
    if isinstance(value, (int, np.integer)):
        if not -(2**63) <= int(value) < 2**63:
            raise NotAField(f"self.{name} is an integer above 64 bits")
        return FieldKind(INTEGER)
    if isinstance(value, (float, np.floating)):
        return FieldKind(FLOAT)
    if is_series(value):
        return FieldKind(SERIES if value.frame.seen is None else JOINED_SERIES)
    if isinstance(value, np.ndarray):
        return _array_kind(value, name)
    raise _refused(value, name)


def _array_kind(value: np.ndarray[Any, Any], name: str) -> FieldKind:
    code = _DTYPES.get(value.dtype)
    if code is None or value.ndim not in (1, 2) or not value.flags.c_contiguous:
        raise NotAField(
            f"self.{name} is an array of {value.dtype} with {value.ndim} dimensions",
            "use one or two dimensions of float64, int64 or bool, contiguous in memory",
        )
    return FieldKind(ARRAY, code, value.ndim)


def _refused(value: Any, name: str) -> NotAField:
    kind = type(value).__name__
    if value is None:
        return NotAField(f"self.{name} is None", "use a number for 'nothing': 0, -1 or math.nan")
    if isinstance(value, str):
        return NotAField(f"self.{name} is a text", "use an integer code, or compare it with == only")
    if isinstance(value, (list, set, dict)):
        return NotAField(f"self.{name} is a {kind}", "use a NumPy array of fixed size made in on_start")
    return NotAField(f"self.{name} is a {kind}", "use numbers, series and NumPy arrays")


def refusal(error: NotAField, file: str, line: int) -> CannotCompile:
    """Return the same finding with its place."""
    return CannotCompile(error.reason, file=file, line=line, suggestion=error.suggestion)


UserFunction = Callable[..., Any]
