"""What calls of the strategy API and of Python's builtins become in compiled code."""

from __future__ import annotations

import ast
import builtins
import inspect
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from cashup.kernel.compiling.names import call, constant
from cashup.kernel.compiling.plans import BRACKET_ARGUMENTS, plan_order
from cashup.kernel.types import BUY, SELL

if TYPE_CHECKING:
    from cashup.kernel.compiling.expressions import ExpressionRewriter as Rewriter

#: Properties of a strategy that are read from the run's record.
_RUN_FIELDS = {"cash": "cash", "index": "d", "now": "now"}


def read(writer: Rewriter, name: str) -> ast.expr | None:
    """Return what reading a property of the API becomes, None when it cannot be compiled."""
    if name in _RUN_FIELDS:
        return ast.Attribute(call("as_run", _run(writer)), _RUN_FIELDS[name], ast.Load())
    if name == "equity":
        return call("equity", _run(writer))
    if name == "position":
        return call("position_of", writer._self(), constant(0))
    if name == "price":
        return ast.Attribute(call("position_of", writer._self(), constant(0)), "last_price", ast.Load())
    return None


def call_arguments(writer: Rewriter, node: ast.Call, name: str) -> dict[str, Any]:
    """Bind the arguments of an API call to their names, defaults (plain values) included."""
    signature = inspect.signature(getattr(type(writer.program.strategy), name))
    try:
        bound = signature.bind(None, *node.args, **{str(k.arg): k.value for k in node.keywords})
    except TypeError as e:
        writer.refuse(node, f"self.{name}: {e}")
    bound.apply_defaults()
    return dict(bound.arguments)


def call_api(writer: Rewriter, node: ast.Call, name: str) -> ast.expr | None:
    """Return what a call of the API becomes, None when it cannot be compiled."""
    if name.startswith("on_") or name == "prepare":
        return constant(0)  # the base's callback does nothing
    if name == "log":
        return _log(writer, node)
    if name not in _CALLS and name not in ("buy", "sell"):
        return None
    given = call_arguments(writer, node, name)
    if name in ("buy", "sell"):
        return _order(writer, node, given, BUY if name == "buy" else SELL)
    return _CALLS[name](writer, given)


def _run(writer: Rewriter) -> ast.expr:
    return call("run_of", writer._self())


def _node(writer: Rewriter, value: Any) -> ast.expr:
    return writer.visit(value) if isinstance(value, ast.AST) else constant(value)


def _float(writer: Rewriter, value: Any) -> ast.expr:
    return call("float_argument", _node(writer, value))


def _integer(writer: Rewriter, value: Any) -> ast.expr:
    return call("integer_argument", _node(writer, value))


def _target(writer: Rewriter, given: dict[str, Any]) -> ast.expr:
    return call(
        "target",
        _run(writer),
        _integer(writer, given["instrument"]),
        _float(writer, given["fraction"]),
        _float(writer, given["tolerance"]),
    )


def _target_size(writer: Rewriter, given: dict[str, Any]) -> ast.expr:
    return call(
        "target_size", _run(writer), _integer(writer, given["instrument"]), _float(writer, given["quantity"])
    )


def _close(writer: Rewriter, given: dict[str, Any]) -> ast.expr:
    return call("close_position", _run(writer), _integer(writer, given["instrument"]))


def _cancel(writer: Rewriter, given: dict[str, Any]) -> ast.expr:
    done = call("cancel", _run(writer), _integer(writer, given["order_id"]))
    return ast.Compare(done, [ast.NotEq()], [constant(0)])


def _cancel_all(writer: Rewriter, given: dict[str, Any]) -> ast.expr:
    return call("cancel_all", _run(writer), _integer(writer, given["instrument"]))


def _oco(writer: Rewriter, given: dict[str, Any]) -> ast.expr:
    return call("oco", _run(writer), _integer(writer, given["first"]), _integer(writer, given["second"]))


def _position_of(writer: Rewriter, given: dict[str, Any]) -> ast.expr:
    return call("position_of", writer._self(), _node(writer, given["instrument"]))


def _price_of(writer: Rewriter, given: dict[str, Any]) -> ast.expr:
    return ast.Attribute(_position_of(writer, given), "last_price", ast.Load())


def _order_of(writer: Rewriter, given: dict[str, Any]) -> ast.expr:
    return call("order_of", writer._self(), _node(writer, given["order_id"]))


def _crossed_above(writer: Rewriter, given: dict[str, Any]) -> ast.expr:
    return call("crossed_above", _node(writer, given["first"]), _node(writer, given["second"]))


def _crossed_below(writer: Rewriter, given: dict[str, Any]) -> ast.expr:
    return call("crossed_below", _node(writer, given["first"]), _node(writer, given["second"]))


_CALLS = {
    "target": _target,
    "target_size": _target_size,
    "close": _close,
    "cancel": _cancel,
    "cancel_all": _cancel_all,
    "oco": _oco,
    "position_of": _position_of,
    "price_of": _price_of,
    "order_of": _order_of,
    "crossed_above": _crossed_above,
    "crossed_below": _crossed_below,
}


def _is_given(value: Any) -> bool:
    return value is not None and not (isinstance(value, ast.Constant) and value.value is None)


def _literal(writer: Rewriter, node: ast.Call, given: dict[str, Any], name: str) -> Any:
    value = given[name]
    if not isinstance(value, ast.AST):
        return value
    if isinstance(value, ast.Constant):
        return value.value
    if isinstance(value, ast.Name) and value.id not in writer.locals:
        return writer.outer.get(value.id)
    chain = writer._chain(value)  # type: ignore[arg-type]  # an expression
    if chain is not None and isinstance(writer._value(node, chain), str):
        return writer._value(node, chain)
    writer.refuse(
        node, f"{name} is computed", f"write {name}={'True or False' if name != 'tif' else 'a text'}"
    )


