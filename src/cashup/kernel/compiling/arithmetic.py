"""Python's arithmetic on float64 and int64, exactly: where machine numbers cannot follow, the callback fails.

A compiled callback must never give another number than the same callback in Python. Python's integers do not
overflow, its division refuses zero, its `**` may leave the real numbers. Each function here either computes
what Python computes or raises; the run is then repeated in Python, which gives the exact result or the exact
error. Functions of `math` call the C library by address, so that the optimiser cannot put another formula in
its place (it turns `pow(x, 2.0)` into `x * x`, which may differ in the last bit).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir

from cashup.kernel.compiling.c_library import call_c
from cashup.kernel.compiling.numba_api import TypingError, cgutils, intrinsic, types

_I64 = ir.IntType(64)
_F64 = ir.DoubleType()
_EXACT: Final = 1 << 53  # integers up to here are exact as float64


def is_number(kind: Any) -> bool:
    """Tell whether a Numba type is a float, an integer or a truth value."""
    return isinstance(kind, (types.Float, types.Integer, types.Boolean))


def is_float(kind: Any) -> bool:
    """Tell whether a Numba type is a float."""
    return isinstance(kind, types.Float)


def number_result(*kinds: Any) -> Any:
    """Return the type arithmetic on these types gives: float64 if one is a float, else int64."""
    for kind in kinds:
        if not is_number(kind):
            raise TypingError(f"cashup: arithmetic on {_named(kind)}, where a number is needed")
    return types.float64 if any(map(is_float, kinds)) else types.int64


def _named(kind: Any) -> str:
    if isinstance(kind, types.NoneType):
        return "None"
    return getattr(kind, "described", str(kind))


def plain(kind: Any) -> Any:
    """Return a type without the knowledge of a literal's value."""
    return types.unliteral(kind)


def fail_if(context: Any, builder: Any, condition: Any, error: type[Exception], text: str) -> None:
    """Make the compiled function raise when `condition` holds."""
    with builder.if_then(condition, likely=False):
        context.call_conv.return_user_exc(builder, error, (text,))


Generate = Callable[[Any, Any, Any, Any], Any]


def _binary(name: str, on_floats: Generate, on_integers: Generate | None, always_float: bool = False) -> Any:
    """Return the intrinsic of a binary operator, given how it is generated for floats and for integers."""

    def operation(typing_context: Any, first: Any, second: Any) -> Any:
        common = number_result(first, second)
        if common == types.int64 and on_integers is None:
            raise TypingError(f"cashup: {name} of two integers")
        signature = (types.float64 if always_float else common)(plain(first), plain(second))

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            left, right = (
                context.cast(builder, value, kind, common)
                for value, kind in zip(args, signature.args, strict=True)
            )
            emit = on_floats if common == types.float64 else on_integers
            assert emit is not None
            return emit(context, builder, left, right)

        return signature, generate

    operation.__name__ = name
    return intrinsic(operation)


def _overflowing(instruction: str) -> Generate:
    def emit(context: Any, builder: Any, left: Any, right: Any) -> Any:
        pair = getattr(builder, f"{instruction}_with_overflow")(left, right)
        fail_if(context, builder, builder.extract_value(pair, 1), OverflowError, "integer above 64 bits")
        return builder.extract_value(pair, 0)

    return emit


def _plain_float(instruction: str) -> Generate:
    def emit(context: Any, builder: Any, left: Any, right: Any) -> Any:
        return getattr(builder, instruction)(left, right)

    return emit


def _refuse_zero(context: Any, builder: Any, divisor: Any) -> None:
    zero = ir.Constant(divisor.type, 0)
    is_zero = (
        builder.fcmp_ordered("==", divisor, zero)
        if divisor.type == _F64
        else builder.icmp_signed("==", divisor, zero)
    )
    fail_if(context, builder, is_zero, ZeroDivisionError, "division by zero")


