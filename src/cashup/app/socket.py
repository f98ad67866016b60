"""The WebSocket at ``/ws``: sign in, listen to topics, go on after a cut.

The first message signs in: ``{"type": "auth", "token": "…"}``. Then ``{"type": "subscribe", "topic": "…",
"after": 17}`` and ``{"type": "unsubscribe", "topic": "…"}``. Every message of a topic carries its number ``n``;
with `after` the connection receives what it missed, or ``{"type": "resync"}`` when that is gone. ``ping`` is
answered by ``pong`` with the server's time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi import WebSocket, WebSocketDisconnect

from cashup.model.errors import CashUpError
from cashup.runtime import metrics
from cashup.runtime.auth import Caller, Permission, Role
from cashup.runtime.context import ServiceContext
from cashup.runtime.hub import Subscriber

_SIGN_IN_S: Final = 10.0
_RECHECK_S: Final = 10.0
_MAX_TOPICS: Final = 200
_MAX_MESSAGE: Final = 16_384
_TOPIC: Final = re.compile(r"[A-Za-z0-9_.:/@-]{1,120}")
_CLOSE_POLICY: Final = 4401
_CLOSE_SLOW: Final = 4408

#: Topics anybody signed in may hear, by their first part; with the permission they take.
_SHARED: Final = {"market": Permission.DATA_READ, "system": Permission.MONITOR}


async def serve_socket(websocket: WebSocket, context: ServiceContext) -> None:
    """Serve one connection until it ends."""
    if not _same_origin(websocket, context):
        await websocket.close(_CLOSE_POLICY)
        return
    await websocket.accept()
    token, caller = await _sign_in(websocket, context)
    if caller is None:
        await websocket.close(_CLOSE_POLICY)
        return
    subscriber = Subscriber()
    metrics.SOCKETS.inc()
    try:
        await _converse(websocket, context, subscriber, caller, token)
    finally:
        context.hub.unsubscribe(subscriber)
        metrics.SOCKETS.dec()


def _same_origin(websocket: WebSocket, context: ServiceContext) -> bool:
    """Say whether a page of ours, or no page at all, opens the connection."""
    origin = websocket.headers.get("origin", "")
    if not origin or origin in context.settings.server.allowed_origins:
        return True
    return urlsplit(origin).netloc == websocket.headers.get("host", "")


async def _sign_in(websocket: WebSocket, context: ServiceContext) -> tuple[str, Caller | None]:
    try:
        first = json.loads(await asyncio.wait_for(websocket.receive_text(), _SIGN_IN_S))
        token = str(first["token"]) if first.get("type") == "auth" else ""
        caller = await _caller(websocket, context, token)
    except (TimeoutError, WebSocketDisconnect, ValueError, KeyError, AttributeError, CashUpError):
        return "", None
    await websocket.send_text(json.dumps({"type": "ready", "time": _now_ms()}))
    return token, caller


async def _caller(websocket: WebSocket, context: ServiceContext, token: str) -> Caller:
    address = websocket.client.host if websocket.client else ""
    return await context.authenticator.authenticate(
        {"authorization": f"Bearer {token}"}, address, method="GET", path="/ws"
    )


async def _converse(
    websocket: WebSocket, context: ServiceContext, subscriber: Subscriber, caller: Caller, token: str
) -> None:
    tasks = {
        asyncio.create_task(_send(websocket, subscriber)),
        asyncio.create_task(_receive(websocket, context, subscriber, caller)),
        asyncio.create_task(_watch(websocket, context, token)),
        asyncio.create_task(subscriber.overrun.wait()),
    }
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # the other side has closed it
        await websocket.close(_CLOSE_SLOW if subscriber.overrun.is_set() else _CLOSE_POLICY)


async def _send(websocket: WebSocket, subscriber: Subscriber) -> None:
    while True:
        await websocket.send_text(await subscriber.queue.get())


async def _watch(websocket: WebSocket, context: ServiceContext, token: str) -> None:
    """End when the session does."""
    while True:
        await asyncio.sleep(_RECHECK_S)
        try:
            await _caller(websocket, context, token)
        except CashUpError as e:
            if "refresh" not in e.message:  # an access token ends often; its session goes on
                return


async def _receive(
    websocket: WebSocket, context: ServiceContext, subscriber: Subscriber, caller: Caller
) -> None:
    while True:
        try:
            text = await websocket.receive_text()
        except WebSocketDisconnect:
            return
        if len(text) > _MAX_MESSAGE:
            return
        try:
            message = json.loads(text)
            answer = _act(context, subscriber, caller, message)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            answer = {"type": "error", "detail": "this message cannot be read"}
        subscriber.offer(json.dumps(answer))


def _act(
    context: ServiceContext, subscriber: Subscriber, caller: Caller, message: dict[str, Any]
) -> dict[str, Any]:
    kind = message["type"]
    if kind == "ping":
        return {"type": "pong", "time": _now_ms()}
    topic = str(message["topic"])
    if not _TOPIC.fullmatch(topic) or not _may_hear(caller, topic):
        return {"type": "error", "topic": topic[:120], "detail": "there is no such topic"}
    if kind == "unsubscribe":
        context.hub.unsubscribe(subscriber, [topic])
        return {"type": "unsubscribed", "topic": topic}
    if kind != "subscribe":
        return {"type": "error", "detail": "expected subscribe, unsubscribe or ping"}
    if len(subscriber.topics) >= _MAX_TOPICS:
        return {"type": "error", "topic": topic, "detail": f"more than {_MAX_TOPICS} topics"}
    after = message.get("after")
    whole = context.hub.subscribe(subscriber, topic, after=None if after is None else int(after))
    return {"type": "subscribed" if whole else "resync", "topic": topic, "n": context.hub.number(topic)}


def _may_hear(caller: Caller, topic: str) -> bool:
    kind, _, rest = topic.partition(":")
    if kind == "user":
        owner = rest.partition(":")[0]
        return caller.may_see(owner)
    if kind == "system":
        return Role.ADMINISTRATOR in caller.roles
    return kind in _SHARED and caller.may(_SHARED[kind])


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
