"""The only place that reads the wall clock.

Everything above asks a `Clock` what time it is and asks the same clock to be woken up; a replay with a
`SimClock` therefore sees the times, and the timers in the order, that the recorded run saw. Times are int
nanoseconds UTC.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

#: Later than any real time: what `next_deadline` says when no timer is set.
NEVER: Final = 2**63 - 1

_NONE: Final = (0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """A timer that came due.

    Attributes:
        name: The name it was set under.
        ts_event: Time it was set for, ns UTC.
        ts_init: Time it was noticed, ns UTC; the same as `ts_event` on a simulated clock.
    """

    name: str
    ts_event: int
    ts_init: int


class Clock(Protocol):
    """What every context offers: the time, and timers."""

    def now(self) -> int:
        """Return the time in ns UTC. It never goes backwards."""
        ...

    def set_timer(self, name: str, at: int, *, interval: int = 0) -> None:
        """Ask for a `TimerFired` at `at` (ns UTC), and every `interval` ns after that when it is not 0.

        A timer of the same name is replaced. A time that has passed fires at the next opportunity.
        """
        ...

    def cancel_timer(self, name: str) -> bool:
        """Forget the timer; return whether there was one."""
        ...

    def next_deadline(self) -> int:
        """Return when the next timer is due, ns UTC, or `NEVER`."""
        ...


class _Timers:
    """Timers in order of time, then in the order they were set."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, str]] = []
        self._live: dict[str, tuple[int, int, int]] = {}  # name -> (its sequence, time, interval)
        self._sequence = 0

    def __bool__(self) -> bool:
        return bool(self._heap)

    def set(self, name: str, at: int, interval: int) -> None:
        if interval < 0:
            raise ValueError(f"the interval of timer {name!r} is {interval}; expected 0 or more nanoseconds")
        self._sequence += 1
        self._live[name] = (self._sequence, at, interval)
        heapq.heappush(self._heap, (at, self._sequence, name))

    def cancel(self, name: str) -> bool:
        return self._live.pop(name, None) is not None

    def next_deadline(self) -> int:
        heap = self._heap
        while heap:
            at, sequence, name = heap[0]
            if self._live.get(name, _NONE)[0] == sequence:
                return at
            heapq.heappop(heap)  # replaced or cancelled
        return NEVER

    def pop(self) -> tuple[str, int]:
        """Take the next timer out, setting its repetition; call only when `next_deadline` is not NEVER."""
        at, _, name = heapq.heappop(self._heap)
        interval = self._live.pop(name)[2]
        if interval:
            self.set(name, at + interval, interval)
        return name, at

    def skip_missed(self, name: str, now: int) -> None:
        """Move a repetition that already lies in the past to the next time of its own grid."""
        _, at, interval = self._live.get(name, _NONE)
        if interval and at <= now:
            self.set(name, at + ((now - at) // interval + 1) * interval, interval)


class SimClock:
    """A clock that stands still until it is told the time."""

    __slots__ = ("_now", "_timers")

    def __init__(self, start: int = 0) -> None:
        self._now = start
        self._timers = _Timers()

    def now(self) -> int:
        """Return the simulated time, ns UTC."""
        return self._now

    def set_timer(self, name: str, at: int, *, interval: int = 0) -> None:
        """Set, or replace, the timer `name`; see `Clock.set_timer`."""
        self._timers.set(name, at, interval)

    def cancel_timer(self, name: str) -> bool:
        """Forget the timer; return whether there was one."""
        return self._timers.cancel(name)

    def next_deadline(self) -> int:
        """Return when the next timer is due, ns UTC, or `NEVER`."""
        return self._timers.next_deadline()

    def advance(self, to: int) -> Iterable[TimerFired]:
        """Move to the time `to`, yielding on the way every timer due until then, in order.

        The clock shows a timer's own time while that timer is being handled, so what the handler sets in turn
        (even for the same moment) fires in this same walk. The walk must be consumed to the end.

        Raises:
            ValueError: `to` lies in the past.
        """
        if to < self._now:
            raise ValueError(f"the clock stands at {self._now} ns; it cannot go back to {to} ns")
        if self._timers:
            return self._walk(to)
        self._now = to
        return ()

    def _walk(self, to: int) -> Iterator[TimerFired]:
        while (due := self._timers.next_deadline()) <= to:
            self._now = max(self._now, due)
            name, at = self._timers.pop()
            yield TimerFired(name=name, ts_event=at, ts_init=self._now)
        self._now = to


class LiveClock:
    """The machine's clock, kept from going backwards when the system time is corrected."""

    __slots__ = ("_last", "_read", "_timers")

    def __init__(self, read: Callable[[], int] = time.time_ns) -> None:
        self._read = read
        self._last = 0
        self._timers = _Timers()

    def now(self) -> int:
        """Return the time in ns UTC; after a backward correction it stands still until caught up."""
        now = self._read()
        if now > self._last:
            self._last = now
        return self._last

    def set_timer(self, name: str, at: int, *, interval: int = 0) -> None:
        """Set, or replace, the timer `name`; see `Clock.set_timer`."""
        self._timers.set(name, at, interval)

    def cancel_timer(self, name: str) -> bool:
        """Forget the timer; return whether there was one."""
        return self._timers.cancel(name)

    def next_deadline(self) -> int:
        """Return when the next timer is due, ns UTC, or `NEVER`: how long a driver may sleep."""
        return self._timers.next_deadline()

    def due(self) -> Iterator[TimerFired]:
        """Yield the timers that have come due, in order; a repeating one that fell behind fires once."""
        now = self.now()
        while (at := self._timers.next_deadline()) <= now:
            name, at = self._timers.pop()
            self._timers.skip_missed(name, now)
            yield TimerFired(name=name, ts_event=at, ts_init=now)
