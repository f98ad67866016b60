"""Indicators for `prepare`: `from cashup import ta`.

Names in capitals are TA-Lib's functions (`ta.SMA(bars.close, 10)`, `ta.ATR(bars, 14)`,
`ta.BBANDS(x).upperband`); names in small letters are ours. Columns go in and come out; functions of several
columns also take `Bars`.

`ta.SMA` is computed exactly (see `cashup.engine.rolling`), because equal averages must compare equal.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from cashup.engine.bars import Bars
from cashup.engine.overlays import (
    crossed_above,
    crossed_below,
    donchian,
    heikin_ashi,
    ichimoku,
    keltner,
    supertrend,
    vwap,
)
from cashup.engine.rolling import (
    known_part,
    padded,
    rolling_max,
    rolling_mean,
    rolling_min,
    rolling_rank,
    rolling_std,
    rolling_sum,
    zscore,
)
from cashup.engine.series import common_frame
from cashup.engine.talib_library import FunctionInfo, function_info, function_names, library
from cashup.model.errors import InputError, UnknownNameError, explain

__all__ = [
    "SMA",
    "crossed_above",
    "crossed_below",
    "donchian",
    "heikin_ashi",
    "ichimoku",
    "keltner",
    "rolling_max",
    "rolling_mean",
    "rolling_min",
    "rolling_rank",
    "rolling_std",
    "rolling_sum",
    "supertrend",
    "vwap",
    "zscore",
]

_FIELDS = ("open", "high", "low", "close", "volume")


def SMA(real: Any, timeperiod: int = 30) -> Any:  # noqa: N802 (TA-Lib's name)
    """Return the simple moving average; of `Bars`, that of the close."""
    return rolling_mean(real.close if isinstance(real, Bars) else real, timeperiod)


def __getattr__(name: str) -> Any:  # a lazy module attribute may be anything
    """Return a TA-Lib function by its name in capitals.

    Raises:
        UnknownNameError: There is no such indicator; the message offers the near miss.
    """
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in function_names():
        raise UnknownIndicatorError("indicator", name, (*function_names(), *__all__))
    return _function(name)


def __dir__() -> list[str]:
    return sorted({*__all__, *function_names()})


class UnknownIndicatorError(UnknownNameError, AttributeError):  # type: ignore[misc]  # both call it `name`
    """An unknown indicator is an unknown attribute too, so that `hasattr` and tab completion work."""


@cache
def _function(name: str) -> Callable[..., Any]:
    info = function_info(name)
    compiled = getattr(library(), name)
    result = namedtuple(name, info.outputs) if len(info.outputs) > 1 else None

    def indicator(*args: Any, **options: Any) -> Any:
        columns, rest = _inputs(info, args)
        for given in options:
            if given not in info.parameters:
                raise UnknownNameError(f"option of ta.{name}", given, info.parameters, field=given)
        values, start = known_part(name, *columns)
        outputs = _computed(info, compiled, values, rest, options)
        framed = [padded(np.asarray(output, dtype=np.float64), start, tuple(columns)) for output in outputs]
        return framed[0] if result is None else result(*framed)

    indicator.__name__ = indicator.__qualname__ = name
    indicator.__doc__ = _documentation(info)
    return indicator


def _computed(
    info: FunctionInfo, compiled: Any, values: list[Any], rest: tuple[Any, ...], options: dict[str, Any]
) -> tuple[Any, ...]:
    if len(values[0]) == 0:
        return tuple(np.zeros(0) for _ in info.outputs)
    try:
        output = compiled(*values, *rest, **options)
    except Exception as e:  # TA-Lib raises bare exceptions
        shown = ", ".join([*map(str, rest), *(f"{key}={value}" for key, value in options.items())])
        raise InputError(
            explain(f"ta.{info.name}({shown}) was refused by TA-Lib: {e}", expected=_documentation(info))
        ) from e
    return output if isinstance(output, tuple) else (output,)


def _inputs(info: FunctionInfo, args: tuple[Any, ...]) -> tuple[list[Any], tuple[Any, ...]]:
    """Split the arguments into the function's columns and its options."""
    if args and isinstance(args[0], Bars):
        fields = [name if name in _FIELDS else "close" for name in info.inputs]
        return [getattr(args[0], name) for name in fields], args[1:]
    count = len(info.inputs)
    columns = list(args[:count])
    if len(columns) < count or any(np.ndim(column) != 1 for column in columns):
        raise InputError(explain(f"ta.{info.name} got {len(args)} arguments", expected=_documentation(info)))
    common_frame(columns)
    return columns, args[count:]


def _documentation(info: FunctionInfo) -> str:
    options = "".join(f", {name}={default}" for name, default in info.parameters.items())
    outputs = f" -> ({', '.join(info.outputs)})" if len(info.outputs) > 1 else ""
    short = f" or ta.{info.name}(bars{options})" if len(info.inputs) > 1 else ""
    return f"ta.{info.name}({', '.join(info.inputs)}{options}){outputs}{short}"
