"""Background tasks that are watched: restarted with back-off when they fail, counted, and stopped together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from cashup.runtime import metrics

_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 30.0
_STEADY_S: Final = 60.0
_INSIST_S: Final = 0.5

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class TaskState:
    """How a supervised task is doing.

    Attributes:
        name: Its name.
        restarts: How often it had to be started again.
        last_error: What it failed with last, or "".
        running: Whether it runs now.
    """

    name: str
    restarts: int = 0
    last_error: str = ""
    running: bool = False


class Supervisor:
    """Run coroutines for as long as the program does."""

    def __init__(self) -> None:
        self.states: dict[str, TaskState] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` until it returns; run it again when it raises."""
        if name in self._tasks and not self._tasks[name].done():
            raise ValueError(f"the task {name!r} runs already")
        state = self.states[name] = TaskState(name)
        self._tasks[name] = asyncio.create_task(self._watch(state, work), name=name)

    async def stop(self, name: str) -> None:
        """End one task."""
        task = self._tasks.pop(name, None)
        while task is not None and not task.done():
            task.cancel()  # again, should a library on the way have swallowed it
            await asyncio.wait({task}, timeout=_INSIST_S)

    async def close(self) -> None:
        """End all tasks, newest first."""
        for name in reversed(list(self._tasks)):
            await self.stop(name)

    async def _watch(self, state: TaskState, work: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE_S
        while True:
            started = loop.time()
            state.running = True
            try:
                await work()
                return
            except Exception as e:
                state.last_error = f"{type(e).__name__}: {e}"
                log.error("task failed", task=state.name, exc_info=e)
            finally:
                state.running = False
            state.restarts += 1
            metrics.TASK_RESTARTS.labels(state.name).inc()
            pause = _FIRST_PAUSE_S if loop.time() - started > _STEADY_S else min(pause * 2, _LONGEST_PAUSE_S)
            await asyncio.sleep(pause)
