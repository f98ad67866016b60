"""Messages reach people: over real sockets, once, in their language, and nothing is lost."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from aiosmtpd.controller import Controller

from cashup.model.errors import InputError
from cashup.runtime.addresses import OutgoingCalls, public
from cashup.runtime.settings import MailSettings
from cashup.services.notification.channels.senders import DeliveryFailed, Outgoing, Senders, aliyun_signature
from cashup.services.notification.events import EVENTS
from cashup.services.notification.rules.matching import after_quiet, leaves_at, wants
from cashup.services.notification.tables import SubscriptionRow
from cashup.services.notification.templates.service import preview, write
from platform_fixtures import Installation, running, start

MESSAGE = Outgoing(
    id="01D",
    title="标题 Title",
    body="Line one\n第二行",
    html="",
    event="order.filled",
    severity="warning",
    data={"a": 1},
)


class StandIn:
    """An HTTP server in place of a service; keeps what it was sent."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answers: list[tuple[int, dict[str, Any]]] = []
        self.usual: tuple[int, dict[str, Any]] = (200, {})
        self.arrived = asyncio.Event()
        self.port = 0

    async def serve(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests.append(
            {"method": request.method, "path": request.path_qs, "headers": request.headers, "body": body}
        )
        self.arrived.set()
        status, answer = self.answers.pop(0) if self.answers else self.usual
        return web.json_response(answer, status=status)

    def json(self, index: int = -1) -> Any:
        return json.loads(self.requests[index]["body"])


@pytest.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    found = StandIn()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", found.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.port = runner.addresses[0][1]
    yield found
    await runner.cleanup()


@pytest.fixture
def senders() -> Senders:
    return Senders(MailSettings(), OutgoingCalls(allow_private=True))


class Sink:
    """Keeps the mails it was sent."""

    def __init__(self) -> None:
        self.mails: list[Message] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"


async def test_mail_arrives_with_both_texts_in_any_language() -> None:
    sink = Sink()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        settings = MailSettings(host="127.0.0.1", port=port, encryption="none", sender="cashup@example.com")
        senders = Senders(settings, OutgoingCalls())
        message = Outgoing(**{**_fields(MESSAGE), "html": "<p>第二行</p>"})
        await senders.send("email", {"to": "user@example.com"}, message)
    finally:
        controller.stop()
    (mail,) = sink.mails
    assert mail["To"] == "user@example.com"
    assert mail["From"] == "cashup@example.com"
    assert "标题" in str(message_header(mail, "Subject"))
    texts = [part.get_payload(decode=True).decode() for part in mail.walk() if not part.is_multipart()]
    assert "第二行" in texts[0]
    assert "<p>第二行</p>" in texts[1]


def _fields(message: Outgoing) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.__slots__}


def message_header(mail: Message, name: str) -> str:
    from email.header import decode_header, make_header

    return str(make_header(decode_header(mail[name])))


async def test_a_webhook_is_signed_so_that_its_receiver_can_check_it(
    stand_in: StandIn, senders: Senders
) -> None:
    config = {"url": f"http://127.0.0.1:{stand_in.port}/hook?x=1", "secret": "a-shared-secret-of-length"}
    await senders.send("webhook", config, MESSAGE)
    (request,) = stand_in.requests
    assert request["path"] == "/hook?x=1"
    parts = dict(part.split("=", 1) for part in request["headers"]["X-CashUp-Signature"].split(","))
    wanted = hmac.new(
        b"a-shared-secret-of-length", f"{parts['t']}.".encode() + request["body"], hashlib.sha256
    )
    assert parts["v1"] == wanted.hexdigest()
    assert stand_in.json()["data"] == {"a": 1}
    assert request["headers"]["X-CashUp-Delivery"] == MESSAGE.id


