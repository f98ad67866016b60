"""What signing in means: who gets a session, who is refused, and what ends a session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from cashup.model.errors import InputError, explain
from cashup.runtime import metrics
from cashup.runtime.auth import Caller
from cashup.runtime.db import Database, emit, utc_now
from cashup.runtime.ids import new_id
from cashup.runtime.refusals import NotFound, NotSignedIn, TooMany
from cashup.runtime.settings import SettingsSource
from cashup.runtime.vault import Vault
from cashup.services.core.audit.service import record
from cashup.services.core.auth import passwords, repository, second_factor
from cashup.services.core.auth.tables import LoginRow, OneTimeRow, RefreshRow, SessionRow
from cashup.services.core.auth.tokens import Claims, Signer, random_token, token_hash
from cashup.services.core.users import repository as users
from cashup.services.core.users.tables import UserRow

_WRONG: Final = "the e-mail address, the password or the code is wrong"
_LINK_HOURS: Final = {"verify": 48, "reset": 1}
#: A browser may send the same refresh token twice when an answer was lost; within this time that is no theft.
_GRACE_S: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a sign-in gives."""

    access_token: str
    refresh_token: str
    expires_in: int
    session_id: str
    user_id: str


class SecondFactorNeeded(NotSignedIn):
    """The password is right, and a code of the second factor is missing."""

    code = "second_factor_needed"


