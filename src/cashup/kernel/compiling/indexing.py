"""Reading series and state arrays from compiled callbacks, with Python's rules for indices."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from cashup.kernel.compiling.arithmetic import fail_if, is_number
from cashup.kernel.compiling.numba_api import TypingError, cgutils, intrinsic, types
from cashup.kernel.compiling.strategy_type import ArrayType, JoinedSeriesType, SeriesType

_I64 = ir.IntType(64)
_F64 = ir.DoubleType()


def _is_index(kind: Any) -> bool:
    return isinstance(kind, (types.Integer, types.Boolean))


@intrinsic(prefer_literal=True)
def item(typing_context: Any, container: Any, index: Any) -> Any:
    """Return container[index] for a series, a state array or a tuple."""
    if isinstance(container, (SeriesType, JoinedSeriesType)):
        return _series_item(container, index)
    if isinstance(container, ArrayType):
        return _array_item(container, index)
    return _tuple_item(container, index)


def _tuple_item(container: Any, index: Any) -> Any:
    if not isinstance(container, types.BaseTuple) or not isinstance(index, types.IntegerLiteral):
        raise TypingError(f"cashup: {getattr(container, 'described', container)} cannot be indexed like this")
    place = index.literal_value
    if not -len(container) <= place < len(container):
        raise TypingError(f"cashup: index {place} of a tuple of {len(container)}")

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.extract_value(args[0], place % len(container))

    return types.unliteral(container[place])(container, index), generate


def _series_item(container: Any, index: Any) -> Any:
    if not _is_index(index):
        raise TypingError("cashup: a Series is indexed by an integer, the number of bars ago")

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        ago = context.cast(builder, args[1], signature.args[1], types.int64)
        negative = builder.icmp_signed("<", ago, ir.Constant(_I64, 0))
        fail_if(context, builder, negative, IndexError, "a Series cannot look ahead")
        return _load_bar(context, builder, container, args[0], ago)

    return types.float64(container, types.unliteral(index)), generate


def _load_bar(context: Any, builder: Any, container: Any, series: Any, ago: Any) -> Any:
    """Load the value of a series `ago` bars ago, NaN before its first bar."""
    view = cgutils.create_struct_proxy(container)(context, builder, value=series)
    current = builder.load(builder.inttoptr(view.cursor, _I64.as_pointer()))
    if isinstance(container, JoinedSeriesType):
        current = builder.load(builder.gep(builder.inttoptr(view.seen, _I64.as_pointer()), [current]))
    place = builder.sub(current, ago)
    result = cgutils.alloca_once_value(builder, ir.Constant(_F64, float("nan")))
    with builder.if_then(builder.icmp_signed(">=", place, ir.Constant(_I64, 0)), likely=True):
        data = builder.inttoptr(view.data, _F64.as_pointer())
        builder.store(builder.load(builder.gep(data, [place])), result)
    return builder.load(result)


def _crossing(name: str, now: str, before: str) -> Any:
    """Return the intrinsic that compares a series with another or with a number, now and one bar ago."""

    def operation(typing_context: Any, first: Any, second: Any) -> Any:
        if not isinstance(first, (SeriesType, JoinedSeriesType)):
            raise TypingError(f"cashup: the first argument of {name} is a Series")
        if not isinstance(second, (SeriesType, JoinedSeriesType)) and not is_number(second):
            raise TypingError(f"cashup: the second argument of {name} is a Series or a number")

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            def value(place: int, ago: int) -> Any:
                kind = signature.args[place]
                if is_number(kind):
                    return context.cast(builder, args[place], kind, types.float64)
                return _load_bar(context, builder, kind, args[place], ir.Constant(_I64, ago))

            return builder.and_(
                builder.fcmp_ordered(now, value(0, 0), value(1, 0)),
                builder.fcmp_ordered(before, value(0, 1), value(1, 1)),
            )

        return types.boolean(first, types.unliteral(second)), generate

    operation.__name__ = name
    return intrinsic(operation)


crossed_above = _crossing("crossed_above", ">", "<=")
crossed_below = _crossing("crossed_below", "<", ">=")


def _element_type(container: Any) -> Any:
    return {"f8": _F64, "i8": _I64, "b1": ir.IntType(8)}[container.dtype]


def _checked_place(context: Any, builder: Any, index: Any, length: Any) -> Any:
    zero = ir.Constant(_I64, 0)
    wrapped = builder.select(builder.icmp_signed("<", index, zero), builder.add(index, length), index)
    outside = builder.icmp_unsigned(">=", wrapped, length)
    fail_if(context, builder, outside, IndexError, "index outside the array")
    return wrapped


def _element_pointer(
    context: Any, builder: Any, container: Any, index_type: Any, view: Any, index: Any
) -> Any:
    if container.ndim == 1:
        place = context.cast(builder, index, index_type, types.int64)
        place = _checked_place(context, builder, place, view.rows)
    else:
        row, column = (
            context.cast(builder, builder.extract_value(index, k), index_type[k], types.int64) for k in (0, 1)
        )
        row = _checked_place(context, builder, row, view.rows)
        column = _checked_place(context, builder, column, view.columns)
        place = builder.add(builder.mul(row, view.columns), column)
    return builder.gep(builder.inttoptr(view.data, _element_type(container).as_pointer()), [place])


def _check_array_index(container: Any, index: Any) -> Any:
    plain = types.unliteral(index)
    if container.ndim == 1 and _is_index(plain):
        return plain
    if (
        container.ndim == 2
        and isinstance(plain, types.BaseTuple)
        and len(plain) == 2
        and all(map(_is_index, plain))
    ):
        return plain
    raise TypingError(f"cashup: an array of {container.ndim} dimension(s) is indexed by as many integers")


def _array_item(container: Any, index: Any) -> Any:
    plain = _check_array_index(container, index)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        view = cgutils.create_struct_proxy(container)(context, builder, value=args[0])
        value = builder.load(_element_pointer(context, builder, container, signature.args[1], view, args[1]))
        if container.dtype == "b1":
            return builder.icmp_unsigned("!=", value, ir.Constant(value.type, 0))
        return value

    return container.element(container, plain), generate


@intrinsic
def set_item(typing_context: Any, container: Any, index: Any, value: Any) -> Any:
    """Assign container[index] = value for a state array."""
    if not isinstance(container, ArrayType):
        raise TypingError(f"cashup: {getattr(container, 'described', container)} cannot be written to")
    plain_index = _check_array_index(container, index)
    plain = types.unliteral(value)
    allowed = {
        "f8": (types.Float, types.Integer, types.Boolean),
        "i8": (types.Integer, types.Boolean),
        "b1": (types.Boolean,),
    }[container.dtype]
    if not isinstance(plain, allowed):
        raise TypingError(f"cashup: {plain} is written into an array of {container.element}")

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        view = cgutils.create_struct_proxy(container)(context, builder, value=args[0])
        pointer = _element_pointer(context, builder, container, signature.args[1], view, args[1])
        stored = context.cast(builder, args[2], signature.args[2], container.element)
        if container.dtype == "b1":
            stored = builder.zext(stored, ir.IntType(8))
        builder.store(stored, pointer)
        return context.get_dummy_value()

    return types.void(container, plain_index, plain), generate


@intrinsic
def length(typing_context: Any, container: Any) -> Any:
    """Return len(container) for a state array or a tuple."""
    if isinstance(container, types.BaseTuple):
        count = len(container)

        def constant(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return ir.Constant(_I64, count)

        return types.int64(container), constant
    if not isinstance(container, ArrayType):
        raise TypingError(f"cashup: {getattr(container, 'described', container)} has no length in a callback")

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return cgutils.create_struct_proxy(container)(context, builder, value=args[0]).rows

    return types.int64(container), generate
