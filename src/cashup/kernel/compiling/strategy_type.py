"""The Numba types a compiled strategy is made of: its block, series, state arrays, position and rows.

A strategy's value is a pointer to its block, an array of eight-byte slots. Slot 0 holds the address of the
run, slot 1 that of the log table, slot 2 that of the function that ends it (0 = none); fields follow, at
offsets that are part of the type.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from llvmlite import ir

from cashup.kernel import types as kt
from cashup.kernel.compiling import accounts
from cashup.kernel.compiling.arithmetic import fail_if
from cashup.kernel.compiling.numba_api import (
    AttributeTemplate,
    TypingError,
    cgutils,
    infer_getattr,
    intrinsic,
    lower_getattr_generic,
    models,
    register_model,
    types,
)

_I64 = ir.IntType(64)
_F64 = ir.DoubleType()
_BYTE_POINTER = ir.IntType(8).as_pointer()

RUN_SLOT: Final = 0
LOG_SLOT: Final = 1
STOP_SLOT: Final = 2
FIRST_FIELD_SLOT: Final = 3

FLOAT: Final = "float"
INTEGER: Final = "int"
BOOLEAN: Final = "bool"
SERIES: Final = "Series"
JOINED_SERIES: Final = "joined Series"
ARRAY: Final = "array"


class FieldKind(NamedTuple):
    """What a slot holds: one of the names above; of arrays also dtype code and number of dimensions."""

    name: str
    dtype: str = ""
    ndim: int = 0

    @property
    def slots(self) -> int:
        """How many slots it takes."""
        return {JOINED_SERIES: 2, ARRAY: 3}.get(self.name, 1)


class SeriesType(types.Type):
    """A column seen through the cursor of the decision bars."""

    described = "a Series"

    def __init__(self) -> None:
        super().__init__("cashup.Series")


class JoinedSeriesType(types.Type):
    """A column of other bars, seen through the index of the last one closed."""

    described = "a Series"

    def __init__(self) -> None:
        super().__init__("cashup.JoinedSeries")


class ArrayType(types.Type):
    """A state array of the strategy, used in place."""

    described = "an array"

    def __init__(self, dtype: str, ndim: int) -> None:
        self.dtype = dtype
        self.ndim = ndim
        super().__init__(f"cashup.Array({dtype}, {ndim})")

    @property
    def element(self) -> Any:
        """Numba type of an element."""
        return {"f8": types.float64, "i8": types.int64, "b1": types.boolean}[self.dtype]


class PositionType(types.Type):
    """A position of the run, read at every look."""

    described = "a position"

    def __init__(self) -> None:
        super().__init__("cashup.Position")


class RowType(types.Type):
    """A copy of one row of a kernel table: an order, a fill or a payment."""

    def __init__(self, name: str, dtype: Any) -> None:
        self.described = f"a {name}"
        self.members = {
            field: types.float64 if kind.kind == "f" else types.int64
            for field, (kind, _) in dtype.fields.items()
        }
        self.itemsize = dtype.itemsize
        super().__init__(f"cashup.Row({name})")


class StrategyType(types.Type):
    """A strategy: a pointer to a block of this layout."""

    described = "self"

    def __init__(self, fields: tuple[tuple[str, FieldKind], ...]) -> None:
        self.fields: dict[str, tuple[FieldKind, int]] = {}
        slot = FIRST_FIELD_SLOT
        for name, kind in fields:
            self.fields[name] = (kind, slot)
            slot += kind.slots
        self.slots = slot
        super().__init__(f"cashup.Strategy({tuple((name, tuple(kind)) for name, kind in fields)})")


series_type = SeriesType()
joined_series_type = JoinedSeriesType()
position_type = PositionType()
order_type = RowType("order", kt.ORDER)
fill_type = RowType("fill", kt.FILL)
payment_type = RowType("payment", kt.PAYMENT)


@register_model(StrategyType)
class _StrategyModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _BYTE_POINTER)


def _struct_model(of: type, members: list[str]) -> None:
    class Model(models.StructModel):
        def __init__(self, manager: Any, kind: Any) -> None:
            super().__init__(manager, kind, [(name, types.int64) for name in members])

    register_model(of)(Model)


_struct_model(SeriesType, ["data", "cursor"])
_struct_model(JoinedSeriesType, ["data", "cursor", "seen"])
_struct_model(ArrayType, ["data", "rows", "columns"])
_struct_model(PositionType, ["run", "instrument"])


@register_model(RowType)
class _RowModel(models.StructModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, list(kind.members.items()))


def _numba_type(kind: FieldKind) -> Any:
    if kind.name == ARRAY:
        return ArrayType(kind.dtype, kind.ndim)
    return {
        FLOAT: types.float64,
        INTEGER: types.int64,
        BOOLEAN: types.boolean,
        SERIES: series_type,
        JOINED_SERIES: joined_series_type,
    }[kind.name]


def _slot_pointer(builder: Any, block: Any, slot: int, element: Any) -> Any:
    moved = builder.gep(block, [ir.Constant(_I64, 8 * slot)])
    return builder.bitcast(moved, element.as_pointer())


def _load_at(builder: Any, address: Any, offset: Any, element: Any) -> Any:
    """Load what lies `offset` bytes after an address."""
    shift = ir.Constant(_I64, offset) if isinstance(offset, int) else offset
    return builder.load(builder.inttoptr(builder.add(address, shift), element.as_pointer()))


def _offset(dtype: Any, field: str) -> int:
    return int(dtype.fields[field][1])


@infer_getattr
class _StrategyAttributes(AttributeTemplate):
    key = StrategyType

    def generic_resolve(self, kind: Any, name: str) -> Any:
        field = kind.fields.get(name)
        return None if field is None else _numba_type(field[0])


@lower_getattr_generic(StrategyType)
def _load_field(context: Any, builder: Any, kind: Any, block: Any, name: str) -> Any:
    field, slot = kind.fields[name]
    if field.name == FLOAT:
        return builder.load(_slot_pointer(builder, block, slot, _F64))
    words = [builder.load(_slot_pointer(builder, block, slot + k, _I64)) for k in range(field.slots)]
    if field.name == INTEGER:
        return words[0]
    if field.name == BOOLEAN:
        return builder.icmp_unsigned("!=", words[0], ir.Constant(_I64, 0))
    view = cgutils.create_struct_proxy(_numba_type(field))(context, builder)
    names = ("data", "rows", "columns") if field.name == ARRAY else ("data", "seen")
    for member, word in zip(names, words, strict=False):
        setattr(view, member, word)
    if field.name != ARRAY:
        # Derived from the run and not kept per series, so that the optimiser sees that all share one cursor.
        run = builder.load(_slot_pointer(builder, block, RUN_SLOT, _I64))
        view.cursor = builder.add(run, ir.Constant(_I64, _offset(kt.RUN, "d")))
    return view._getvalue()


def setter_of(name: str) -> Any:
    """Return the intrinsic that assigns to a field; it refuses what would change the field's type."""

    @intrinsic
    def assign(typing_context: Any, strategy: Any, value: Any) -> Any:
        field, slot = strategy.fields[name]
        target = _numba_type(field)
        plain = types.unliteral(value)
        allowed = {
            FLOAT: (types.Float, types.Integer, types.Boolean),
            INTEGER: (types.Integer, types.Boolean),
            BOOLEAN: (types.Boolean,),
        }.get(field.name, ())
        if not isinstance(plain, allowed):
            given = {types.float64: "a float", types.int64: "an integer", types.boolean: "True or False"}.get(
                plain,
                getattr(plain, "described", "None" if isinstance(plain, types.NoneType) else str(plain)),
            )
            raise TypingError(f"cashup: self.{name} began as {_article(field.name)} and is assigned {given}")

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            stored = context.cast(builder, args[1], signature.args[1], target)
            if field.name == BOOLEAN:
                stored = builder.zext(stored, _I64)
            builder.store(stored, _slot_pointer(builder, args[0], slot, stored.type))
            return context.get_dummy_value()

        return types.void(strategy, plain), generate

    return assign