@pytest.mark.parametrize(
    ("status", "permanent"), [(500, False), (503, False), (429, False), (404, True), (302, True)]
)
async def test_what_is_worth_trying_again(
    stand_in: StandIn, senders: Senders, status: int, permanent: bool
) -> None:
    stand_in.usual = (status, {})
    with pytest.raises(DeliveryFailed) as raised:
        await senders.send("webhook", {"url": f"http://127.0.0.1:{stand_in.port}/"}, MESSAGE)
    assert raised.value.permanent is permanent


async def test_qanotify_posts_what_it_must(stand_in: StandIn, senders: Senders) -> None:
    await senders.send("qanotify", {"key": "k123456", "url": f"http://127.0.0.1:{stand_in.port}/n"}, MESSAGE)
    assert stand_in.json() == {"key": "k123456", "title": MESSAGE.title, "content": MESSAGE.body}


async def test_aliyun_is_called_as_its_documentation_says(stand_in: StandIn) -> None:
    urls = {"aliyun_sms": f"http://127.0.0.1:{stand_in.port}/"}
    senders = Senders(MailSettings(), OutgoingCalls(allow_private=True), urls=urls)
    config = {
        "access_key_id": "testId01",
        "access_key_secret": "testSecret",
        "sign_name": "签名",
        "template_code": "SMS_12345",
        "phone": "+8613800000000",
    }
    stand_in.usual = (200, {"Code": "OK"})
    await senders.send("aliyun_sms", config, MESSAGE)
    sent = {name: values[0] for name, values in parse_qs(stand_in.requests[0]["body"].decode()).items()}
    assert sent["Action"] == "SendSms"
    assert sent["Version"] == "2017-05-25"
    assert sent["PhoneNumbers"] == "13800000000"
    signature = sent.pop("Signature")
    assert signature == aliyun_signature(sent, "testSecret", "POST")
    assert len(base64.b64decode(signature)) == 20
    stand_in.usual = (200, {"Code": "isv.BUSINESS_LIMIT_CONTROL"})
    with pytest.raises(DeliveryFailed, match=r"isv\.BUSINESS"):
        await senders.send("aliyun_sms", config, MESSAGE)


def _telegram(request: dict[str, Any]) -> None:
    assert request["path"] == "/bot12345678:abcdefghijklmnopqrstuvwxyz0123456789/sendMessage"
    body = json.loads(request["body"])
    assert str(body["chat_id"]) == "987654"
    assert "第二行" in body["text"]


def _wxpusher(request: dict[str, Any]) -> None:
    body = json.loads(request["body"])
    assert body["appToken"] == "AT_abcdefghijklmnop"
    assert body["uids"] == ["UID_abcdefghijklmnop"]
    assert "第二行" in body["content"]


def _pushplus(request: dict[str, Any]) -> None:
    body = json.loads(request["body"])
    assert body["token"] == "a" * 32
    assert body["title"] == MESSAGE.title
    assert "第二行" in body["content"]


def _wecom(request: dict[str, Any]) -> None:
    body = json.loads(request["body"])
    assert body["msgtype"] in {"text", "markdown"}
    assert "第二行" in json.dumps(body, ensure_ascii=False)
    assert request["path"].endswith("key=0000aaaa-1111-2222-3333-444455556666")


def _dingtalk(request: dict[str, Any]) -> None:
    query = parse_qs(request["path"].partition("?")[2])
    secret = "SEC" + "b" * 40
    text = f"{query['timestamp'][0]}\n{secret}"
    wanted = base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
    assert query["sign"][0] == wanted
    assert "第二行" in json.dumps(json.loads(request["body"]), ensure_ascii=False)


def _feishu(request: dict[str, Any]) -> None:
    assert request["path"] == "/hook/0000aaaa-1111-2222-3333-444455556666/"
    assert "第二行" in json.dumps(json.loads(request["body"]), ensure_ascii=False)


def _bark(request: dict[str, Any]) -> None:
    assert request["path"] == "/push"
    body = json.loads(request["body"])
    assert "abcdefghijklmnopqrst" in json.dumps(body)
    assert body["title"] == MESSAGE.title


