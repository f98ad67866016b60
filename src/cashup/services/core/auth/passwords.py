"""Passwords: argon2id, and none that anybody would try first."""

from __future__ import annotations

import asyncio
import re
from functools import cache
from typing import Final

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from zxcvbn import zxcvbn

from cashup.model.errors import InputError, explain

_MAX_LENGTH: Final = 256
_WEAKEST: Final = 2  # of zxcvbn's 0 to 4: 0 and 1 fall to an attack that is online and throttled
_OWN_CHARACTERS: Final = 6  # beside what is known of the user
_READ: Final = 72  # zxcvbn's cost grows with length; what comes after cannot make a password weaker


@cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


@cache
def _decoy() -> str:
    """Return a hash to compare with when there is no user, so that the answer takes as long."""
    return _hasher().hash("nobody has this password")


async def hash_password(password: str) -> str:
    """Hash in a thread: it takes about 100 ms on purpose."""
    return await asyncio.to_thread(_hasher().hash, password)


async def verify_password(password: str, stored: str | None) -> bool:
    """Say whether the password is right, in the same time whether or not there is one to compare with."""
    if len(password) > _MAX_LENGTH:
        return False
    right = await asyncio.to_thread(_hasher().verify, password, stored or _decoy())
    return right and stored is not None


def check_strength(password: str, *, minimum: int, about: tuple[str, ...] = ()) -> None:
    """Refuse a password that is short, common, or made of what is known about the user.

    Args:
        password: As typed.
        minimum: Least number of characters.
        about: The user's name and address.

    Raises:
        InputError: With what is wrong with it, and how to do better.
    """
    if len(password) < minimum:
        raise InputError(
            explain(f"the password has {len(password)} characters", expected=f"at least {minimum}"),
            field="password",
        )
    if len(password) > _MAX_LENGTH:
        raise InputError(
            explain(f"the password has {len(password)} characters", expected=f"at most {_MAX_LENGTH}"),
            field="password",
        )
    rest = password.casefold()
    for part in sorted(_parts(about), key=len, reverse=True):
        rest = rest.replace(part.casefold(), "")
    if len(rest) < _OWN_CHARACTERS:
        raise InputError(
            explain("the password is weak: it is made of your name or address"), field="password"
        )
    judged = zxcvbn(password[:_READ], user_inputs=_parts(about))
    if judged["score"] < _WEAKEST:
        feedback = judged["feedback"]
        reason = feedback["warning"].rstrip(".") or "it would be guessed quickly"
        advice = " ".join(feedback["suggestions"][:2])
        raise InputError(
            explain(f"the password is weak: {reason[0].lower()}{reason[1:]}", hint=advice), field="password"
        )


def _parts(about: tuple[str, ...]) -> list[str]:
    """Return what is known of the user, whole and in words."""
    words = {word for text in about for word in [text, *re.split(r"[^\w]+", text)]}
    return sorted(word for word in words if len(word) > 2)
