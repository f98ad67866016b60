"""The functions of Python's `math`: the C library's numbers, and a failure where `math` raises."""

from __future__ import annotations

from typing import Any, Final

from cashup.kernel.compiling.arithmetic import check_domain, number_result, plain
from cashup.kernel.compiling.c_library import ONE_ARGUMENT, TWO_ARGUMENTS, call_c
from cashup.kernel.compiling.numba_api import intrinsic, types


def _math(name: str, count: int) -> Any:
    def one(typing_context: Any, value: Any) -> Any:
        return _math_call(name, (value,))

    def two(typing_context: Any, value: Any, other: Any) -> Any:
        return _math_call(name, (value, other))

    operation = one if count == 1 else two
    operation.__name__ = name
    return intrinsic(operation)


def _math_call(name: str, kinds: tuple[Any, ...]) -> Any:
    number_result(*kinds)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        values = tuple(
            context.cast(builder, value, kind, types.float64)
            for value, kind in zip(args, signature.args, strict=True)
        )
        result = call_c(builder, name, *values)
        check_domain(context, builder, result, values)
        return result

    return types.float64(*map(plain, kinds)), generate


#: Functions of `math` a compiled callback may call, by name.
MATH: Final = {name: _math(name, 1) for name in ONE_ARGUMENT} | {
    name: _math(name, 2) for name in TWO_ARGUMENTS
}
