"""Health of this process over time: a probe a minute, availability over a day and a month."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
import time
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, select

from cashup.runtime import metrics
from cashup.runtime.context import ServiceContext
from cashup.runtime.db import utc_now
from cashup.services.core.system.tables import ProbeRow
from cashup.version import __version__

_EVERY_S: Final = 60
_CHECK_S: Final = 3.0
_KEPT: Final = timedelta(days=45)
_DAY: Final = timedelta(days=1)
_MONTH: Final = timedelta(days=30)


class SystemService:
    """How this process is doing."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._started = utc_now()

    async def probe(self) -> dict[str, str]:
        """Run every health check; return the failures."""
        failures: dict[str, str] = {}
        for name, check in self._context.checks.items():
            try:
                async with asyncio.timeout(_CHECK_S):
                    await check()
            except Exception as e:  # noqa: BLE001 - whatever a check raises, it failed
                failures[name] = f"{type(e).__name__}"
            metrics.UP.labels(name).set(0 if name in failures else 1)
        return failures

    async def run(self) -> None:
        """Probe once a minute until cancelled; a minute without a probe counts as down."""
        while True:
            failures = await self.probe()
            now = utc_now().replace(microsecond=0)
            async with self._context.database.write() as session:
                await session.merge(ProbeRow(at=now, ready=not failures, failures=failures))
                await session.execute(delete(ProbeRow).where(ProbeRow.at < now - _KEPT))
            self._context.hub.publish("system:health", {"ready": not failures, "failures": failures})
            await asyncio.sleep(_EVERY_S - time.time() % _EVERY_S)

    async def overview(self) -> dict[str, Any]:
        """Return version, uptime, availability, tasks, disk and memory."""
        now = utc_now()
        disk = shutil.disk_usage(self._context.settings.home)
        failures = await self.probe()
        return {
            "version": __version__,
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "processors": os.cpu_count() or 1,
            "profile": self._context.settings.profile,
            "services": list(self._context.settings.services),
            "database": "SQLite" if self._context.database.is_sqlite else "PostgreSQL",
            "started_at": self._started,
            "uptime_s": (now - self._started).total_seconds(),
            "ready": not failures,
            "failures": failures,
            "availability_24h": await self._availability(now, _DAY),
            "availability_30d": await self._availability(now, _MONTH),
            "memory_mb": _memory_mb(),
            "disk_free_gb": disk.free / 1e9,
            "disk_used": disk.used / disk.total,
            "tasks": [
                {
                    "name": one.name,
                    "running": one.running,
                    "restarts": one.restarts,
                    "last_error": one.last_error,
                }
                for one in self._context.supervisor.states.values()
            ],
        }

    async def _availability(self, now: datetime, window: timedelta) -> float | None:
        """Return the share of minutes with a good probe, since the first probe of the window; None without one."""
        since = now - window
        counted = select(func.count(), func.min(ProbeRow.at)).where(ProbeRow.at >= since)
        async with self._context.database.read() as session:
            total, first = (await session.execute(counted)).one()
            good = await session.scalar(
                select(func.count())
                .select_from(ProbeRow)
                .where(ProbeRow.at >= since, ProbeRow.ready.is_(True))
            )
        if not total:
            return None
        minutes = max(total, int((now - first).total_seconds() // _EVERY_S))
        return min(1.0, (good or 0) / minutes)


def _memory_mb() -> float:
    try:
        import resource
    except ModuleNotFoundError:
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1_048_576 if sys.platform == "darwin" else 1_024)
