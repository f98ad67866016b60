"""How messages leave: one call a channel, which says whether the other side took the message."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import smtplib
import ssl
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any, Final
from urllib.parse import quote, urlencode

from cashup.model.errors import InputError
from cashup.runtime.addresses import OutgoingCalls
from cashup.runtime.settings import MailSettings
from cashup.services.notification.channels.kinds import KINDS

_SMTP_TIMEOUT_S: Final = 15
#: Services called directly, and where they are.
URLS: Final = {
    "aliyun_sms": "https://dysmsapi.aliyuncs.com/",
    "dingtalk": "https://oapi.dingtalk.com/robot/send",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message, ready to leave.

    Attributes:
        id: The same again when it is sent again.
        title: One line.
        body: Plain text.
        html: The body as HTML, for mail; "" for none.
        event: What it is about.
        severity: ``info``, ``warning``, ``critical``.
        data: The facts, for webhooks.
    """

    id: str
    title: str
    body: str
    html: str
    event: str
    severity: str
    data: Mapping[str, Any]


class DeliveryFailed(Exception):  # noqa: N818 (the state of a delivery)
    """The other side did not take the message.

    Attributes:
        permanent: Whether trying again is useless.
    """

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent


class Senders:
    """Send over every kind of channel.

    Args:
        mail: The mail server.
        calls: Calls to addresses users have typed.
        urls: Where the services called directly are.
    """

    def __init__(self, mail: MailSettings, calls: OutgoingCalls, *, urls: Mapping[str, str] = URLS) -> None:
        self._mail = mail
        self._calls = calls
        self._urls = urls

    async def send(self, kind: str, config: Mapping[str, str], message: Outgoing) -> None:
        """Send one message.

        Raises:
            DeliveryFailed: It was not taken.
        """
        limit = KINDS[kind].limit
        if len(message.body) > limit:
            message = Outgoing(
                id=message.id,
                title=message.title,
                body=message.body[: limit - 1] + "…",
                html=message.html,
                event=message.event,
                severity=message.severity,
                data=message.data,
            )
        try:
            if kind == "email":
                await asyncio.to_thread(self._send_mail, config["to"], message)
            elif kind == "webhook":
                await self._send_webhook(config, message)
            elif kind == "qanotify":
                await self._send_qanotify(config, message)
            elif kind == "aliyun_sms":
                await self._send_aliyun(config, message)
            elif kind == "dingtalk":
                await self._send_dingtalk(config, message)
            else:
                await self._send_apprise(kind, config, message)
        except InputError as e:
            raise DeliveryFailed(e.message, permanent=True) from e
        except OSError as e:
            raise DeliveryFailed(str(e) or type(e).__name__) from e

    def _send_mail(self, to: str, message: Outgoing) -> None:
        settings = self._mail
        if not settings.host:
            raise DeliveryFailed("no mail server is configured (mail.host)", permanent=True)
        mail = EmailMessage()
        mail["Subject"] = message.title.replace("\n", " ")
        mail["From"] = settings.sender or settings.username
        mail["To"] = to
        mail["Date"] = formatdate()
        mail["Message-ID"] = make_msgid(idstring=message.id, domain="cashup")
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.body)
        if message.html:
            mail.add_alternative(message.html, subtype="html")
        context = ssl.create_default_context()
        try:
            if settings.encryption == "tls":
                server: smtplib.SMTP = smtplib.SMTP_SSL(
                    settings.host, settings.port, timeout=_SMTP_TIMEOUT_S, context=context
                )
            else:
                server = smtplib.SMTP(settings.host, settings.port, timeout=_SMTP_TIMEOUT_S)
            with server:
                if settings.encryption == "starttls":
                    server.starttls(context=context)
                if settings.username:
                    server.login(settings.username, settings.password.get_secret_value())
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as e:
            raise DeliveryFailed(f"the mail server refuses {to}", permanent=True) from e
        except smtplib.SMTPResponseException as e:
            raise DeliveryFailed(
                f"the mail server says {e.smtp_code}", permanent=500 <= e.smtp_code < 600
            ) from e
        except (smtplib.SMTPException, ssl.SSLError) as e:
            raise DeliveryFailed(f"the mail server: {type(e).__name__}") from e

    async def _send_webhook(self, config: Mapping[str, str], message: Outgoing) -> None:
        """POST JSON, signed as ``t=<seconds>,v1=<HMAC-SHA256(secret, "<seconds>.<body>")>`` in X-CashUp-Signature."""
        at = int(datetime.now(UTC).timestamp())
        content = json.dumps(
            {
                "id": message.id,
                "event": message.event,
                "severity": message.severity,
                "title": message.title,
                "body": message.body,
                "data": dict(message.data),
                "sent_at": at,
            },
            ensure_ascii=False,
            default=str,
        ).encode()
        headers = {"content-type": "application/json", "x-cashup-delivery": message.id}
        secret = config.get("secret", "")
        if secret:
            signature = hmac.new(secret.encode(), f"{at}.".encode() + content, hashlib.sha256).hexdigest()
            headers["x-cashup-signature"] = f"t={at},v1={signature}"
        _accepted(*await self._calls.post(config["url"], content=content, headers=headers))

    async def _send_qanotify(self, config: Mapping[str, str], message: Outgoing) -> None:
        body = {"key": config["key"], "title": message.title, "content": message.body}
        _accepted(*await self._calls.post(config["url"], json=body))

    async def _send_aliyun(self, config: Mapping[str, str], message: Outgoing) -> None:
        """Call SendSms (version 2017-05-25), signed with HMAC-SHA1 as Aliyun's RPC style asks."""
        parameters = {
            "AccessKeyId": config["access_key_id"],
            "Action": "SendSms",
            "Format": "JSON",
            "PhoneNumbers": config["phone"].removeprefix("+86").lstrip("+"),
            "RegionId": "cn-hangzhou",
            "SignName": config["sign_name"],
            "SignatureMethod": "HMAC-SHA1",
            "SignatureNonce": secrets.token_hex(16),
            "SignatureVersion": "1.0",
            "TemplateCode": config["template_code"],
            "TemplateParam": json.dumps(
                {"title": message.title, "content": message.body}, ensure_ascii=False
            ),
            "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "Version": "2017-05-25",
        }
        parameters["Signature"] = aliyun_signature(parameters, config["access_key_secret"], "POST")
        status, body = await self._calls.post(self._urls["aliyun_sms"], data=parameters)
        _accepted(status, body)
        try:
            code = json.loads(body).get("Code", "")
        except (ValueError, AttributeError):
            code = "an answer that is not JSON"
        if code != "OK":
            raise DeliveryFailed(f"Aliyun says {code}", permanent=not str(code).startswith("isp."))

    async def _send_dingtalk(self, config: Mapping[str, str], message: Outgoing) -> None:
        """Post to a robot. Not through Apprise, which encodes the signature twice, so that DingTalk refuses it."""
        query = {"access_token": config["token"]}
        secret = config.get("secret", "")
        if secret:
            stamp = str(round(datetime.now(UTC).timestamp() * 1000))
            digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
            query |= {"timestamp": stamp, "sign": base64.b64encode(digest).decode()}
        body = {"msgtype": "text", "text": {"content": f"{message.title}\n{message.body}"}}
        status, answer = await self._calls.post(f"{self._urls['dingtalk']}?{urlencode(query)}", json=body)
        _accepted(status, answer)
        try:
            code = int(json.loads(answer).get("errcode", -1))
        except (ValueError, AttributeError, TypeError):
            code = -1
        if code != 0:
            raise DeliveryFailed(f"DingTalk says {code}", permanent=code in {310000, 300001, 400013})

    async def _send_apprise(self, kind: str, config: Mapping[str, str], message: Outgoing) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # it still imports imghdr
            import apprise
        build = KINDS[kind].url
        assert build is not None
        server = apprise.Apprise.instantiate(build(config))
        if server is None:
            raise DeliveryFailed("the channel's settings are not accepted", permanent=True)
        level = {"info": "info", "warning": "warning", "critical": "failure"}[message.severity]
        taken = await asyncio.to_thread(
            server.notify, body=message.body, title=message.title, notify_type=apprise.NotifyType(level)
        )
        if not taken:
            raise DeliveryFailed(f"{KINDS[kind].label[0]} did not take the message")


def aliyun_signature(parameters: Mapping[str, str], secret: str, method: str) -> str:
    """Return the signature of a request in Aliyun's RPC style."""
    text = urlencode(sorted(parameters.items()), quote_via=quote, safe="~")
    to_sign = f"{method}&{quote('/', safe='')}&{quote(text, safe='~')}"
    digest = hmac.new(f"{secret}&".encode(), to_sign.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def _accepted(status: int, body: str) -> None:
    if 200 <= status < 300:
        return
    reason = f"the other side says {status}: {body[:200]}"
    raise DeliveryFailed(
        reason, permanent=status in {400, 401, 403, 404, 405, 410, 413, 422} or 300 <= status < 400
    )
