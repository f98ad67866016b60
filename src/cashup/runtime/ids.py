"""The only place that makes identifiers.

A backtest counts, so that two runs of the same input name the same things alike; paper and live draw
time-ordered random identifiers, unique across processes and restarts.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from typing import Final, Protocol

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_COUNTER_BITS: Final = 74  # what RFC 9562 leaves beside time, version and variant
_RAND_B_BITS: Final = 62


class IdSource(Protocol):
    """What every context offers: a new identifier."""

    def next_id(self) -> str:
        """Return an identifier never returned before, later in text order than the ones before it."""
        ...


class CounterIds:
    """Identifiers by counting: `prefix` and a number padded so that text order is order of making."""

    __slots__ = ("_count", "_prefix", "_width")

    def __init__(self, prefix: str = "", *, start: int = 1, width: int = 9) -> None:
        self._prefix = prefix
        self._count = start - 1
        self._width = width

    def next_id(self) -> str:
        """Return the next number as text."""
        self._count += 1
        return f"{self._prefix}{self._count:0{self._width}d}"


class Uuid7Ids:
    """Identifiers that are UUIDs version 7 (RFC 9562), written in 26 characters that every venue accepts.

    The millisecond comes first, so identifiers sort by time of making; within one millisecond the random
    part is increased by a random step (RFC 9562, section 6.2, method 2), so order holds there too.
    """

    __slots__ = ("_millisecond", "_noise", "_now", "_random")

    def __init__(
        self, now: Callable[[], int] = time.time_ns, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._now = now
        self._random = random
        self._millisecond = -1
        self._noise = 0

    def next_uuid(self) -> uuid.UUID:
        """Return a new UUID version 7, greater than every one this source returned before."""
        millisecond = self._now() // 1_000_000
        if millisecond > self._millisecond:
            self._millisecond = millisecond
            self._noise = self._draw(_COUNTER_BITS - 1)  # the top bit is left free for counting up
        else:  # same millisecond, or the clock went back: stay on the old one and count on
            self._noise += 1 + self._draw(32)
            if self._noise >> _COUNTER_BITS:
                self._millisecond += 1
                self._noise = self._draw(_COUNTER_BITS - 1)
        high, low = self._noise >> _RAND_B_BITS, self._noise & ((1 << _RAND_B_BITS) - 1)
        number = (self._millisecond & ((1 << 48) - 1)) << 80 | 7 << 76 | high << 64 | 2 << 62 | low
        return uuid.UUID(int=number)

    def next_id(self) -> str:
        """Return a new identifier of 26 characters from 0-9 and A-Z."""
        number = self.next_uuid().int
        characters = []
        for _ in range(26):
            number, digit = divmod(number, 32)
            characters.append(_ALPHABET[digit])
        return "".join(reversed(characters))

    def _draw(self, bits: int) -> int:
        return int.from_bytes(self._random((bits + 7) // 8), "big") & ((1 << bits) - 1)


_SOURCE: Final = Uuid7Ids()


def new_id() -> str:
    """Return a new identifier of a user's object: 26 characters, in order of making."""
    return _SOURCE.next_id()
