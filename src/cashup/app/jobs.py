"""Start jobs in processes of their own, follow their progress, end them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from cashup.model.errors import CashUpError

_MAX_LINE: Final = 16_000_000
_END_S: Final = 2.0


class JobFailed(CashUpError):  # noqa: N818 (the state of a job)
    """A job ended without a result; the message says why.

    Attributes:
        reason: The code of the error inside the job.
    """

    code = "job_failed"

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class JobLauncher:
    """Run jobs of users, a bounded number at a time.

    Args:
        home: The data folder.
        at_once: How many run at the same time; the others wait in order.
        memory_mb: Most memory of one job.
        seconds: Longest time of one job.
    """

    def __init__(self, home: Path, *, at_once: int, memory_mb: int = 4_096, seconds: int = 900) -> None:
        self._home = home
        self._slots = asyncio.Semaphore(at_once)
        self._memory_mb = memory_mb
        self._seconds = seconds

    async def run(
        self,
        kind: str,
        request: dict[str, Any],
        *,
        folder: Path,
        user_id: str,
        on_progress: Callable[[float, str], None] = lambda _fraction, _stage: None,
    ) -> dict[str, Any]:
        """Run one job and return its result; cancelling ends its process.

        Raises:
            JobFailed: It ended without a result.
        """
        async with self._slots:
            return await self._run(kind, request, folder, user_id, on_progress)

    async def _run(
        self,
        kind: str,
        request: dict[str, Any],
        folder: Path,
        user_id: str,
        on_progress: Callable[[float, str], None],
    ) -> dict[str, Any]:
        folder.mkdir(parents=True, exist_ok=True)
        cache = self._home / "cache" / user_id
        cache.mkdir(parents=True, exist_ok=True)
        data = self._home / "data"
        data.mkdir(parents=True, exist_ok=True)
        full = {
            **request,
            "kind": kind,
            "folder": str(folder),
            "read": [str(data), *request.get("read", [])],
            "write": [str(cache)],
            "memory_mb": self._memory_mb,
            "cpu_s": self._seconds,
        }
        environ = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "LANG": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
            "PYTHONDONTWRITEBYTECODE": "1",
            "NUMBA_CACHE_DIR": str(cache / "numba"),
            "CASHUP_CACHE_DIR": str(cache),
            "CASHUP_DATA_DIR": str(data),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cashup.app.job",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environ,
            cwd=folder,
            limit=_MAX_LINE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(process, full, on_progress)
        except TimeoutError as e:
            raise JobFailed(f"the job took longer than {self._seconds} s and was ended", "timeout") from e
        finally:
            await _end(process)

    async def _follow(
        self,
        process: asyncio.subprocess.Process,
        request: dict[str, Any],
        on_progress: Callable[[float, str], None],
    ) -> dict[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        await process.stdin.drain()
        enforced: dict[str, Any] = {}
        while line := await process.stdout.readline():
            message = json.loads(line)
            if message["type"] == "progress":
                on_progress(float(message["fraction"]), str(message["stage"]))
            elif message["type"] == "fence":
                enforced = message["enforced"]
            elif message["type"] == "failed":
                raise JobFailed(message["message"], message["code"])
            elif message["type"] == "done":
                return {**message["result"], "isolation": enforced}
        status = await process.wait()
        raise JobFailed(
            f"the job ended with status {status} and no result; it may have taken too much memory", "ended"
        )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await process.wait()


def remove_folder(folder: Path) -> None:
    """Remove a job's folder, whatever is in it."""
    shutil.rmtree(folder, ignore_errors=True)


__all__ = ["JobFailed", "JobLauncher", "remove_folder"]