def _order(writer: Rewriter, node: ast.Call, given: dict[str, Any], side: int) -> ast.expr:
    present = [name for name, value in given.items() if _is_given(value)]
    try:
        plan = plan_order(
            present,
            tif=_literal(writer, node, given, "tif"),
            post_only=_literal(writer, node, given, "post_only"),
            reduce_only=_literal(writer, node, given, "reduce_only"),
        )
    except (ValueError, AttributeError) as e:
        writer.refuse(node, str(e))

    def number(name: str, absent: float) -> ast.expr:
        return _float(writer, given[name]) if name in present else constant(absent)

    trigger = "touch" if "touch" in present else "stop"
    return call(
        "submit",
        _run(writer),
        _integer(writer, given["instrument"]),
        constant(side),
        constant(plan.type),
        constant(plan.time_in_force),
        constant(plan.flags),
        number("size", 0.0),
        number("value", math.inf),
        number("limit", math.nan),
        number(trigger, math.nan),
        number("trail", math.nan),
        _integer(writer, given["expires"]) if "expires" in present else constant(0),
        _integer(writer, given["tag"]),
        *(number(name, math.nan) for name in BRACKET_ARGUMENTS),
    )


def _log(writer: Rewriter, node: ast.Call) -> ast.expr:
    from cashup.kernel.compiling.log_table import LOG_VALUES

    text = writer._text(node.args[0]) if node.args else None
    if text is None or node.keywords:
        writer.refuse(node, "the text of self.log is computed", "write self.log('text {}', value)")
    if len(node.args) - 1 > LOG_VALUES:
        writer.refuse(node, f"self.log with more than {LOG_VALUES} values", "write two lines")
    writer.program.texts.append(text)
    values = ast.Tuple([writer.visit(value) for value in node.args[1:]], ast.Load())
    return call("write_log", writer._self(), constant(len(writer.program.texts) - 1), values)


_MATH_CONSTANT_NAMES = {math.isnan: "is_nan", math.isfinite: "is_finite", math.isinf: "is_infinite"}
_NUMPY_TESTS = {np.isnan: "is_nan", np.isfinite: "is_finite", np.isinf: "is_infinite"}
_SIMPLE: dict[Any, str] = {
    builtins.abs: "absolute",
    builtins.int: "to_int",
    builtins.float: "float_argument",
    builtins.len: "length",
    builtins.bool: "truth",
    math.floor: "floor_to_int",
    math.ceil: "ceil_to_int",
    math.trunc: "to_int",
}


def builtin(writer: Rewriter, node: ast.Call, value: Any) -> ast.expr | None:
    """Return what a call of a builtin, a `math` function or a NumPy test becomes, None for others."""
    try:
        hash(value)
    except TypeError:
        return None
    name = _SIMPLE.get(value) or _MATH_CONSTANT_NAMES.get(value) or _NUMPY_TESTS.get(value)
    if (
        name is None
        and value not in (min, max, round, range, math.log)
        and getattr(math, getattr(value, "__name__", ""), None) is not value
    ):
        return None
    if node.keywords:
        writer.refuse(node, "a builtin called with keywords", "give the arguments by position")
    arguments = [writer.visit(argument) for argument in node.args]
    if name is not None:
        return _counted(writer, node, name, arguments, 1)
    if value is range:
        return ast.Call(ast.Name("range", ast.Load()), [call("integer_argument", a) for a in arguments], [])
    if value in (min, max):
        return _extreme(writer, node, "minimum" if value is min else "maximum", arguments)
    if value is round:
        return _round(writer, node, arguments)
    return _math(writer, node, value.__name__, arguments)


def _counted(writer: Rewriter, node: ast.Call, name: str, arguments: list[ast.expr], count: int) -> ast.expr:
    if len(arguments) != count:
        writer.refuse(node, f"a call with {len(arguments)} arguments where {count} are needed")
    return call(name, *arguments)


def _extreme(writer: Rewriter, node: ast.Call, name: str, arguments: list[ast.expr]) -> ast.expr:
    if len(arguments) < 2:
        writer.refuse(node, "min or max of one argument", "write the values out: max(a, b, c)")
    result = arguments[0]
    for argument in arguments[1:]:
        result = call(name, result, argument)
    return result


def _round(writer: Rewriter, node: ast.Call, arguments: list[ast.expr]) -> ast.expr:
    if len(arguments) == 1:
        return call("round_to_int", arguments[0])
    digits = arguments[1] if len(arguments) == 2 else None
    if (
        not isinstance(digits, ast.Constant)
        or not isinstance(digits.value, int)
        or not 0 <= digits.value <= 22
    ):
        writer.refuse(node, "round with computed digits", "write the number of digits: round(x, 2)")
    if writer.program.has_arrays:
        writer.refuse(
            node, "round(x, n) beside arrays on self", "NumPy rounds its own numbers in another way"
        )
    return call("round_to_digits", arguments[0], digits)


def _math(writer: Rewriter, node: ast.Call, name: str, arguments: list[ast.expr]) -> ast.expr | None:
    from cashup.kernel.compiling.c_library import TWO_ARGUMENTS
    from cashup.kernel.compiling.mathematics import MATH

    if name == "log" and len(arguments) == 2:
        return call("divide", call("math_log", arguments[0]), call("math_log", arguments[1]))
    if name not in MATH:
        return None
    return _counted(writer, node, f"math_{name}", arguments, 2 if name in TWO_ARGUMENTS else 1)