def _divide(context: Any, builder: Any, left: Any, right: Any) -> Any:
    _refuse_zero(context, builder, right)
    return builder.fdiv(left, right)


def _divide_integers(context: Any, builder: Any, left: Any, right: Any) -> Any:
    _refuse_zero(context, builder, right)
    for value in (left, right):
        shifted = builder.add(value, ir.Constant(_I64, _EXACT))
        inexact = builder.icmp_unsigned(">", shifted, ir.Constant(_I64, 2 * _EXACT))
        fail_if(context, builder, inexact, OverflowError, "division of integers above 2**53")
    return builder.fdiv(builder.sitofp(left, _F64), builder.sitofp(right, _F64))


def _float_divmod(context: Any, builder: Any, left: Any, right: Any) -> tuple[Any, Any]:
    """Return floor quotient and remainder as CPython's float_divmod computes them."""
    _refuse_zero(context, builder, right)
    zero = ir.Constant(_F64, 0.0)
    one = ir.Constant(_F64, 1.0)
    remainder = call_c(builder, "fmod", left, right)
    quotient = builder.fdiv(builder.fsub(left, remainder), right)
    is_zero = builder.fcmp_ordered("==", remainder, zero)
    signs_differ = builder.xor(
        builder.fcmp_ordered("<", right, zero), builder.fcmp_ordered("<", remainder, zero)
    )
    adjust = builder.and_(signs_differ, builder.not_(is_zero))
    moved = builder.select(adjust, builder.fadd(remainder, right), remainder)
    quotient = builder.select(adjust, builder.fsub(quotient, one), quotient)
    signed_zero = call_c(builder, "copysign", zero, right)
    modulo = builder.select(is_zero, signed_zero, moved)
    floor = call_c(builder, "floor", quotient)
    floor = builder.select(
        builder.fcmp_ordered(">", builder.fsub(quotient, floor), ir.Constant(_F64, 0.5)),
        builder.fadd(floor, one),
        floor,
    )
    signed = call_c(builder, "copysign", zero, builder.fdiv(left, right))
    return builder.select(builder.fcmp_unordered("!=", quotient, zero), floor, signed), modulo


def _integer_divmod(context: Any, builder: Any, left: Any, right: Any) -> tuple[Any, Any]:
    _refuse_zero(context, builder, right)
    lowest = builder.icmp_signed("==", left, ir.Constant(_I64, -(1 << 63)))
    minus_one = builder.icmp_signed("==", right, ir.Constant(_I64, -1))
    fail_if(context, builder, builder.and_(lowest, minus_one), OverflowError, "integer above 64 bits")
    quotient, remainder = builder.sdiv(left, right), builder.srem(left, right)
    zero = ir.Constant(_I64, 0)
    adjust = builder.and_(
        builder.icmp_signed("!=", remainder, zero),
        builder.icmp_signed("<", builder.xor(remainder, right), zero),
    )
    return (
        builder.select(adjust, builder.sub(quotient, ir.Constant(_I64, 1)), quotient),
        builder.select(adjust, builder.add(remainder, right), remainder),
    )


add = _binary("addition", _plain_float("fadd"), _overflowing("sadd"))
subtract = _binary("subtraction", _plain_float("fsub"), _overflowing("ssub"))
multiply = _binary("multiplication", _plain_float("fmul"), _overflowing("smul"))
divide = _binary("division", _divide, _divide_integers, always_float=True)
floor_divide = _binary("floor division", lambda *a: _float_divmod(*a)[0], lambda *a: _integer_divmod(*a)[0])
modulo = _binary("remainder", lambda *a: _float_divmod(*a)[1], lambda *a: _integer_divmod(*a)[1])


