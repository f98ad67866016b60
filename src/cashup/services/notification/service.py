"""The notification service, put together."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter

from cashup.runtime.addresses import OutgoingCalls
from cashup.runtime.channel import Envelope
from cashup.runtime.context import ServiceContext
from cashup.services.notification import routes
from cashup.services.notification.channels.senders import Outgoing, Senders
from cashup.services.notification.channels.service import ChannelService
from cashup.services.notification.events import EVENTS
from cashup.services.notification.messages.dispatch import Directory, Dispatcher
from cashup.services.notification.rules.service import SubscriptionService
from cashup.services.notification.templates.service import TemplateService, write

_LINKS: Final = {
    "verify": {
        "en": ("Verify your address", "Open this link within 48 hours to verify your address:\n{{ link }}"),
        "zh-CN": ("验证邮箱地址", "请在 48 小时内打开以下链接验证邮箱：\n{{ link }}"),
    },
    "reset": {
        "en": (
            "Set a new password",
            "Open this link within an hour to set a new password:\n{{ link }}\nIf you did not ask for it, ignore this message.",
        ),
        "zh-CN": ("重置密码", "请在一小时内打开以下链接重置密码：\n{{ link }}\n如非本人操作，请忽略。"),
    },
}
_ALREADY: Final = {
    "en": (
        "You have an account",
        "Somebody tried to register with your address. If it was you, sign in or ask for a new password.",
    ),
    "zh-CN": ("您已有账户", "有人尝试使用您的邮箱注册。如果是您本人，请直接登录或重置密码。"),
}


class NotificationService:
    """Tell users what happened.

    Args:
        context: The shared parts of the process.
        directory: Who the users are.
    """

    name = "notification"

    def __init__(self, context: ServiceContext, directory: Directory) -> None:
        self.context = context
        self._directory = directory
        calls = OutgoingCalls(allow_private=context.settings.notification.allow_private_addresses)
        self.senders = Senders(context.settings.mail, calls)
        self.templates = TemplateService(context.database)
        self.channels = ChannelService(context.database, context.vault, self.senders)
        self.rules = SubscriptionService(context.database)
        self.dispatcher = Dispatcher(
            context.database, context.hub, directory, self.channels, self.templates, self.senders
        )

    def routers(self) -> list[APIRouter]:
        """Return the HTTP routes of this service."""
        return [
            routes.router(self.context.database, self.channels, self.rules, self.templates, self._directory)
        ]

    async def start(self) -> None:
        """Listen to every event a user may want to hear, and deliver."""
        topics = [name for name in EVENTS if name != "test"]
        await self.context.channel.subscribe("notification", topics, self._tell)
        await self.context.channel.subscribe("mailer", ["mail.link", "mail.already_registered"], self._mail)
        self.context.supervisor.start("notifications", self.dispatcher.run)

    async def _tell(self, envelope: Envelope) -> None:
        data: dict[str, Any] = dict(envelope.payload)
        user_id = str(data.pop("user_id", ""))
        await self.dispatcher.tell(
            user_id,
            envelope.topic,
            data,
            source=str(data.pop("source", "") or f"{envelope.topic}:{envelope.id}"),
            severity=str(data.pop("severity", "")),
            strategy_id=str(data.pop("strategy_id", "")),
        )

    async def _mail(self, envelope: Envelope) -> None:
        """Send what is not a message of the inbox: links that prove who somebody is."""
        settings = self.context.settings
        if not settings.mail.host:
            return
        payload = envelope.payload
        locale = payload.get("locale", "en")
        if envelope.topic == "mail.already_registered":
            title, body, data = *_ALREADY.get(locale, _ALREADY["en"]), {}
        else:
            token = self.context.vault.open(payload["sealed"], bound_to=f"link:{payload['user_id']}")
            path = {"verify": "verify-email", "reset": "reset-password"}[payload["purpose"]]
            wording = _LINKS[payload["purpose"]]
            base = settings.server.public_url.rstrip("/") or f"http://localhost:{settings.server.port}"
            title, body, data = *wording.get(locale, wording["en"]), {"link": f"{base}/{path}?token={token}"}
        text = write(title, body, data)
        message = Outgoing(
            id=f"{envelope.topic}-{envelope.id}",
            title=text.title,
            body=text.body,
            html="",
            event=envelope.topic,
            severity="info",
            data={},
        )
        await self.senders.send("email", {"to": payload["email"]}, message)