def _twilio(request: dict[str, Any]) -> None:
    assert request["path"] == f"/Accounts/AC{'0' * 32}/Messages.json"
    login = base64.b64decode(request["headers"]["Authorization"].split()[1]).decode()
    assert login == f"AC{'0' * 32}:{'1' * 32}"
    sent = {name: values[0] for name, values in parse_qs(request["body"].decode()).items()}
    assert sent["From"] == "+15005550006"
    assert sent["To"] == "+15005550009"
    assert "第二行" in sent["Body"]


SERVICES = {
    "telegram": ({"bot_token": "12345678:abcdefghijklmnopqrstuvwxyz0123456789", "chat_id": "987654"}, {"notify_url": "/bot"}, {"ok": True}, _telegram),
    "wxpusher": ({"app_token": "AT_abcdefghijklmnop", "uid": "UID_abcdefghijklmnop"}, {"notify_url": "/send"}, {"code": 1000, "success": True}, _wxpusher),
    "pushplus": ({"token": "a" * 32}, {"notify_url": "/send"}, {"code": 200}, _pushplus),
    "wecom": ({"key": "0000aaaa-1111-2222-3333-444455556666"}, {"notify_url": "/send?key={key}"}, {"errcode": 0}, _wecom),
    "dingtalk": ({"token": "c" * 40, "secret": "SEC" + "b" * 40}, {}, {"errcode": 0}, _dingtalk),
    "feishu": ({"token": "0000aaaa-1111-2222-3333-444455556666"}, {"notify_url": "/hook/{token}/"}, {"code": 0}, _feishu),
    "bark": ({"device_key": "abcdefghijklmnopqrst"}, {}, {"code": 200}, _bark),
    "twilio": ({"account_sid": "AC" + "0" * 32, "auth_token": "1" * 32, "from_phone": "+15005550006", "to_phone": "+15005550009"}, {"notify_sms_url": "/Accounts/{sid}/Messages.json"}, {"sid": "SM1"}, _twilio),
}  # fmt: skip
PLUGINS = {"wecom": "wecombot"}


@pytest.mark.parametrize("kind", sorted(SERVICES))
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_each_service_is_called_as_it_documents(
    kind: str, stand_in: StandIn, senders: Senders, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    config, urls, answer, check = SERVICES[kind]
    base = f"http://127.0.0.1:{stand_in.port}"
    senders._urls = {"dingtalk": base + "/send"}
    module = importlib.import_module(f"apprise.plugins.{PLUGINS.get(kind, kind)}")
    plugin = next(getattr(module, n) for n in dir(module) if n.lower() == f"notify{PLUGINS.get(kind, kind)}")
    for name, path in urls.items():
        assert hasattr(plugin, name), [n for n in dir(plugin) if "url" in n]
        monkeypatch.setattr(plugin, name, base + path)
    if kind == "bark":
        config = {**config, "server": base}
    stand_in.usual = (200, answer)
    await senders.send(kind, config, MESSAGE)
    check(stand_in.requests[-1])
    stand_in.usual = (500, {})
    with pytest.raises(DeliveryFailed):
        await senders.send(kind, config, MESSAGE)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.5", "172.16.3.4", "192.168.1.1", "169.254.169.254", "0.0.0.0", "::1", "fd00::1", "fe80::1",
     "::ffff:127.0.0.1", "64:ff9b:1::1", "2002:7f00:1::", "100.64.0.1", "224.0.0.1"],
)  # fmt: skip
def test_addresses_inside_the_network_are_not_public(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111"])
def test_addresses_of_the_internet_are(address: str) -> None:
    assert public(address)


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/x", "https://localhost/x", "https://[::1]/x", "https://0x7f000001/", "https://2130706433/",
     "http://example.com/", "file:///etc/passwd", "https://user:pw@1.1.1.1/", "gopher://1.1.1.1/", "https:///x"],
)  # fmt: skip
async def test_calls_into_the_network_are_refused(url: str) -> None:
    with pytest.raises(InputError):
        await OutgoingCalls().post(url, json={})


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{% for a in range(100000) %}x{% endfor %}",
        "{{ 'a' * 1000000000 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{% include '/etc/passwd' %}",
        "{{ config }}{{ missing.attribute }}",
        "{{ 'x'.format(1) }}",
        "{{ name|attr('__class__') }}",
        "{{",
    ],
)
def test_templates_cannot_get_out_or_run_away(source: str) -> None:
    try:
        text = preview("alert.fired", "title", source).body
    except InputError:
        return
    assert "class" not in text
    assert len(text) < 200


