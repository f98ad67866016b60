"""The database: SQLite on a laptop, PostgreSQL for a team, one code for both.

A unit of work is one transaction. `Database.write` opens it, commits it when its block ends without an error and
rolls it back otherwise; nothing else in the program commits. Messages for other services are rows of the outbox,
written in the same transaction, so that a message leaves exactly when what it tells of is durable.

SQLite is opened the way it keeps its word: a writer takes its lock before its first read (`BEGIN IMMEDIATE`),
because two transactions that both read and then write would otherwise lose one of the updates without an error;
the log is write-ahead, so readers never wait.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from sqlalchemy import JSON, DateTime, MetaData, Numeric, String, Text, event
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeDecorator, TypeEngine

from cashup.model.errors import ConfigError, explain

__all__ = ["Base", "Database", "Money", "OutboxRow", "Utc", "emit", "utc_now"]

_BUSY_TIMEOUT_MS: Final = 5_000


class Money(TypeDecorator[Decimal]):
    """An exact decimal: NUMERIC(38, 18) on PostgreSQL, text on SQLite, whose own NUMERIC is a float."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type of the database."""
        return dialect.type_descriptor(String(64) if dialect.name == "sqlite" else Numeric(38, 18))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Hand the value over without going through a float."""
        if value is None:
            return None
        if not value.is_finite():
            raise ValueError(f"{value} is no amount of money; expected a finite number")
        return format(value, "f") if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, _dialect: Dialect) -> Decimal | None:
        """Read the value back exactly."""
        return None if value is None else Decimal(value)


class Utc(TypeDecorator[datetime]):
    """A moment in UTC. SQLite forgets the zone, so it is put back; a moment without a zone is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone; expected a moment in UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Say that it is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What every table of every service derives from."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a class attribute
        Decimal: Money,
        datetime: Utc,
        dict[str, Any]: JSON,
        list[str]: JSON,
        str: Text,
    }


class OutboxRow(Base):
    """A message that leaves after the transaction it was written in.

    Attributes:
        id: Order of leaving.
        topic: Topic of the channel.
        payload: The message.
        key: Messages of one key stay in order.
        created_at: When it was written.
    """

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    topic: Mapped[str] = mapped_column(String(120))
    key: Mapped[str] = mapped_column(String(120), default="")
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


def utc_now() -> datetime:
    """Return the present. Tables keep moments; the engine keeps nanoseconds of its own clock."""
    return datetime.now(UTC)


def emit(session: AsyncSession, topic: str, payload: dict[str, Any], *, key: str = "") -> None:
    """Send a message to the other services, if and when this transaction is committed.

    Args:
        session: Of the unit of work.
        topic: What the message is about, such as ``order.changed``.
        payload: Anything JSON can say.
        key: Messages of one key are delivered in order.
    """
    session.add(OutboxRow(topic=topic, key=key, payload=payload, created_at=utc_now()))
    session.info["emitted"] = True


class Database:
    """One database, opened for writers and for readers.

    Args:
        url: ``sqlite+aiosqlite:///path`` or ``postgresql+asyncpg://user:password@host/name``.
        pool_size: Connections kept open to PostgreSQL, for each of writers and readers.

    Raises:
        ConfigError: The address names another kind of database, or none.
    """

    def __init__(self, url: str, *, pool_size: int = 5) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError as e:
            raise ConfigError(
                explain(
                    "the database address cannot be read",
                    expected="sqlite+aiosqlite:///path or postgresql+asyncpg://user:password@host/name",
                )
            ) from e
        known = {"sqlite", "sqlite+aiosqlite", "postgresql", "postgresql+asyncpg"}
        if parsed.drivername not in known:
            raise ConfigError(
                explain(
                    f"database driver {parsed.drivername!r} is not supported",
                    expected="sqlite+aiosqlite or postgresql+asyncpg",
                )
            )
        self.is_sqlite = parsed.drivername.startswith("sqlite")
        self.url = parsed.set(drivername="sqlite+aiosqlite" if self.is_sqlite else "postgresql+asyncpg")
        self.after_commit: list[Callable[[], None]] = []
        if self.is_sqlite:
            if self.url.database:
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            self._writers = _sqlite_engine(self.url, "BEGIN IMMEDIATE")
            self._readers = _sqlite_engine(self.url, "BEGIN")
        else:
            self._writers = create_async_engine(self.url, pool_size=pool_size, pool_pre_ping=True)
            self._readers = self._writers
        self._write = async_sessionmaker(self._writers, expire_on_commit=False)
        self._read = async_sessionmaker(self._readers, expire_on_commit=False)

    @property
    def shown(self) -> str:
        """The address without its password."""
        return self.url.render_as_string(hide_password=True)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """Open a unit of work: all of it happens, or nothing."""
        async with self._write() as session:
            async with session.begin():
                yield session
            if session.info.pop("emitted", False):
                for wake in self.after_commit:
                    wake()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open a consistent view; what is changed in it is not kept."""
        async with self._read() as session:
            yield session
            session.expunge_all()  # rows stay readable after the view has closed
            await session.rollback()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """Open a bare connection in a transaction, for migrations and bulk copies."""
        async with self._writers.begin() as connection:
            yield connection

    async def create_tables(self) -> None:
        """Create what is not there, without migrations: for tests and throw-away databases."""
        async with self._writers.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)

    async def ping(self) -> None:
        """Ask the database for an answer.

        Raises:
            ConfigError: It gives none.
        """
        try:
            async with self._readers.connect() as connection:
                await connection.exec_driver_sql("SELECT 1")
        except (OperationalError, OSError) as e:
            raise ConfigError(explain(f"the database {self.shown} does not answer: {e}")) from e

    async def close(self) -> None:
        """Give the connections back."""
        await self._writers.dispose()
        if self._readers is not self._writers:
            await self._readers.dispose()


def _sqlite_engine(url: Any, begin: str) -> AsyncEngine:  # Any: SQLAlchemy's URL
    engine = create_async_engine(
        url,
        poolclass=NullPool if url.database in (None, "", ":memory:") else None,
        json_serializer=lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver would open its transaction only at the first write
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
