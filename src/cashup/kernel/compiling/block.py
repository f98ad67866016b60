"""The block of one strategy instance: its attributes as eight-byte slots, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cashup.kernel.compiling.compiler import CompiledStrategy
from cashup.kernel.compiling.log_table import new_log_table, read_log
from cashup.kernel.compiling.program import Program
from cashup.kernel.compiling.strategy_type import (
    ARRAY,
    FLOAT,
    JOINED_SERIES,
    LOG_SLOT,
    RUN_SLOT,
    SERIES,
    STOP_SLOT,
    FieldKind,
)


class StrategyBlock:
    """Plain memory a compiled callback reads and writes instead of the instance.

    Attributes:
        address: Where it starts; stays valid while this object lives.
    """

    def __init__(
        self, strategy: Any, base: type, compiled: CompiledStrategy, run_address: int, stop_address: int = 0
    ) -> None:
        self._strategy = strategy
        self._compiled = compiled
        self._kept: list[Any] = []
        self._words = np.zeros(compiled.layout.slots, np.int64)
        self._floats = self._words.view(np.float64)
        self._log: NDArray[np.int64] | None = new_log_table() if compiled.texts else None
        self._words[RUN_SLOT] = run_address
        self._words[LOG_SLOT] = 0 if self._log is None else self._log.ctypes.data
        self._words[STOP_SLOT] = stop_address
        program = Program(strategy, base)
        for name, (kind, slot) in compiled.layout.fields.items():
            self._write(kind, slot, program.value(compiled.chains[name]))
        self.address = int(self._words.ctypes.data)

    def _write(self, kind: FieldKind, slot: int, value: Any) -> None:
        if kind.name == FLOAT:
            self._floats[slot] = value
        elif kind.name == ARRAY:
            self._kept.append(value)
            shape = (*value.shape, 1)
            self._words[slot : slot + 3] = (value.ctypes.data, shape[0], shape[1])
        elif kind.name in (SERIES, JOINED_SERIES):
            self._kept.append(value)
            self._words[slot] = value.data.ctypes.data
            if kind.name == JOINED_SERIES:
                self._words[slot + 1] = value.frame.seen.ctypes.data
        else:
            self._words[slot] = int(value)

    def write_back(self) -> None:
        """Give the instance the values its fields have now."""
        for name in self._compiled.assigned:
            kind, slot = self._compiled.layout.fields[name]
            value: Any = self._floats[slot] if kind.name == FLOAT else self._words[slot]
            converted = {"float": float, "int": int, "bool": bool}[kind.name](value)
            setattr(self._strategy, name, converted)

    def log(self) -> tuple[int, list[tuple[int, str, tuple[float | int | bool, ...]]]]:
        """Return how many log lines were written, and time, text and values of those kept."""
        if self._log is None:
            return 0, []
        count, lines = read_log(self._log)
        return count, [(ts, self._compiled.texts[text], values) for ts, text, values in lines]
