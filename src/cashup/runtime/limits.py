"""How often somebody may ask: one sliding window, in memory or in Redis."""

from __future__ import annotations

import time
from typing import Final

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from cashup.model.errors import explain
from cashup.runtime.refusals import TooMany

_MINUTE_S: Final = 60


class RateLimiter:
    """Count what each subject does, and refuse what is too much.

    Args:
        url: Address of the channel: counters live in Redis when the channel does.
    """

    def __init__(self, url: str = "memory://") -> None:
        storage: MemoryStorage | RedisStorage = (
            RedisStorage(f"async+{url}", implementation="redispy")
            if url.startswith("redis")
            else MemoryStorage()
        )
        self._limiter = SlidingWindowCounterRateLimiter(storage)

    async def check(self, kind: str, subject: str, per_minute: int) -> None:
        """Count one request of `subject`.

        Raises:
            TooMany: It was one too many; the error says when to try again.
        """
        item = RateLimitItemPerMinute(per_minute, 1, "cashup")
        if await self._limiter.hit(item, kind, subject):
            return
        window = await self._limiter.get_window_stats(item, kind, subject)
        wait = max(1, min(_MINUTE_S, round(window.reset_time - time.time()) + 1))
        raise TooMany(
            explain(f"more than {per_minute} requests a minute", hint=f"try again in {wait} s"), wait
        )
