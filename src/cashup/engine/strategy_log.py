"""The lines a strategy writes with `self.log`, in one form whichever way it ran."""

from __future__ import annotations

from typing import Final, NamedTuple

Number = float | int | bool

#: Lines kept of one run; later ones are only counted, so that a line a bar cannot fill the memory.
LOG_LINES: Final = 10_000


class LogLine(NamedTuple):
    """One line: the time it was written (close of the bar, ns UTC) and its text."""

    ts: int
    text: str


class StrategyLog:
    """The first `LOG_LINES` lines of a run, and how many there were in all.

    Attributes:
        lines: The lines kept, in order of time.
        count: How many were written.
    """

    __slots__ = ("count", "lines")

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self.count = 0

    def write(self, ts: int, text: str, values: tuple[Number, ...]) -> None:
        """Add a line."""
        self.count += 1
        if self.count <= LOG_LINES:
            self.lines.append(LogLine(ts, format_line(text, values)))


def format_line(text: str, values: tuple[Number, ...]) -> str:
    """Fill the {} of `text` with the values, or write them behind it when it has none."""
    plain = tuple(map(_plain, values))
    if "{" in text:
        return text.format(*plain)
    return " ".join((text, *map(str, plain)))


def _plain(value: Number) -> Number:
    # A compiled variable that is sometimes 1 and sometimes 0.5 is always a float: whole numbers are written
    # alike in both forms, or the log of a compiled run would differ from the same run in Python.
    if isinstance(value, bool) or not isinstance(value, float):
        return value
    return int(value) if value.is_integer() and abs(value) < 1e15 else value
