"""The HTTP application: which services answer in this process, health, metrics, and the pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import structlog
from fastapi import FastAPI, Response, WebSocket
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.types import Scope

from cashup.app.platform import Platform
from cashup.app.socket import serve_socket
from cashup.runtime import metrics
from cashup.runtime.http import install, problem
from cashup.version import __version__

_CHECK_S: Final = 3.0
_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {
        "description": text,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, text in {
        400: "The request cannot be read.",
        401: "Nobody is signed in.",
        403: "Not allowed.",
        404: "Not there, or not yours.",
        405: "Not with this method.",
        409: "It does not fit what is there.",
        412: "Changed meanwhile.",
        413: "Too large.",
        422: "Something in it is wrong.",
        429: "Too many requests.",
    }.items()
}

log = structlog.get_logger(__name__)


def create_app(platform: Platform, *, web: Path | None = None) -> FastAPI:
    """Build the application of one process.

    Args:
        platform: The services of this process, started and stopped with the application.
        web: Folder of the built pages; None when they are served elsewhere.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await platform.start()
        try:
            yield
        finally:
            await platform.stop()

    settings = platform.context.settings
    app = FastAPI(
        title="CashUp",
        version=__version__,
        lifespan=lifespan,
        docs_url="/docs",
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        responses=_PROBLEMS,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.context = platform.context
    if settings.server.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.server.allowed_origins),
            allow_credentials=True,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["authorization", "content-type", "if-match", "idempotency-key"],
            expose_headers=["etag", "x-correlation-id"],
        )
    app.add_middleware(GZipMiddleware, minimum_size=2_000, compresslevel=4)
    install(
        app,
        max_body_bytes=int(settings.server.max_body_mb * 1_000_000),
        hsts=settings.server.public_url.startswith("https"),
    )
    for router in platform.routers():
        app.include_router(router)
    _add_health(app, platform)

    @app.websocket("/ws")
    async def socket(websocket: WebSocket) -> None:
        await serve_socket(websocket, platform.context)

    _describe_problems(app)
    if web is not None and (web / "index.html").is_file():
        app.mount("/", Pages(directory=web, html=True), name="web")
    return app


def _add_health(app: FastAPI, platform: Platform) -> None:
    @app.get("/health", include_in_schema=False)
    @app.get("/health/live", include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    @app.get("/health/ready", include_in_schema=False)
    async def ready() -> Response:
        failures: dict[str, str] = {}
        for name, check in platform.context.checks.items():
            try:
                await asyncio.wait_for(check(), _CHECK_S)
            except Exception as e:  # noqa: BLE001 - whatever a check raises, the service is not ready
                log.warning("not ready", check=name, error=f"{type(e).__name__}: {e}")
                failures[name] = "does not answer"
            metrics.UP.labels(name).set(0 if name in failures else 1)
        if failures:
            return problem(503, "not_ready", ", ".join(failures), checks=failures)
        return Response('{"status":"ok"}', media_type="application/json")

    @app.get("/metrics", include_in_schema=False)
    async def measured() -> Response:
        body, kind = metrics.exposition()
        return Response(body, media_type=kind)


def _describe_problems(app: FastAPI) -> None:
    """Name the form of our errors in the OpenAPI document, once."""
    original = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = original()
            schema["components"].setdefault("schemas", {})["Problem"] = {
                "type": "object",
                "description": "RFC 9457 problem details.",
                "required": ["type", "title", "status", "detail", "code"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                    "field": {"type": "string"},
                },
            }
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


class Pages(StaticFiles):
    """The built pages: hashed files are kept for ever, and every other path is a route of the page itself."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve a file, or the page for a path that is no file."""
        try:
            response = await super().get_response(path, scope)
        except HTTPException as e:
            if e.status_code != 404 or path.startswith(("api/", "assets/", "ws")):
                raise
            response = await super().get_response("index.html", scope)
        hashed = path.startswith("assets/")
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response
