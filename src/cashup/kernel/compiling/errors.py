"""Why a strategy cannot be compiled, at which line, and what to write instead."""

from __future__ import annotations


class CannotCompile(Exception):  # noqa: N818 (a finding, not a fault: the strategy then runs in Python)
    """Say that a strategy must run in Python; results are the same, only slower.

    Attributes:
        reason: What stands in the way.
        file: File of the strategy, or "".
        line: Line in that file, counted from 1; 0 when unknown.
        suggestion: What to write instead, or "".
    """

    def __init__(self, reason: str, *, file: str = "", line: int = 0, suggestion: str = "") -> None:
        super().__init__(reason, file, line, suggestion)
        self.reason = reason
        self.file = file
        self.line = line
        self.suggestion = suggestion

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.file else ""
        advice = f"; {self.suggestion}" if self.suggestion else ""
        return f"{where}{self.reason}{advice}"
