from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from cashup.model.errors import InputError, UnknownNameError
from cashup.model.time import (
    NS_PER_DAY,
    NS_PER_HOUR,
    NS_PER_MINUTE,
    NS_PER_SECOND,
    Timeframe,
    format_time,
    from_datetime,
    ms_to_ns,
    ns_to_ms,
    ns_to_us,
    parse_time,
    to_datetime,
    us_to_ns,
)


def bar(text: str) -> Timeframe:
    return Timeframe.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024", "2024-01-01T00:00:00Z"),
        ("2024-03", "2024-03-01T00:00:00Z"),
        ("2024-03-05", "2024-03-05T00:00:00Z"),
        ("2024-03-05 12:30", "2024-03-05T12:30:00Z"),
        ("2024-03-05T12:30:15Z", "2024-03-05T12:30:15Z"),
        ("2024-03-05T12:30:15.5+00:00", "2024-03-05T12:30:15.5Z"),
        ("2024-03-05T12:30:15.123456789", "2024-03-05T12:30:15.123456789Z"),
        ("2024-03-05T08:00:00+08:00", "2024-03-05T00:00:00Z"),
        ("2024-03-05T00:00:00-0130", "2024-03-05T01:30:00Z"),
        ("2024-03-05 12:30:15 UTC", "2024-03-05T12:30:15Z"),
        ("1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999999Z"),
    ],
)
def test_iso_times(text: str, expected: str) -> None:
    assert format_time(parse_time(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2024-13",
        "2023-02-29",
        "2024-01-01T25:00",
        "2024-1-1",
        "2024-01-01T00:00:00+25:00",
        "0000",
        "1e9",
    ],
)
def test_what_is_not_a_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match="such as 2024-03-01"):
        parse_time(text)


def test_known_instants() -> None:
    assert parse_time("2024-01-01") == 1_704_067_200 * NS_PER_SECOND
    assert parse_time("2000-02-29T23:59:59Z") == 951_868_799 * NS_PER_SECOND


def test_datetimes_convert_exactly_and_naive_means_utc() -> None:
    moment = datetime(2024, 3, 5, 12, 30, 15, 123456, tzinfo=UTC)
    assert to_datetime(from_datetime(moment)) == moment
    assert from_datetime(moment.replace(tzinfo=None)) == from_datetime(moment)
    shanghai = moment.astimezone(timezone(timedelta(hours=8)))
    assert from_datetime(shanghai) == from_datetime(moment)


def test_units_round_towards_the_past() -> None:
    assert (ms_to_ns(3), us_to_ns(3)) == (3_000_000, 3_000)
    assert (ns_to_ms(1_999_999), ns_to_us(1_999)) == (1, 1)
    assert (ns_to_ms(-1), ns_to_us(-1)) == (-1, -1)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("60s", "1m"),
        ("60m", "1h"),
        ("90m", "90m"),
        ("24h", "1d"),
        ("7d", "1w"),
        ("14d", "2w"),
        ("12M", "12M"),
        ("3d", "3d"),
    ],
)
def test_two_spellings_of_one_length_are_one_timeframe(text: str, canonical: str) -> None:
    assert str(bar(text)) == canonical
    assert bar(text) == bar(canonical)
    assert hash(bar(text)) == hash(bar(canonical))


@pytest.mark.parametrize("text", ["7m", "5h", "36h", "5M", "57s"])
def test_what_does_not_fit_the_calendar(text: str) -> None:
    with pytest.raises(InputError, match="evenly"):
        bar(text)


@pytest.mark.parametrize("text", ["", "h", "0m", "-1h", "1x", "1 h", "h1", "1.5h", "123456m", "1y"])
def test_what_is_not_a_timeframe(text: str) -> None:
    with pytest.raises(UnknownNameError):
        bar(text)


def test_minutes_and_months_are_told_apart_by_case() -> None:
    assert bar("1m").duration_ns == NS_PER_MINUTE
    assert not bar("1M").is_fixed
    with pytest.raises(InputError, match="no fixed length"):
        _ = bar("1M").duration_ns


