"""Every endpoint asked as nobody, as every role, and as another user. What is not named as open is closed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.routing import APIRoute

from cashup.runtime.auth import PERMISSIONS, Permission, Role
from platform_fixtures import Installation

#: What anybody may ask, signed in or not.
OPEN = {
    "GET /api/v1/auth/setup",
    "POST /api/v1/auth/setup",
    "POST /api/v1/auth/register",
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/auth/verify-email",
    "POST /api/v1/auth/password/forgot",
    "POST /api/v1/auth/password/reset",
    "GET /api/v1/backtests/reports/{ticket}",  # the sealed ticket is the permission
    "GET /health",
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",
    "GET /docs",
    "GET /docs/oauth2-redirect",
    "GET /api/v1/openapi.json",
}


def routes(app: Any) -> list[tuple[str, str, Permission | None]]:
    """Return every route as method, path and the permission it takes."""
    found = []
    for route in _flat(app.routes):
        permission = None
        if isinstance(route, APIRoute):
            for dependency in _dependencies(route.dependant):
                permission = getattr(dependency, "permission", permission)
        for method in sorted(getattr(route, "methods", None) or ()):
            if method not in {"HEAD", "OPTIONS"}:
                found.append((method, route.path, permission))
    return found


def _flat(found: Any) -> list[Any]:
    flat = []
    for route in found:
        inner = getattr(route, "original_router", None)
        flat += _flat(inner.routes) if inner is not None else [route]
    return flat


def _dependencies(dependant: Any) -> list[Any]:
    return [d.call for d in dependant.dependencies] + [
        inner for d in dependant.dependencies for inner in _dependencies(d)
    ]


def url(path: str) -> str:
    """Fill a path with ids that do not exist."""
    return re.sub(
        r"{number}|{version}", "1", re.sub(r"{(?!number|version)[^}]+}", "01AAAAAAAAAAAAAAAAAAAAAAAA", path)
    )


async def test_every_route_takes_a_permission_or_is_named_as_open(installation: Installation) -> None:
    listed = routes(installation.app)
    assert len(listed) > 60
    without = {f"{method} {path}" for method, path, permission in listed if permission is None}
    assert without == OPEN


async def test_nobody_gets_nothing(installation: Installation) -> None:
    for method, path, permission in routes(installation.app):
        if permission is None:
            continue
        for headers in (
            {},
            {"authorization": "Bearer x.y.z"},
            {"x-cashup-key": "cu_1_2"},
            {"authorization": "Basic eA=="},
        ):
            answer = await installation.client.request(method, url(path), headers=headers)
            assert answer.status_code == 401, (method, path, answer.status_code)
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_reaches_what_its_permissions_say_and_nothing_else(
    installation: Installation, role: Role
) -> None:
    await installation.owner()
    installation.platform.context.source.apply({"security.requests_per_minute": 100_000})
    for method, path, permission in routes(installation.app):
        if permission is None or path.endswith("logout-all"):
            continue
        headers = (
            await installation.user(f"{role}-{abs(hash((method, path)))}@example.com", role)
            if (path.endswith("/logout") or not hasattr(installation, f"_{role}"))
            else getattr(installation, f"_{role}")
        )
        object.__setattr__(installation, f"_{role}", headers) if not path.endswith("/logout") else None
        answer = await installation.client.request(method, url(path), headers=headers)
        if permission in PERMISSIONS[role]:
            assert answer.status_code not in {401, 403}, (method, path, answer.text)
        else:
            assert answer.status_code == 403, (method, path, answer.status_code)
        assert answer.status_code < 500, (method, path, answer.text)


async def test_another_users_objects_do_not_exist(installation: Installation) -> None:
    owner = await installation.owner()
    other = await installation.user("other@example.com", "trader", "developer")
    client = installation.client
    code = (
        "from cashup import Strategy\nclass S(Strategy):\n    timeframe = '1h'\n    def on_bar(self): pass\n"
    )
    strategy = (
        await client.post("/api/v1/strategies", headers=owner, json={"name": "s", "code": code})
    ).json()
    backtest = (
        await client.post(
            "/api/v1/backtests",
            headers=owner,
            json={"strategy_id": strategy["id"], "data": "binance:BTC/USDT"},
        )
    ).json()
    key = (
        await client.post("/api/v1/api-keys", headers=owner, json={"name": "k", "scopes": ["profile"]})
    ).json()
    credential = (
        await client.post(
            "/api/v1/credentials",
            headers=owner,
            json={"name": "c", "exchange": "gate", "api_key": "abcdefgh1234", "api_secret": "s" * 20},
        )
    ).json()
    channel = (
        await client.post(
            "/api/v1/notifications/channels",
            headers=owner,
            json={"kind": "email", "name": "m", "config": {"to": "a@example.com"}},
        )
    ).json()
    rule = (
        await client.post(
            "/api/v1/notifications/subscriptions",
            headers=owner,
            json={"name": "r", "events": ["*"], "channel_ids": [channel["id"]]},
        )
    ).json()
    session = (await client.get("/api/v1/auth/sessions", headers=owner)).json()[0]
    ids = {
        "strategy_id": strategy["id"], "backtest_id": backtest["id"], "key_id": key["id"],
        "credential_id": credential["id"], "channel_id": channel["id"], "subscription_id": rule["id"],
    }  # fmt: skip
    bodies = {
        "PUT /api/v1/notifications/subscriptions/{subscription_id}": {
            "name": "x",
            "events": ["*"],
            "channel_ids": [],
        },
        "POST /api/v1/strategies/{strategy_id}/versions": {"code": code + "# changed"},
    }
    tried = 0
    for method, path, _ in routes(installation.app):
        names = re.findall(r"{(\w+)}", path)
        if not names or not set(names) <= {*ids, "number"}:
            continue
        filled = path.format(number=1, **ids) + ("?old=1&new=1" if path.endswith("/diff") else "")
        body = bodies.get(f"{method} {path}", {})
        answer = await client.request(method, filled, headers=other, json=body if method != "GET" else None)
        assert answer.status_code == 404, (method, path, answer.status_code, answer.text)
        tried += 1
    assert tried > 15
    stolen = {"name": "x", "events": ["*"], "channel_ids": [channel["id"]]}
    assert (
        await client.post("/api/v1/notifications/subscriptions", headers=other, json=stolen)
    ).status_code == 422
    compare = await client.get(f"/api/v1/backtests/compare?ids={backtest['id']}", headers=other)
    assert compare.status_code == 404
    await client.delete(f"/api/v1/auth/sessions/{session['id']}", headers=other)
    installation.platform.context.authenticator.forget()
    assert (await client.get("/api/v1/me", headers=owner)).status_code == 200
    for path in ("strategies", "backtests", "api-keys", "credentials", "notifications/channels"):
        found = (await client.get(f"/api/v1/{path}", headers=other)).json()
        assert (found["items"] if isinstance(found, dict) else found) == [], path