def _article(kind: str) -> str:
    return {FLOAT: "a float", INTEGER: "an integer", BOOLEAN: "True or False"}.get(kind, f"a {kind}")


@intrinsic
def run_of(typing_context: Any, strategy: Any) -> Any:
    """Return the address of the run a strategy belongs to."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_slot_pointer(builder, args[0], RUN_SLOT, _I64))

    return types.int64(strategy), generate


@intrinsic
def log_of(typing_context: Any, strategy: Any) -> Any:
    """Return the address of a strategy's log table."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_slot_pointer(builder, args[0], LOG_SLOT, _I64))

    return types.int64(strategy), generate


def strategy_at(kind: StrategyType) -> Any:
    """Return the intrinsic that turns an address into a strategy of this type."""

    @intrinsic
    def at(typing_context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], _BYTE_POINTER)

        return kind(types.int64), generate

    return at


_NO_INSTRUMENT = "no such instrument"


@intrinsic
def position_of(typing_context: Any, strategy: Any, instrument: Any) -> Any:
    """Return the view of a position; raise IndexError when there is no such instrument."""
    if not isinstance(instrument, types.Integer):
        raise TypingError("cashup: an instrument is given by its place, an integer")

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        run = builder.load(_slot_pointer(builder, args[0], RUN_SLOT, _I64))
        index = context.cast(builder, args[1], signature.args[1], types.int64)
        count = _load_at(builder, run, _offset(kt.RUN, "n_instruments"), _I64)
        fail_if(context, builder, builder.icmp_unsigned(">=", index, count), IndexError, _NO_INSTRUMENT)
        view = cgutils.create_struct_proxy(position_type)(context, builder)
        view.run = run
        view.instrument = index
        return view._getvalue()

    return position_type(strategy, types.unliteral(instrument)), generate


