"""Strategies of users: every save is a version, every version is loaded behind the fence before it is trusted."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from cashup.model.errors import CashUpError, InputError, explain
from cashup.runtime.auth import Caller
from cashup.runtime.db import Database, emit, utc_now
from cashup.runtime.ids import new_id
from cashup.runtime.refusals import Conflict, NotFound, PreconditionFailed
from cashup.services.strategy.jobs import Launcher
from cashup.services.strategy.tables import BacktestRow, StrategyRow, StrategyVersionRow

_MAX_CODE: Final = 400_000
_MAX_STRATEGIES: Final = 2_000


class CatalogService:
    """Strategies and their versions.

    Args:
        database: Where they are kept.
        launcher: Loads them behind the fence.
        home: The data folder.
        templates: The strategies that come with the product, by name.
    """

    def __init__(
        self, database: Database, launcher: Launcher, home: Path, templates: dict[str, Path]
    ) -> None:
        self._database = database
        self._launcher = launcher
        self._home = home
        self.templates = templates

    async def create(
        self, caller: Caller, *, name: str, code: str, description: str, tags: list[str], note: str
    ) -> StrategyRow:
        """Keep a new strategy with its first version.

        Raises:
            Conflict: The name is taken.
            InputError: The code is too long, or is no text Python could read.
        """
        _check_code(code)
        outline, problem = await self.inspect(caller, code)
        now = utc_now()
        row = StrategyRow(
            id=new_id(),
            user_id=caller.user_id,
            name=name,
            description=description or outline.get("description", "")[:2_000],
            status="draft",
            tags=tags,
            config={},
            current=1,
            created_at=now,
            updated_at=now,
        )
        try:
            async with self._database.write() as session:
                count = (
                    select(func.count()).select_from(StrategyRow).where(StrategyRow.user_id == caller.user_id)
                )
                if (await session.scalar(count) or 0) >= _MAX_STRATEGIES:
                    raise InputError(explain(f"there are {_MAX_STRATEGIES} strategies already"))
                session.add(row)
                await session.flush()
                session.add(_version(row.id, 1, code, outline, problem, note))
                emit(
                    session,
                    "strategy.changed",
                    {"user_id": caller.user_id, "strategy_id": row.id},
                    key=row.id,
                )
        except IntegrityError as e:
            raise Conflict(explain(f"there is a strategy named {name!r} already")) from e
        return row

    async def save(
        self, caller: Caller, strategy_id: str, *, code: str, note: str, version: int | None
    ) -> StrategyVersionRow:
        """Keep a new version, and use it from now on; the same code again makes no new version.

        Raises:
            NotFound: There is no such strategy of the caller's.
            PreconditionFailed: Somebody saved meanwhile.
        """
        _check_code(code)
        row = await self.owned(caller, strategy_id)
        latest = await self.version(row, row.current)
        if latest.digest == _digest(code):
            return latest
        outline, problem = await self.inspect(caller, code)
        async with self._database.write() as session:
            kept = await session.get(StrategyRow, strategy_id, with_for_update=True)
            if kept is None:
                raise NotFound("there is no such strategy")
            _check_version(kept, version)
            highest = await session.scalar(
                select(func.max(StrategyVersionRow.number)).where(
                    StrategyVersionRow.strategy_id == strategy_id
                )
            )
            added = _version(strategy_id, (highest or 0) + 1, code, outline, problem, note)
            session.add(added)
            kept.current, kept.updated_at, kept.version = added.number, utc_now(), kept.version + 1
            emit(
                session,
                "strategy.changed",
                {"user_id": caller.user_id, "strategy_id": strategy_id},
                key=strategy_id,
            )
        return added

    async def change(
        self, caller: Caller, strategy_id: str, changes: dict[str, Any], version: int | None
    ) -> StrategyRow:
        """Change name, description, tags, status, configuration or the version in use."""
        if "current" in changes:
            await self.version(await self.owned(caller, strategy_id), changes["current"])
        try:
            async with self._database.write() as session:
                row = await session.get(StrategyRow, strategy_id, with_for_update=True)
                if row is None or not caller.owns(row.user_id):
                    raise NotFound("there is no such strategy")
                _check_version(row, version)
                for name, value in changes.items():
                    setattr(row, name, value)
                row.updated_at, row.version = utc_now(), row.version + 1
        except IntegrityError as e:
            raise Conflict("there is a strategy of that name already") from e
        return row

    async def delete(self, caller: Caller, strategy_id: str) -> None:
        """Forget a strategy with its versions; backtests of it are kept.

        Raises:
            NotFound: There is no such strategy of the caller's.
            Conflict: A backtest of it is running.
        """
        async with self._database.write() as session:
            row = await session.get(StrategyRow, strategy_id, with_for_update=True)
            if row is None or not caller.owns(row.user_id):
                raise NotFound("there is no such strategy")
            busy = (
                select(func.count())
                .select_from(BacktestRow)
                .where(BacktestRow.strategy_id == strategy_id, BacktestRow.status.in_(("queued", "running")))
            )
            if await session.scalar(busy):
                raise Conflict(explain("a backtest of this strategy is running", hint="cancel it first"))
            versions = select(StrategyVersionRow).where(StrategyVersionRow.strategy_id == strategy_id)
            for version in (await session.scalars(versions)).all():
                await session.delete(version)
            await session.flush()
            await session.delete(row)

    async def owned(self, caller: Caller, strategy_id: str, *, see: bool = False) -> StrategyRow:
        """Return a strategy of the caller's own; with `see`, one he may look at (`NotFound`)."""
        async with self._database.read() as session:
            row = await session.get(StrategyRow, strategy_id)
        if row is None or not (caller.may_see(row.user_id) if see else caller.owns(row.user_id)):
            raise NotFound("there is no such strategy")
        return row

    async def page(
        self, caller: Caller, *, after: str, limit: int, text: str, status: str
    ) -> Sequence[StrategyRow]:
        """Return the caller's strategies in order of making."""
        query = (
            select(StrategyRow)
            .where(StrategyRow.user_id == caller.user_id)
            .order_by(StrategyRow.id)
            .limit(limit)
        )
        if after:
            query = query.where(StrategyRow.id > after)
        if status:
            query = query.where(StrategyRow.status == status)
        if text:
            query = query.where(func.lower(StrategyRow.name).contains(text.lower(), autoescape=True))
        async with self._database.read() as session:
            return (await session.scalars(query)).all()

    async def versions(self, row: StrategyRow) -> Sequence[StrategyVersionRow]:
        """Return the versions of a strategy, newest first."""
        query = (
            select(StrategyVersionRow)
            .where(StrategyVersionRow.strategy_id == row.id)
            .order_by(StrategyVersionRow.number.desc())
        )
        async with self._database.read() as session:
            return (await session.scalars(query)).all()

    async def version(self, row: StrategyRow, number: int) -> StrategyVersionRow:
        """Return one version (`NotFound`)."""
        async with self._database.read() as session:
            found = await session.get(StrategyVersionRow, (row.id, number))
        if found is None:
            raise NotFound(f"this strategy has no version {number}")
        return found

    async def difference(self, row: StrategyRow, old: int, new: int) -> str:
        """Return what changed between two versions, as a unified diff (`NotFound`)."""
        before, after = await self.version(row, old), await self.version(row, new)
        lines = difflib.unified_diff(
            before.code.splitlines(keepends=True),
            after.code.splitlines(keepends=True),
            f"version {old}",
            f"version {new}",
        )
        return "".join(lines)

    async def inspect(self, caller: Caller, code: str) -> tuple[dict[str, Any], str]:
        """Load code behind the fence; return what it is, and why it cannot be loaded ("" when it can)."""
        folder = self._home / "jobs" / new_id()
        path = self.place(folder, code)
        try:
            found = await self._launcher.run(
                "inspect", {"strategy": str(path)}, folder=folder, user_id=caller.user_id
            )
        except CashUpError as e:
            return {}, e.message.replace(str(path), "strategy.py")[:2_000]
        finally:
            _remove(folder)
        return found, ""

    def place(self, folder: Path, code: str) -> Path:
        """Write code into the folder of a job; return the file."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "strategy.py"
        path.write_text(code, encoding="utf-8")
        return path


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
    folder.rmdir()


def _check_code(code: str) -> None:
    if len(code) > _MAX_CODE:
        raise InputError(
            explain(f"the code has {len(code)} characters", expected=f"at most {_MAX_CODE}"), field="code"
        )
    if "\0" in code:
        raise InputError(explain("the code holds a zero byte"), field="code")
    try:
        code.encode("utf-8")
    except UnicodeEncodeError as e:
        raise InputError(
            explain("the code holds half a character", where=f"position {e.start}"), field="code"
        ) from e


def _check_version(row: StrategyRow, version: int | None) -> None:
    if version is not None and row.version != version:
        raise PreconditionFailed(explain("the strategy was changed meanwhile", hint="read it again"))


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _version(
    strategy_id: str, number: int, code: str, outline: dict[str, Any], problem: str, note: str
) -> StrategyVersionRow:
    return StrategyVersionRow(
        strategy_id=strategy_id,
        number=number,
        code=code,
        digest=_digest(code),
        outline=outline,
        problem=problem,
        note=note,
        created_at=utc_now(),
    )
