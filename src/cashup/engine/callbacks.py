"""Calling a strategy's methods from the loop, and turning what they raise into `StrategyFailed`."""

from __future__ import annotations

import inspect
import traceback
from typing import Final

from cashup.engine.kernel_host import KernelHost
from cashup.engine.strategy import Strategy, defines
from cashup.kernel.types import (
    ON_BAR,
    ON_FILL,
    ON_FUNDING,
    ON_ORDER,
    ON_STOP,
    WANTS_FILL,
    WANTS_FUNDING,
    WANTS_ORDER,
)
from cashup.model.errors import CashUpError, StrategyFailed
from cashup.model.time import format_time

_WANTS = {"on_fill": WANTS_FILL, "on_order": WANTS_ORDER, "on_funding": WANTS_FUNDING}
EVENT_METHODS: Final = {
    ON_BAR: "on_bar",
    ON_FILL: "on_fill",
    ON_ORDER: "on_order",
    ON_FUNDING: "on_funding",
    ON_STOP: "on_stop",
}


def wants_of(strategy: Strategy) -> int:
    """Return the WANTS_* bits of the callbacks a strategy has besides `on_bar`."""
    return sum(bit for name, bit in _WANTS.items() if defines(strategy, name))


class PythonCallbacks:
    """Hands the loop's rarer events to a strategy's methods.

    Attributes:
        running: Name of the method that was called last.
    """

    def __init__(self, strategy: Strategy, host: KernelHost) -> None:
        self.running = "on_bar"
        self._strategy = strategy
        self._host = host

    def handle(self, event: int, argument: int) -> None:
        """Call the method for an event other than ON_BAR."""
        self.running = EVENT_METHODS.get(event, "on_bar")
        if event == ON_FILL:
            self._strategy.on_fill(self._host.fill(argument))
        elif event == ON_ORDER:
            self._strategy.on_order(self._host.order(argument))
        elif event == ON_FUNDING:
            self._strategy.on_funding(self._host.payment(argument))
        elif event == ON_STOP:
            self._strategy.on_stop()
        self.running = "on_bar"


def strategy_failed(
    error: BaseException, strategy: Strategy, callback: str, bar_open_ts: int | None = None
) -> BaseException:
    """Describe what a callback raised, with the user's file and line; an interrupt is returned as it is."""
    if not isinstance(error, Exception):
        return error
    if isinstance(error, CashUpError) and callback == "prepare":
        return error
    file, line = user_line(error, type(strategy))
    failure = StrategyFailed.of(
        error,
        strategy=type(strategy).__name__,
        callback=callback,
        bar_time="" if bar_open_ts is None else format_time(bar_open_ts),
        file=file,
        line=line,
    )
    failure.__cause__ = error
    return failure


def user_line(error: BaseException, strategy: type[Strategy]) -> tuple[str, int]:
    """Return file and line of the deepest frame in the user's own code, ("", 0) when there is none."""
    return deepest_line(error, _files_of(strategy))


def deepest_line(error: BaseException, files: set[str]) -> tuple[str, int]:
    """Return file and line of the deepest frame in one of `files`, ("", 0) when there is none."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename in files:
            return frame.filename, frame.lineno or 0
    return "", 0


def _files_of(strategy: type[Strategy]) -> set[str]:
    """Return the files the methods of a strategy and of its bases (but ours) come from."""
    return {
        member.__code__.co_filename
        for owner in strategy.__mro__
        if issubclass(owner, Strategy) and owner is not Strategy
        for member in vars(owner).values()
        if inspect.isfunction(member)
    }
