"""Signing in, staying signed in, and being signed out."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pyotp
import pytest

from cashup.runtime.channel import Envelope
from platform_fixtures import PASSWORD, Installation, bearer, running, start


async def test_the_setup_link_makes_one_owner_and_only_one(installation: Installation) -> None:
    client = installation.client
    assert (await client.get("/api/v1/auth/setup")).json()["needed"] is True
    body = {"token": "wrong", "email": "x@example.com", "password": PASSWORD, "name": "X"}
    assert (await client.post("/api/v1/auth/setup", json=body)).status_code == 403
    headers = await installation.owner()
    me = (await client.get("/api/v1/me", headers=headers)).json()
    assert sorted(me["roles"]) == ["administrator", "developer", "trader"]
    assert (await client.get("/api/v1/auth/setup")).json()["needed"] is False
    assert (await client.post("/api/v1/auth/setup", json=body)).status_code == 403


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short1", "expected at least 10"),
        ("password123", "weak"),
        ("owner@example", "weak"),
        ("1234567890", "weak"),
    ],
)
async def test_a_weak_password_is_refused_with_the_reason(
    installation: Installation, password: str, says: str
) -> None:
    token = await installation.platform.core.users.setup_token()
    body = {"token": token, "email": "owner@example.com", "password": password, "name": "Owner"}
    answer = await installation.client.post("/api/v1/auth/setup", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["detail"]
    assert answer.json()["field"] == "password"
    assert (await installation.client.get("/api/v1/auth/setup")).json()["needed"] is True


async def test_wrong_address_and_wrong_password_answer_alike(installation: Installation) -> None:
    await installation.owner()
    answers = [
        await installation.client.post(
            "/api/v1/auth/login", json={"email": email, "password": "not the password"}
        )
        for email in ("owner@example.com", "nobody@example.com")
    ]
    assert [a.status_code for a in answers] == [401, 401]
    assert answers[0].json()["detail"] == answers[1].json()["detail"]


async def test_refreshing_rotates_and_a_stolen_token_ends_every_session(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cashup.services.core.auth.service._GRACE_S", 0)
    await installation.owner()
    first = await installation.client.post(
        "/api/v1/auth/login", json={"email": "owner@example.com", "password": PASSWORD}
    )
    stolen = first.json()["refresh_token"]
    second = await installation.client.post("/api/v1/auth/refresh", json={"refresh_token": stolen})
    assert second.status_code == 200
    headers = bearer(second.json()["access_token"])
    assert (await installation.client.get("/api/v1/me", headers=headers)).status_code == 200
    again = await installation.client.post("/api/v1/auth/refresh", json={"refresh_token": stolen})
    assert again.status_code == 401
    await installation.platform.context.channel.idle()
    newest = await installation.client.post(
        "/api/v1/auth/refresh", json={"refresh_token": second.json()["refresh_token"]}
    )
    assert newest.status_code == 401
    installation.platform.context.authenticator.forget()
    assert (await installation.client.get("/api/v1/me", headers=headers)).status_code == 401


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(installation: Installation) -> None:
    await installation.owner()
    answer = await installation.client.post(
        "/api/v1/auth/login", json={"email": "owner@example.com", "password": PASSWORD}
    )
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/api/v1/auth" in cookie
    other = await installation.client.post(
        "/api/v1/auth/refresh", json={}, headers={"origin": "https://elsewhere.example"}
    )
    assert other.status_code == 403
    own = await installation.client.post(
        "/api/v1/auth/refresh", json={}, headers={"origin": "http://testserver"}
    )
    assert own.status_code == 200


async def test_signing_out_everywhere_ends_the_access_tokens_too(installation: Installation) -> None:
    first = await installation.owner()
    second = await installation.login("owner@example.com")
    sessions = (await installation.client.get("/api/v1/auth/sessions", headers=second)).json()
    assert len(sessions) == 2
    assert [s["current"] for s in sessions].count(True) == 1
    assert (await installation.client.post("/api/v1/auth/logout-all", headers=second)).json() == {"count": 2}
    installation.platform.context.authenticator.forget()
    for headers in (first, second):
        assert (await installation.client.get("/api/v1/me", headers=headers)).status_code == 401


async def test_the_second_factor_takes_each_code_once(installation: Installation) -> None:
    headers = await installation.owner()
    client = installation.client
    begun = (
        await client.post("/api/v1/auth/totp/begin", headers=headers, json={"password": PASSWORD})
    ).json()
    assert begun["link"].startswith("otpauth://totp/CashUp")
    totp = pyotp.TOTP(begun["secret"])
    code = totp.now()
    codes = (await client.post("/api/v1/auth/totp/confirm", headers=headers, json={"code": code})).json()[
        "codes"
    ]
    assert len(set(codes)) == 10
    login = {"email": "owner@example.com", "password": PASSWORD}
    missing = await client.post("/api/v1/auth/login", json=login)
    assert (missing.status_code, missing.json()["code"]) == (401, "second_factor_needed")
    replayed = await client.post("/api/v1/auth/login", json={**login, "code": code})
    assert replayed.status_code == 401
    recovered = await client.post("/api/v1/auth/login", json={**login, "code": codes[0].lower()})
    assert recovered.status_code == 200
    twice = await client.post("/api/v1/auth/login", json={**login, "code": codes[0]})
    assert twice.status_code == 401


async def test_too_many_failures_lock_the_account_and_say_so_only_to_who_knows_the_password(
    tmp_path: Path,
) -> None:
    platform, app = await start(
        tmp_path, CASHUP_SECURITY__LOCKOUT_FAILURES="3", CASHUP_SECURITY__LOGIN_PER_MINUTE="100"
    )
    async with running(platform, app) as installation:
        await installation.owner()
        login = {"email": "owner@example.com", "password": "not the password"}
        for _ in range(3):
            assert (await installation.client.post("/api/v1/auth/login", json=login)).status_code == 401
        assert (await installation.client.post("/api/v1/auth/login", json=login)).status_code == 401
        locked = await installation.client.post("/api/v1/auth/login", json={**login, "password": PASSWORD})
        assert locked.status_code == 429
        assert int(locked.headers["retry-after"]) > 60


async def test_guessing_is_slowed_down_per_account(tmp_path: Path) -> None:
    platform, app = await start(tmp_path, CASHUP_SECURITY__LOGIN_PER_MINUTE="3")
    async with running(platform, app) as installation:
        await installation.owner()
        login = {"email": "owner@example.com", "password": "not the password"}
        codes = [
            (await installation.client.post("/api/v1/auth/login", json=login)).status_code for _ in range(5)
        ]
        assert codes[:3] == [401, 401, 401]
        assert codes[3:] == [429, 429]


async def test_a_mailed_link_sets_a_new_password_once(installation: Installation) -> None:
    headers = await installation.owner()
    sent: list[dict[str, str]] = []
    heard = asyncio.Event()

    async def keep(envelope: Envelope) -> None:
        sent.append(envelope.payload)
        heard.set()

    await installation.platform.context.channel.subscribe("test", ["mail.link"], keep)
    for email in ("owner@example.com", "nobody@example.com"):
        answer = await installation.client.post("/api/v1/auth/password/forgot", json={"email": email})
        assert answer.status_code == 202
    await asyncio.wait_for(heard.wait(), 10)
    await installation.platform.context.channel.idle()
    assert len(sent) == 1
    assert "token" not in sent[0]
    vault = installation.platform.context.vault
    token = vault.open(sent[0]["sealed"], bound_to=f"link:{sent[0]['user_id']}")
    weak = await installation.client.post(
        "/api/v1/auth/password/reset", json={"token": token, "password": "password12"}
    )
    assert weak.status_code == 422
    new = "orchard-tram-17-violet"
    done = await installation.client.post(
        "/api/v1/auth/password/reset", json={"token": token, "password": new}
    )
    assert done.status_code == 204
    again = await installation.client.post(
        "/api/v1/auth/password/reset", json={"token": token, "password": new + "x"}
    )
    assert again.status_code == 422
    installation.platform.context.authenticator.forget()
    assert (await installation.client.get("/api/v1/me", headers=headers)).status_code == 401
    await installation.login("owner@example.com", new)


async def test_registration_follows_the_policy_and_invitations_work_once(tmp_path: Path) -> None:
    platform, app = await start(tmp_path, CASHUP_SECURITY__REGISTRATION="invitation")
    async with running(platform, app) as installation:
        owner = await installation.owner()
        body = {"email": "dev@example.com", "password": PASSWORD, "name": "Dev"}
        assert (await installation.client.post("/api/v1/auth/register", json=body)).status_code == 403
        made = await installation.client.post(
            "/api/v1/invitations", headers=owner, json={"roles": ["developer"]}
        )
        code = made.json()["code"]
        joined = await installation.client.post("/api/v1/auth/register", json={**body, "invitation": code})
        assert joined.status_code == 201
        me = (
            await installation.client.get("/api/v1/me", headers=await installation.login("dev@example.com"))
        ).json()
        assert me["roles"] == ["developer"]
        other = {**body, "email": "second@example.com", "invitation": code}
        assert (await installation.client.post("/api/v1/auth/register", json=other)).status_code == 403
