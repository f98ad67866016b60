"""Compiles the callbacks of one strategy instance into one C function, and keeps it for instances alike.

The function is `int64(int64 strategy, int64 event, int64 argument)`: it reads and writes the instance's block
and the run's memory, and returns non-zero when a callback failed. Parameter values are fields of the block,
so instances that differ in them share the compiled function.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from types import CodeType, FunctionType
from typing import Any, Final, NamedTuple

from llvmlite import ir

from cashup.kernel import externals
from cashup.kernel import types as kt
from cashup.kernel.access import as_run
from cashup.kernel.compiling import arithmetic, indexing, mathematics, names, strategy_type
from cashup.kernel.compiling.errors import CannotCompile
from cashup.kernel.compiling.log_table import write_log
from cashup.kernel.compiling.numba_api import NumbaError, intrinsic, njit, types
from cashup.kernel.compiling.program import Chain, Program
from cashup.kernel.compiling.python_callback import AddressedFunction
from cashup.kernel.compiling.rewriting import rewrite
from cashup.kernel.compiling.strategy_type import (
    STOP_SLOT,
    FieldKind,
    StrategyType,
    fill_type,
    order_type,
    payment_type,
    setter_of,
    strategy_at,
)
from cashup.kernel.compiling.submitting import submit
from cashup.kernel.function import FLOAT as FLOAT_ARGUMENT
from cashup.kernel.function import KernelFunction

#: Callbacks that are compiled, by event. `on_start` and `on_stop` run once and always in Python.
COMPILED_EVENTS: Final = {
    "on_bar": kt.ON_BAR,
    "on_fill": kt.ON_FILL,
    "on_order": kt.ON_ORDER,
    "on_funding": kt.ON_FUNDING,
}


def _external(function: KernelFunction[..., Any]) -> Any:
    kinds = [types.float64 if kind == FLOAT_ARGUMENT else types.int64 for kind in function.arguments]
    return types.ExternalFunction(function.symbol, types.int64(*kinds))


_FUNCTIONS: Final[dict[str, Any]] = {
    "add": arithmetic.add,
    "subtract": arithmetic.subtract,
    "multiply": arithmetic.multiply,
    "divide": arithmetic.divide,
    "floor_divide": arithmetic.floor_divide,
    "modulo": arithmetic.modulo,
    "power": arithmetic.power,
    "power_integer": arithmetic.power_integer,
    "negate": arithmetic.negate,
    "absolute": arithmetic.absolute,
    "to_int": arithmetic.to_int,
    "round_to_int": arithmetic.round_to_int,
    "round_to_digits": arithmetic.round_to_digits,
    "floor_to_int": arithmetic.floor_to_int,
    "ceil_to_int": arithmetic.ceil_to_int,
    "float_argument": arithmetic.float_argument,
    "integer_argument": arithmetic.integer_argument,
    "truth": arithmetic.truth,
    "minimum": arithmetic.minimum,
    "maximum": arithmetic.maximum,
    "is_nan": arithmetic.is_nan,
    "is_finite": arithmetic.is_finite,
    "is_infinite": arithmetic.is_infinite,
    **{f"math_{name}": function for name, function in mathematics.MATH.items()},
    "item": indexing.item,
    "set_item": indexing.set_item,
    "length": indexing.length,
    "crossed_above": indexing.crossed_above,
    "crossed_below": indexing.crossed_below,
    "as_run": as_run,
    "run_of": strategy_type.run_of,
    "position_of": strategy_type.position_of,
    "order_of": strategy_type.order_of,
    "fill_of": strategy_type.fill_of,
    "payment_of": strategy_type.payment_of,
    "write_log": write_log,
    "submit": _external(submit),
    "equity": externals.equity,
    "target": externals.target,
    "target_size": externals.target_size,
    "close_position": externals.close_position,
    "cancel": externals.cancel,
    "cancel_all": externals.cancel_all,
    "oco": externals.oco,
}
_ROW_OF: Final = {"on_fill": "fill_of", "on_order": "order_of", "on_funding": "payment_of"}


class CompiledStrategy(NamedTuple):
    """The compiled callbacks of a strategy.

    Attributes:
        callback: What the loop calls.
        layout: Where every attribute the code uses lies in the block.
        chains: The attribute chain of every field, by its name.
        assigned: Fields the code writes.
        texts: Texts of the log lines, by place.
    """

    callback: AddressedFunction
    layout: StrategyType
    chains: Mapping[str, Chain]
    assigned: frozenset[str]
    texts: tuple[str, ...]


_compiled: dict[tuple[str, tuple[tuple[str, FieldKind], ...]], AddressedFunction] = {}


def compile_strategy(strategy: Any, base: type, callbacks: tuple[str, ...]) -> CompiledStrategy:
    """Compile the callbacks of a prepared and started instance.

    Args:
        strategy: The instance; the values of its attributes decide their types.
        base: The class all strategies inherit, whose methods are the API.
        callbacks: Names of the callbacks the strategy has, of those in `COMPILED_EVENTS`.

    Raises:
        CannotCompile: Something in them needs Python; it names file, line and reason.
    """
    program, entries = _written(strategy, base, callbacks)
    fields = tuple((".".join(map(str, chain)), kind) for chain, kind in program.fields.items())
    text = "\n".join((*(f"{name}: {ast.dump(tree)}" for name, tree in program.trees.items()), repr(entries)))
    key = (text, fields)
    layout = StrategyType(fields)
    if key not in _compiled:
        _compiled[key] = _compile(program, entries, layout)
    return CompiledStrategy(
        callback=_compiled[key],
        layout=layout,
        chains={".".join(map(str, chain)): chain for chain in program.fields},
        assigned=frozenset(program.assigned),
        texts=tuple(program.texts),
    )


def _written(strategy: Any, base: type, callbacks: tuple[str, ...]) -> tuple[Program, dict[str, str]]:
    """Rewrite the callbacks and everything they call."""
    program = Program(strategy, base)
    entries = {}
    for callback in callbacks:
        found = program.method(callback)
        assert found is not None, "the base defines every callback"
        function, defined_in = found
        if not isinstance(function, FunctionType) or callback in vars(strategy):
            raise CannotCompile(
                f"{callback} is not an ordinary method", suggestion="write it with def in the class"
            )
        entries[callback] = program.name_of(function, defined_in)
    while program.waiting:
        name, function, owner = program.waiting.pop(0)
        program.trees[name] = rewrite(program, name, function, owner)
        program.files[name] = function.__code__.co_filename
    return program, entries


def _compile(program: Program, entries: dict[str, str], layout: StrategyType) -> AddressedFunction:
    namespace: dict[str, Any] = {names.PREFIX + name: function for name, function in _FUNCTIONS.items()}
    for setter, field in program.externals.items():
        namespace[names.PREFIX + setter] = setter_of(field)
    for name, tree in program.trees.items():
        function = _function(tree, program.files[name], namespace)
        namespace[name] = njit(error_model="python", no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    rows = {"on_fill": (fill_type,), "on_order": (order_type,), "on_funding": (payment_type,)}
    guards = {name: _guarded(namespace[function]) for name, function in entries.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for name, entry in entries.items():
                namespace[entry].compile((layout, *rows.get(name, ())))
            return _entry(layout, guards)
        except NumbaError as e:
            raise _explained(e, program) from e
        except (RuntimeError, NotImplementedError, AssertionError) as e:
            # A fault of the compiler must not keep anyone from running a strategy.
            raise CannotCompile(f"the compiler failed ({str(e).splitlines()[0]})") from e


def _function(tree: ast.FunctionDef, file: str, namespace: dict[str, Any]) -> FunctionType:
    module = ast.fix_missing_locations(ast.Module([tree], []))
    code = compile(module, file, "exec")
    inner = next(constant for constant in code.co_consts if isinstance(constant, CodeType))
    defaults = tuple(node.value for node in tree.args.defaults if isinstance(node, ast.Constant))
    return FunctionType(inner, namespace, tree.name, defaults or None)


def _guarded(function: Any) -> Any:
    """Return the intrinsic that calls a function and gives 1 when it raised, else 0."""

    @intrinsic
    def guarded(typing_context: Any, strategy: Any, row: Any) -> Any:
        arguments = (strategy,) if isinstance(row, types.NoneType) else (strategy, row)
        result = function.overloads[arguments]

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            context.active_code_library.add_linking_library(result.library)
            status, _ = context.call_internal_no_propagate(
                builder, result.fndesc, result.signature, args[: len(arguments)]
            )
            return builder.zext(status.is_error, ir.IntType(64))

        return types.int64(strategy, row), generate

    return guarded


@intrinsic
def _stop_address(typing_context: Any, address: Any) -> Any:
    """Load the address of the function that ends the strategy, 0 when it has none."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        slot = builder.add(args[0], ir.Constant(ir.IntType(64), 8 * STOP_SLOT))
        return builder.load(builder.inttoptr(slot, ir.IntType(64).as_pointer()))

    return types.int64(types.int64), generate


