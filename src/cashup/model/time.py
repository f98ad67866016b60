"""Time: integers of nanoseconds since 1970-01-01 UTC, and the calendar-aware `Timeframe` of bars.

There are no local times and no leap seconds. A bar is named by its open time and covers
``open <= t < close``; weeks open on Monday 00:00 UTC, months on the first day of the calendar month.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache, total_ordering
from typing import Final

from cashup.model.errors import InputError, UnknownNameError, explain

NS_PER_US: Final = 1_000
NS_PER_MS: Final = 1_000_000
NS_PER_SECOND: Final = 1_000_000_000
NS_PER_MINUTE: Final = 60 * NS_PER_SECOND
NS_PER_HOUR: Final = 60 * NS_PER_MINUTE
NS_PER_DAY: Final = 24 * NS_PER_HOUR
NS_PER_WEEK: Final = 7 * NS_PER_DAY

_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MONDAY_NS: Final = 4 * NS_PER_DAY  # 1970-01-05
_MEAN_MONTH_NS: Final = NS_PER_DAY * 146_097 // 4_800  # the Gregorian calendar repeats after 400 years

_ISO: Final = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:[T ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s?(?P<zone>[Zz]|UTC|[+-]\d\d(?::?\d\d)?)?)?)?)?"
)


def parse_time(text: str) -> int:
    """Read an ISO 8601 time as nanoseconds; no zone means UTC, and missing parts mean their start.

    Accepts "2024", "2024-03", "2024-03-01", "2024-03-01 12:30", "2024-03-01T12:30:00.123456789+08:00".

    Raises:
        InputError: It is not such a time.
    """
    match = _ISO.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError("not ISO 8601")
        return _from_parts(match)
    except (ValueError, OverflowError) as e:
        raise InputError(
            explain(
                f"{text!r} is not a time ({e})",
                expected="ISO 8601 in UTC, such as 2024-03-01 or 2024-03-01T12:30:00Z",
            ),
            field="time",
        ) from None


def _from_parts(match: re.Match[str]) -> int:
    year, month, day, hour, minute, second = (
        int(match[name] or default)
        for name, default in (
            ("year", 1),
            ("month", 1),
            ("day", 1),
            ("hour", 0),
            ("minute", 0),
            ("second", 0),
        )
    )
    moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC) - _offset(match["zone"])
    return from_datetime(moment) + int((match["fraction"] or "").ljust(9, "0"))


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone in ("Z", "z", "UTC"):
        return timedelta(0)
    digits = zone[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 23 or minutes > 59:
        raise ValueError(f"zone {zone} is out of range")
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if zone[0] == "-" else offset


def format_time(ts: int) -> str:
    """Write nanoseconds as ISO 8601 UTC with no more digits than needed: "2024-03-01T12:30:00.5Z"."""
    seconds, fraction = divmod(ts, NS_PER_SECOND)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    return f"{text}.{fraction:09d}".rstrip("0") + "Z" if fraction else f"{text}Z"


def from_datetime(moment: datetime) -> int:
    """Return a datetime as nanoseconds, exactly; one without a zone is taken as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * NS_PER_SECOND + since.microseconds * NS_PER_US


