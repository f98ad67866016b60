"""What may be done with users: who may register, who becomes what, who decides."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import available_timezones

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cashup.model.errors import InputError, UnknownNameError, explain
from cashup.runtime.auth import Caller, Role
from cashup.runtime.db import Database, emit, utc_now
from cashup.runtime.ids import new_id
from cashup.runtime.refusals import Conflict, Forbidden, NotFound, PreconditionFailed
from cashup.runtime.settings import SettingsSource
from cashup.runtime.vault import Vault
from cashup.services.core.audit.service import record
from cashup.services.core.auth import passwords
from cashup.services.core.auth import repository as sessions
from cashup.services.core.auth.service import AuthService, Tokens
from cashup.services.core.auth.tokens import token_hash
from cashup.services.core.users import repository
from cashup.services.core.users.tables import InvitationRow, KycRow, UserRow

_OWNER: Final = [Role.ADMINISTRATOR.value, Role.DEVELOPER.value, Role.TRADER.value]
_INVITATION_DAYS: Final = 14
_MAX_PREFERENCES: Final = 16_000
_DOCUMENT_BYTES: Final = 8_000_000
_DOCUMENT_HEADS: Final = {b"%PDF-": "pdf", b"\x89PNG": "png", b"\xff\xd8\xff": "jpg"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """What is known of somebody before he has an account."""

    email: str
    name: str
    password_hash: str
    roles: list[str]
    locale: str
    time_zone: str
    verified: bool


class UserService:
    """Users of this installation."""

    def __init__(self, database: Database, source: SettingsSource, vault: Vault, auth: AuthService) -> None:
        self._database = database
        self._source = source
        self._vault = vault
        self._auth = auth
        self._setup_token = ""

    async def setup_needed(self) -> bool:
        """Say whether there is no user yet."""
        async with self._database.read() as session:
            return await repository.count(session) == 0

    async def setup_token(self) -> str:
        """Return the token of the one-time link, or "" when the owner's account exists."""
        if not await self.setup_needed():
            return ""
        if not self._setup_token:
            self._setup_token = secrets.token_urlsafe(24)
        return self._setup_token

    async def create_owner(
        self,
        *,
        token: str,
        email: str,
        password: str,
        name: str,
        locale: str,
        time_zone: str,
        address: str,
        device: str,
    ) -> Tokens:
        """Create the first user, who holds every role, and sign him in.

        Raises:
            Forbidden: The token is wrong, or there is an owner.
            InputError: The password is weak.
        """
        if not self._setup_token or not secrets.compare_digest(token.encode(), self._setup_token.encode()):
            raise Forbidden(
                explain("the setup link is not valid", hint="use the link printed at the last start")
            )
        self._auth.check_strength(password, email, name)
        hashed = await passwords.hash_password(password)
        async with self._database.write() as session:
            if await repository.count(session):
                raise Forbidden("the owner's account exists already")
            user = await self._add(
                session,
                NewUser(
                    email=email.lower(),
                    name=name,
                    password_hash=hashed,
                    roles=_OWNER,
                    locale=locale,
                    time_zone=_zone(time_zone),
                    verified=True,
                ),
            )
            await record(
                session,
                action="user.owner_created",
                subject=f"user:{user.id}",
                user_id=user.id,
                address=address,
            )
            tokens = await self._auth.open_session(session, user, address=address, device=device)
        self._setup_token = ""
        return tokens

    async def create(
        self, *, email: str, password: str, name: str, roles: list[str], locale: str = "en"
    ) -> str:
        """Create a user from the command line; return his id.

        Raises:
            Conflict: The address is taken.
        """
        checked = [_role(name).value for name in roles]
        self._auth.check_strength(password, email, name)
        hashed = await passwords.hash_password(password)
        try:
            async with self._database.write() as session:
                user = await self._add(
                    session,
                    NewUser(
                        email=email.lower(),
                        name=name,
                        password_hash=hashed,
                        roles=checked,
                        locale=locale,
                        time_zone="UTC",
                        verified=True,
                    ),
                )
                await record(session, action="user.created", subject=f"user:{user.id}", user_id=user.id)
        except IntegrityError as e:
            raise Conflict(explain(f"there is a user with the address {email}")) from e
        return user.id

    async def register(
        self,
        *,
        email: str,
        password: str,
        name: str,
        locale: str,
        time_zone: str,
        invitation: str,
        address: str,
    ) -> bool:
        """Register somebody; return whether he must verify his address by mail first.

        Raises:
            Forbidden: Registration is closed, or needs an invitation that is not good.
            InputError: The password is weak.
        """
        policy = self._source.settings.security.registration
        if policy == "closed" or (policy == "invitation" and not invitation):
            raise Forbidden(
                explain(f"registration is {policy}", hint="ask an administrator for an invitation")
            )
        self._auth.check_strength(password, email, name)
        hashed = await passwords.hash_password(password)
        by_mail = bool(self._source.settings.mail.host)
        async with self._database.write() as session:
            roles = (
                await self._use_invitation(session, invitation, email) if invitation else [Role.TRADER.value]
            )
            existing = await repository.by_email(session, email.lower())
            if existing is not None:
                emit(
                    session,
                    "mail.already_registered",
                    {"user_id": existing.id, "email": existing.email},
                    key=existing.id,
                )
                return by_mail
            user = await self._add(
                session,
                NewUser(
                    email=email.lower(),
                    name=name,
                    password_hash=hashed,
                    roles=roles,
                    locale=locale,
                    time_zone=_zone(time_zone),
                    verified=False,
                ),
            )
            await self._mark_invitation(session, invitation, user.id)
            await record(
                session, action="user.registered", subject=f"user:{user.id}", user_id=user.id, address=address
            )
            if by_mail:
                self._auth.send_link(session, user, "verify")
        return by_mail

    async def _add(self, session: AsyncSession, new: NewUser) -> UserRow:
        now = utc_now()
        row = UserRow(
            id=new_id(),
            email=new.email.strip(),
            name=new.name,
            roles=new.roles,
            status="active",
            password_hash=new.password_hash,
            email_verified_at=now if new.verified else None,
            locale=new.locale,
            time_zone=new.time_zone,
            preferences={},
            recovery_hashes=[],
            created_at=now,
            updated_at=now,
        )
        session.add(row)
        await session.flush()
        emit(
            session, "user.created", {"user_id": row.id, "email": row.email, "locale": row.locale}, key=row.id
        )
        return row

    async def _use_invitation(self, session: AsyncSession, code: str, email: str) -> list[str]:
        row = await repository.invitation_by_hash(session, token_hash(code))
        good = row is not None and row.used_at is None and row.expires_at > utc_now()
        if row is None or not good or (row.email and row.email != email.lower()):
            raise Forbidden(
                explain("the invitation is not good", hint="it may have been used, or have ended")
            )
        return row.roles

    async def _mark_invitation(self, session: AsyncSession, code: str, user_id: str) -> None:
        row = await repository.invitation_by_hash(session, token_hash(code)) if code else None
        if row is not None:
            row.used_by, row.used_at = user_id, utc_now()

    async def invite(
        self, caller: Caller, *, roles: list[str], email: str | None, note: str
    ) -> tuple[InvitationRow, str]:
        """Make an invitation; return it and its code, which is shown this once."""
        checked = [_role(name).value for name in roles]
        code = secrets.token_urlsafe(24)
        now = utc_now()
        row = InvitationRow(
            id=new_id(),
            code_hash=token_hash(code),
            roles=checked,
            email=email.lower() if email else None,
            note=note,
            created_by=caller.user_id,
            created_at=now,
            expires_at=now + timedelta(days=_INVITATION_DAYS),
        )
        async with self._database.write() as session:
            session.add(row)
            await record(
                session,
                action="invitation.created",
                subject=f"invitation:{row.id}",
                caller=caller,
                details={"roles": checked},
            )
        return row, code

    async def withdraw(self, caller: Caller, invitation_id: str) -> None:
        """End an invitation that was not used (`NotFound`)."""
        async with self._database.write() as session:
            row = await session.get(InvitationRow, invitation_id)
            if row is None or row.used_at is not None:
                raise NotFound("there is no such open invitation")
            row.expires_at = utc_now()
            await record(
                session, action="invitation.withdrawn", subject=f"invitation:{row.id}", caller=caller
            )

    async def change(
        self,
        caller: Caller,
        user_id: str,
        *,
        roles: list[str] | None,
        status: str | None,
        version: int | None,
    ) -> UserRow:
        """Change what a user is, as an administrator.

        Raises:
            NotFound: There is no such user.
            Conflict: Nobody would be left to administer.
            PreconditionFailed: The user was changed meanwhile.
        """
        async with self._database.write() as session:
            row = await repository.by_id(session, user_id, lock=True)
            if row is None:
                raise NotFound("there is no such user")
            _check_version(row, version)
            before = {"roles": row.roles, "status": row.status}
            row.roles = [_role(name).value for name in roles] if roles is not None else row.roles
            row.status = status or row.status
            await session.flush()
            if not await repository.administrators(session):
                raise Conflict("this would leave no active administrator")
            row.version += 1
            row.updated_at = utc_now()
            if row.status != "active":
                ended = await sessions.end_sessions(session, user_id, utc_now(), "disabled")
                emit(session, "session.ended", {"session_ids": ended}, key=user_id)
            else:
                emit(session, "session.ended", {"session_ids": []}, key=user_id)
            await record(
                session,
                action="user.changed",
                subject=f"user:{user_id}",
                caller=caller,
                details={"before": before, "after": {"roles": row.roles, "status": row.status}},
            )
        return row

    async def profile(self, caller: Caller) -> UserRow:
        """Return the caller's own user."""
        async with self._database.read() as session:
            row = await repository.by_id(session, caller.user_id)
        if row is None:
            raise NotFound("there is no such user")
        return row

    async def change_profile(self, caller: Caller, changes: dict[str, Any], version: int | None) -> UserRow:
        """Change name, language, time zone or preferences of the caller."""
        if "time_zone" in changes:
            _zone(changes["time_zone"])
        if len(json.dumps(changes.get("preferences", {}))) > _MAX_PREFERENCES:
            raise InputError(
                explain("the preferences are too large", expected=f"{_MAX_PREFERENCES} characters"),
                field="preferences",
            )
        async with self._database.write() as session:
            row = await repository.by_id(session, caller.user_id, lock=True)
            if row is None:
                raise NotFound("there is no such user")
            _check_version(row, version)
            for name, value in changes.items():
                setattr(row, name, value)
            row.version += 1
            row.updated_at = utc_now()
        return row

    async def submit_kyc(
        self, caller: Caller, answers: dict[str, str], documents: list[tuple[str, bytes]]
    ) -> KycRow:
        """Hand in an identity check; documents are encrypted before they touch the disk.

        Raises:
            Conflict: One has been approved.
            InputError: A document is neither PDF, PNG nor JPEG, or too large.
        """
        names = [self._keep_document(caller.user_id, name, content) for name, content in documents]
        async with self._database.write() as session:
            row = await repository.kyc(session, caller.user_id)
            if row is not None and row.status == "approved":
                raise Conflict("the identity check has been approved already")
            sealed = self._vault.seal(
                json.dumps(answers, ensure_ascii=False), bound_to=f"kyc:{caller.user_id}"
            )
            if row is None:
                row = KycRow(
                    user_id=caller.user_id, status="", answers="", documents=[], submitted_at=utc_now()
                )
                session.add(row)
            row.status, row.answers, row.documents, row.submitted_at, row.reason = (
                "submitted",
                sealed,
                names,
                utc_now(),
                "",
            )
            await record(
                session,
                action="kyc.submitted",
                subject=f"user:{caller.user_id}",
                caller=caller,
                details={"documents": len(names)},
            )
        return row

    def _keep_document(self, user_id: str, name: str, content: bytes) -> str:
        kind = next((kind for head, kind in _DOCUMENT_HEADS.items() if content.startswith(head)), None)
        if kind is None:
            raise InputError(
                explain(f"{name[:60]} is no document we can keep", expected="PDF, PNG or JPEG"),
                field="documents",
            )
        if len(content) > _DOCUMENT_BYTES:
            raise InputError(
                explain(f"{name[:60]} is too large", expected=f"at most {_DOCUMENT_BYTES // 1_000_000} MB"),
                field="documents",
            )
        kept = f"{new_id()}.{kind}"
        folder = self._documents()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / kept).write_bytes(self._vault.seal_bytes(content, bound_to=f"document:{user_id}:{kept}"))
        return kept

    def _documents(self) -> Path:
        return self._source.settings.home / "documents"

    async def kyc_of(self, user_id: str) -> tuple[KycRow, dict[str, str]] | None:
        """Return an identity check and its answers, or None."""
        async with self._database.read() as session:
            row = await repository.kyc(session, user_id)
        if row is None:
            return None
        return row, json.loads(self._vault.open(row.answers, bound_to=f"kyc:{user_id}"))

    async def kyc_document(self, user_id: str, name: str) -> bytes:
        """Return a document of an identity check (`NotFound`)."""
        async with self._database.read() as session:
            row = await repository.kyc(session, user_id)
        if row is None or name not in row.documents:
            raise NotFound("there is no such document")
        return self._vault.open_bytes(
            (self._documents() / name).read_bytes(), bound_to=f"document:{user_id}:{name}"
        )

    async def review_kyc(self, caller: Caller, user_id: str, *, approve: bool, reason: str) -> KycRow:
        """Decide an identity check (`NotFound`, `Conflict`)."""
        if user_id == caller.user_id:
            raise Forbidden("nobody reviews his own identity check")
        async with self._database.write() as session:
            row = await repository.kyc(session, user_id)
            if row is None:
                raise NotFound("this user has handed in no identity check")
            if row.status != "submitted":
                raise Conflict(f"the identity check is {row.status} already")
            row.status = "approved" if approve else "rejected"
            row.reviewed_by, row.reviewed_at, row.reason = caller.user_id, utc_now(), reason
            await record(
                session,
                action=f"kyc.{row.status}",
                subject=f"user:{user_id}",
                caller=caller,
                details={"reason": reason},
            )
            emit(
                session,
                "kyc.reviewed",
                {"user_id": user_id, "status": row.status, "reason": reason},
                key=user_id,
            )
        return row


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError:
        raise UnknownNameError("role", name, [role.value for role in Role], field="roles") from None


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise UnknownNameError("time zone", name, available_timezones(), field="time_zone")
    return name


def _check_version(row: UserRow, version: int | None) -> None:
    if version is not None and row.version != version:
        raise PreconditionFailed(explain("the user was changed meanwhile", hint="read it again"))
