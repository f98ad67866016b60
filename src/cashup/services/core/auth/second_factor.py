"""Time-based one-time passwords (RFC 6238), and recovery codes for a lost phone."""

from __future__ import annotations

import secrets
from typing import Final

import pyotp

from cashup.services.core.auth.tokens import token_hash

_STEP_S: Final = 30
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODES: Final = 10


def new_secret() -> str:
    """Return a secret for an authenticator."""
    return pyotp.random_base32()


def link(secret: str, email: str) -> str:
    """Return what an authenticator reads as a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name="CashUp")


def matched_step(secret: str, code: str, now_s: int, last_step: int) -> int | None:
    """Return the time step `code` belongs to, one step early or late; None when it is wrong or was used.

    A code is good once: only steps after `last_step` count.
    """
    digits = code.replace(" ", "")
    if len(digits) != 6 or not digits.isascii() or not digits.isdigit():
        return None
    totp = pyotp.TOTP(secret)
    step = now_s // _STEP_S
    for candidate in (step, step - 1, step + 1):
        if candidate > last_step and secrets.compare_digest(totp.at(candidate * _STEP_S), digits):
            return candidate
    return None


def new_recovery_codes() -> list[str]:
    """Return ten codes, shown once."""
    return [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(2))
        for _ in range(_CODES)
    ]


def recovery_hash(code: str) -> str:
    """Return what is stored of a recovery code."""
    return token_hash(code.strip().upper())
