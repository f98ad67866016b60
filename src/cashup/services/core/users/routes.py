"""HTTP of users. Decisions are the service's."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Query, Request, Response, UploadFile

from cashup.model.errors import InputError, explain
from cashup.runtime.auth import Caller, Permission, Role, permissions_of
from cashup.runtime.context import context_of, require
from cashup.runtime.etag import match_version, show_version
from cashup.runtime.refusals import NotFound
from cashup.services.core.users import repository, schemas
from cashup.services.core.users.service import UserService
from cashup.services.core.users.tables import UserRow

Me = Annotated[Caller, Depends(require(Permission.PROFILE))]
Admin = Annotated[Caller, Depends(require(Permission.USERS))]
Version = Annotated[int | None, Depends(match_version)]

_MEDIA: Final = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg"}


def router(users: UserService) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api/v1", tags=["users"])
    _add_me(routes, users)
    _add_users(routes, users)
    _add_invitations(routes, users)
    _add_kyc(routes, users)
    return routes


def _permissions(row: UserRow) -> list[str]:
    return sorted(p.value for p in permissions_of(frozenset(Role(name) for name in row.roles)))


def _me(row: UserRow) -> schemas.MeOut:
    shown = schemas.UserOut.of(row, _permissions(row))
    return schemas.MeOut(**shown.model_dump(), preferences=row.preferences)


def _add_me(routes: APIRouter, users: UserService) -> None:
    @routes.get("/me")
    async def me(caller: Me, response: Response) -> schemas.MeOut:
        """Show the caller."""
        row = await users.profile(caller)
        show_version(response, row.version)
        return _me(row)

    @routes.patch("/me")
    async def change_me(caller: Me, body: schemas.MeIn, version: Version) -> schemas.MeOut:
        """Change the caller's name, language, time zone or preferences."""
        return _me(await users.change_profile(caller, body.model_dump(exclude_none=True), version))


def _add_users(routes: APIRouter, users: UserService) -> None:
    @routes.get("/users")
    async def list_users(
        request: Request,
        _caller: Admin,
        after: Annotated[str, Query(max_length=26)] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        text: Annotated[str, Query(max_length=80)] = "",
        status: Annotated[str, Query(pattern="^(active|disabled)?$")] = "",
    ) -> schemas.UserPage:
        """List users in order of registration."""
        async with context_of(request).database.read() as session:
            rows = await repository.page(session, after=after, limit=limit + 1, text=text, status=status)
        shown = rows[:limit]
        return schemas.UserPage(
            items=[schemas.UserOut.of(row, _permissions(row)) for row in shown],
            next=shown[-1].id if len(rows) > limit else "",
        )

    @routes.get("/users/{user_id}")
    async def show_user(
        request: Request, _caller: Admin, user_id: str, response: Response
    ) -> schemas.UserOut:
        """Show one user."""
        async with context_of(request).database.read() as session:
            row = await repository.by_id(session, user_id)
        if row is None:
            raise NotFound("there is no such user")
        show_version(response, row.version)
        return schemas.UserOut.of(row, _permissions(row))

    @routes.patch("/users/{user_id}")
    async def change_user(
        caller: Admin, user_id: str, body: schemas.UserIn, version: Version
    ) -> schemas.UserOut:
        """Change a user's roles, or disable him; his sessions end at once."""
        row = await users.change(caller, user_id, roles=body.roles, status=body.status, version=version)
        return schemas.UserOut.of(row, _permissions(row))


def _add_invitations(routes: APIRouter, users: UserService) -> None:
    @routes.get("/invitations")
    async def list_invitations(request: Request, _caller: Admin) -> list[schemas.InvitationOut]:
        """List invitations, newest first."""
        async with context_of(request).database.read() as session:
            rows = await repository.invitations(session)
        return [schemas.InvitationOut.of(row) for row in rows]

    @routes.post("/invitations", status_code=201)
    async def invite(caller: Admin, body: schemas.InvitationIn) -> schemas.NewInvitationOut:
        """Make an invitation; its code is shown this once."""
        row, code = await users.invite(caller, roles=body.roles, email=body.email, note=body.note)
        return schemas.NewInvitationOut(**schemas.InvitationOut.of(row).model_dump(), code=code)

    @routes.delete("/invitations/{invitation_id}", status_code=204)
    async def withdraw_invitation(caller: Admin, invitation_id: str) -> None:
        """Withdraw an invitation that was not used."""
        await users.withdraw(caller, invitation_id)


def _add_kyc(routes: APIRouter, users: UserService) -> None:
    @routes.get("/me/kyc")
    async def my_kyc(caller: Me) -> schemas.KycOut | None:
        """Show the state of the caller's identity check."""
        found = await users.kyc_of(caller.user_id)
        return schemas.KycOut.of(found[0]) if found else None

    @routes.post("/me/kyc", status_code=201)
    async def submit_kyc(
        caller: Me,
        full_name: Annotated[str, Form(min_length=1, max_length=120)],
        country: Annotated[str, Form(pattern="^[A-Z]{2}$")],
        document_number: Annotated[str, Form(min_length=1, max_length=60)],
        documents: list[UploadFile],
    ) -> schemas.KycOut:
        """Hand in an identity check with one to four documents."""
        if not 1 <= len(documents) <= 4:
            raise InputError(
                explain(f"{len(documents)} documents", expected="one to four"), field="documents"
            )
        files = [(one.filename or "", await one.read()) for one in documents]
        answers = {"full_name": full_name, "country": country, "document_number": document_number}
        return schemas.KycOut.of(await users.submit_kyc(caller, answers, files))

    @routes.get("/kyc")
    async def list_kyc(request: Request, _caller: Admin) -> list[schemas.KycOut]:
        """List identity checks nobody has decided."""
        async with context_of(request).database.read() as session:
            rows = await repository.kyc_waiting(session)
        return [schemas.KycOut.of(row) for row in rows]

    @routes.get("/kyc/{user_id}")
    async def show_kyc(_caller: Admin, user_id: str) -> schemas.KycDetailOut:
        """Show an identity check with its answers."""
        found = await users.kyc_of(user_id)
        if found is None:
            raise NotFound("this user has handed in no identity check")
        row, answers = found
        return schemas.KycDetailOut(**schemas.KycOut.of(row).model_dump(), answers=answers)

    @routes.get("/kyc/{user_id}/documents/{name}")
    async def kyc_document(_caller: Admin, user_id: str, name: str) -> Response:
        """Return one document."""
        content = await users.kyc_document(user_id, name)
        return Response(
            content,
            media_type=_MEDIA[name.rsplit(".", 1)[-1]],
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    @routes.post("/kyc/{user_id}/review")
    async def review_kyc(caller: Admin, user_id: str, body: schemas.ReviewIn) -> schemas.KycOut:
        """Approve or reject an identity check."""
        return schemas.KycOut.of(
            await users.review_kyc(caller, user_id, approve=body.approve, reason=body.reason)
        )
