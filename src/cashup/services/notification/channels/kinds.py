"""The kinds of channel: what each needs to know, and how it sends.

Where the Apprise library speaks a service's API, it does; the rest is here (`cashup.services.notification.
channels.senders`). A field marked as secret is sealed and never shown again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from cashup.model.errors import InputError, UnknownNameError, explain

Config = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing a channel must know.

    Attributes:
        name: Its name.
        label: What people call it, in English and Chinese.
        secret: Whether it is never shown again.
        required: Whether the channel works without it.
        pattern: What it must look like.
    """

    name: str
    label: tuple[str, str]
    secret: bool = False
    required: bool = True
    pattern: str = r"[^\s]{1,500}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of channel.

    Attributes:
        name: Its name.
        label: What people call it, in English and Chinese.
        fields: What it must know.
        url: Writes the Apprise address; None when the channel sends by itself.
        limit: Longest text it takes, in characters.
        markup: ``text``, ``markdown`` or ``html``: what its messages may hold.
    """

    name: str
    label: tuple[str, str]
    fields: tuple[Field, ...]
    url: Callable[[Config], str] | None = None
    limit: int = 4_000
    markup: str = "text"


def _q(text: str) -> str:
    return quote(text, safe="")


_KEY: Final = r"[A-Za-z0-9_:\-]{6,200}"
_PHONE: Final = r"\+[1-9]\d{6,14}"

KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind(
            name="email",
            label=("E-mail", "电子邮件"),
            fields=(Field(name="to", label=("Address", "地址"), pattern=r"[^\s@]{1,64}@[^\s@]{1,190}"),),
            limit=100_000,
        ),
        Kind(
            name="telegram",
            label=("Telegram", "Telegram"),
            fields=(
                Field(
                    name="bot_token",
                    label=("Bot token", "机器人令牌"),
                    secret=True,
                    pattern=r"\d{5,15}:[A-Za-z0-9_\-]{20,60}",
                ),
                Field(name="chat_id", label=("Chat id", "会话 ID"), pattern=r"-?\d{3,20}"),
            ),
            url=lambda c: f"tgram://{c['bot_token']}/{c['chat_id']}/?format=text",
        ),
        Kind(
            name="wxpusher",
            label=("WxPusher", "WxPusher 微信推送"),
            fields=(
                Field(
                    name="app_token",
                    label=("App token", "应用令牌"),
                    secret=True,
                    pattern=r"AT_[A-Za-z0-9]{10,80}",
                ),
                Field(name="uid", label=("User id", "用户 UID"), pattern=r"UID_[A-Za-z0-9]{10,80}"),
            ),
            url=lambda c: f"wxpusher://{c['app_token']}/{c['uid']}",
        ),
        Kind(
            name="pushplus",
            label=("PushPlus", "PushPlus 推送加"),
            fields=(Field(name="token", label=("Token", "令牌"), secret=True, pattern=r"[A-Za-z0-9]{32}"),),
            url=lambda c: f"pushplus://{c['token']}",
        ),
        Kind(
            name="qanotify",
            label=("QANotify", "QANotify"),
            fields=(
                Field(name="key", label=("Key", "密钥"), secret=True, pattern=_KEY),
                Field(name="url", label=("Server address", "服务器地址"), pattern=r"https?://[^\s]{3,300}"),
            ),
        ),
        Kind(
            name="twilio",
            label=("SMS (Twilio)", "短信（Twilio）"),
            fields=(
                Field(name="account_sid", label=("Account SID", "账户 SID"), pattern=r"AC[0-9a-f]{32}"),
                Field(
                    name="auth_token", label=("Auth token", "认证令牌"), secret=True, pattern=r"[0-9a-f]{32}"
                ),
                Field(name="from_phone", label=("From", "发送号码"), pattern=_PHONE),
                Field(name="to_phone", label=("To", "接收号码"), pattern=_PHONE),
            ),
            url=lambda c: (
                f"twilio://{c['account_sid']}:{c['auth_token']}@{_q(c['from_phone'])}/{_q(c['to_phone'])}"
            ),
            limit=480,
        ),
        Kind(
            name="aliyun_sms",
            label=("SMS (Aliyun)", "短信（阿里云）"),
            fields=(
                Field(name="access_key_id", label=("Access key id", "AccessKey ID"), pattern=_KEY),
                Field(
                    name="access_key_secret",
                    label=("Access key secret", "AccessKey Secret"),
                    secret=True,
                    pattern=_KEY,
                ),
                Field(name="sign_name", label=("Signature", "短信签名"), pattern=r"[^\s]{2,30}"),
                Field(name="template_code", label=("Template code", "模板代码"), pattern=r"SMS_\d{4,20}"),
                Field(name="phone", label=("Phone", "手机号"), pattern=r"\+?\d{6,15}"),
            ),
            limit=70,
        ),
        Kind(
            name="wecom",
            label=("WeCom", "企业微信"),
            fields=(
                Field(
                    name="key", label=("Robot key", "机器人 Key"), secret=True, pattern=r"[0-9a-f\-]{30,60}"
                ),
            ),
            url=lambda c: f"wecombot://{c['key']}",
            limit=2_000,
        ),
        Kind(
            name="dingtalk",
            label=("DingTalk", "钉钉"),
            fields=(
                Field(
                    name="token",
                    label=("Access token", "访问令牌"),
                    secret=True,
                    pattern=r"[A-Za-z0-9]{20,80}",
                ),
                Field(
                    name="secret",
                    label=("Signing secret", "加签密钥"),
                    secret=True,
                    required=False,
                    pattern=r"SEC[A-Za-z0-9]{20,80}",
                ),
            ),
        ),
        Kind(
            name="feishu",
            label=("Feishu", "飞书"),
            fields=(
                Field(
                    name="token",
                    label=("Webhook token", "Webhook 令牌"),
                    secret=True,
                    pattern=r"[0-9A-Za-z\-]{20,60}",
                ),
            ),
            url=lambda c: f"feishu://{c['token']}",
        ),
        Kind(
            name="bark",
            label=("Bark", "Bark"),
            fields=(
                Field(
                    name="device_key",
                    label=("Device key", "设备 Key"),
                    secret=True,
                    pattern=r"[A-Za-z0-9]{10,60}",
                ),
                Field(
                    name="server",
                    label=("Server", "服务器"),
                    required=False,
                    pattern=r"https?://[^\s/]{3,200}",
                ),
            ),
            url=lambda c: _bark(c),
        ),
        Kind(
            name="webhook",
            label=("Webhook", "Webhook"),
            fields=(
                Field(name="url", label=("Address", "地址"), pattern=r"https?://[^\s]{3,500}"),
                Field(
                    name="secret",
                    label=("Signing secret", "签名密钥"),
                    secret=True,
                    required=False,
                    pattern=r"[^\s]{16,200}",
                ),
            ),
            limit=50_000,
        ),
    )
}


def _bark(config: Config) -> str:
    scheme, _, host = (config.get("server") or "https://api.day.app").partition("://")
    return f"{'barks' if scheme == 'https' else 'bark'}://{host}/{config['device_key']}"


def checked(kind_name: str, config: Config) -> dict[str, str]:
    """Return the configuration of a channel, after checking every field.

    Raises:
        UnknownNameError: There is no such kind or field.
        InputError: A field is missing, or does not look right.
    """
    kind = KINDS.get(kind_name)
    if kind is None:
        raise UnknownNameError("channel", kind_name, KINDS, field="kind")
    known = {field.name: field for field in kind.fields}
    for name in config:
        if name not in known:
            raise UnknownNameError("field", name, known, field=name)
    found = {}
    for field in kind.fields:
        value = config.get(field.name, "").strip()
        if not value:
            if field.required:
                raise InputError(
                    explain(f"{field.label[0]} is missing", where=kind.label[0]), field=field.name
                )
            continue
        if not re.fullmatch(field.pattern, value):
            shown = "" if field.secret else f" {value[:40]!r}"
            raise InputError(
                explain(f"{field.label[0]}{shown} does not look right", where=kind.label[0]), field=field.name
            )
        found[field.name] = value
    return found