def check_domain(context: Any, builder: Any, result: Any, args: tuple[Any, ...]) -> None:
    """Fail where `math` raises: a NaN from numbers, or an infinity from finite numbers."""
    numbers = _all(builder, [builder.fcmp_ordered("ord", value, value) for value in args])
    bad = builder.and_(_is_nan(builder, result), numbers)
    fail_if(context, builder, bad, ValueError, "math domain error")
    finite = _all(builder, [_is_finite(builder, value) for value in args])
    bad = builder.and_(builder.not_(_is_finite(builder, result)), finite)
    fail_if(context, builder, bad, OverflowError, "math range error")


def _all(builder: Any, conditions: list[Any]) -> Any:
    result = conditions[0]
    for condition in conditions[1:]:
        result = builder.and_(result, condition)
    return result


def _power(context: Any, builder: Any, left: Any, right: Any) -> Any:
    zero = ir.Constant(_F64, 0.0)
    zero_base = builder.and_(builder.fcmp_ordered("==", left, zero), builder.fcmp_ordered("<", right, zero))
    fail_if(context, builder, zero_base, ZeroDivisionError, "0.0 to a negative power")
    result = call_c(builder, "pow", left, right)
    check_domain(context, builder, result, (left, right))
    return result


power = _binary("power", _power, None)


@intrinsic(prefer_literal=True)
def power_integer(typing_context: Any, base: Any, exponent: Any) -> Any:
    """Return base ** a literal non-negative integer; of an integer base by multiplication, checked."""
    if not isinstance(exponent, types.IntegerLiteral):
        raise TypingError("cashup: power of two integers")
    count = exponent.literal_value

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if is_float(base):
            return _power(context, builder, args[0], ir.Constant(_F64, float(count)))
        value = context.cast(builder, args[0], signature.args[0], types.int64)
        result = ir.Constant(_I64, 1)
        for _ in range(count):
            result = _overflowing("smul")(context, builder, result, value)
        return result

    return number_result(base)(plain(base), exponent), generate


@intrinsic
def negate(typing_context: Any, value: Any) -> Any:
    """Return -value."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if signature.return_type == types.float64:
            return builder.fneg(context.cast(builder, args[0], signature.args[0], types.float64))
        number = context.cast(builder, args[0], signature.args[0], types.int64)
        return _overflowing("ssub")(context, builder, ir.Constant(_I64, 0), number)

    return number_result(value)(plain(value)), generate


@intrinsic
def absolute(typing_context: Any, value: Any) -> Any:
    """Return abs(value)."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if signature.return_type == types.float64:
            return call_c(builder, "fabs", context.cast(builder, args[0], signature.args[0], types.float64))
        number = context.cast(builder, args[0], signature.args[0], types.int64)
        negated = _overflowing("ssub")(context, builder, ir.Constant(_I64, 0), number)
        return builder.select(builder.icmp_signed("<", number, ir.Constant(_I64, 0)), negated, number)

    return number_result(value)(plain(value)), generate


def _to_integer(context: Any, builder: Any, number: Any) -> Any:
    limit = ir.Constant(_F64, float(1 << 62))
    inside = builder.and_(
        builder.fcmp_ordered("<", number, limit),
        builder.fcmp_ordered(">", number, ir.Constant(_F64, -float(1 << 62))),
    )
    fail_if(context, builder, builder.not_(inside), OverflowError, "cannot convert to an integer of 64 bits")
    return builder.fptosi(number, _I64)


def _rounding(name: str, c_function: str) -> Any:
    def operation(typing_context: Any, value: Any) -> Any:
        number_result(value)

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            if not is_float(signature.args[0]):
                return context.cast(builder, args[0], signature.args[0], types.int64)
            return _to_integer(context, builder, call_c(builder, c_function, args[0]))

        return types.int64(plain(value)), generate

    operation.__name__ = name
    return intrinsic(operation)


to_int = _rounding("to_int", "trunc")
round_to_int = _rounding("round_to_int", "rint")  # half to even, as Python's round
floor_to_int = _rounding("floor_to_int", "floor")
ceil_to_int = _rounding("ceil_to_int", "ceil")


