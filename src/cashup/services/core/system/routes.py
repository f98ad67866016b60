"""HTTP of the program's own health."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from cashup.runtime.auth import Caller, Permission
from cashup.runtime.context import ServiceContext, require
from cashup.services.core.system.service import SystemService

Admin = Annotated[Caller, Depends(require(Permission.MONITOR))]


class TaskOut(BaseModel):
    """A background task."""

    name: str
    running: bool
    restarts: int
    last_error: str


class SystemOut(BaseModel):
    """How this process is doing."""

    version: str
    python: str
    system: str
    processors: int
    profile: str
    services: list[str]
    database: str
    started_at: datetime
    uptime_s: float
    ready: bool
    failures: dict[str, str]
    availability_24h: float | None
    availability_30d: float | None
    memory_mb: float
    disk_free_gb: float
    disk_used: float
    tasks: list[TaskOut]


class DeadLetterOut(BaseModel):
    """A message between services that nobody could handle."""

    topic: str
    group: str
    error: str
    payload: dict[str, Any]


def router(system: SystemService, context: ServiceContext) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api/v1/system", tags=["system"])

    @routes.get("")
    async def show_system(_caller: Admin) -> SystemOut:
        """Show how this process is doing."""
        return SystemOut(**await system.overview())

    @routes.get("/dead-letters")
    async def list_dead_letters(_caller: Admin) -> list[DeadLetterOut]:
        """List messages between services that nobody could handle, newest first."""
        return [
            DeadLetterOut(
                topic=one.envelope.topic,
                group=one.group,
                error=one.error,
                payload=_without_secrets(one.envelope.payload),
            )
            for one in await context.channel.dead_letters()
        ]

    return routes


def _without_secrets(payload: dict[str, Any]) -> dict[str, Any]:
    return {name: "hidden" if name == "sealed" else value for name, value in payload.items()}
