"""What goes in and out of signing in, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, EmailStr, Field

Password = Annotated[str, Field(min_length=1, max_length=256)]
Text = Annotated[str, Field(min_length=1, max_length=80)]
Locale = Annotated[str, Field(pattern="^(en|zh-CN)$")]


class Body(BaseModel):
    """What a request may hold: nothing but what is named."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class LoginIn(Body):
    """Address, password and, when the second factor is on, a code."""

    email: EmailStr
    password: Password
    code: str = Field("", max_length=24)


class SetupIn(Body):
    """The owner's account, made once with the link the program printed."""

    token: str = Field(max_length=100)
    email: EmailStr
    password: Password
    name: Text
    locale: Locale = "en"
    time_zone: str = Field("UTC", max_length=64)


class RegisterIn(Body):
    """A new user; the invitation gives roles beyond that of a trader."""

    email: EmailStr
    password: Password
    name: Text
    locale: Locale = "en"
    time_zone: str = Field("UTC", max_length=64)
    invitation: str = Field("", max_length=100)


class RefreshIn(Body):
    """The refresh token; browsers send it as a cookie instead."""

    refresh_token: str = Field("", max_length=100)


class EmailIn(Body):
    """An address."""

    email: EmailStr


class TokenIn(Body):
    """The token of a mailed link."""

    token: str = Field(max_length=100)


class ResetIn(TokenIn):
    """A mailed link and a new password."""

    password: Password


class PasswordIn(Body):
    """The password, asked again before something that matters."""

    password: Password


class ChangePasswordIn(Body):
    """The current password and a new one."""

    current: Password
    new: Password


class CodeIn(Body):
    """A code of the authenticator."""

    code: str = Field(max_length=24)


class DisableTotpIn(CodeIn):
    """A code and the password."""

    password: Password


class TokensOut(BaseModel):
    """Tokens of a session. Browsers keep the refresh token in a cookie no script can read."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
    session_id: str


class SetupOut(BaseModel):
    """Whether the installation still waits for its owner."""

    needed: bool
    registration: str
    version: str


class RegisteredOut(BaseModel):
    """What happens next after registering."""

    verification_sent: bool


class TotpOut(BaseModel):
    """What an authenticator needs."""

    secret: str
    link: str


class RecoveryOut(BaseModel):
    """Codes for a lost phone, shown this once."""

    codes: list[str]


class SessionOut(BaseModel):
    """One sign-in."""

    id: str
    address: str
    device: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    current: bool


class LoginOut(BaseModel):
    """One attempt to sign in."""

    at: datetime
    address: str
    device: str
    outcome: str


class CountOut(BaseModel):
    """How many were affected."""

    count: int
