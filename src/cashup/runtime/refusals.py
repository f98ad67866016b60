"""Why a request is refused, in the words of HTTP."""

from __future__ import annotations

from cashup.model.errors import CashUpError


class NotSignedIn(CashUpError):
    """Nobody is known to ask: no token, a wrong one, or one that has ended."""

    code = "not_signed_in"


class Forbidden(CashUpError):
    """The caller is known, and may not do this."""

    code = "forbidden"


class NotFound(CashUpError):
    """Nothing of that id exists, or not for this caller: the two are not told apart."""

    code = "not_found"


class Conflict(CashUpError):
    """The request does not fit what is there now."""

    code = "conflict"


class PreconditionFailed(CashUpError):
    """The object was changed since the caller read it."""

    code = "precondition_failed"


class TooMany(CashUpError):
    """More requests than allowed.

    Attributes:
        retry_after_s: When to try again.
    """

    code = "too_many_requests"

    def __init__(self, message: str, retry_after_s: int = 60) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