@intrinsic(prefer_literal=True)
def round_to_digits(typing_context: Any, value: Any, digits: Any) -> Any:
    """Return round(value, digits): correctly rounded decimal digits, by the C library's own conversion."""
    if not is_float(value) or not isinstance(digits, types.IntegerLiteral):
        raise TypingError("cashup: round(x, n) of a float needs a literal n")

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        number = args[0]
        fail_if(
            context,
            builder,
            builder.not_(_is_finite(builder, number)),
            OverflowError,
            "cannot round this number",
        )
        module = builder.module
        pointer = ir.IntType(8).as_pointer()
        text = cgutils.alloca_once(builder, ir.ArrayType(ir.IntType(8), 512))
        buffer = builder.bitcast(text, pointer)
        form = context.insert_const_string(module, f"%.{digits.literal_value}f")
        kind = ir.FunctionType(ir.IntType(32), [pointer, _I64, pointer], var_arg=True)
        write = cgutils.get_or_insert_function(module, kind, "cashup_c_snprintf")
        builder.call(write, [buffer, ir.Constant(_I64, 512), form, number])
        read = cgutils.get_or_insert_function(
            module, ir.FunctionType(_F64, [pointer, pointer]), "cashup_c_strtod"
        )
        return builder.call(read, [buffer, ir.Constant(pointer, None)])

    return types.float64(plain(value), digits), generate


@intrinsic
def float_argument(typing_context: Any, value: Any) -> Any:
    """Return a number as float64."""
    number_result(value)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.cast(builder, args[0], signature.args[0], types.float64)

    return types.float64(plain(value)), generate


@intrinsic
def integer_argument(typing_context: Any, value: Any) -> Any:
    """Return an integer as int64; a float is refused."""
    if not isinstance(value, (types.Integer, types.Boolean)):
        raise TypingError(f"cashup: {_named(value)} where an integer is needed")

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.cast(builder, args[0], signature.args[0], types.int64)

    return types.int64(plain(value)), generate


@intrinsic
def truth(typing_context: Any, value: Any) -> Any:
    """Return bool(value); NaN is true."""
    number_result(value)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if is_float(signature.args[0]):
            return builder.fcmp_unordered("!=", args[0], ir.Constant(args[0].type, 0.0))
        return context.cast(builder, args[0], signature.args[0], types.boolean)

    return types.boolean(plain(value)), generate


def _extreme(name: str, is_better: str) -> Any:
    def operation(typing_context: Any, first: Any, second: Any) -> Any:
        common = number_result(first, second)

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            left, right = (
                context.cast(builder, value, kind, common)
                for value, kind in zip(args, signature.args, strict=True)
            )
            compare = builder.fcmp_ordered if common == types.float64 else builder.icmp_signed
            return builder.select(compare(is_better, right, left), right, left)

        return common(plain(first), plain(second)), generate

    operation.__name__ = name
    return intrinsic(operation)


minimum = _extreme("min", "<")
maximum = _extreme("max", ">")


def _test(name: str, emit: Callable[[Any, Any], Any]) -> Any:
    def operation(typing_context: Any, value: Any) -> Any:
        number_result(value)

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return emit(builder, context.cast(builder, args[0], signature.args[0], types.float64))

        return types.boolean(plain(value)), generate

    operation.__name__ = name
    return intrinsic(operation)


def _is_finite(builder: Any, value: Any) -> Any:
    return builder.fcmp_ordered("==", builder.fsub(value, value), ir.Constant(_F64, 0.0))


def _is_nan(builder: Any, value: Any) -> Any:
    return builder.fcmp_unordered("uno", value, value)


def _is_infinite(builder: Any, value: Any) -> Any:
    return builder.not_(builder.or_(_is_finite(builder, value), _is_nan(builder, value)))


is_nan = _test("isnan", _is_nan)
is_finite = _test("isfinite", _is_finite)
is_infinite = _test("isinf", _is_infinite)
