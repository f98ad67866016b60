"""Four processes on PostgreSQL and Redis do what one process does on its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from platform_fixtures import PASSWORD
from services.test_strategies import CODE, NAME, stored

pytestmark = pytest.mark.slow


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def services(tmp_path: Path, postgres_url: str, redis_server: str) -> AsyncIterator[dict[str, int]]:
    """Start core, strategy and notification as processes; give their ports."""
    ports = {name: _free_port() for name in ("core", "strategy", "notification")}
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "DATABASE_URL": postgres_url,
        "REDIS_URL": redis_server,
        "CASHUP_DATA_DIR": str(tmp_path / "home"),
        "CASHUP_SECURITY__JWT_SECRET": "j" * 40,
        "CASHUP_LOG__LEVEL": "INFO",
    }
    (tmp_path / "home").mkdir()
    processes = []
    for name, port in ports.items():
        log = (tmp_path / f"{name}.log").open("wb")
        processes.append(
            await asyncio.create_subprocess_exec(
                sys.executable, "-c", "from cashup.app.cli import main; main()", "serve", name, "--port", str(port),
                env=environ, cwd=tmp_path, stdout=log, stderr=log,
            )
        )  # fmt: skip
        log.close()
    try:
        for name, port in ports.items():
            await _ready(port, tmp_path / f"{name}.log")
        yield ports
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        codes = await asyncio.wait_for(asyncio.gather(*(p.wait() for p in processes)), 10)
        assert codes == [0, 0, 0]


async def _ready(port: int, log: Path) -> None:
    async with httpx.AsyncClient() as client, asyncio.timeout(40):
        while True:
            try:
                if (await client.get(f"http://127.0.0.1:{port}/health/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)  # another process starts; it has no event to wait for
    raise AssertionError(log.read_text())


async def test_a_backtest_crosses_three_processes_to_the_browser_and_the_inbox(
    services: dict[str, int], tmp_path: Path
) -> None:
    stored(tmp_path / "home", 300)
    token = _setup_token(tmp_path / "core.log")
    urls = {name: f"http://127.0.0.1:{port}" for name, port in services.items()}
    async with httpx.AsyncClient(timeout=30) as client, asyncio.timeout(90):
        body = {"token": token, "email": "o@example.com", "password": PASSWORD, "name": "O"}
        signed_in = await client.post(f"{urls['core']}/api/v1/auth/setup", json=body)
        access = signed_in.json()["access_token"]
        headers = {"authorization": f"Bearer {access}"}
        me = (await client.get(f"{urls['core']}/api/v1/me", headers=headers)).json()["id"]
        assert (await client.get(f"{urls['core']}/api/v1/strategies", headers=headers)).status_code == 404
        async with connect(f"ws://127.0.0.1:{services['core']}/ws") as browser:
            await browser.send(json.dumps({"type": "auth", "token": access}))
            assert json.loads(await browser.recv())["type"] == "ready"
            for topic in ("backtests", "notifications"):
                await browser.send(json.dumps({"type": "subscribe", "topic": f"user:{me}:{topic}"}))
                assert json.loads(await browser.recv())["type"] in {"subscribed", "resync"}
            made = await client.post(
                f"{urls['strategy']}/api/v1/strategies", headers=headers, json={"name": "c", "code": CODE}
            )
            queued = await client.post(
                f"{urls['strategy']}/api/v1/backtests",
                headers=headers,
                json={"strategy_id": made.json()["id"], "data": NAME},
            )
            assert queued.status_code == 202, queued.text
            heard: list[Any] = []
            while not any(m["data"].get("event") == "backtest.finished" for m in heard):
                heard.append(json.loads(await browser.recv()))
        states = [m["data"]["status"] for m in heard if m["topic"].endswith(":backtests")]
        assert states[0] == "queued"
        assert states[-1] == "done"
        inbox = await client.get(f"{urls['notification']}/api/v1/notifications", headers=headers)
        assert "backtest.finished" in {item["event"] for item in inbox.json()["items"]}
        await client.post(f"{urls['core']}/api/v1/auth/logout-all", headers=headers)
        while (await client.get(f"{urls['strategy']}/api/v1/strategies", headers=headers)).status_code != 401:
            await asyncio.sleep(0.2)  # other processes trust a session for five seconds at most


def _setup_token(log: Path) -> str:
    text = log.read_text()
    return text.rsplit("/setup?token=", 1)[1].split()[0]
