"""Round trips and invariants of times, names and numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cashup.model.errors import InputError
from cashup.model.ids import Currency, UnifiedSymbol, instrument_id, parse_instrument_id, split_instrument_id
from cashup.model.money import Rounding, exact, from_float, is_multiple, plain, quantise
from cashup.model.time import NS_PER_DAY, Timeframe, format_time, from_datetime, parse_time, to_datetime

SPELLED = ["1s", "5s", "1m", "3m", "5m", "15m", "30m", "45m", "90m", "1h", "2h", "4h", "6h", "8h", "12h"]
FRAMES = [*SPELLED, "1d", "2d", "3d", "5d", "1w", "2w", "1M", "2M", "3M", "6M", "12M"]
frames = st.sampled_from(FRAMES).map(Timeframe.parse)
#: 1900 to 2200: both sides of the epoch, leap years, and 1900 and 2100 which are none.
moments = st.integers(
    from_datetime(datetime(1900, 1, 1, tzinfo=UTC)), from_datetime(datetime(2200, 1, 1, tzinfo=UTC))
)


@given(frame=frames, ts=moments)
def test_every_moment_lies_in_exactly_one_bar(frame: Timeframe, ts: int) -> None:
    opens = frame.floor(ts)
    closes = frame.next_open(ts)
    assert opens <= ts < closes
    assert frame.floor(opens) == opens
    assert frame.is_open_time(opens)
    assert frame.floor(closes) == closes
    assert frame.close_time(opens) == closes
    assert frame.floor(closes - 1) == opens
    assert frame.previous_open(closes) == opens
    if frame.is_fixed:
        assert closes - opens == frame.duration_ns


@given(ts=moments, count=st.sampled_from([1, 2, 3, 6, 12]))
def test_months_open_on_the_first_at_midnight(ts: int, count: int) -> None:
    frame = Timeframe.parse(f"{count}M")
    opens, closes = to_datetime(frame.floor(ts)), to_datetime(frame.next_open(ts))
    assert (opens.day, opens.hour, opens.minute, opens.second, opens.microsecond) == (1, 0, 0, 0, 0)
    assert (opens.month - 1) % count == 0
    assert (closes.year * 12 + closes.month) - (opens.year * 12 + opens.month) == count


@given(ts=moments)
def test_weeks_open_on_monday(ts: int) -> None:
    assert to_datetime(Timeframe.parse("1w").floor(ts)).weekday() == 0


@given(frame=frames, since=moments, bars=st.integers(0, 40), extra=st.integers(0, NS_PER_DAY))
def test_counting_agrees_with_iterating(frame: Timeframe, since: int, bars: int, extra: int) -> None:
    until = since
    for _ in range(bars):
        until = frame.next_open(until)
    until += min(extra, frame.next_open(until) - until)
    opens = list(frame.opens(since, until))
    assert len(opens) == frame.count_between(since, until)
    assert all(since <= ts < until and frame.is_open_time(ts) for ts in opens)
    assert opens == sorted(set(opens))


@given(longer=frames, shorter=frames, ts=moments)
def test_a_multiple_opens_where_its_parts_open(longer: Timeframe, shorter: Timeframe, ts: int) -> None:
    if longer.is_multiple_of(shorter):
        assert shorter.is_open_time(longer.floor(ts))
        assert shorter <= longer


@given(frame=frames)
def test_a_timeframe_reads_back(frame: Timeframe) -> None:
    assert Timeframe.parse(str(frame)) == frame


@given(ts=moments)
def test_times_read_back(ts: int) -> None:
    assert parse_time(format_time(ts)) == ts
    assert from_datetime(to_datetime(ts)) == ts - ts % 1000


codes = st.text(
    st.characters(codec="utf-8", exclude_characters="/:\\-", exclude_categories=("C", "Z")), min_size=1
)
currencies = codes.filter(lambda code: code not in (".", "..")).map(Currency)


@given(
    venue=st.from_regex(r"[a-z0-9_]+", fullmatch=True),
    base=currencies,
    quote=currencies,
    settle=currencies | st.none(),
)
def test_names_read_back(venue: str, base: Currency, quote: Currency, settle: Currency | None) -> None:
    symbol = UnifiedSymbol(base=base, quote=quote, settle=settle)
    name = instrument_id(venue, symbol)
    assert parse_instrument_id(name) == name
    assert split_instrument_id(name) == (venue, symbol)


def refusal(read: Callable[[str], object], text: str) -> str | None:
    try:
        read(text)
    except InputError as e:
        return str(e)
    return None


@given(text=st.text())
def test_any_text_is_a_name_or_a_clear_refusal(text: str) -> None:
    for read in (parse_instrument_id, parse_time, Timeframe.parse, exact):
        said = refusal(read, text)
        assert said is None or "expected" in said


values = st.decimals("-1e12", "1e12", places=12)
steps = st.decimals("1e-8", "1000", places=8).filter(lambda step: step > 0)


@given(value=values, step=steps, rounding=st.sampled_from(Rounding))
def test_a_quantised_value_is_on_the_grid_and_near(value: Decimal, step: Decimal, rounding: Rounding) -> None:
    result = quantise(value, step, rounding)
    assert is_multiple(result, step)
    assert quantise(result, step, rounding) == result
    assert abs(result - value) < step
    if rounding is Rounding.DOWN:
        assert abs(result) <= abs(value)
    elif rounding is Rounding.UP:
        assert abs(result) >= abs(value)
    elif rounding is Rounding.FLOOR:
        assert result <= value
    elif rounding is Rounding.CEILING:
        assert result >= value
    else:
        assert 2 * abs(result - value) <= step


@given(value=values)
def test_exact_numbers_read_back(value: Decimal) -> None:
    assert exact(str(value)) == value
    assert exact(plain(value)) == value


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_floats_read_back(value: float) -> None:
    assert float(from_float(value)) == value
