"""Versions of objects as HTTP knows them: `ETag` on reads, `If-Match` on writes."""

from __future__ import annotations

from fastapi import Request, Response

from cashup.model.errors import InputError, explain


def show_version(response: Response, version: int) -> None:
    """Say which version of the object this is."""
    response.headers["ETag"] = f'"{version}"'


def match_version(request: Request) -> int | None:
    """Return the version the caller has read, or None when he does not say.

    Raises:
        InputError: It is not a version of ours.
    """
    text = request.headers.get("if-match", "").strip()
    if not text or text == "*":
        return None
    number = text.removeprefix("W/").strip('"')
    if not number.isascii() or not number.isdigit():
        raise InputError(
            explain(f"If-Match is {text[:40]}", expected='the ETag of the object, such as "3"'),
            field="If-Match",
        )
    return int(number)
