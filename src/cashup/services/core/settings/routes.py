"""HTTP of settings. Decisions are the service's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from cashup.runtime.auth import Caller, Permission
from cashup.runtime.context import require
from cashup.runtime.etag import match_version, show_version
from cashup.services.core.auth.schemas import Body
from cashup.services.core.settings.service import SettingsService
from cashup.services.core.settings.tables import SettingsVersionRow

Admin = Annotated[Caller, Depends(require(Permission.SETTINGS))]


class SettingOut(BaseModel):
    """One setting."""

    name: str
    value: str | int | float | bool | list[str] | None
    default: str | int | float | bool | list[str] | None
    origin: str
    change: str


class VersionOut(BaseModel):
    """One version of the overrides."""

    version: int
    overrides: dict[str, Any]
    changed: dict[str, Any]
    reason: str
    created_by: str
    created_at: datetime

    @classmethod
    def of(cls, row: SettingsVersionRow) -> VersionOut:
        """Show a row."""
        return cls(
            version=row.version,
            overrides=row.overrides,
            changed=row.changed,
            reason=row.reason,
            created_by=row.created_by,
            created_at=row.created_at,
        )


class ChangeIn(Body):
    """What to override, and why. None takes an override away."""

    changes: dict[str, str | int | float | bool | list[str] | None] = Field(min_length=1, max_length=50)
    reason: str = Field(min_length=1, max_length=200)


class RollBackIn(Body):
    """Which version shall hold again, and why."""

    version: int = Field(ge=1, le=2**31)
    reason: str = Field(min_length=1, max_length=200)


def router(service: SettingsService) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api/v1/settings", tags=["settings"])

    @routes.get("")
    async def show_settings(_caller: Admin, response: Response) -> list[SettingOut]:
        """Show every setting with its origin; secrets are hidden."""
        latest = await service.latest()
        show_version(response, latest.version if latest else 0)
        return [SettingOut(**one) for one in service.shown()]

    @routes.patch("")
    async def change_settings(
        caller: Admin, body: ChangeIn, version: Annotated[int | None, Depends(match_version)]
    ) -> VersionOut:
        """Override settings."""
        return VersionOut.of(await service.change(caller, body.changes, reason=body.reason, version=version))

    @routes.get("/versions")
    async def list_settings_versions(_caller: Admin) -> list[VersionOut]:
        """List versions, newest first."""
        return [VersionOut.of(row) for row in await service.versions()]

    @routes.post("/rollback")
    async def roll_back_settings(caller: Admin, body: RollBackIn) -> VersionOut:
        """Make an earlier version hold again."""
        return VersionOut.of(await service.roll_back(caller, body.version, reason=body.reason))

    return routes
