"""What every HTTP service of ours does the same way: problem details, limits, headers, correlation.

Errors leave as RFC 9457 problem details; a fault of ours says only its correlation id, and the log has the
rest. Middleware is written against ASGI itself, so that it costs microseconds and covers WebSockets.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from cashup.model.errors import (
    CashUpError,
    ConfigError,
    DataError,
    ExchangeRejected,
    ExchangeUnavailable,
    InputError,
    OrderRefused,
    OutcomeUnknown,
    StrategyFailed,
    UnknownNameError,
)
from cashup.runtime import metrics
from cashup.runtime.ids import new_id
from cashup.runtime.refusals import Conflict, Forbidden, NotFound, NotSignedIn, PreconditionFailed, TooMany

__all__ = ["install", "problem", "status_of"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PROBLEM_TYPE: Final = "application/problem+json"

log = structlog.get_logger(__name__)


_STATUS: Final[dict[type[CashUpError], int]] = {
    NotSignedIn: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    PreconditionFailed: 412,
    TooMany: 429,
    UnknownNameError: 422,
    InputError: 422,
    ConfigError: 422,
    DataError: 422,
    StrategyFailed: 422,
    OrderRefused: 422,
    ExchangeRejected: 422,
    ExchangeUnavailable: 503,
    OutcomeUnknown: 202,
}


def status_of(error: CashUpError) -> int:
    """Return the HTTP status of an error of ours."""
    for kind in type(error).__mro__:
        if kind in _STATUS:
            return _STATUS[kind]
    return 500


def problem(status: int, code: str, detail: str, **members: Any) -> JSONResponse:
    """Build a problem document (RFC 9457)."""
    headers = members.pop("headers", None)
    body = {"type": f"urn:cashup:{code}", "title": code.replace("_", " "), "status": status, "detail": detail}
    body["code"] = code
    body |= {key: value for key, value in members.items() if value is not None}
    return JSONResponse(body, status, headers=headers, media_type=PROBLEM_TYPE)


def install(app: FastAPI, *, max_body_bytes: int, hsts: bool) -> None:
    """Give an application our error documents, headers, limits, correlation ids and measurements."""

    @app.exception_handler(CashUpError)
    async def _known(_request: Request, error: CashUpError) -> JSONResponse:
        headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, TooMany) else None
        if isinstance(error, NotSignedIn):
            headers = {"WWW-Authenticate": "Bearer"}
        status = status_of(error)
        if status == 500:
            log.error("invariant broken", error=error.message)
        members: dict[str, Any] = {}
        if isinstance(error, InputError) and error.field:
            members["field"] = error.field
        if isinstance(error, UnknownNameError):
            members["suggestion"] = error.suggestion
        return problem(status, error.code, error.message, headers=headers, **members)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        problems = [
            {"field": ".".join(str(part) for part in one["loc"] if part != "body"), "message": one["msg"]}
            for one in error.errors()
        ]
        detail = "; ".join(f"{one['field']}: {one['message']}" for one in problems[:5])
        return problem(422, "input_error", detail, errors=problems)

    @app.exception_handler(StarletteHTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(
            error.status_code, "http_error"
        )
        return problem(error.status_code, code, str(error.detail), headers=error.headers)

    app.add_middleware(BodyLimit, limit=max_body_bytes)
    app.add_middleware(Envelope, hsts=hsts)


class BodyLimit:
    """Refuse a body that is too large, whether it says so or not."""

    def __init__(self, app: App, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self._limit:
            await self._refuse(scope, receive, send)
            return
        taken = 0
        answered = False

        async def limited() -> MutableMapping[str, Any]:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._limit:
                raise HTTPException(413, f"the body is larger than {self._limit} bytes")
            return message

        async def watched(message: MutableMapping[str, Any]) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self._app(scope, limited, watched)
        except HTTPException:
            if answered:
                raise
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = problem(413, "too_large", f"the body is larger than {self._limit} bytes")
        await answer(scope, receive, send)


#: The page runs only its own scripts and speaks only to its own host.
_CSP: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self' ws: wss:; worker-src 'self' blob:; frame-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS: Final = (
    (b"content-security-policy", _CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class Envelope:
    """Correlation id, security headers, log line and measurement of every request."""

    def __init__(self, app: App, hsts: bool) -> None:
        self._app = app
        self._headers = (*_HEADERS, (b"strict-transport-security", b"max-age=31536000")) if hsts else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        correlation = _correlation(scope)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(correlation=correlation)
        started = time.perf_counter()
        status = 0

        async def headed(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    (b"x-correlation-id", correlation.encode()),
                    *((name, value) for name, value in self._headers if name not in own),
                ]
                if b"cache-control" not in own and scope["path"].startswith("/api/"):
                    message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        try:
            await self._app(scope, receive, headed)
        except Exception as e:
            log.error("fault", path=scope["path"], exc_info=e)
            if status or scope["type"] != "http":
                raise
            detail = f"a fault of CashUp; the log has it under {correlation}"
            await problem(500, "internal_error", detail, correlation=correlation)(scope, receive, headed)
        finally:
            if scope["type"] == "http":
                route = scope.get("route")
                path = getattr(route, "path", "unmatched")
                took = time.perf_counter() - started
                metrics.API_REQUESTS.labels(scope["method"], path, f"{status // 100}xx").inc()
                metrics.API_SECONDS.labels(path).observe(took)
                if path.startswith("/api"):
                    log.debug(
                        "request", method=scope["method"], path=path, status=status, ms=round(took * 1e3, 2)
                    )


def _correlation(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-correlation-id" and 8 <= len(value) <= 64 and value.replace(b"-", b"").isalnum():
            return str(value.decode())
    return new_id()
