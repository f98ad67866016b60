"""The database keeps its word on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from alembic.util import CommandError
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from cashup.app import migrations
from cashup.app.tables import metadata
from cashup.model.errors import ConfigError
from cashup.runtime.channel import Envelope, MemoryChannel
from cashup.runtime.db import Base, Database, OutboxRow, emit
from cashup.runtime.outbox import Outbox
from cashup.services.core.audit.service import first_break, record
from cashup.services.core.audit.tables import AuditRow

metadata()


class Own(DeclarativeBase):
    """Tables of this test alone."""

    type_annotation_map = Base.type_annotation_map


class PurseRow(Own):
    """A table of this test."""

    __tablename__ = "test_purses"

    id: Mapped[int] = mapped_column(primary_key=True)
    money: Mapped[Decimal]
    at: Mapped[datetime]


@pytest.fixture(params=["sqlite", "postgres"])
async def empty(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}")
    else:
        database = Database(request.getfixturevalue("postgres_url"))
    yield database
    await database.close()


@pytest.fixture
async def database(empty: Database) -> Database:
    await migrations.upgrade(empty)
    async with empty.connection() as connection:
        await connection.run_sync(lambda sync: PurseRow.__table__.create(sync))  # type: ignore[attr-defined]
    return empty


async def test_migrations_go_up_and_down_and_leave_nothing_to_generate(empty: Database) -> None:
    await migrations.upgrade(empty)
    await migrations.check(empty)
    await migrations.downgrade(empty, "base")
    with pytest.raises(CommandError):
        await migrations.downgrade(empty, "-1")
    await migrations.upgrade(empty)


async def test_money_and_moments_are_exact(database: Database) -> None:
    amount = Decimal("123456789.123456789012345678")
    at = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
    async with database.write() as session:
        session.add(PurseRow(id=1, money=amount, at=at))
    async with database.read() as session:
        row = (await session.scalars(select(PurseRow))).one()
    assert row.money == amount
    assert row.at == at
    assert row.at.tzinfo is not None


async def test_no_update_is_lost_between_writers(database: Database) -> None:
    async with database.write() as session:
        session.add(PurseRow(id=1, money=Decimal(0), at=datetime.now(UTC)))

    async def add() -> None:
        for _ in range(20):
            async with database.write() as session:
                row = await session.get(PurseRow, 1, with_for_update=True)
                assert row is not None
                row.money += 1

    await asyncio.gather(*(add() for _ in range(6)))
    async with database.read() as session:
        row = await session.get(PurseRow, 1)
    assert row is not None
    assert row.money == 120


async def test_a_message_leaves_exactly_when_its_transaction_is_committed(database: Database) -> None:
    channel = MemoryChannel()
    heard: list[Envelope] = []

    async def keep(envelope: Envelope) -> None:
        heard.append(envelope)

    await channel.subscribe("group", ["order.changed"], keep)
    outbox = Outbox(database, channel)

    async def fail() -> None:
        async with database.write() as session:
            emit(session, "order.changed", {"id": 0})
            raise RuntimeError("the transaction fails")

    with pytest.raises(RuntimeError):
        await fail()
    async with database.write() as session:
        emit(session, "order.changed", {"id": 1})
    assert await outbox.relay() == 1
    assert await outbox.relay() == 0
    await channel.idle()
    assert [one.payload for one in heard] == [{"id": 1}]
    async with database.read() as session:
        assert (await session.scalars(select(OutboxRow))).all() == []
    await channel.close()


async def test_the_audit_log_cannot_be_altered_and_shows_it_when_it_is(database: Database) -> None:
    for number in range(5):
        async with database.write() as session:
            await record(session, action="test", subject=str(number), user_id="u", details={"n": number})
    async with database.read() as session:
        assert await first_break(session) is None
    for statement in (
        "UPDATE audit_log SET action = 'x' WHERE number = 3",
        "DELETE FROM audit_log WHERE number = 5",
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.write() as session:
                await session.execute(text(statement))
    trigger = (
        ["DROP TRIGGER audit_log_no_update"]
        if database.is_sqlite
        else ["DROP TRIGGER audit_log_append_only ON audit_log"]
    )
    async with database.write() as session:
        for statement in [*trigger, "UPDATE audit_log SET action = 'x' WHERE number = 3"]:
            await session.execute(text(statement))
    async with database.read() as session:
        assert await first_break(session) == 3
        assert len((await session.scalars(select(AuditRow))).all()) == 5


async def test_concurrent_audit_entries_form_one_chain(database: Database) -> None:
    async def write(number: int) -> None:
        async with database.write() as session:
            await record(session, action="test", subject=str(number), user_id="u")

    await asyncio.gather(*(write(n) for n in range(20)))
    async with database.read() as session:
        assert await first_break(session) is None
        numbers = (await session.scalars(select(AuditRow.number).order_by(AuditRow.number))).all()
    assert numbers == list(range(1, 21))


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "oracle://"])
def test_an_unknown_database_is_refused_with_what_is_known(url: str) -> None:
    with pytest.raises(ConfigError, match="sqlite"):
        Database(url)


async def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    database = Database("postgresql+asyncpg://cashup:hunter2hunter2@127.0.0.1:1/x")
    with pytest.raises(ConfigError) as raised:
        await database.ping()
    assert "hunter2" not in str(raised.value)
    assert "127.0.0.1" in str(raised.value)
    await database.close()
