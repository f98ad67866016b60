"""Small runs for the kernel's tests: a few bars, a script of decisions, and the result as plain rows."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cashup.kernel import entry, loop
from cashup.kernel import types as kt
from cashup.kernel.memory import Columns, InstrumentSpec, Rules, RunMemory

NAN = math.nan
INF = math.inf
MINUTE = 60
Bar = tuple[float, ...]  # open, high, low, close[, volume]
Callback = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


def flat(price: float, count: int = 1) -> list[Bar]:
    return [(price, price, price, price, 1000.0)] * count


def memory(
    bars: Sequence[Bar] | Sequence[Sequence[Bar]],
    spec: InstrumentSpec | Sequence[InstrumentSpec] | None = None,
    *,
    cash: float = 1000.0,
    rules: Rules | None = None,
    funding: Sequence[tuple[int, float]] = (),
    marks: Sequence[float] | None = None,
    **more: Any,
) -> RunMemory:
    many = bars if isinstance(bars[0], list) else [bars]
    specs = [spec or InstrumentSpec()] if not isinstance(spec, Sequence) else list(spec)
    columns = []
    for rows in many:
        table = np.array([(*row, *[1000.0] * (5 - len(row))) for row in rows], dtype=float)
        columns.append(
            Columns(
                open=table[:, 0],
                high=table[:, 1],
                low=table[:, 2],
                close=table[:, 3],
                volume=table[:, 4],
                mark=marks,
                funding_ts=[ts for ts, _ in funding] if funding else None,
                funding_rate=[rate for _, rate in funding] if funding else None,
            )
        )
    times = np.arange(len(many[0])) * MINUTE
    return RunMemory(
        instruments=specs,
        columns=columns,
        open_ts=times,
        close_ts=times + MINUTE,
        cash=cash,
        rules=rules,
        **more,
    )


def play(made: RunMemory, decide: Callable[[int, int], Any]) -> int:
    """Run to the end, calling `decide(event, argument)`; errors in it are raised here."""
    failures: list[BaseException] = []

    @Callback
    def callback(_strategy: int, event: int, argument: int) -> int:
        try:
            decide(event, argument)
        except BaseException as e:
            failures.append(e)
            return 1
        return 0

    address = ctypes.cast(callback, ctypes.c_void_p).value
    while (status := loop.run(made.address, address)) == kt.RUN_GROW:
        made.grow()
    if failures:
        raise failures[0]
    return int(status)


def at_close(made: RunMemory, script: dict[int, Callable[[int], Any]]) -> RunMemory:
    """Run with what to do at the close of some bars."""

    def decide(event: int, argument: int) -> None:
        if event == kt.ON_BAR and argument in script:
            script[argument](made.address)

    play(made, decide)
    return made


def order(
    run: int,
    side: int,
    type: int = kt.MARKET,  # noqa: A002
    quantity: float = 1.0,
    *,
    k: int = 0,
    price: float = NAN,
    stop: float = NAN,
    trail: float = NAN,
    tif: int = kt.GTC,
    flags: int = 0,
    value: float = 0.0,
    expire: int = 0,
    group: int = 0,
    tag: int = 0,
) -> int:
    return int(
        entry.place(
            run, k, side, type, tif, flags, quantity, value, price, stop, trail, expire, 0, group, tag
        )
    )


def trades(made: RunMemory) -> list[tuple[int, float, float, int]]:
    """Side, price, quantity and time of every fill."""
    return [(int(f["side"]), float(f["price"]), float(f["quantity"]), int(f["ts"])) for f in made.fills]


def ends(made: RunMemory) -> list[tuple[int, int]]:
    """Final status and reason of every order."""
    return [(int(o["status"]), int(o["reason"])) for o in made.orders]
