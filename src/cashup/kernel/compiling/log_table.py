"""The table compiled callbacks write their log lines to: the place of the text, and the values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numpy.typing import NDArray

from cashup.kernel.compiling.arithmetic import is_float, is_number
from cashup.kernel.compiling.numba_api import TypingError, intrinsic, types
from cashup.kernel.compiling.strategy_type import LOG_SLOT
from cashup.kernel.types import RUN

#: Lines kept of one run; later ones are only counted.
LOG_LINES: Final = 10_000
#: Values one line may carry.
LOG_VALUES: Final = 8

_ROW: Final = 3 + LOG_VALUES  # time, text, kinds of the values (2 bits each), values
_I64 = ir.IntType(64)
_F64 = ir.DoubleType()
_KINDS: Final[tuple[Callable[[int], Any], ...]] = (int, float, bool)


def new_log_table() -> NDArray[np.int64]:
    """Return an empty table: one word that counts, then the rows."""
    return np.zeros(1 + LOG_LINES * _ROW, np.int64)


def read_log(table: NDArray[np.int64]) -> tuple[int, list[tuple[int, int, tuple[float | int | bool, ...]]]]:
    """Return how many lines were written, and of those kept (time, place of the text, values)."""
    count = int(table[0])
    lines = []
    for k in range(min(count, LOG_LINES)):
        row = table[1 + k * _ROW : 1 + (k + 1) * _ROW]
        kinds = int(row[2])
        words, floats = row[3:], row[3:].view(np.float64)
        values: list[float | int | bool] = []
        while kinds:
            at = len(values)
            kind = kinds & 3
            values.append(
                float(floats[at]) if kind == 2 else bool(words[at]) if kind == 3 else int(words[at])
            )
            kinds >>= 2
        lines.append((int(row[0]), int(row[1]), tuple(values)))
    return count, lines


def _kind_code(kind: Any) -> int:
    if is_float(kind):
        return 2
    return 3 if isinstance(kind, types.Boolean) else 1


@intrinsic
def write_log(typing_context: Any, strategy: Any, text: Any, values: Any) -> Any:
    """Write one line, unless the table is full: then only count it."""
    if not all(is_number(kind) for kind in values):
        raise TypingError("cashup: self.log takes numbers and truth values after its text")
    kinds = sum(_kind_code(kind) << (2 * place) for place, kind in enumerate(values))

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        words = builder.bitcast(args[0], _I64.as_pointer())
        table = builder.inttoptr(
            builder.load(builder.gep(words, [ir.Constant(_I64, LOG_SLOT)])), _I64.as_pointer()
        )
        run = builder.load(words)
        count = builder.load(table)
        builder.store(builder.add(count, ir.Constant(_I64, 1)), table)
        with builder.if_then(builder.icmp_signed("<", count, ir.Constant(_I64, LOG_LINES))):
            start = builder.add(builder.mul(count, ir.Constant(_I64, _ROW)), ir.Constant(_I64, 1))
            row = builder.gep(table, [start])
            now = builder.add(run, ir.Constant(_I64, int(RUN.fields["now"][1])))  # type: ignore[index]
            head = (
                builder.load(builder.inttoptr(now, _I64.as_pointer())),
                context.cast(builder, args[1], signature.args[1], types.int64),
                ir.Constant(_I64, kinds),
            )
            for place, word in enumerate((*head, *_words(context, builder, signature.args[2], args[2]))):
                builder.store(word, builder.gep(row, [ir.Constant(_I64, place)]))
        return context.get_dummy_value()

    return types.void(strategy, types.unliteral(text), types.unliteral(values)), generate


def _words(context: Any, builder: Any, kinds: Any, values: Any) -> list[Any]:
    words = []
    for place, kind in enumerate(kinds):
        value = builder.extract_value(values, place)
        if is_float(kind):
            words.append(builder.bitcast(context.cast(builder, value, kind, types.float64), _I64))
        else:
            words.append(context.cast(builder, value, kind, types.int64))
    return words