@intrinsic
def _call_at(typing_context: Any, function: Any, address: Any, event: Any, argument: Any) -> Any:
    """Call a C function of the callback's signature by its address."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        kind = ir.FunctionType(word, [word] * 3).as_pointer()
        return builder.call(builder.inttoptr(args[0], kind), args[1:])

    return types.int64(*[types.int64] * 4), generate


def _entry(layout: StrategyType, guards: dict[str, Any]) -> AddressedFunction:
    lines = ["def entry(address, event, argument):", " me = at(address)"]
    for name, event in COMPILED_EVENTS.items():
        if name in guards:
            row = "None" if name == "on_bar" else f"{_ROW_OF[name]}(me, argument)"
            lines += [f" if event == {event}:", f"  return {name}(me, {row})"]
    lines += [
        f" if event == {kt.ON_STOP}:",
        "  stop = stop_address(address)",
        "  if stop != 0:",
        "   return call_at(stop, address, event, argument)",
        " return 0",
    ]
    namespace: dict[str, Any] = {
        "at": strategy_at(layout),
        "stop_address": _stop_address,
        "call_at": _call_at,
        **{row: _FUNCTIONS[row] for row in _ROW_OF.values()},
        **guards,
    }
    exec(compile("\n".join(lines), "<entry>", "exec"), namespace)  # noqa: S102 (our own lines, built above)
    signature = types.int64(types.int64, types.int64, types.int64)
    dispatcher = njit(signature, error_model="python", no_cpython_wrapper=True)(namespace["entry"])
    return AddressedFunction(externals.address_of(dispatcher), dispatcher)


_PLACE = re.compile(r" at (.+?) \((\d+)\)")


def _explained(error: NumbaError, program: Program) -> CannotCompile:
    """Find the reason and the user's line in what Numba says."""
    text = re.sub(r"\x1b\[\d*m", "", str(error))
    files = set(program.files.values())
    places = [(file, int(line)) for file, line in _PLACE.findall(text) if file in files]
    file, line = places[0] if places else ("", 0)
    reasons = re.findall(r"cashup: (.+)", text)
    reason = reasons[0] if reasons else _first_sentence(text)
    return CannotCompile(reason, file=file, line=line, suggestion=_suggestion(reason))


def _first_sentence(text: str) -> str:
    for line in text.splitlines():
        if line.strip() and not line.startswith(("Failed in", "During", "File", "[")):
            return line.strip().rstrip(".:")
    return "types that do not fit"


def _suggestion(reason: str) -> str:
    if "began as" not in reason:
        return ""
    return "give the field a first value of the type it needs, such as 0.0"
