"""Parameters of a strategy: declared on the class, checked, overridden per instance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast, overload

from cashup.model.errors import InputError, UnknownNameError, explain

T = TypeVar("T", int, float, bool, str)
Value = int | float | bool | str


class Parameter:
    """One declared parameter: its default, and the values an instance or a search may give it.

    Attributes:
        name: The attribute it was assigned to.
        default: Value when the instance says nothing.
        low: Smallest value allowed, or None.
        high: Largest value allowed, or None.
        step: Distance between neighbouring values of a search, or None.
        choices: The only values allowed, or None.
    """

    __slots__ = ("choices", "default", "high", "low", "name", "step")

    def __init__(
        self,
        default: Value,
        low: float | None,
        high: float | None,
        step: float | None,
        choices: tuple[Value, ...] | None,
    ) -> None:
        self.name = "parameter"
        self.default = default
        self.low = low
        self.high = high
        self.step = step
        self.choices = choices

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object | None, owner: type) -> Any:  # the default's own type
        # Instances carry their values in their own dictionary, which Python looks into first.
        return self if instance is None else self.default

    def __repr__(self) -> str:
        return f"param({self.default!r}: {self.allowed})"

    @property
    def allowed(self) -> str:
        """What values are allowed, in words."""
        if self.choices is not None:
            return "one of " + ", ".join(map(repr, self.choices))
        kind = {bool: "True or False", int: "an integer", float: "a number", str: "a text"}[
            type(self.default)
        ]
        if self.low is not None and self.high is not None:
            return f"{kind} from {self.low} to {self.high}"
        if self.low is not None:
            return f"{kind} of at least {self.low}"
        return kind if self.high is None else f"{kind} of at most {self.high}"

    def checked(self, value: object, strategy: str) -> Value:
        """Return `value` in the parameter's type.

        Raises:
            InputError: It has another type or lies outside what is allowed.
        """
        converted = self._converted(value)
        if converted is None or not self._allows(converted):
            raise InputError(
                explain(f"{strategy}({self.name}={value!r}) is not allowed", expected=self.allowed),
                field=self.name,
            )
        return converted

    def grid(self) -> Iterator[Value]:
        """Yield every value a search by grid tries: the choices, or low to high by step (1 for integers)."""
        if self.choices is not None:
            yield from self.choices
        elif isinstance(self.default, bool):
            yield from (False, True)
        elif isinstance(self.default, str) or self.low is None or self.high is None:
            yield self.default
        else:
            step = self.step or (1 if isinstance(self.default, int) else (self.high - self.low) / 10 or 1.0)
            count = math.floor((self.high - self.low) / step + 1e-9) + 1
            for index in range(count):
                value = self.low + index * step
                yield round(value) if isinstance(self.default, int) else value

    def _converted(self, value: object) -> Value | None:
        kind = type(self.default)
        if hasattr(value, "item") and not isinstance(value, str):
            value = cast("Any", value).item()  # a NumPy scalar
        if kind is bool or isinstance(value, bool):
            return value if kind is bool and isinstance(value, bool) else None
        if kind is float and isinstance(value, (int, float)):
            return float(value) if math.isfinite(value) else None
        if kind is int and isinstance(value, float) and value.is_integer():
            return int(value)
        return value if isinstance(value, kind) else None

    def _allows(self, value: Value) -> bool:
        if self.choices is not None:
            return value in self.choices
        if isinstance(value, str):
            return True
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def check_declaration(self, owner: type) -> None:
        """Check the declaration itself.

        Raises:
            InputError: The default is of another type or not allowed, or the range is empty.
        """
        where = f"{owner.__name__}.{self.name}"
        if type(self.default) not in (int, float, bool, str):
            raise InputError(
                explain(
                    f"{where} has the default {self.default!r}",
                    expected="an integer, a number, True, False or a text",
                ),
                field=self.name,
            )
        if self.low is not None and self.high is not None and self.low > self.high:
            raise InputError(explain(f"{where} has low={self.low} above high={self.high}"), field=self.name)
        if self.step is not None and self.step <= 0:
            raise InputError(explain(f"{where} has step={self.step}", expected="above 0"), field=self.name)
        self.default = self.checked(self.default, owner.__name__)


@overload
def param(
    default: T,
    low: float | None = ...,
    high: float | None = ...,
    step: float | None = ...,
    *,
    choices: Sequence[T] | None = ...,
) -> T: ...
@overload
def param(*, choices: Sequence[T]) -> T: ...
def param(
    default: Any = None,
    low: float | None = None,
    high: float | None = None,
    step: float | None = None,
    *,
    choices: Sequence[Any] | None = None,
) -> Any:
    """Declare a parameter of a strategy; on an instance the attribute is the plain value.

    Args:
        default: Value when the instance says nothing; its type is the parameter's type. Without one, the
            first choice.
        low: Smallest value allowed.
        high: Largest value allowed.
        step: Distance between the values a search tries; 1 for integers when not given.
        choices: The only values allowed, instead of a range.

    Raises:
        InputError: Neither a default nor choices, or (when the class is made) a default that is not allowed.
    """
    options = None if choices is None else tuple(choices)
    if default is None:
        if not options:
            raise InputError(explain("param() has no default", expected="param(10, low=5, high=60)"))
        default = options[0]
    return Parameter(default, low, high, step, options)


def parameters_of(strategy: type) -> dict[str, Parameter]:
    """Return the parameters a strategy class declares, its bases' first, in order of declaration."""
    found: dict[str, Parameter] = {}
    for owner in reversed(strategy.__mro__):
        for name, value in vars(owner).items():
            if isinstance(value, Parameter):
                found[name] = value
            else:
                found.pop(name, None)  # a subclass fixed the parameter to a plain value
    return found


def checked_overrides(strategy: type, overrides: Mapping[str, object]) -> dict[str, Value]:
    """Return the value of every parameter, overrides included.

    Raises:
        UnknownNameError: An override names no parameter; the message offers the near miss.
        InputError: A value is not allowed.
    """
    declared = parameters_of(strategy)
    for name in overrides:
        if name not in declared:
            raise UnknownNameError(f"parameter of {strategy.__name__}", name, declared, field=name)
    return {
        name: parameter.checked(overrides[name], strategy.__name__)
        if name in overrides
        else parameter.default
        for name, parameter in declared.items()
    }
