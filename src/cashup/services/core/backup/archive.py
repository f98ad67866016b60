"""A database as a portable archive: every table as lines of JSON, whatever the database was.

The same form serves backups, restores, exports and moving from SQLite to PostgreSQL. Values are written exactly:
decimals and moments as text, read back through the columns' own types.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any, Final

from sqlalchemy import Integer, MetaData, Table, func, insert, select, text

from cashup.model.errors import DataError, explain
from cashup.runtime.db import Database, Money, Utc

FORMAT: Final = 1
_BATCH: Final = 500
_MAX_FILE: Final = 2_000_000_000
_FOLDERS: Final = ("configs", "strategies", "logs")


async def write_archive(database: Database, metadata: MetaData, home: Path, revision: str) -> bytes:
    """Return everything that is kept in the database and the folders of configuration, strategies and logs.

    The tables are read in one transaction, so they belong together.
    """
    out = io.BytesIO()
    manifest: dict[str, Any] = {"format": FORMAT, "revision": revision, "tables": {}, "files": {}}
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        async with database.read() as session:
            connection = await session.connection()
            for table in metadata.sorted_tables:
                lines = [line async for line in _lines(connection, table)]
                content = b"\n".join(lines)
                manifest["tables"][table.name] = {
                    "rows": len(lines),
                    "sha256": hashlib.sha256(content).hexdigest(),
                }
                _add(archive, f"tables/{table.name}.jsonl", content)
        for folder in _FOLDERS:
            for path in _files(home / folder):
                name = path.relative_to(home).as_posix()
                content = path.read_bytes()
                manifest["files"][name] = hashlib.sha256(content).hexdigest()
                _add(archive, f"home/{name}", content)
        _add(archive, "manifest.json", json.dumps(manifest, indent=1).encode())
    return out.getvalue()


async def read_archive(
    content: bytes, database: Database, metadata: MetaData, home: Path | None
) -> dict[str, int]:
    """Put an archive into an empty database, and its files into `home`; return the rows of each table.

    Everything is checked before anything is written, and the tables are written in one transaction.

    Raises:
        DataError: The archive is damaged, of another format, names a path outside, or the database is not empty.
    """
    members = _members(content)
    manifest = _manifest(members)
    rows = _checked(members, manifest, metadata)
    async with database.write() as session:
        for table in metadata.sorted_tables:
            if await session.scalar(select(func.count()).select_from(table)):
                raise DataError(
                    explain(f"table {table.name} is not empty", hint="restore into a new database")
                )
        for table in metadata.sorted_tables:
            lines = rows.get(table.name, [])
            for start in range(0, len(lines), _BATCH):
                batch = [_values(table, json.loads(line)) for line in lines[start : start + _BATCH]]
                await session.execute(insert(table), batch)
            if not database.is_sqlite:
                await _restart_sequences(session, table)
    if home is not None:
        _put_back(members, manifest["files"], home)
    return {name: len(lines) for name, lines in rows.items()}


def _put_back(members: Mapping[str, bytes], names: Iterable[str], home: Path) -> None:
    for name in names:
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(members[f"home/{name}"])


def _checked(
    members: Mapping[str, bytes], manifest: Mapping[str, Any], metadata: MetaData
) -> dict[str, list[bytes]]:
    """Return the lines of each table, after checking every hash and every path (`DataError`)."""
    tables = {table.name for table in metadata.sorted_tables}
    rows: dict[str, list[bytes]] = {}
    for name, entry in manifest["tables"].items():
        body = members.get(f"tables/{name}.jsonl")
        if name not in tables or body is None or hashlib.sha256(body).hexdigest() != entry["sha256"]:
            raise DataError(explain(f"table {name} of the backup is damaged or unknown"))
        rows[name] = body.splitlines() if body else []
    for name, digest in manifest["files"].items():
        body = members.get(f"home/{name}")
        if body is None or hashlib.sha256(body).hexdigest() != digest or not _inside(name):
            raise DataError(explain(f"file {name} of the backup is damaged or leads outside"))
    return rows


async def _restart_sequences(session: Any, table: Table) -> None:
    """Let PostgreSQL count on after the highest number that was put in."""
    column = table.autoincrement_column
    if column is not None and isinstance(column.type, Integer) and column.autoincrement is not False:
        statement = (
            f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'), "  # noqa: S608 - our own names
            f"COALESCE((SELECT max({column.name}) FROM {table.name}), 0) + 1, false) "
            f"WHERE pg_get_serial_sequence('{table.name}', '{column.name}') IS NOT NULL"
        )
        await session.execute(text(statement))


async def _lines(connection: Any, table: Table) -> AsyncIterator[bytes]:
    keys = [column.name for column in table.columns]
    result = await connection.stream(select(table).order_by(*table.primary_key.columns))
    async for row in result:
        values = {key: _plain(value) for key, value in zip(keys, row, strict=True)}
        yield json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def _values(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for column in table.columns:
        value = row.get(column.name)
        if value is not None and isinstance(column.type, Money):
            value = Decimal(value)
        elif value is not None and isinstance(column.type, Utc):
            value = datetime.fromisoformat(value)
        found[column.name] = value
    return found


def _members(content: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    total = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            for member in archive:
                total += member.size
                if not member.isfile() or not _inside(member.name) or total > _MAX_FILE:
                    raise DataError(
                        explain(f"the backup holds {member.name[:80]!r}, which is no file of ours")
                    )
                file = archive.extractfile(member)
                found[member.name] = file.read() if file else b""
    except (tarfile.TarError, OSError, EOFError) as e:
        raise DataError(explain("this is not a backup of CashUp, or it was cut short")) from e
    return found


def _manifest(members: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(members["manifest.json"])
        known = manifest["format"] == FORMAT
    except (KeyError, ValueError, TypeError) as e:
        raise DataError(explain("the backup has no manifest")) from e
    if not known:
        raise DataError(explain(f"the backup has format {manifest['format']}", expected=str(FORMAT)))
    return manifest


def _inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts:
                yield path


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))
