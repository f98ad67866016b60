"""API keys and exchange credentials."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from pathlib import Path

import pytest

from cashup.model.errors import ConfigError
from cashup.runtime.vault import Vault, make_key
from platform_fixtures import Installation

SECRET = "planted-exchange-secret-77112"


async def test_an_api_key_does_what_its_scopes_say_and_no_more(installation: Installation) -> None:
    owner = await installation.owner()
    client = installation.client
    made = await client.post("/api/v1/api-keys", headers=owner, json={"name": "bot", "scopes": ["profile"]})
    key = made.json()["key"]
    assert (await client.get("/api/v1/me", headers={"x-cashup-key": key})).status_code == 200
    assert (await client.get("/api/v1/users", headers={"x-cashup-key": key})).status_code == 403
    more = {"name": "more", "scopes": ["users"]}
    assert (
        await client.post("/api/v1/api-keys", headers={"x-cashup-key": key}, json=more)
    ).status_code == 403
    listed = (await client.get("/api/v1/api-keys", headers=owner)).json()
    assert [one["name"] for one in listed] == ["bot"]
    assert "secret" not in json.dumps(listed)
    assert (await client.delete(f"/api/v1/api-keys/{made.json()['id']}", headers=owner)).status_code == 204
    assert (await client.get("/api/v1/me", headers={"x-cashup-key": key})).status_code == 401


async def test_a_key_may_not_carry_more_than_its_owner(installation: Installation) -> None:
    await installation.owner()
    trader = await installation.user("t@example.com", "trader")
    body = {"name": "x", "scopes": ["users"]}
    assert (await installation.client.post("/api/v1/api-keys", headers=trader, json=body)).status_code == 403
    near = await installation.client.post(
        "/api/v1/api-keys", headers=trader, json={"name": "x", "scopes": ["trad"]}
    )
    assert near.json()["suggestion"] == "trade"


async def test_a_key_is_bound_to_its_networks(installation: Installation) -> None:
    owner = await installation.owner()
    body = {"name": "far", "scopes": ["profile"], "addresses": ["203.0.113.0/24"]}
    key = (await installation.client.post("/api/v1/api-keys", headers=owner, json=body)).json()["key"]
    assert (await installation.client.get("/api/v1/me", headers={"x-cashup-key": key})).status_code == 403
    through = {"x-cashup-key": key, "x-forwarded-for": "203.0.113.9"}
    assert (await installation.client.get("/api/v1/me", headers=through)).status_code == 200


async def test_signed_requests_are_checked_and_not_replayed(installation: Installation) -> None:
    owner = await installation.owner()
    body = {"name": "signed", "scopes": ["profile"], "signed": True}
    made = (await installation.client.post("/api/v1/api-keys", headers=owner, json=body)).json()

    def signed(method: str, path: str, content: bytes, at: int) -> dict[str, str]:
        digest = hashlib.sha256(content).hexdigest()
        text = f"{at}{method}{path}{digest}".encode()
        signature = hmac.new(made["secret"].encode(), text, hashlib.sha256).hexdigest()
        return {"x-cashup-key": made["key"], "x-cashup-timestamp": str(at), "x-cashup-signature": signature}

    now = int(time.time())
    client = installation.client
    assert (await client.get("/api/v1/me", headers=signed("GET", "/api/v1/me", b"", now))).status_code == 200
    assert (await client.get("/api/v1/me", headers={"x-cashup-key": made["key"]})).status_code == 401
    assert (
        await client.get("/api/v1/me", headers=signed("GET", "/api/v1/me", b"", now - 120))
    ).status_code == 401
    content = b'{"name": "Changed"}'
    headers = {**signed("PATCH", "/api/v1/me", content, now), "content-type": "application/json"}
    assert (
        await client.patch("/api/v1/me", headers=headers, content=b'{"name": "Other"}')
    ).status_code == 401
    assert (await client.patch("/api/v1/me", headers=headers, content=content)).status_code == 200
    assert (await client.patch("/api/v1/me", headers=headers, content=content)).status_code == 401


async def test_exchange_secrets_are_sealed_and_never_come_back(
    installation: Installation, tmp_path: Path
) -> None:
    owner = await installation.owner()
    body = {"name": "gate main", "exchange": "gate", "api_key": "abcdefgh12345678", "api_secret": SECRET}
    made = await installation.client.post("/api/v1/credentials", headers=owner, json=body)
    assert made.status_code == 201
    assert made.json()["key_hint"] == "…5678"
    listed = await installation.client.get("/api/v1/credentials", headers=owner)
    audit = await installation.client.get("/api/v1/audit", headers=owner)
    for answer in (made, listed, audit):
        assert SECRET not in answer.text
        assert "abcdefgh" not in answer.text
    database = b"".join(path.read_bytes() for path in (tmp_path / "home").rglob("cashup.db*"))
    assert SECRET.encode() not in database
    me = (await installation.client.get("/api/v1/me", headers=owner)).json()["id"]
    opened = await installation.platform.core.credentials.opened(me, made.json()["id"])
    assert opened.api_secret == SECRET
    assert SECRET not in repr(opened)
    assert (
        await installation.client.post("/api/v1/credentials", headers=owner, json=body)
    ).status_code == 409


async def test_a_key_that_can_withdraw_is_refused_unless_wanted(installation: Installation) -> None:
    async def inspect(_key: object) -> list[str]:
        return ["read", "spot", "withdraw"]

    installation.platform.core.credentials._inspect = inspect
    owner = await installation.owner()
    body = {"name": "x", "exchange": "gate", "api_key": "abcdefgh12345678", "api_secret": SECRET}
    refused = await installation.client.post("/api/v1/credentials", headers=owner, json=body)
    assert refused.status_code == 422
    assert "withdraw" in refused.json()["detail"]
    assert SECRET not in refused.text
    wanted = await installation.client.post(
        "/api/v1/credentials", headers=owner, json={**body, "allow_withdrawal": True}
    )
    assert wanted.json()["permissions"] == ["read", "spot", "withdraw"]


async def test_the_master_key_can_be_rotated(installation: Installation) -> None:
    owner = await installation.owner()
    body = {"name": "k", "exchange": "gate", "api_key": "abcdefgh12345678", "api_secret": SECRET}
    made = (await installation.client.post("/api/v1/credentials", headers=owner, json=body)).json()
    me = (await installation.client.get("/api/v1/me", headers=owner)).json()["id"]
    credentials = installation.platform.core.credentials
    old = (Path(installation.platform.context.settings.home) / "keys" / "master.key").read_text().split()
    new = make_key()
    credentials._vault = Vault([new, *old])
    assert await credentials.rotate() == 1
    assert await credentials.rotate() == 0
    credentials._vault = Vault([new])
    assert (await credentials.opened(me, made["id"])).api_secret == SECRET


def test_a_sealed_secret_belongs_to_its_row() -> None:
    vault = Vault([make_key()])
    sealed = vault.seal("secret", bound_to="credential:1:a")
    assert vault.open(sealed, bound_to="credential:1:a") == "secret"
    for wrong in ("credential:1:b", "credential:2:a"):
        with pytest.raises(ConfigError):
            vault.open(sealed, bound_to=wrong)
    flipped = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]
    with pytest.raises(ConfigError):
        vault.open(flipped, bound_to="credential:1:a")
    with pytest.raises(ConfigError, match="master key"):
        Vault([make_key()]).open(sealed, bound_to="credential:1:a")
    with pytest.raises(ConfigError, match="32 bytes"):
        Vault(["short"])
