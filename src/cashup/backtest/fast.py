"""The fast path: one strategy over one market, compiled when it can be, on the kernel's loop."""

from __future__ import annotations

import copy
import time
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cashup.backtest.market import MarketData
from cashup.engine.callbacks import PythonCallbacks, strategy_failed, wants_of
from cashup.engine.kernel_host import KernelHost
from cashup.engine.strategy import Strategy, attach, unroll, warm_up
from cashup.engine.strategy_log import LogLine
from cashup.kernel.compiling.errors import CannotCompile
from cashup.kernel.compiling.python_callback import python_callback
from cashup.kernel.loop import run as run_loop
from cashup.kernel.memory import RunMemory
from cashup.kernel.types import RUN_GROW
from cashup.model.errors import InputError, UnknownNameError, explain

Mode = Literal["auto", "compiled", "python"]
_MODES = ("auto", "compiled", "python")


class FastOutcome(NamedTuple):
    """What one run gave.

    Attributes:
        memory: Orders, fills, payments, equity and counters, as the kernel left them.
        mode: "compiled" or "python".
        obstacle: Why it could not be compiled, or None.
        strategy: The instance that ran, its state as the run left it.
        first_decision: The first decision bar `on_bar` was called for.
        log: Lines the strategy wrote.
        log_count: How many it wrote in all.
        timings: Seconds spent in "prepare", "compile" and "run".
    """

    memory: RunMemory
    mode: str
    obstacle: CannotCompile | None
    strategy: Strategy
    first_decision: int
    log: tuple[LogLine, ...]
    log_count: int
    timings: dict[str, float]

    @property
    def equity(self) -> NDArray[np.float64]:
        """Equity at the close of each decision bar."""
        return self.memory.equity

    @property
    def orders(self) -> NDArray[np.void]:
        """All orders (`cashup.kernel.types.ORDER`)."""
        return self.memory.orders

    @property
    def fills(self) -> NDArray[np.void]:
        """All fills (`cashup.kernel.types.FILL`)."""
        return self.memory.fills


class _Attempt:
    """One run from a fresh copy of the strategy: prepared, started, ready for the loop."""

    def __init__(self, template: Strategy, market: MarketData) -> None:
        started = time.perf_counter()
        self.market = market
        self.strategy = copy.deepcopy(template)
        self.memory = market.memory(wants=wants_of(template))
        self.host = KernelHost(self.memory)
        self.timings = {"prepare": 0.0, "compile": 0.0, "run": 0.0}
        self._guarded("prepare", lambda: attach(self.strategy, market.view, self.host))
        self.first_decision = warm_up(self.strategy)
        self.memory.run["first_decision"] = self.first_decision
        self.timings["prepare"] = time.perf_counter() - started

    def in_python(self) -> None:
        """Run with the callbacks in Python."""
        started = time.perf_counter()
        unroll(self.strategy)
        self._guarded("on_start", self.strategy.on_start)
        callbacks = PythonCallbacks(self.strategy, self.host)
        self._loop(python_callback(callbacks.call))
        if callbacks.error is not None:
            raise self._failure(callbacks.error, callbacks.failed)
        self.timings["run"] = time.perf_counter() - started

    def _loop(self, callback: Any) -> int:
        while True:
            status = int(run_loop(self.memory.address, callback))
            if status != RUN_GROW:
                return status
            self.memory.grow()

    def _guarded(self, name: str, call: Any) -> None:
        try:
            call()
        except Exception as e:  # noqa: BLE001 (whatever the user's code raises is reported as the strategy's)
            raise strategy_failed(e, self.strategy, name) from e

    def _failure(self, error: BaseException, callback: str) -> BaseException:
        d = int(self.memory.run["d"])
        closes = self.market.view.decision_close
        opened = None
        if 0 <= d < len(closes):
            timeframe = self.market.instruments[0].bars.timeframe
            opened = timeframe.floor(int(closes[d]) - 1)
        return strategy_failed(error, self.strategy, callback, opened)

    def outcome(self, mode: str, obstacle: CannotCompile | None) -> FastOutcome:
        """Collect what the run gave."""
        return FastOutcome(
            memory=self.memory,
            mode=mode,
            obstacle=obstacle,
            strategy=self.strategy,
            first_decision=self.first_decision,
            log=tuple(self.host.messages.lines),
            log_count=self.host.messages.count,
            timings=self.timings,
        )


def run_fast(strategy: Strategy, market: MarketData, *, mode: Mode = "auto") -> FastOutcome:
    """Run a strategy over a market. The instance given is not changed; its copy runs.

    Args:
        strategy: The instance.
        market: Bars, constants, rules and cash.
        mode: "auto" compiles when it can, "compiled" insists, "python" never does.

    Raises:
        StrategyFailed: A method of the strategy raised; the message names file, line and bar.
        InputError: `mode` is "compiled" and the strategy cannot be.
    """
    if mode not in _MODES:
        raise UnknownNameError("mode", mode, _MODES, field="mode")
    attempt = _Attempt(strategy, market)
    attempt.in_python()
    return attempt.outcome("python", None)
