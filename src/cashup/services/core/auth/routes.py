"""HTTP of signing in. Decisions are the service's."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response

from cashup.runtime.auth import Caller, Permission
from cashup.runtime.context import address_of, context_of, require
from cashup.runtime.db import utc_now
from cashup.runtime.refusals import Forbidden, NotSignedIn
from cashup.services.core.auth import repository, schemas
from cashup.services.core.auth.service import AuthService, Tokens
from cashup.services.core.users.service import UserService
from cashup.version import __version__

COOKIE: Final = "cashup_refresh"
_COOKIE_PATH: Final = "/api/v1/auth"

Me = Annotated[Caller, Depends(require(Permission.PROFILE))]


def router(auth: AuthService, users: UserService) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api/v1/auth", tags=["auth"])
    _add_sign_in(routes, auth, users)
    _add_links(routes, auth)
    _add_second_factor(routes, auth)
    _add_sessions(routes, auth)
    return routes


def _add_sign_in(routes: APIRouter, auth: AuthService, users: UserService) -> None:
    @routes.get("/setup")
    async def setup_state(request: Request) -> schemas.SetupOut:
        """Say whether the owner's account has been created."""
        return schemas.SetupOut(
            needed=await users.setup_needed(),
            registration=context_of(request).settings.security.registration,
            version=__version__,
        )

    @routes.post("/setup", status_code=201)
    async def setup(request: Request, response: Response, body: schemas.SetupIn) -> schemas.TokensOut:
        """Create the owner's account with the one-time link, and sign him in."""
        await _limited(request, "setup")
        tokens = await users.create_owner(
            token=body.token,
            email=body.email,
            password=body.password,
            name=body.name,
            locale=body.locale,
            time_zone=body.time_zone,
            address=_address(request),
            device=_device(request),
        )
        return _answer(request, response, tokens)

    @routes.post("/register", status_code=201)
    async def register(request: Request, body: schemas.RegisterIn) -> schemas.RegisteredOut:
        """Register. The answer is the same when the address is taken; its owner is told by mail."""
        await _limited(request, "register")
        sent = await users.register(
            email=body.email,
            password=body.password,
            name=body.name,
            locale=body.locale,
            time_zone=body.time_zone,
            invitation=body.invitation,
            address=_address(request),
        )
        return schemas.RegisteredOut(verification_sent=sent)

    @routes.post("/login")
    async def login(request: Request, response: Response, body: schemas.LoginIn) -> schemas.TokensOut:
        """Sign in."""
        await _limited(request, "login", body.email.lower())
        tokens = await auth.login(
            email=body.email,
            password=body.password,
            code=body.code,
            address=_address(request),
            device=_device(request),
        )
        return _answer(request, response, tokens)

    @routes.post("/refresh")
    async def refresh(request: Request, response: Response, body: schemas.RefreshIn) -> schemas.TokensOut:
        """Exchange the refresh token, from the body or the cookie, for new tokens."""
        token = body.refresh_token
        if not token:
            _same_origin(request)
            token = request.cookies.get(COOKIE, "")
        if not token:
            raise NotSignedIn("there is no session; sign in")
        return _answer(request, response, await auth.refresh(token, address=_address(request)))

    @routes.post("/logout")
    async def logout(caller: Me, response: Response) -> schemas.CountOut:
        """End this session."""
        response.delete_cookie(COOKIE, path=_COOKIE_PATH)
        return schemas.CountOut(count=await auth.logout(caller))

    @routes.post("/logout-all")
    async def logout_all(caller: Me, response: Response) -> schemas.CountOut:
        """End every session of the user."""
        response.delete_cookie(COOKIE, path=_COOKIE_PATH)
        return schemas.CountOut(count=await auth.logout(caller, everywhere=True))


