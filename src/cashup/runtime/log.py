"""Logs: one JSON object a line for machines, or one readable line for people; never a secret.

What looks like a secret is blotted out wherever it stands: by the name of its field, by its shape, and by
value for the secrets the program has announced with `hide`. Control characters are escaped, so that no text a
user sends can forge a line.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog

__all__ = ["configure", "hide"]

_BLOT: Final = "[hidden]"
_SECRET_NAME: Final = re.compile(
    r"(pass(word|wd|phrase)|secret|token|authorization|cookie|api_?key|private|signature|credential|otp|recovery)",
    re.I,
)
_SECRET_SHAPE: Final = re.compile(
    r"(?:eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,})|(?:\bcu_[A-Za-z0-9_-]{16,})|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
_MAX_TEXT: Final = 8_000

_hidden: set[str] = set()


def hide(secret: str) -> None:
    """Never show this text in a log from now on."""
    if len(secret) >= 6:
        _hidden.add(secret)


def configure(*, json: bool, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Set the process's logs up.

    Args:
        json: One JSON object a line; otherwise a line for people.
        level: DEBUG, INFO, WARNING or ERROR.
        stream: Where lines go; standard error by default.
    """
    out = stream or sys.stderr
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.dev.ConsoleRenderer(
            colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def redact(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blot secrets out of one entry, and escape what could forge a line."""
    for name in list(entry):
        entry[name] = _clean(name, entry[name])
    return entry


def _clean(name: str, value: Any) -> Any:
    if isinstance(value, str):
        if _SECRET_NAME.search(name):
            return _BLOT
        return _clean_text(value)
    if isinstance(value, dict):
        return {key: _clean(str(key), part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(name, part) for part in value]
    if isinstance(value, int | float | bool | None) and not _SECRET_NAME.search(name):
        return value
    return _BLOT if _SECRET_NAME.search(name) else _clean_text(str(value))


def _clean_text(text: str) -> str:
    text = text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "…"
    text = _SECRET_SHAPE.sub(_BLOT, text)
    for secret in _hidden:
        text = text.replace(secret, _BLOT)
    return _CONTROL.sub(lambda match: f"\\x{ord(match.group()):02x}", text)
