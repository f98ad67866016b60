"""HTTP of backups. Restoring is for the command line: it needs the program to stand still."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel

from cashup.runtime.auth import Caller, Permission
from cashup.runtime.context import require
from cashup.services.core.backup.service import Backup, BackupService

Admin = Annotated[Caller, Depends(require(Permission.BACKUP))]


class BackupOut(BaseModel):
    """One backup."""

    name: str
    created_at: datetime
    size: int

    @classmethod
    def of(cls, backup: Backup) -> BackupOut:
        """Show a backup."""
        return cls(name=backup.name, created_at=backup.created_at, size=backup.size)


class VerifiedOut(BaseModel):
    """The rows of each table of a backup that was restored for trial."""

    tables: dict[str, int]


def router(backups: BackupService) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api/v1/backups", tags=["backups"])

    @routes.get("")
    async def list_backups(_caller: Admin) -> list[BackupOut]:
        """List backups, newest first."""
        return [BackupOut.of(one) for one in backups.list()]

    @routes.post("", status_code=201)
    async def create_backup(caller: Admin) -> BackupOut:
        """Make a backup now; it is verified by restoring it for trial."""
        return BackupOut.of(await backups.create(caller))

    @routes.post("/{name}/verify")
    async def verify_backup(_caller: Admin, name: str) -> VerifiedOut:
        """Restore a backup for trial."""
        return VerifiedOut(tables=await backups.verify(name))

    @routes.get("/{name}", response_class=Response)
    async def download_backup(_caller: Admin, name: str) -> FileResponse:
        """Return the encrypted file of a backup."""
        found = backups.get(name)
        return FileResponse(
            backups.folder / found.name, media_type="application/octet-stream", filename=found.name
        )

    @routes.delete("/{name}", status_code=204)
    async def delete_backup(caller: Admin, name: str) -> None:
        """Forget a backup."""
        await backups.delete(caller, name)

    return routes