@pytest.mark.parametrize(
    ("text", "ts", "opens", "closes"),
    [
        ("5m", "2024-03-05T12:34:56.789Z", "2024-03-05T12:30:00Z", "2024-03-05T12:35:00Z"),
        ("4h", "2024-03-05T12:00:00Z", "2024-03-05T12:00:00Z", "2024-03-05T16:00:00Z"),
        ("1d", "2024-02-29T23:59:59Z", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"),
        ("1w", "2024-03-10T23:59:59Z", "2024-03-04T00:00:00Z", "2024-03-11T00:00:00Z"),
        ("1w", "2024-03-11T00:00:00Z", "2024-03-11T00:00:00Z", "2024-03-18T00:00:00Z"),
        ("1M", "2024-02-29T12:00:00Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
        ("1M", "2023-12-31T23:59:59Z", "2023-12-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("3M", "2024-05-05T00:00:00Z", "2024-04-01T00:00:00Z", "2024-07-01T00:00:00Z"),
        ("12M", "2024-12-31T00:00:00Z", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
        ("1M", "1969-12-31T23:59:59Z", "1969-12-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("1h", "1969-12-31T23:59:59Z", "1969-12-31T23:00:00Z", "1970-01-01T00:00:00Z"),
    ],
)
def test_a_bar_opens_and_closes_by_the_calendar(text: str, ts: str, opens: str, closes: str) -> None:
    moment = parse_time(ts)
    assert format_time(bar(text).floor(moment)) == opens
    assert format_time(bar(text).next_open(moment)) == closes
    assert bar(text).close_time(parse_time(opens)) == parse_time(closes)
    assert bar(text).previous_open(parse_time(closes)) == parse_time(opens)


def test_months_are_iterated_through_a_leap_year() -> None:
    opens = list(bar("1M").opens(parse_time("2024-01-15"), parse_time("2025-01-01")))
    assert [format_time(ts)[:7] for ts in opens] == [f"2024-{month:02d}" for month in range(2, 13)]
    assert (opens[1] - opens[0]) == 29 * NS_PER_DAY


def test_counting_bars() -> None:
    since, until = parse_time("2024-01-01"), parse_time("2025-01-01")
    assert bar("1m").count_between(since, until) == 366 * 1440
    assert bar("1M").count_between(since, until) == 12
    assert bar("1h").count_between(since, since) == 0
    assert bar("1h").count_between(since, since + 1) == 1


@pytest.mark.parametrize(
    ("text", "bars"), [("1m", 525_600), ("1h", 8760), ("1d", 365), ("1w", 365 / 7), ("1M", 12), ("3M", 4)]
)
def test_bars_per_year(text: str, bars: float) -> None:
    assert bar(text).bars_per_year() == pytest.approx(bars)
    if text == "1d":
        assert bar(text).bars_per_year(252) == pytest.approx(252)


def test_timeframes_are_ordered_by_length() -> None:
    texts = ["1s", "1m", "5m", "1h", "4h", "1d", "1w", "1M", "3M", "12M"]
    assert [str(frame) for frame in sorted(map(bar, reversed(texts)))] == texts
    assert bar("30d") < bar("1M") < bar("31d")
    assert bar("1h") <= bar("60m")


@pytest.mark.parametrize(
    ("longer", "shorter", "expected"),
    [
        ("1h", "5m", True),
        ("1h", "1h", True),
        ("5m", "1h", False),
        ("1h", "45m", False),
        ("1w", "1d", True),
        ("1w", "4h", True),
        ("3w", "3d", False),  # weeks start on a Monday, three-day bars count from 1970-01-01
        ("1M", "1d", True),
        ("1M", "8h", True),
        ("1M", "1w", False),
        ("1M", "3d", False),
        ("3M", "1M", True),
        ("1M", "3M", False),
        ("1w", "1M", False),
    ],
)
def test_multiples_share_their_edges(longer: str, shorter: str, expected: bool) -> None:
    assert bar(longer).is_multiple_of(bar(shorter)) is expected


def test_a_timeframe_parses_to_itself() -> None:
    hour = bar("1h")
    assert Timeframe.parse(hour) is hour
    assert hour.duration_ns == NS_PER_HOUR
