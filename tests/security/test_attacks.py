"""Attacks on the front door: forged tokens, wrong sizes, other sites, headers."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from cashup.app.server import Server
from cashup.model.errors import ConfigError
from cashup.services.core.auth.tokens import AUDIENCE, ISSUER
from platform_fixtures import PASSWORD, Installation, start


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


async def test_forged_and_foreign_tokens_are_refused(installation: Installation) -> None:
    headers = await installation.owner()
    token = headers["authorization"].split()[1]
    body = jwt.decode(token, options={"verify_signature": False})
    kid = jwt.get_unverified_header(token)["kid"]
    signer = installation.platform.signer
    key = signer._keys[kid]
    now = int(time.time())
    head, payload, signature = token.split(".")
    forged = {
        "no algorithm": f"{_part({'alg': 'none', 'kid': kid})}.{payload}.",
        "no algorithm, other case": f"{_part({'alg': 'NoNe', 'kid': kid})}.{payload}.",
        "no signature": f"{head}.{payload}.",
        "another user": f"{head}.{_part({**body, 'sub': 'somebody'})}.{signature}",
        "another algorithm": jwt.encode(body, key, "HS512", headers={"kid": kid}),
        "another key": jwt.encode(body, "k" * 40, "HS256", headers={"kid": kid}),
        "an empty key": jwt.encode(body, "x" * 40, "HS256", headers={"kid": ""}),
        "a key by path": jwt.encode(body, "x" * 40, "HS256", headers={"kid": "../../../dev/null"}),
        "ended": jwt.encode({**body, "exp": now - 1}, key, "HS256", headers={"kid": kid}),
        "no end": jwt.encode(
            {k: v for k, v in body.items() if k != "exp"}, key, "HS256", headers={"kid": kid}
        ),
        "another issuer": jwt.encode({**body, "iss": "x"}, key, "HS256", headers={"kid": kid}),
        "another audience": jwt.encode({**body, "aud": "x"}, key, "HS256", headers={"kid": kid}),
        "another session's user": jwt.encode({**body, "sub": "somebody"}, key, "HS256", headers={"kid": kid}),
        "a session that never was": jwt.encode({**body, "sid": "x"}, key, "HS256", headers={"kid": kid}),
        "garbage": "a.b.c",
        "nothing": "",
    }
    assert (body["iss"], body["aud"]) == (ISSUER, AUDIENCE)
    for name, one in forged.items():
        answer = await installation.client.get("/api/v1/me", headers={"authorization": f"Bearer {one}"})
        assert answer.status_code == 401, name
    assert (await installation.client.get("/api/v1/me", headers=headers)).status_code == 200


@pytest.mark.parametrize("secret", ["short", "a" * 31, "changeme"])
async def test_a_weak_signing_key_refuses_to_start(tmp_path: Path, secret: str) -> None:
    with pytest.raises(ConfigError, match="at least 32"):
        await start(tmp_path, JWT_SECRET_KEY=secret)


async def test_a_body_that_is_too_large_is_refused_whatever_it_says_of_itself(
    installation: Installation,
) -> None:
    big = b'{"email": "' + b"a" * 11_000_000 + b'"}'
    declared = await installation.client.post(
        "/api/v1/auth/login", content=big, headers={"content-type": "application/json"}
    )
    assert declared.status_code == 413

    async def stream() -> Any:
        for _ in range(12):
            yield b"a" * 1_000_000

    streamed = await installation.client.post(
        "/api/v1/auth/login", content=stream(), headers={"content-type": "application/json"}
    )
    assert streamed.status_code == 413
    deep = b"[" * 100_000 + b"]" * 100_000
    nested = await installation.client.post(
        "/api/v1/auth/login", content=deep, headers={"content-type": "application/json"}
    )
    assert nested.status_code in {400, 422}


async def test_every_answer_carries_the_headers_that_protect_a_browser(installation: Installation) -> None:
    for path in ("/api/v1/auth/setup", "/api/v1/me", "/nothing", "/health", "/docs"):
        headers = (await installation.client.get(path)).headers
        assert headers["x-frame-options"] == "DENY", path
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in headers["content-security-policy"]
        assert (
            "'unsafe-inline'" not in headers["content-security-policy"].split("script-src")[1].split(";")[0]
        )
        assert headers["x-correlation-id"]
        assert "server" not in headers


async def test_other_sites_get_no_cors_answer(installation: Installation) -> None:
    answer = await installation.client.options(
        "/api/v1/me",
        headers={"origin": "https://elsewhere.example", "access-control-request-method": "GET"},
    )
    assert "access-control-allow-origin" not in answer.headers


async def test_a_correlation_id_cannot_forge_a_log_line(installation: Installation) -> None:
    answer = await installation.client.get("/health", headers={"x-correlation-id": "x y\tforged"})
    assert "forged" not in answer.headers["x-correlation-id"]


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/assets/../../../etc/passwd",
        "//etc/passwd",
        "/..%5c..%5cwin.ini",
    ],
)
async def test_no_path_leads_out_of_the_pages(installation: Installation, path: str) -> None:
    answer = await installation.client.get(path)
    assert "root:" not in answer.text


async def test_the_socket_takes_a_token_an_origin_of_ours_and_topics_of_ones_own(tmp_path: Path) -> None:
    platform, _ = await start(tmp_path, CASHUP_SERVER__PORT="0")
    ready = asyncio.Event()
    server = Server(platform, announce=lambda _line: ready.set())
    serving = asyncio.create_task(server.run())
    try:
        await asyncio.wait_for(ready.wait(), 20)
        await _converse(platform, server.port)
    finally:
        server.stop()
        await asyncio.wait_for(serving, 10)


async def _refused(url: str, *messages: str, **options: Any) -> None:
    async def attempt() -> None:
        async with connect(url, **options) as socket:
            for message in messages:
                await socket.send(message)
            await asyncio.wait_for(socket.recv(), 5)

    with pytest.raises((ConnectionClosed, InvalidStatus)):
        await attempt()


async def _converse(platform: Any, port: int) -> None:
    base, url = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/ws"
    async with httpx.AsyncClient(base_url=base) as client:
        body = {
            "token": await platform.core.users.setup_token(),
            "email": "o@example.com",
            "password": PASSWORD,
            "name": "O",
        }
        token = (await client.post("/api/v1/auth/setup", json=body)).json()["access_token"]
        me = (await client.get("/api/v1/me", headers={"authorization": f"Bearer {token}"})).json()["id"]
    hub, topic = platform.context.hub, f"user:{me}:test"
    await _refused(url, origin="https://elsewhere.example")
    for first in ('{"type": "auth", "token": "x"}', "nonsense", '{"type": "subscribe", "topic": "a"}', "[]"):
        await _refused(url, first)

    async def say(socket: Any, **message: Any) -> Any:
        await socket.send(json.dumps(message))
        return json.loads(await asyncio.wait_for(socket.recv(), 5))

    async with connect(url, origin=base) as socket:
        assert (await say(socket, type="auth", token=token))["type"] == "ready"
        assert await say(socket, type="subscribe", topic=topic) == {
            "type": "subscribed",
            "topic": topic,
            "n": 0,
        }
        hub.publish(topic, {"x": 1})
        assert json.loads(await socket.recv())["data"] == {"x": 1}
        for wrong in ("secret:x", "user", "../x", "x" * 200, "", "user:somebody"):
            assert (await say(socket, type="subscribe", topic=wrong))["type"] in {"error", "subscribed"}
        await socket.send("not json")
        assert json.loads(await socket.recv())["type"] == "error"
        assert (await say(socket, type="ping"))["type"] == "pong"
    for number in range(3):
        hub.publish(topic, {"x": number})
    async with connect(url) as socket:
        await say(socket, type="auth", token=token)
        missed = [await say(socket, type="subscribe", topic=topic, after=2)]
        missed += [json.loads(await socket.recv()) for _ in range(2)]
        assert [m["n"] for m in missed] == [3, 4, 4]
        assert (await say(socket, type="subscribe", topic=topic, after=99))["type"] == "resync"


async def test_one_user_does_not_hear_another(installation: Installation) -> None:
    from cashup.app.socket import _may_hear
    from cashup.runtime.auth import Caller, Role, permissions_of

    def caller(*roles: Role) -> Caller:
        return Caller(user_id="me", roles=frozenset(roles), permissions=permissions_of(frozenset(roles)))

    assert _may_hear(caller(Role.TRADER), "user:me:orders")
    assert not _may_hear(caller(Role.TRADER), "user:you:orders")
    assert not _may_hear(caller(Role.TRADER), "user:me2:orders")
    assert not _may_hear(caller(Role.TRADER), "system:health")
    assert _may_hear(caller(Role.ADMINISTRATOR), "system:health")
    assert _may_hear(caller(Role.TRADER), "market:gate:BTC/USDT")


async def test_logs_hold_no_secret_and_no_forged_line(capsys: pytest.CaptureFixture[str]) -> None:
    import io

    import structlog

    from cashup.runtime import log as logs

    out = io.StringIO()
    logs.configure(json=True, level="DEBUG", stream=out)
    logs.hide("planted-secret-value")
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdefghijk"
    log = structlog.get_logger("test")
    log.info(
        "event planted-secret-value",
        password="p4ssw0rd",
        nested={"api_key": "k1", "fine": "planted-secret-value"},
        url="postgresql://user:hunter22@host/db",
        text=f"token {token}",
        forged="line\n2026 [info] forged entry",
    )
    try:
        raise ValueError("planted-secret-value")
    except ValueError:
        log.exception("fault")
    text = out.getvalue()
    for secret in ("planted-secret-value", "p4ssw0rd", '"k1"', "hunter22", token):
        assert secret not in text
    assert len(text.strip().splitlines()) == 2
    assert all(json.loads(line) for line in text.strip().splitlines())