def to_datetime(ts: int) -> datetime:
    """Return nanoseconds as a UTC datetime; what is below a microsecond is cut."""
    return _EPOCH + timedelta(microseconds=ts // NS_PER_US)


def ms_to_ns(milliseconds: int) -> int:
    """Return milliseconds as nanoseconds."""
    return milliseconds * NS_PER_MS


def ns_to_ms(ts: int) -> int:
    """Return nanoseconds as whole milliseconds, rounded towards the past."""
    return ts // NS_PER_MS


def us_to_ns(microseconds: int) -> int:
    """Return microseconds as nanoseconds."""
    return microseconds * NS_PER_US


def ns_to_us(ts: int) -> int:
    """Return nanoseconds as whole microseconds, rounded towards the past."""
    return ts // NS_PER_US


class TimeUnit(StrEnum):
    """Unit of a timeframe, spelled as in "15m"; m is minutes and M is months."""

    SECOND = "s"
    MINUTE = "m"
    HOUR = "h"
    DAY = "d"
    WEEK = "w"
    MONTH = "M"


_UNIT_NS: Final = {
    TimeUnit.SECOND: NS_PER_SECOND,
    TimeUnit.MINUTE: NS_PER_MINUTE,
    TimeUnit.HOUR: NS_PER_HOUR,
    TimeUnit.DAY: NS_PER_DAY,
    TimeUnit.WEEK: NS_PER_WEEK,
}
_COMMON: Final = (
    "1s",
    "1m",
    "3m",
    "5m",
    "15m",
    "30m",
    "1h",
    "2h",
    "4h",
    "6h",
    "8h",
    "12h",
    "1d",
    "3d",
    "1w",
    "1M",
)
_TIMEFRAME: Final = re.compile(r"(?P<count>[1-9]\d{0,4})(?P<unit>[smhdwM])")


@total_ordering
@dataclass(frozen=True, slots=True)
class Timeframe:
    """Length of a bar, from "1s" to "12M", with the calendar it is cut by.

    Two spellings of one length are equal, because both become the larger unit: "60m" is "1h", "7d" is "1w".
    Bars of up to a day divide the day evenly and start at midnight UTC; bars of several days count from
    1970-01-01, weeks from Monday 1970-01-05, months from January.

    Attributes:
        count: How many units, at least 1.
        unit: The unit.
    """

    count: int
    unit: TimeUnit

    def __post_init__(self) -> None:
        problem = _problem(self.count, self.unit)
        if problem:
            raise InputError(
                explain(
                    f"timeframe '{self.count}{self.unit}' {problem}", expected=f"such as {', '.join(_COMMON)}"
                ),
                field="timeframe",
            )
        count, unit = _canonical(self.count, self.unit)
        object.__setattr__(self, "count", count)
        object.__setattr__(self, "unit", unit)

    @classmethod
    def parse(cls, text: str | Timeframe) -> Timeframe:
        """Read a timeframe such as "15m"; a Timeframe is returned as it is.

        Raises:
            InputError: It is not a timeframe.
        """
        return text if isinstance(text, Timeframe) else _parse(text)

    @property
    def is_fixed(self) -> bool:
        """Whether every bar lasts equally long; false for months only."""
        return self.unit is not TimeUnit.MONTH

    @property
    def duration_ns(self) -> int:
        """Length of a bar in nanoseconds.

        Raises:
            InputError: It is counted in months, which differ in length.
        """
        if self.unit is TimeUnit.MONTH:
            raise InputError(
                explain(f"a bar of {self} has no fixed length", hint="use floor and next_open"),
                field="timeframe",
            )
        return self.count * _UNIT_NS[self.unit]

    @property
    def mean_ns(self) -> int:
        """Average length of a bar in nanoseconds; a month is 1/4800 of 400 Gregorian years."""
        return self.duration_ns if self.is_fixed else self.count * _MEAN_MONTH_NS

    def bars_per_year(self, days_per_year: float = 365.0) -> float:
        """Return how many bars a year has, for annualising; crypto markets trade 365 days."""
        if self.unit is TimeUnit.MONTH:
            return 12 / self.count
        return days_per_year * NS_PER_DAY / self.duration_ns

    def floor(self, ts: int) -> int:
        """Return the open time of the bar that contains `ts`."""
        if self.unit is TimeUnit.MONTH:
            return _month_open(_month_of(ts) // self.count * self.count)
        origin = self._origin_ns
        return (ts - origin) // self.duration_ns * self.duration_ns + origin

    def next_open(self, ts: int) -> int:
        """Return the open time of the bar after the one that contains `ts`; always later than `ts`."""
        if self.unit is TimeUnit.MONTH:
            return _month_open((_month_of(ts) // self.count + 1) * self.count)
        return self.floor(ts) + self.duration_ns

    def previous_open(self, ts: int) -> int:
        """Return the open time of the bar before the one that contains `ts`."""
        return self.floor(self.floor(ts) - 1)

    def close_time(self, open_ts: int) -> int:
        """Return when the bar opened at `open_ts` ends; that instant belongs to the next bar."""
        return self.next_open(open_ts)

    def is_open_time(self, ts: int) -> bool:
        """Return whether a bar opens exactly at `ts`."""
        return self.floor(ts) == ts

    def opens(self, since: int, until: int) -> Iterator[int]:
        """Yield the open times of all bars that open in ``since <= t < until``."""
        ts = since if self.is_open_time(since) else self.next_open(since)
        while ts < until:
            yield ts
            ts = self.next_open(ts)

    def count_between(self, since: int, until: int) -> int:
        """Return how many bars open in ``since <= t < until``."""
        if until <= since:
            return 0
        return self._number(until - 1) - self._number(since - 1)

    def is_multiple_of(self, other: Timeframe) -> bool:
        """Return whether every bar of this timeframe is made of whole bars of `other`, edges included."""
        if self.unit is TimeUnit.MONTH:
            if other.unit is TimeUnit.MONTH:
                return self.count % other.count == 0
            return NS_PER_DAY % other.duration_ns == 0
        if other.unit is TimeUnit.MONTH:
            return False
        shift = self._origin_ns - other._origin_ns
        return self.duration_ns % other.duration_ns == 0 and shift % other.duration_ns == 0

    @property
    def _origin_ns(self) -> int:
        return _FIRST_MONDAY_NS if self.unit is TimeUnit.WEEK else 0

    def _number(self, ts: int) -> int:
        """Return the serial number of the bar that contains `ts`."""
        if self.unit is TimeUnit.MONTH:
            return _month_of(ts) // self.count
        return (ts - self._origin_ns) // self.duration_ns

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Timeframe):
            return NotImplemented
        return self.mean_ns < other.mean_ns

    def __str__(self) -> str:
        return f"{self.count}{self.unit.value}"


def _month_of(ts: int) -> int:
    """Return the months from January of year 0 to the month that contains `ts`."""
    day = date.fromordinal(_EPOCH_ORDINAL + ts // NS_PER_DAY)
    return day.year * 12 + day.month - 1


def _month_open(month: int) -> int:
    year, index = divmod(month, 12)
    return (date(year, index + 1, 1).toordinal() - _EPOCH_ORDINAL) * NS_PER_DAY


def _problem(count: int, unit: TimeUnit) -> str:
    if count < 1:
        return "is not positive"
    if unit is TimeUnit.MONTH:
        return "" if 12 % count == 0 else "does not divide the year evenly"
    length = count * _UNIT_NS[unit]
    if NS_PER_DAY % length and length % NS_PER_DAY:
        return "does not divide the day evenly"
    return ""


def _canonical(count: int, unit: TimeUnit) -> tuple[int, TimeUnit]:
    """Return the same length in the largest unit that expresses it."""
    if unit is TimeUnit.MONTH:
        return count, unit
    length = count * _UNIT_NS[unit]
    for larger in reversed(_UNIT_NS):
        if length % _UNIT_NS[larger] == 0:
            return length // _UNIT_NS[larger], larger
    return count, unit


@lru_cache(maxsize=256)
def _parse(text: str) -> Timeframe:
    match = _TIMEFRAME.fullmatch(text)
    if match is None:
        raise UnknownNameError("timeframe", text, _COMMON, field="timeframe")
    return Timeframe(int(match["count"]), TimeUnit(match["unit"]))
