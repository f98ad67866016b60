"""Backtests: put into a queue that survives a restart, run behind the fence, followed live, kept."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import func, select, update

from cashup.model.errors import CashUpError, InputError, explain
from cashup.runtime import metrics
from cashup.runtime.auth import Caller
from cashup.runtime.db import Database, emit, utc_now
from cashup.runtime.hub import Hub
from cashup.runtime.ids import new_id
from cashup.runtime.refusals import Conflict, NotFound
from cashup.services.strategy.catalog.service import CatalogService
from cashup.services.strategy.jobs import Launcher
from cashup.services.strategy.tables import BacktestRow, StrategyVersionRow

_LOOK_S: Final = 5.0
_MOST_WAITING: Final = 200
_ENDED: Final = frozenset({"done", "failed", "cancelled"})
_FILES: Final = frozenset({"report.html", "result.json", "output.txt"})

log = structlog.get_logger(__name__)


class BacktestService:
    """Backtests of users.

    Args:
        database: Where they are kept.
        hub: Tells the browsers how far they are.
        launcher: Runs them.
        catalog: Where strategies are.
        home: The data folder.
        at_once: How many run at the same time.
    """

    def __init__(
        self,
        database: Database,
        hub: Hub,
        launcher: Launcher,
        catalog: CatalogService,
        home: Path,
        *,
        at_once: int,
    ) -> None:
        self._database = database
        self._hub = hub
        self._launcher = launcher
        self._catalog = catalog
        self._home = home
        self._at_once = at_once
        self._running: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()

    async def submit(
        self,
        caller: Caller,
        strategy_id: str,
        *,
        version: int | None,
        request: dict[str, Any],
        idempotency_key: str = "",
    ) -> BacktestRow:
        """Put a backtest into the queue.

        Raises:
            NotFound: There is no such strategy or version of the caller's.
            InputError: The version cannot be loaded.
            Conflict: Too many are waiting, or the idempotency key was used for another request.
        """
        strategy = await self._catalog.owned(caller, strategy_id)
        chosen = await self._catalog.version(strategy, version or strategy.current)
        if chosen.problem:
            raise InputError(
                explain(f"version {chosen.number} cannot be loaded: {chosen.problem}"), field="version"
            )
        key = (
            hashlib.sha256(f"{caller.user_id}:{idempotency_key}".encode()).hexdigest()[:26]
            if idempotency_key
            else ""
        )
        async with self._database.write() as session:
            if key:
                before = await session.get(BacktestRow, key)
                if before is not None:
                    if json.dumps(before.request, sort_keys=True) != json.dumps(request, sort_keys=True):
                        raise Conflict("this idempotency key was used for another backtest")
                    return before
            waiting = (
                select(func.count())
                .select_from(BacktestRow)
                .where(BacktestRow.user_id == caller.user_id, BacktestRow.status.in_(("queued", "running")))
            )
            if (await session.scalar(waiting) or 0) >= _MOST_WAITING:
                raise Conflict(explain(f"{_MOST_WAITING} backtests are waiting already", hint="cancel some"))
            row = BacktestRow(
                id=key or new_id(),
                user_id=caller.user_id,
                strategy_id=strategy.id,
                strategy_name=strategy.name,
                strategy_version=chosen.number,
                request=request,
                status="queued",
                progress=0.0,
                statistics={},
                isolation={},
                created_at=utc_now(),
            )
            session.add(row)
        self._say(row)
        self._wake.set()
        return row

    async def run(self) -> None:
        """Take backtests from the queue until cancelled; what a crash interrupted is run again."""
        async with self._database.write() as session:
            await session.execute(
                update(BacktestRow)
                .where(BacktestRow.status == "running")
                .values(status="queued", progress=0.0)
            )
        try:
            while True:
                self._wake.clear()
                while len(self._running) < self._at_once and (row := await self._take()) is not None:
                    task = asyncio.create_task(self._work(row), name=f"backtest {row.id}")
                    self._running[row.id] = task
                    task.add_done_callback(partial(self._done, row.id))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_S):
                        await self._wake.wait()
        finally:
            tasks = list(self._running.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, backtest_id: str, _task: asyncio.Task[None]) -> None:
        self._running.pop(backtest_id, None)
        self._wake.set()

    async def _take(self) -> BacktestRow | None:
        async with self._database.write() as session:
            query = (
                select(BacktestRow)
                .where(BacktestRow.status == "queued")
                .order_by(BacktestRow.created_at)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            row = (await session.scalars(query)).first()
            if row is None:
                return None
            row.status, row.started_at, row.progress = "running", utc_now(), 0.0
        self._say(row)
        return row

    async def _work(self, row: BacktestRow) -> None:
        folder = self.folder(row.id)
        loop = asyncio.get_running_loop()
        started = loop.time()

        def on_progress(fraction: float, stage: str) -> None:
            row.progress = fraction
            self._say(row, stage=stage)

        changes: dict[str, Any]
        try:
            async with self._database.read() as session:
                version = await session.get(StrategyVersionRow, (row.strategy_id, row.strategy_version))
            if version is None:
                raise InputError("the strategy has been deleted")
            path = self._catalog.place(folder, version.code)
            request = {"strategy": str(path), **_job_request(row.request)}
            result = await self._launcher.run(
                "backtest", request, folder=folder, user_id=row.user_id, on_progress=on_progress
            )
            changes = _outcome(result)
        except CashUpError as e:
            message = e.message.replace(str(folder / "strategy.py"), "strategy.py")
            changes = {"status": "failed", "error": message[:2_000]}
        except asyncio.CancelledError:
            # By its owner: the row says so already. By the end of the program: it is run again at the next start.
            raise
        except Exception as e:
            log.error("backtest fault", backtest=row.id, exc_info=e)
            changes = {"status": "failed", "error": "a fault of CashUp; the log has it"}
        await self._finish(row.id, changes)
        metrics.JOBS.labels("backtest", changes["status"]).inc()
        metrics.JOB_SECONDS.labels("backtest").observe(loop.time() - started)

    async def _finish(self, backtest_id: str, changes: dict[str, Any]) -> None:
        async with self._database.write() as session:
            row = await session.get(BacktestRow, backtest_id, with_for_update=True)
            if row is None or row.status in _ENDED:
                return
            for name, value in changes.items():
                setattr(row, name, value)
            row.finished_at, row.progress = utc_now(), 1.0
            if row.status == "done":
                emit(
                    session,
                    "backtest.finished",
                    {
                        "user_id": row.user_id,
                        "source": f"backtest:{row.id}",
                        "backtest_id": row.id,
                        "strategy": row.strategy_name,
                        "total_return": _percent(row.total_return),
                        "max_drawdown": _percent(row.max_drawdown),
                    },
                    key=row.id,
                )
        self._say(row)

    async def cancel(self, caller: Caller, backtest_id: str) -> BacktestRow:
        """End a backtest of the caller's own (`NotFound`, `Conflict`)."""
        async with self._database.write() as session:
            row = await session.get(BacktestRow, backtest_id, with_for_update=True)
            if row is None or not caller.owns(row.user_id):
                raise NotFound("there is no such backtest")
            if row.status in _ENDED:
                raise Conflict(f"the backtest is {row.status} already")
            row.status, row.finished_at = "cancelled", utc_now()
        task = self._running.get(backtest_id)
        if task is not None:
            task.cancel()
        self._say(row)
        return row

    async def delete(self, caller: Caller, backtest_id: str) -> None:
        """Forget a backtest that has ended, with its files (`NotFound`, `Conflict`)."""
        async with self._database.write() as session:
            row = await session.get(BacktestRow, backtest_id, with_for_update=True)
            if row is None or not caller.owns(row.user_id):
                raise NotFound("there is no such backtest")
            if row.status not in _ENDED:
                raise Conflict(explain("the backtest is not finished", hint="cancel it first"))
            await session.delete(row)
        await asyncio.to_thread(shutil.rmtree, self.folder(backtest_id), ignore_errors=True)

    async def get(self, caller: Caller, backtest_id: str) -> BacktestRow:
        """Return a backtest the caller may look at (`NotFound`)."""
        async with self._database.read() as session:
            row = await session.get(BacktestRow, backtest_id)
        if row is None or not caller.may_see(row.user_id):
            raise NotFound("there is no such backtest")
        return row

    async def page(
        self, caller: Caller, *, before: str, limit: int, strategy_id: str, status: str
    ) -> Sequence[BacktestRow]:
        """Return the caller's backtests, newest first."""
        query = (
            select(BacktestRow)
            .where(BacktestRow.user_id == caller.user_id)
            .order_by(BacktestRow.created_at.desc(), BacktestRow.id.desc())
            .limit(limit)
        )
        if before:
            last = await self.get(caller, before)
            query = query.where(BacktestRow.created_at < last.created_at)
        if strategy_id:
            query = query.where(BacktestRow.strategy_id == strategy_id)
        if status:
            query = query.where(BacktestRow.status == status)
        async with self._database.read() as session:
            return (await session.scalars(query)).all()

    async def file(self, caller: Caller, backtest_id: str, name: str) -> Path:
        """Return a file of a finished backtest (`NotFound`)."""
        row = await self.get(caller, backtest_id)
        path = self.folder(row.id) / name
        if name not in _FILES or path.is_symlink() or not path.is_file():
            raise NotFound("there is no such file")
        return path

    def folder(self, backtest_id: str) -> Path:
        """Return the folder of a backtest."""
        return self._home / "backtests" / backtest_id

    def _say(self, row: BacktestRow, stage: str = "") -> None:
        self._hub.publish(
            f"user:{row.user_id}:backtests",
            {
                "id": row.id,
                "status": row.status,
                "progress": row.progress,
                "stage": stage,
                "error": row.error or "",
            },
        )


def _job_request(request: dict[str, Any]) -> dict[str, Any]:
    options = {
        name: request.get(name)
        for name in ("timeframe", "since", "until", "params", "cash", "fee", "slippage", "leverage", "mode")
    }
    return {"data": request["data"], "options": {**options, **request.get("options", {})}}


def _outcome(result: dict[str, Any]) -> dict[str, Any]:
    statistics = result["statistics"]
    return {
        "status": "done",
        "statistics": statistics,
        "run_id": result["id"],
        "isolation": result["isolation"],
        "total_return": statistics.get("total_return"),
        "sharpe": statistics.get("sharpe"),
        "max_drawdown": statistics.get("max_drawdown"),
        "trades": int(statistics.get("trades") or 0),
        "error": "",
    }


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.2f} %"
