"""Tokens: short-lived signed access tokens, and long random ones that are stored as hashes."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import jwt

from cashup.model.errors import ConfigError, explain
from cashup.runtime.refusals import NotSignedIn

ISSUER: Final = "cashup"
AUDIENCE: Final = "cashup-api"
_ALGORITHM: Final = "HS256"
_LEAST_BYTES: Final = 32
_REQUIRED: Final = ["exp", "iat", "iss", "aud", "sub", "sid"]


def load_signing_keys(configured: str, folder: Path) -> list[str]:
    """Return the keys that sign access tokens, newest first; make the first one when there is none.

    Raises:
        ConfigError: A key is shorter than 32 bytes.
    """
    if configured:
        keys = [part.strip() for part in configured.split(",") if part.strip()]
    else:
        path = folder / "jwt.key"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(48) + "\n", encoding="ascii")
        keys = path.read_text(encoding="ascii").split()
    for key in keys:
        if len(key.encode()) < _LEAST_BYTES:
            raise ConfigError(
                explain(
                    f"the key that signs tokens has {len(key.encode())} bytes",
                    expected=f"at least {_LEAST_BYTES}",
                    hint="leave it out, and a good one is made",
                ),
                key="security.jwt_secret",
            )
    if not keys:
        raise ConfigError(explain("there is no key to sign tokens with"), key="security.jwt_secret")
    return keys


def random_token() -> str:
    """Return 256 random bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what is stored of a random token."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Claims:
    """What an access token says: whose it is, and of which session."""

    user_id: str
    session_id: str


class Signer:
    """Make and read access tokens. The first key signs, all of them verify: that is how keys are rotated."""

    def __init__(self, keys: list[str]) -> None:
        self._keys = {hashlib.sha256(key.encode()).hexdigest()[:8]: key for key in keys}
        self._current = next(iter(self._keys))

    def sign(self, claims: Claims, now: datetime, minutes: int) -> str:
        """Return an access token that is good for `minutes`."""
        body = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": claims.user_id,
            "sid": claims.session_id,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=minutes)).timestamp()),
        }
        return jwt.encode(body, self._keys[self._current], _ALGORITHM, headers={"kid": self._current})

    def read(self, token: str) -> Claims:
        """Return what a token says.

        Raises:
            NotSignedIn: It is not ours, was altered, or has ended.
        """
        try:
            key = self._keys[str(jwt.get_unverified_header(token).get("kid"))]
            body = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={"require": _REQUIRED},
            )
        except jwt.ExpiredSignatureError as e:
            raise NotSignedIn("the access token has ended; refresh it") from e
        except (jwt.PyJWTError, KeyError) as e:
            raise NotSignedIn("the access token is not valid") from e
        return Claims(str(body["sub"]), str(body["sid"]))