_POSITION_FIELDS: Final = {
    "size": "quantity",
    "entry_price": "entry_price",
    "last_price": "last_price",
    "opened": "opened_ts",
}
_POSITION_SIGNS: Final = {"is_long": ">", "is_short": "<", "is_flat": "=="}
_POSITION_MONEY: Final = {
    "value": accounts.position_value,
    "pnl": accounts.position_pnl,
    "pnl_pct": accounts.position_pnl_fraction,
}


@infer_getattr
class _PositionAttributes(AttributeTemplate):
    key = PositionType

    def generic_resolve(self, kind: Any, name: str) -> Any:
        if name == "opened":
            return types.int64
        if name in _POSITION_SIGNS:
            return types.boolean
        return types.float64 if name in _POSITION_FIELDS or name in _POSITION_MONEY else None


@lower_getattr_generic(PositionType)
def _load_position(context: Any, builder: Any, kind: Any, value: Any, name: str) -> Any:
    view = cgutils.create_struct_proxy(kind)(context, builder, value=value)
    if name in _POSITION_MONEY:
        signature = ir.FunctionType(_F64, [_I64, _I64])
        function = cgutils.get_or_insert_function(builder.module, signature, _POSITION_MONEY[name].symbol)
        return builder.call(function, [view.run, view.instrument])
    positions = _load_at(builder, view.run, _offset(kt.RUN, "positions"), _I64)
    row = builder.add(positions, builder.mul(view.instrument, ir.Constant(_I64, kt.POSITION.itemsize)))
    field = _POSITION_FIELDS.get(name, "quantity")
    loaded = _load_at(builder, row, _offset(kt.POSITION, field), _I64 if name == "opened" else _F64)
    if name in _POSITION_SIGNS:
        return builder.fcmp_ordered(_POSITION_SIGNS[name], loaded, ir.Constant(_F64, 0.0))
    return loaded


#: Truth values of rows: the field, the comparison, the code it is compared with.
_ROW_FLAGS: Final = {
    "is_buy": ("side", "==", kt.BUY),
    "is_final": ("status", ">=", kt.FIRST_FINAL_STATUS),
    "is_filled": ("status", "==", kt.FILLED),
    "is_cancelled": ("status", "==", kt.CANCELLED),
    "is_rejected": ("status", "==", kt.REJECTED),
    "is_expired": ("status", "==", kt.EXPIRED),
    "is_maker": ("maker", "!=", 0),
    "is_liquidation": ("kind", "==", kt.FILL_LIQUIDATION),
}


@infer_getattr
class _RowAttributes(AttributeTemplate):
    key = RowType

    def generic_resolve(self, kind: Any, name: str) -> Any:
        if name in _ROW_FLAGS and _ROW_FLAGS[name][0] in kind.members:
            return types.boolean
        if name == "remaining" and "filled" in kind.members:
            return types.float64
        return kind.members.get(name)


@lower_getattr_generic(RowType)
def _load_row_field(context: Any, builder: Any, kind: Any, value: Any, name: str) -> Any:
    row = cgutils.create_struct_proxy(kind)(context, builder, value=value)
    if name == "remaining":
        return builder.fsub(row.quantity, row.filled)
    if name in kind.members:
        return getattr(row, name)
    field, comparison, code = _ROW_FLAGS[name]
    return builder.icmp_signed(comparison, getattr(row, field), ir.Constant(_I64, code))


def _row_reader(kind: RowType, table: str, counter: str, first: int) -> Any:
    """Return the intrinsic `(strategy, id or index) -> a copy of the row`, counted from `first`."""

    @intrinsic
    def read(typing_context: Any, strategy: Any, number: Any) -> Any:
        if not isinstance(number, types.Integer):
            raise TypingError("cashup: an order is found by its id, an integer")

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            run = builder.load(_slot_pointer(builder, args[0], RUN_SLOT, _I64))
            given = context.cast(builder, args[1], signature.args[1], types.int64)
            index = builder.sub(given, ir.Constant(_I64, first))
            count = _load_at(builder, run, _offset(kt.RUN, counter), _I64)
            fail_if(context, builder, builder.icmp_unsigned(">=", index, count), IndexError, "no such row")
            base = _load_at(builder, run, _offset(kt.RUN, table), _I64)
            at = builder.add(base, builder.mul(index, ir.Constant(_I64, kind.itemsize)))
            row = cgutils.create_struct_proxy(kind)(context, builder)
            for place, (name, member) in enumerate(kind.members.items()):
                setattr(
                    row, name, _load_at(builder, at, 8 * place, _F64 if member == types.float64 else _I64)
                )
            return row._getvalue()

        return kind(strategy, types.unliteral(number)), generate

    return read


order_of = _row_reader(order_type, "orders", "n_orders", 1)
fill_of = _row_reader(fill_type, "fills", "n_fills", 0)
payment_of = _row_reader(payment_type, "payments", "n_payments", 0)
