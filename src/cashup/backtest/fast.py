"""The fast path: one strategy over one market, compiled when it can be, on the kernel's loop."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cashup.backtest.market import MarketData
from cashup.engine.callbacks import PythonCallbacks, strategy_failed, wants_of
from cashup.engine.kernel_host import KernelHost
from cashup.engine.strategy import Strategy, attach, defines, unroll, warm_up
from cashup.engine.strategy_log import LogLine
from cashup.kernel.compiling.errors import CannotCompile
from cashup.kernel.compiling.python_callback import AddressedFunction, PythonBridge, python_callback
from cashup.kernel.loop import run as run_loop
from cashup.kernel.memory import RunMemory
from cashup.kernel.types import RUN_GROW, RUN_STOPPED
from cashup.model.errors import InputError, UnknownNameError, explain

if TYPE_CHECKING:
    from cashup.kernel.compiling.block import StrategyBlock

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


class CallbackFailed(Exception):  # noqa: N818 (internal: the run is repeated in Python)
    """Say that a compiled callback returned an error; Python will say which."""


class _Attempt:
    """One run from a fresh copy of the strategy: prepared, started, ready for the loop."""

    def __init__(self, template: Strategy, market: MarketData) -> None:
        started = time.perf_counter()
        self.market = market
        self.strategy = copy.deepcopy(template)
        self.memory = market.memory(wants=wants_of(template))
        self.host = KernelHost(self.memory)
        self._block: StrategyBlock | None = None
        self._stop_error: BaseException | None = None
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
        bridge = PythonBridge(self.strategy.on_bar, callbacks.handle)
        self.memory.run["strategy"] = bridge.address
        self._loop(bridge.callback)
        error = bridge.take_error()
        if error is not None:
            raise self._failure(error, callbacks.running)
        self.timings["run"] = time.perf_counter() - started

    def compiled(self) -> None:
        """Run with the callbacks compiled.

        Raises:
            CannotCompile: They cannot be.
            CallbackFailed: A compiled callback failed; the run must be repeated in Python.
        """
        # The compiler is imported here: a run in Python must not pay for it.
        from cashup.kernel.compiling.block import StrategyBlock
        from cashup.kernel.compiling.compiler import COMPILED_EVENTS, compile_strategy

        started = time.perf_counter()
        self._guarded("on_start", self.strategy.on_start)
        wanted = tuple(name for name in COMPILED_EVENTS if name == "on_bar" or defines(self.strategy, name))
        code = compile_strategy(self.strategy, Strategy, wanted)
        stop = python_callback(self._stop) if defines(self.strategy, "on_stop") else None
        block = StrategyBlock(
            self.strategy, Strategy, code, self.memory.address, 0 if stop is None else stop.address
        )
        self._block = block
        self.memory.run["strategy"] = block.address
        self.timings["compile"] = time.perf_counter() - started
        started = time.perf_counter()
        status = self._loop(code.callback)
        self.timings["run"] = time.perf_counter() - started
        if self._stop_error is not None:
            raise self._failure(self._stop_error, "on_stop")
        if status == RUN_STOPPED:
            raise CallbackFailed
        self._take_back()

    def _stop(self, *_: int) -> int:
        """End a compiled strategy in Python, where its last method may do anything."""
        self._take_back()
        try:
            unroll(self.strategy)
            self.strategy.on_stop()
        except BaseException as e:  # noqa: BLE001 (nothing may cross compiled code)
            self._stop_error = e
            return 1
        return 0

    def _take_back(self) -> None:
        """Bring state and log of the block to the instance and the host, once."""
        block, self._block = self._block, None
        if block is None:
            return
        block.write_back()
        count, lines = block.log()
        for ts, text, values in lines:
            self.host.messages.write(ts, text, values)
        self.host.messages.count += count - len(lines)

    def _loop(self, callback: AddressedFunction) -> int:
        while True:
            status = int(run_loop(self.memory.address, callback.address))
            if status != RUN_GROW:
                return status
            self.memory.grow()

    def _guarded(self, name: str, call: Any) -> None:
        try:
            call()
        except Exception as e:
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
    obstacle: CannotCompile | None = None
    if mode != "python":
        attempt = _Attempt(strategy, market)
        try:
            attempt.compiled()
            return attempt.outcome("compiled", None)
        except CannotCompile as e:
            obstacle = e
        except CallbackFailed:
            obstacle = None
    if mode == "compiled" and obstacle is not None:
        raise InputError(explain(f"{type(strategy).__name__} cannot be compiled: {obstacle}"), field="mode")
    attempt = _Attempt(strategy, market)
    attempt.in_python()
    return attempt.outcome("python", obstacle)
