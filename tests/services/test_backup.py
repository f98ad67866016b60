"""Backups can be restored, moved between databases, and hold no secret in the clear."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from sqlalchemy import select

from cashup.app import migrations
from cashup.app.tables import metadata
from cashup.model.errors import ConfigError, DataError
from cashup.runtime.db import Database
from cashup.runtime.vault import Vault, make_key
from cashup.services.core.audit.service import first_break
from cashup.services.core.backup.archive import read_archive, write_archive
from cashup.services.core.users.tables import UserRow
from platform_fixtures import Installation

SECRET = "planted-secret-in-a-backup"


async def _filled(installation: Installation) -> dict[str, str]:
    headers = await installation.owner()
    body = {"name": "key", "exchange": "gate", "api_key": "abcdefgh12345678", "api_secret": SECRET}
    assert (
        await installation.client.post("/api/v1/credentials", headers=headers, json=body)
    ).status_code == 201
    home = installation.platform.context.settings.home
    (home / "strategies").mkdir()
    (home / "strategies" / "mine.py").write_text("# 我的策略\n", encoding="utf-8")
    return headers


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_a_backup_restores_everything_into_either_database(
    installation: Installation, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    headers = await _filled(installation)
    made = await installation.client.post("/api/v1/backups", headers=headers)
    assert made.status_code == 201, made.text
    backups = installation.platform.core.backups
    sealed = (backups.folder / made.json()["name"]).read_bytes()
    assert SECRET.encode() not in sealed
    assert b"owner@example.com" not in sealed
    content = await backups.opened(made.json()["name"])
    url = (
        f"sqlite+aiosqlite:///{tmp_path / 'new.db'}"
        if kind == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    target = Database(url)
    await migrations.upgrade(target)
    rows = await read_archive(content, target, metadata(), tmp_path / "restored")
    assert rows["users"] == 1
    assert rows["audit_log"] >= 2
    async with target.read() as session:
        user = (await session.scalars(select(UserRow))).one()
        assert user.email == "owner@example.com"
        assert await first_break(session) is None
    assert (tmp_path / "restored" / "strategies" / "mine.py").read_text(encoding="utf-8") == "# 我的策略\n"
    again = await write_archive(target, metadata(), tmp_path / "restored", migrations.newest())
    assert _tables(again) == _tables(content)
    with pytest.raises(DataError, match="not empty"):
        await read_archive(content, target, metadata(), None)
    await target.close()


def _tables(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        return {m.name: archive.extractfile(m).read() for m in archive if m.name.startswith("tables/")}  # type: ignore[union-attr]


async def test_a_damaged_or_foreign_backup_is_refused_and_leaves_nothing(
    installation: Installation, tmp_path: Path
) -> None:
    await _filled(installation)
    backups = installation.platform.core.backups
    made = await backups.create()
    sealed = (backups.folder / made.name).read_bytes()
    vault = installation.platform.context.vault
    for broken in (sealed[:-1], sealed[:200], sealed[:-50] + b"x" + sealed[-49:], b"", b"not a backup"):
        with pytest.raises(ConfigError):
            vault.open_bytes(broken, bound_to="backup")
    with pytest.raises(ConfigError, match="master key"):
        Vault([make_key()]).open_bytes(sealed, bound_to="backup")
    target = Database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}")
    await migrations.upgrade(target)
    for content in (b"", b"x" * 1000, _with_path("../outside"), _with_path("/etc/outside"), _with_link()):
        with pytest.raises(DataError):
            await read_archive(content, target, metadata(), tmp_path / "home2")
    assert not (tmp_path / "outside").exists()
    assert not (tmp_path / "home2").exists()
    await target.close()


def _with_path(name: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    return out.getvalue()


def _with_link() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        info = tarfile.TarInfo("home/strategies/link")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    return out.getvalue()


async def test_only_so_many_backups_are_kept(installation: Installation) -> None:
    await _filled(installation)
    installation.platform.context.source.apply({"backup.keep": 2})
    names = [(await installation.platform.core.backups.create()).name for _ in range(3)]
    assert [one.name for one in installation.platform.core.backups.list()] == names[:0:-1]