def test_every_default_wording_reads_in_both_languages() -> None:
    for kind in EVENTS.values():
        for locale in ("en", "zh-CN"):
            written = write(kind.title[locale], kind.body[locale], kind.sample, strict=True)
            assert written.title
            assert written.body
            assert "{{" not in written.title + written.body


def test_html_is_escaped() -> None:
    written = write("{{ name }}", "{{ name }}", {"name": "<script>alert(1)</script>"})
    assert "<script>" not in written.html


def _rule(**changes: Any) -> SubscriptionRow:
    fields: dict[str, Any] = {
        "enabled": True, "least": "info", "strategy_id": "", "events": ["order.*"], "quiet_from": None,
        "quiet_until": None, "time_zone": "Asia/Shanghai", "digest_minutes": 0, "per_hour": 0,
    }  # fmt: skip
    return SubscriptionRow(**{**fields, **changes})


def test_subscriptions_choose_by_event_severity_and_strategy() -> None:
    event = {"event": "order.filled", "severity": "info", "strategy_id": "s1"}
    assert wants(_rule(), **event)
    assert not wants(_rule(events=["risk.*"]), **event)
    assert not wants(_rule(least="warning"), **event)
    assert not wants(_rule(strategy_id="s2"), **event)
    assert not wants(_rule(enabled=False), **event)


def test_quiet_hours_wait_for_the_morning_in_the_users_zone_and_critical_does_not() -> None:
    night = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)  # 23:30 in Shanghai
    rule = _rule(quiet_from=22 * 60, quiet_until=7 * 60)
    assert after_quiet(rule, night) == datetime(2026, 3, 1, 23, 0, tzinfo=UTC)
    early = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)  # 02:00 the next day
    assert after_quiet(rule, early) == datetime(2026, 3, 1, 23, 0, tzinfo=UTC)
    noon = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
    assert after_quiet(rule, noon) == noon
    assert leaves_at(rule, night, severity="critical", sent_last_hour=99) == (night, False)


def test_digests_and_hourly_caps_put_messages_together() -> None:
    now = datetime(2026, 3, 1, 12, 7, 30, tzinfo=UTC)
    at, digest = leaves_at(_rule(digest_minutes=15), now, severity="info", sent_last_hour=0)
    assert digest
    assert (at - now).total_seconds() <= 15 * 60
    assert leaves_at(_rule(per_hour=3), now, severity="info", sent_last_hour=2) == (now, False)
    assert leaves_at(_rule(per_hour=3), now, severity="info", sent_last_hour=3)[1]


async def _subscribed(installation: Installation, headers: dict[str, str], port: int) -> str:
    client = installation.client
    body = {"kind": "webhook", "name": "hook", "config": {"url": f"http://127.0.0.1:{port}/hook"}}
    channel = (await client.post("/api/v1/notifications/channels", headers=headers, json=body)).json()
    rule = {"name": "all", "events": ["*"], "channel_ids": [channel["id"]]}
    answer = await client.post("/api/v1/notifications/subscriptions", headers=headers, json=rule)
    assert answer.status_code == 201, answer.text
    return str(channel["id"])


@pytest.fixture
async def open_installation(tmp_path: Path) -> AsyncIterator[Installation]:
    platform, app = await start(tmp_path, CASHUP_NOTIFICATION__ALLOW_PRIVATE_ADDRESSES="true")
    async with running(platform, app) as found:
        yield found


