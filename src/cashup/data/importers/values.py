"""Turn columns of text, numbers or datetimes into milliseconds and floats; name the first that is neither."""

from __future__ import annotations

from typing import Final

import polars as pl

from cashup.data.importers.table import Table

_SECONDS_END: Final = 10**11
_MILLISECONDS_END: Final = 10**14
_MICROSECONDS_END: Final = 10**17
_SAMPLE: Final = 200

_DAYS: Final = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y")
_CLOCKS: Final = ("%H:%M:%S%.f", "%H:%M:%S", "%H:%M")
_FORMATS: Final = tuple(
    [f"{day}{gap}{clock}" for day in _DAYS for gap in ("T", " ") for clock in _CLOCKS]
    + [f"{day}" for day in _DAYS]
)
_TIMES: Final = "seconds, milliseconds, microseconds or nanoseconds since 1970 UTC, or ISO 8601 text"


def milliseconds(table: Table, column: str) -> tuple[pl.Series, list[str]]:
    """Return a column of times as int64 milliseconds UTC, with notes on what was assumed.

    Numbers may be seconds to nanoseconds, told apart value by value by their size; text may be such numbers
    or ISO 8601 with or without a zone.

    Raises:
        DataError: A value is no time.
    """
    values = table.frame.get_column(column)
    if values.dtype == pl.Date or isinstance(values.dtype, pl.Datetime):
        return _from_datetimes(values)
    if values.dtype.is_integer():
        return _from_numbers(values.cast(pl.Int64)), []
    if values.dtype.is_float():
        return _from_numbers(_whole(table, column, values)), []
    text = values.cast(pl.String).str.strip_chars()
    if _is_date_number(text):
        return _from_text(table, column, text)
    numbers = text.cast(pl.Int64, strict=False)
    if numbers.null_count() == 0:
        return _from_numbers(numbers), []
    floats = text.cast(pl.Float64, strict=False)
    if floats.null_count() < len(floats) - floats.null_count():
        _refuse_nulls(table, column, text, floats)
        return _from_numbers(_whole(table, column, floats)), []
    return _from_text(table, column, text)


def _from_datetimes(values: pl.Series) -> tuple[pl.Series, list[str]]:
    zone = getattr(values.dtype, "time_zone", None)
    notes = [] if zone else ["times have no zone; read as UTC"]
    return values.cast(pl.Datetime("us", zone)).dt.timestamp("ms"), notes


def _whole(table: Table, column: str, values: pl.Series) -> pl.Series:
    """Return floats as whole numbers; seconds with a fraction become milliseconds."""
    bad = (~values.is_finite()).fill_null(True)
    if bad.any():
        row = int(bad.arg_max() or 0)
        raise table.error(row, column, "this is no time", value=str(values[row]), expected=_TIMES)
    seconds = values.abs() < _SECONDS_END
    return (
        pl.select(pl.when(seconds).then((values * 1000).round()).otherwise(values)).to_series().cast(pl.Int64)
    )


def _from_numbers(values: pl.Series) -> pl.Series:
    size = values.abs()
    scaled = (
        pl.when(size < _SECONDS_END)
        .then(values * 1000)
        .when(size < _MILLISECONDS_END)
        .then(values)
        .when(size < _MICROSECONDS_END)
        .then(values // 1000)
        .otherwise(values // 1_000_000)
    )
    return pl.select(scaled.alias("ts")).to_series()


def _is_date_number(text: pl.Series) -> bool:
    """Return whether the values are days written as one number, such as 20240131."""
    sample = text.drop_nulls().head(_SAMPLE)
    return len(sample) > 0 and bool(sample.str.contains(r"^(19|20)\d\d(0[1-9]|1[0-2])[0-3]\d$").all())


def _from_text(table: Table, column: str, text: pl.Series) -> tuple[pl.Series, list[str]]:
    sample = text.drop_nulls().head(_SAMPLE)
    zoned = len(sample) > 0 and bool(sample.str.contains(r"\d\s?[+-]\d\d:?\d\d$").all())
    has_zone = zoned or bool(sample.str.contains(r"(?i)(Z|UTC|GMT)$").all())
    bare = text if zoned else text.str.replace(r"(?i)\s?(Z|UTC|GMT)$", "")
    if zoned:
        bare = bare.str.replace(r"(?i)\s?(?:UTC|GMT)?\s?([+-]\d\d):?(\d\d)$", "${1}:${2}")
    times = _parse(bare, "%:z" if zoned else "")
    if times is None:
        value = sample[0] if len(sample) else None
        row = int(text.is_not_null().arg_max() or 0)
        raise table.error(row, column, "this is no time", value=value or "nothing", expected=_TIMES)
    _refuse_nulls(table, column, text, times)
    return times.dt.timestamp("ms"), [] if has_zone else ["times have no zone; read as UTC"]


def _parse(text: pl.Series, zone: str) -> pl.Series | None:
    """Parse with the format that understands most of the first values, or None when none does."""
    sample = text.head(_SAMPLE)
    best, most = "", 0
    for form in _FORMATS:
        parsed = _strptime(sample, form + zone)
        count = len(parsed) - parsed.null_count()
        if count > most:
            best, most = form + zone, count
    return _strptime(text, best) if most else None


def _strptime(text: pl.Series, form: str) -> pl.Series:
    if "%H" not in form:
        return text.str.to_date(form, strict=False).cast(pl.Datetime("us"))
    return text.str.to_datetime(form, time_unit="us", strict=False, exact=True)


def _refuse_nulls(table: Table, column: str, text: pl.Series, parsed: pl.Series) -> None:
    missing = parsed.is_null()
    if missing.any():
        row = int(missing.arg_max() or 0)
        raise table.error(
            row, column, "this is no time like the others", value=text[row] or "nothing", expected=_TIMES
        )


def floats(table: Table, column: str) -> pl.Series:
    """Return a column of numbers as float64; text may have a decimal comma.

    Raises:
        DataError: A value is empty or not a number.
    """
    values = table.frame.get_column(column)
    if values.dtype.is_numeric() or values.dtype == pl.Null:
        numbers = values.cast(pl.Float64)
    else:
        numbers = _number_text(values.cast(pl.String))
    if numbers.null_count():
        row = int(numbers.is_null().arg_max() or 0)
        value = values[row]
        found = "there is no value" if value in (None, "") else "this is not a number"
        hint = "the line may be cut short: is the file complete?" if value is None else ""
        raise table.error(
            row, column, found, value=None if value is None else str(value), expected="a number", hint=hint
        )
    return numbers


def _number_text(text: pl.Series) -> pl.Series:
    numbers = text.cast(pl.Float64, strict=False)
    if not numbers.null_count():
        return numbers
    text = text.str.strip_chars()
    if (
        text.head(_SAMPLE).str.contains(r"^-?\d+,\d+$").any()
        and not text.str.contains(".", literal=True).any()
    ):
        text = text.str.replace(",", ".", literal=True)
    return text.cast(pl.Float64, strict=False)