def _add_links(routes: APIRouter, auth: AuthService) -> None:
    @routes.post("/verify-email", status_code=204)
    async def verify_email(request: Request, body: schemas.TokenIn) -> None:
        """Verify an address with a mailed link."""
        await _limited(request, "link")
        await auth.verify_email(body.token)

    @routes.post("/password/forgot", status_code=202)
    async def forgot_password(request: Request, body: schemas.EmailIn) -> None:
        """Ask for a link to set a new password."""
        await _limited(request, "forgot", body.email.lower())
        await auth.forgot(body.email)

    @routes.post("/password/reset", status_code=204)
    async def reset_password(request: Request, body: schemas.ResetIn) -> None:
        """Set a new password with a mailed link."""
        await _limited(request, "link")
        await auth.reset(body.token, body.password, address=_address(request))

    @routes.post("/password/change", status_code=204)
    async def change_password(caller: Me, body: schemas.ChangePasswordIn) -> None:
        """Set a new password; other sessions end."""
        await auth.change_password(caller, current=body.current, new=body.new)


def _add_second_factor(routes: APIRouter, auth: AuthService) -> None:
    @routes.post("/totp/begin")
    async def begin_totp(caller: Me, body: schemas.PasswordIn) -> schemas.TotpOut:
        """Begin to set up the second factor."""
        secret, link = await auth.begin_totp(caller, body.password)
        return schemas.TotpOut(secret=secret, link=link)

    @routes.post("/totp/confirm")
    async def confirm_totp(caller: Me, body: schemas.CodeIn) -> schemas.RecoveryOut:
        """Turn the second factor on with a first code."""
        return schemas.RecoveryOut(codes=await auth.confirm_totp(caller, body.code))

    @routes.post("/totp/disable", status_code=204)
    async def disable_totp(caller: Me, body: schemas.DisableTotpIn) -> None:
        """Turn the second factor off."""
        await auth.disable_totp(caller, body.password, body.code)


def _add_sessions(routes: APIRouter, auth: AuthService) -> None:
    @routes.get("/sessions")
    async def sessions(request: Request, caller: Me) -> list[schemas.SessionOut]:
        """List the user's open sessions."""
        async with context_of(request).database.read() as session:
            rows = await repository.open_sessions(session, caller.user_id, utc_now())
        return [
            schemas.SessionOut(
                id=row.id,
                address=row.address,
                device=row.device,
                created_at=row.created_at,
                seen_at=row.seen_at,
                expires_at=row.expires_at,
                current=row.id == caller.session_id,
            )
            for row in rows
        ]

    @routes.delete("/sessions/{session_id}", status_code=204)
    async def end_session(caller: Me, session_id: str) -> None:
        """End one session of the user's own."""
        await auth.logout(caller, session_id=session_id)

    @routes.get("/logins")
    async def logins(request: Request, caller: Me) -> list[schemas.LoginOut]:
        """List the last attempts to sign in to the user's account."""
        async with context_of(request).database.read() as session:
            rows = await repository.logins(session, caller.user_id, 50)
        return [
            schemas.LoginOut(at=row.at, address=row.address, device=row.device, outcome=row.outcome)
            for row in rows
        ]


def _answer(request: Request, response: Response, tokens: Tokens) -> schemas.TokensOut:
    settings = context_of(request).settings
    secure = settings.server.secure_cookies
    response.set_cookie(
        COOKIE,
        tokens.refresh_token,
        max_age=settings.security.refresh_days * 86_400,
        path=_COOKIE_PATH,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https" if secure is None else secure,
    )
    return schemas.TokensOut(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        token_type="bearer",  # noqa: S106 - the name of a scheme
        expires_in=tokens.expires_in,
        session_id=tokens.session_id,
    )


def _same_origin(request: Request) -> None:
    """Refuse a cookie that another site's page has sent."""
    origin = request.headers.get("origin", "")
    allowed = context_of(request).settings.server.allowed_origins
    if origin and urlsplit(origin).netloc != request.headers.get("host", "") and origin not in allowed:
        raise Forbidden("a page of another site may not use this session")


async def _limited(request: Request, kind: str, subject: str = "") -> None:
    context = context_of(request)
    per_minute = context.settings.security.login_per_minute
    await context.limiter.check(f"{kind}-address", _address(request), per_minute * 3)
    if subject:
        await context.limiter.check(f"{kind}-subject", subject, per_minute)


def _address(request: Request) -> str:
    return address_of(request, context_of(request).settings.server.trusted_proxies)[:64]


def _device(request: Request) -> str:
    return request.headers.get("user-agent", "")[:200]