async def test_an_event_reaches_inbox_and_channel_once_even_when_it_is_redelivered(
    open_installation: Installation, stand_in: StandIn
) -> None:
    installation = open_installation
    headers = await installation.owner()
    await _subscribed(installation, headers, stand_in.port)
    me = (await installation.client.get("/api/v1/me", headers=headers)).json()["id"]
    dispatcher = installation.platform.notification.dispatcher
    data = {"side": "buy", "quantity": "1", "instrument": "gate:BTC/USDT", "price": "100", "fee": "0.1 USDT"}
    first = await dispatcher.tell(me, "order.filled", data, source="fill-1")
    assert first is not None
    assert await dispatcher.tell(me, "order.filled", data, source="fill-1") is None
    await asyncio.wait_for(stand_in.arrived.wait(), 10)
    inbox = (
        await installation.client.get("/api/v1/notifications?event=order.filled", headers=headers)
    ).json()
    assert len(inbox["items"]) == 1
    assert inbox["items"][0]["title"] == "buy 1 gate:BTC/USDT filled"
    hooks = [r for r in stand_in.requests if json.loads(r["body"])["event"] == "order.filled"]
    assert len(hooks) == 1
    mark = await installation.client.post(
        "/api/v1/notifications/mark", headers=headers, json={"ids": [first]}
    )
    assert mark.status_code == 204


async def test_what_fails_is_tried_again_and_then_put_aside_for_its_owner_to_see(
    open_installation: Installation, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    monkeypatch.setattr("cashup.services.notification.messages.dispatch._PAUSES", (timedelta(0),) * 3)
    installation = open_installation
    stand_in.usual = (503, {})
    headers = await installation.owner()
    await _subscribed(installation, headers, stand_in.port)
    me = (await installation.client.get("/api/v1/me", headers=headers)).json()["id"]
    dispatcher = installation.platform.notification.dispatcher
    await installation.platform.context.supervisor.stop("notifications")
    await dispatcher.tell(me, "risk.killed", {"reason": "test"}, source="kill-1")
    while await dispatcher.deliver_due():
        pass
    dead = (
        await installation.client.get("/api/v1/notifications/deliveries?status=dead", headers=headers)
    ).json()
    assert [(one["attempts"], "503" in one["error"]) for one in dead] == [(4, True)]
    stand_in.usual = (200, {})
    again = await installation.client.post(
        f"/api/v1/notifications/deliveries/{dead[0]['id']}/retry", headers=headers
    )
    assert again.status_code == 204
    await dispatcher.deliver_due()
    sent = (
        await installation.client.get("/api/v1/notifications/deliveries?status=sent", headers=headers)
    ).json()
    assert [one["id"] for one in sent] == [dead[0]["id"]]


async def test_channel_secrets_never_come_back(open_installation: Installation) -> None:
    headers = await open_installation.owner()
    secret = "12345678:abcdefghijklmnopqrstuvwxyz0123456789"
    body = {"kind": "telegram", "name": "t", "config": {"bot_token": secret, "chat_id": "5551"}}
    made = await open_installation.client.post("/api/v1/notifications/channels", headers=headers, json=body)
    assert made.json()["shown"] == {"bot_token": "set", "chat_id": "5551"}
    listed = await open_installation.client.get("/api/v1/notifications/channels", headers=headers)
    assert secret not in made.text + listed.text
    wrong = {**body, "name": "u", "config": {"bot_token": "wrong", "chat_id": "5551"}}
    refused = await open_installation.client.post(
        "/api/v1/notifications/channels", headers=headers, json=wrong
    )
    assert refused.status_code == 422
    assert refused.json()["field"] == "bot_token"
    near = {**body, "name": "v", "config": {**body["config"], "chatid": "1"}}  # type: ignore[dict-item]
    assert (
        await open_installation.client.post("/api/v1/notifications/channels", headers=headers, json=near)
    ).json()["suggestion"] == "chat_id"