class AuthService:
    """Sign users in and out."""

    def __init__(self, database: Database, source: SettingsSource, signer: Signer, vault: Vault) -> None:
        self._database = database
        self._source = source
        self._signer = signer
        self._vault = vault

    async def login(self, *, email: str, password: str, code: str, address: str, device: str) -> Tokens:
        """Sign somebody in.

        Wrong address, wrong password, disabled and locked accounts answer alike and take as long; only somebody
        who knows the password learns that a code is needed.

        Raises:
            NotSignedIn: Something is wrong.
            SecondFactorNeeded: The code is missing.
            TooMany: The account is locked for a while after too many failures.
        """
        async with self._database.read() as session:
            user = await users.by_email(session, email.strip().lower())
        right = await passwords.verify_password(password, user.password_hash if user else None)
        now = utc_now()
        async with self._database.write() as session:
            user = await users.by_id(session, user.id, lock=True) if user else None
            outcome, tokens = await self._judge(session, user, right, code, now, address, device)
            if user is not None:
                session.add(
                    LoginRow(user_id=user.id, at=now, address=address, device=device, outcome=outcome)
                )
        metrics.LOGINS.labels(outcome).inc()
        if tokens is not None:
            return tokens
        if outcome == "code_needed":
            raise SecondFactorNeeded("a code of the second factor is needed")
        if outcome == "locked" and right:
            minutes = self._source.settings.security.lockout_minutes
            raise TooMany(
                explain("the account is locked after too many failures", hint="try later"), minutes * 60
            )
        raise NotSignedIn(_WRONG)

    async def _judge(
        self,
        session: AsyncSession,
        user: UserRow | None,
        right: bool,
        code: str,
        now: datetime,
        address: str,
        device: str,
    ) -> tuple[str, Tokens | None]:
        if user is None:
            return "unknown", None
        if user.locked_until is not None and user.locked_until > now:
            return "locked", None
        if not right or user.status != "active":
            self._count_failure(session, user, now)
            return "wrong" if not right else "disabled", None
        if user.totp_secret is not None:
            if not code:
                return "code_needed", None
            if not self._code_is_right(user, code, now):
                self._count_failure(session, user, now)
                return "wrong_code", None
        user.failures, user.locked_until = 0, None
        return "ok", await self.open_session(session, user, address=address, device=device)

    def _count_failure(self, session: AsyncSession, user: UserRow, now: datetime) -> None:
        user.failures += 1
        limits = self._source.settings.security
        over = user.failures - limits.lockout_failures
        if over >= 0:
            # Each round of failures locks twice as long, to a day at most.
            minutes = min(limits.lockout_minutes * 2 ** (over // limits.lockout_failures), 24 * 60)
            user.locked_until = now + timedelta(minutes=minutes)
            emit(session, "security.locked", {"user_id": user.id, "minutes": minutes}, key=user.id)

    def _code_is_right(self, user: UserRow, code: str, now: datetime) -> bool:
        secret = self._vault.open(user.totp_secret or "", bound_to=f"totp:{user.id}")
        step = second_factor.matched_step(secret, code, int(now.timestamp()), user.totp_step)
        if step is not None:
            user.totp_step = step
            return True
        hashed = second_factor.recovery_hash(code)
        if hashed in user.recovery_hashes:
            user.recovery_hashes = [one for one in user.recovery_hashes if one != hashed]
            return True
        return False

    async def open_session(
        self, session: AsyncSession, user: UserRow, *, address: str, device: str
    ) -> Tokens:
        """Begin a session of `user` and return its tokens."""
        now = utc_now()
        row = SessionRow(
            id=new_id(),
            user_id=user.id,
            address=address,
            device=device[:200],
            created_at=now,
            seen_at=now,
            expires_at=now + timedelta(days=self._source.settings.security.refresh_days),
        )
        session.add(row)
        await session.flush()
        emit(
            session,
            "security.signed_in",
            {"user_id": user.id, "address": address, "device": device},
            key=user.id,
        )
        return self._tokens(session, row, now)

    def _tokens(self, session: AsyncSession, row: SessionRow, now: datetime) -> Tokens:
        minutes = self._source.settings.security.access_minutes
        refresh = random_token()
        session.add(
            RefreshRow(
                token_hash=token_hash(refresh), session_id=row.id, created_at=now, expires_at=row.expires_at
            )
        )
        return Tokens(
            access_token=self._signer.sign(Claims(row.user_id, row.id), now, minutes),
            refresh_token=refresh,
            expires_in=minutes * 60,
            session_id=row.id,
            user_id=row.user_id,
        )

    async def refresh(self, token: str, *, address: str) -> Tokens:
        """Exchange a refresh token for new tokens.

        A token that comes a second time was stolen, or its answer was: every session of the user ends.

        Raises:
            NotSignedIn: The token is unknown, has ended or was used.
        """
        now = utc_now()
        stolen = False
        async with self._database.write() as session:
            seen = await repository.take_refresh(session, token_hash(token), now)
            row = await repository.session_by_id(session, seen.session_id) if seen else None
            if seen is None or row is None or row.ended_at is not None or seen.expires_at <= now:
                raise NotSignedIn("the session has ended; sign in again")
            user = await users.by_id(session, row.user_id)
            if user is None or user.status != "active":
                raise NotSignedIn("the session has ended; sign in again")
            if seen.used_at is not None and (now - seen.used_at).total_seconds() > _GRACE_S:
                stolen = True
                ended = await repository.end_sessions(session, row.user_id, now, "reuse")
                await record(
                    session,
                    action="session.reuse_detected",
                    subject=f"session:{row.id}",
                    user_id=row.user_id,
                    address=address,
                    details={"ended": len(ended)},
                )
                emit(
                    session,
                    "security.token_reused",
                    {"user_id": row.user_id, "address": address},
                    key=row.user_id,
                )
                emit(session, "session.ended", {"session_ids": ended}, key=row.user_id)
            else:
                row.seen_at, row.address = now, address
                tokens = self._tokens(session, row, now)
        if stolen:
            raise NotSignedIn("this token was used before; all sessions were ended, sign in again")
        return tokens

    async def logout(self, caller: Caller, *, everywhere: bool = False, session_id: str = "") -> int:
        """End this session, one other, or all; return how many."""
        now = utc_now()
        only = "" if everywhere else session_id or caller.session_id
        async with self._database.write() as session:
            ended = await repository.end_sessions(session, caller.user_id, now, "signed out", only=only)
            emit(session, "session.ended", {"session_ids": ended}, key=caller.user_id)
            if everywhere or session_id:
                await record(session, action="session.ended", caller=caller, details={"count": len(ended)})
        return len(ended)

    async def change_password(self, caller: Caller, *, current: str, new: str) -> None:
        """Set a new password; other sessions end.

        Raises:
            NotSignedIn: The current password is wrong.
            InputError: The new one is weak.
        """
        async with self._database.read() as session:
            user = await users.by_id(session, caller.user_id)
        if user is None or not await passwords.verify_password(current, user.password_hash):
            raise InputError("the current password is wrong", field="current")
        await self._set_password(user.id, new, keep=caller.session_id, address=caller.address)

    async def set_password(self, email: str, new: str) -> None:
        """Set a password from the command line; every session of the user ends.

        Raises:
            NotFound: There is no such user.
            InputError: The password is weak.
        """
        async with self._database.read() as session:
            user = await users.by_email(session, email.strip().lower())
        if user is None:
            raise NotFound(f"there is no user {email}")
        await self._set_password(user.id, new, keep="", address="command line")

    async def _set_password(self, user_id: str, new: str, *, keep: str, address: str) -> None:
        async with self._database.read() as session:
            user = await users.by_id(session, user_id)
        assert user is not None
        self.check_strength(new, user.email, user.name)
        hashed = await passwords.hash_password(new)
        now = utc_now()
        async with self._database.write() as session:
            user = await users.by_id(session, user_id, lock=True)
            assert user is not None
            user.password_hash, user.failures, user.locked_until = hashed, 0, None
            ended = await repository.end_sessions(session, user_id, now, "password changed", but=keep)
            await repository.void_one_time(session, user_id, "reset", now)
            await record(
                session,
                action="password.changed",
                subject=f"user:{user_id}",
                user_id=user_id,
                address=address,
            )
            emit(session, "session.ended", {"session_ids": ended}, key=user_id)
            emit(session, "security.password_changed", {"user_id": user_id, "address": address}, key=user_id)

    def check_strength(self, password: str, email: str, name: str) -> None:
        """Refuse a weak password (`InputError`)."""
        passwords.check_strength(
            password,
            minimum=self._source.settings.security.password_min_length,
            about=(email, name, "cashup"),
        )

    async def forgot(self, email: str) -> None:
        """Send a link to set a new password, when there is such a user; the answer is the same when not."""
        async with self._database.write() as session:
            user = await users.by_email(session, email.strip().lower())
            if user is not None and user.status == "active":
                await repository.void_one_time(session, user.id, "reset", utc_now())
                self.send_link(session, user, "reset")

    def send_link(self, session: AsyncSession, user: UserRow, purpose: str) -> str:
        """Make a single-use link and have it mailed; return its token."""
        token = random_token()
        now = utc_now()
        session.add(
            OneTimeRow(
                token_hash=token_hash(token),
                user_id=user.id,
                purpose=purpose,
                created_at=now,
                expires_at=now + timedelta(hours=_LINK_HOURS[purpose]),
            )
        )
        # The link is a secret on its way through the outbox: it travels sealed, and the mailer opens it.
        sealed = self._vault.seal(token, bound_to=f"link:{user.id}")
        emit(
            session,
            "mail.link",
            {
                "user_id": user.id,
                "email": user.email,
                "locale": user.locale,
                "purpose": purpose,
                "sealed": sealed,
            },
            key=user.id,
        )
        return token

    async def reset(self, token: str, new: str, *, address: str) -> None:
        """Set a new password with a mailed link.

        Raises:
            InputError: The link is not good any more, or the password is weak (the link stays good).
        """
        async with self._database.read() as session:
            row = await session.get(OneTimeRow, token_hash(token))
            user = await users.by_id(session, row.user_id) if row else None
        if user is not None:
            self.check_strength(new, user.email, user.name)
        user_id = await self._use_link(token, "reset")
        await self._set_password(user_id, new, keep="", address=address)

    async def verify_email(self, token: str) -> None:
        """Mark an address as verified with a mailed link.

        Raises:
            InputError: The link is not good any more.
        """
        user_id = await self._use_link(token, "verify")
        async with self._database.write() as session:
            user = await users.by_id(session, user_id, lock=True)
            if user is not None:
                user.email_verified_at = utc_now()

    async def _use_link(self, token: str, purpose: str) -> str:
        async with self._database.write() as session:
            row = await repository.take_one_time(session, token_hash(token), purpose, utc_now())
            if row is None:
                raise InputError(
                    explain("the link is not good any more", hint="ask for a new one; a link works once"),
                    field="token",
                )
            return row.user_id

    async def begin_totp(self, caller: Caller, password: str) -> tuple[str, str]:
        """Return a new secret and its link; the second factor is on once a code has been confirmed."""
        async with self._database.read() as session:
            user = await users.by_id(session, caller.user_id)
        if user is None or not await passwords.verify_password(password, user.password_hash):
            raise InputError("the password is wrong", field="password")
        secret = second_factor.new_secret()
        async with self._database.write() as session:
            row = await users.by_id(session, caller.user_id, lock=True)
            assert row is not None
            row.totp_pending = self._vault.seal(secret, bound_to=f"totp:{row.id}")
        return secret, second_factor.link(secret, user.email)

    async def confirm_totp(self, caller: Caller, code: str) -> list[str]:
        """Turn the second factor on, and return recovery codes, which are shown this once."""
        codes = second_factor.new_recovery_codes()
        async with self._database.write() as session:
            user = await users.by_id(session, caller.user_id, lock=True)
            if user is None or user.totp_pending is None:
                raise InputError("no second factor is being set up", field="code")
            secret = self._vault.open(user.totp_pending, bound_to=f"totp:{user.id}")
            step = second_factor.matched_step(secret, code, int(utc_now().timestamp()), 0)
            if step is None:
                raise InputError(
                    explain("the code is wrong", hint="check the clock of the phone"), field="code"
                )
            user.totp_secret, user.totp_pending, user.totp_step = user.totp_pending, None, step
            user.recovery_hashes = [second_factor.recovery_hash(one) for one in codes]
            await record(session, action="second_factor.on", subject=f"user:{user.id}", caller=caller)
            emit(session, "security.second_factor", {"user_id": user.id, "on": True}, key=user.id)
        return codes

    async def disable_totp(self, caller: Caller, password: str, code: str) -> None:
        """Turn the second factor off; it takes the password and a code."""
        async with self._database.read() as session:
            user = await users.by_id(session, caller.user_id)
        if user is None or not await passwords.verify_password(password, user.password_hash):
            raise InputError("the password is wrong", field="password")
        async with self._database.write() as session:
            row = await users.by_id(session, caller.user_id, lock=True)
            assert row is not None
            if row.totp_secret is None:
                raise InputError("the second factor is off already", field="code")
            if not self._code_is_right(row, code, utc_now()):
                raise InputError("the code is wrong", field="code")
            row.totp_secret, row.totp_step, row.recovery_hashes = None, 0, []
            await record(session, action="second_factor.off", subject=f"user:{row.id}", caller=caller)
            emit(session, "security.second_factor", {"user_id": row.id, "on": False}, key=row.id)
