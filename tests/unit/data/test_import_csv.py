"""CSV in its many forms, and every way it can be wrong."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path

import polars as pl
import pytest

from cashup.data.datasets import DataKind
from cashup.data.importers import Imported, read_file
from cashup.model.errors import DataError, InputError, UnknownNameError

START = 1_672_531_200_000  # 2023-01-01
ROWS = [
    (START, 100.0, 102.5, 99.0, 101.0, 7.5),
    (START + 60_000, 101.0, 103.0, 100.5, 102.0, 0.0),
    (START + 120_000, 102.0, 102.0, 90.25, 91.0, 12.0),
]
EXPECTED = pl.DataFrame(ROWS, schema=["ts", "open", "high", "low", "close", "volume"], orient="row")
HEADER = "timestamp,open,high,low,close,volume"


def write(
    path: Path, times: list[object] | None = None, *, header: str | None = HEADER, gap: str = ","
) -> Path:
    stamps = [row[0] for row in ROWS] if times is None else times
    lines = [] if header is None else [header.replace(",", gap)]
    for stamp, row in zip(stamps, ROWS, strict=True):
        lines.append(gap.join([str(stamp), *(str(value) for value in row[1:])]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def text_file(tmp_path: Path, text: str, name: str = "bars.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def assert_expected(imported: Imported) -> None:
    assert imported.kind is DataKind.BARS
    assert str(imported.timeframe) == "1m"
    assert imported.frame.equals(EXPECTED)


@pytest.mark.parametrize(
    "times",
    [
        [START // 1000 + 60 * i for i in range(3)],
        [f"{START // 1000 + 60 * i}.0" for i in range(3)],
        [START + 60_000 * i for i in range(3)],
        [START * 1000 + 60_000_000 * i for i in range(3)],
        [START * 1_000_000 + 60_000_000_000 * i for i in range(3)],
        [f"2023-01-01 00:0{i}:00" for i in range(3)],
        [f"2023-01-01 00:0{i}" for i in range(3)],
        [f"2023-01-01T00:0{i}:00Z" for i in range(3)],
        [f"2023-01-01T00:0{i}:00.000Z" for i in range(3)],
        [f"2023-01-01 00:0{i}:00 UTC" for i in range(3)],
        [f"2023-01-01 00:0{i}:00+00:00" for i in range(3)],
        [f"2023-01-01T08:0{i}:00.000+0800" for i in range(3)],
        [f"2022-12-31 19:0{i}:00-05:00" for i in range(3)],
        [f"2023/01/01 00:0{i}:00" for i in range(3)],
        [f"2023.01.01 00:0{i}" for i in range(3)],
        [f"01.01.2023 00:0{i}:00.000" for i in range(3)],
        [f"20230101 00:0{i}:00" for i in range(3)],
        [f" {START + 60_000 * i} " for i in range(3)],
    ],
    ids=str,
)
def test_times_of_every_kind(tmp_path: Path, times: list[object]) -> None:
    assert_expected(read_file(write(tmp_path / "bars.csv", times)))
    assert_expected(read_file(write(tmp_path / "bars.csv", times, header=None)))


def test_units_may_change_within_a_file(tmp_path: Path) -> None:
    times: list[object] = [START, START + 60_000, (START + 120_000) * 1000]
    assert_expected(read_file(write(tmp_path / "bars.csv", times)))


def test_days_as_one_number_and_calendar_months(tmp_path: Path) -> None:
    daily = read_file(write(tmp_path / "bars.csv", [20230101, 20230102, 20230103]))
    assert str(daily.timeframe) == "1d"
    assert daily.frame["ts"].to_list() == [START + 86_400_000 * i for i in range(3)]
    assert (
        str(read_file(write(tmp_path / "bars.csv", ["2023-01-01", "2023-02-01", "2023-03-01"])).timeframe)
        == "1M"
    )
    assert (
        str(read_file(write(tmp_path / "bars.csv", ["2023-01-02", "2023-01-09", "2023-01-16"])).timeframe)
        == "1w"
    )


def test_a_time_without_a_zone_is_utc_and_said_so(tmp_path: Path) -> None:
    times: list[object] = [f"2023-01-01 00:0{i}:00" for i in range(3)]
    assert any("UTC" in note for note in read_file(write(tmp_path / "bars.csv", times)).notes)
    assert not read_file(write(tmp_path / "bars.csv")).notes


@pytest.mark.parametrize(
    "header",
    [
        "ts,open,high,low,close,volume",
        "Date,Open,High,Low,Close,Volume",
        "Open time,Open,High,Low,Close,Volume",
        "<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",
        "open_time,open_price,high_price,low_price,close_price,base_volume",
        "t,o,h,l,c,v",
        '"unix","open","high","low","close","Volume BTC"',
    ],
)
def test_headers_of_every_kind(tmp_path: Path, header: str) -> None:
    assert_expected(read_file(write(tmp_path / "bars.csv", header=header)))


@pytest.mark.parametrize("gap", [",", ";", "\t", "|"])
def test_delimiters(tmp_path: Path, gap: str) -> None:
    assert_expected(read_file(write(tmp_path / "bars.csv", gap=gap)))
    assert_expected(read_file(write(tmp_path / "bars.csv", gap=gap, header=None)))


def test_decimal_commas_dates_beside_times_and_other_order(tmp_path: Path) -> None:
    text = (
        "Date;Time;Close;Volume;High;Low;Open\n"
        "2023.01.01;00:00;101,0;7,5;102,5;99;100\n"
        "2023.01.01;00:01;102,0;0;103;100,5;101\n"
        "2023.01.01;00:02;91,0;12;102;90,25;102\n"
    )
    assert_expected(read_file(text_file(tmp_path, text)))


def test_preambles_comments_blank_lines_byte_order_marks_and_encodings(tmp_path: Path) -> None:
    body = write(tmp_path / "a.csv").read_text()
    assert_expected(read_file(text_file(tmp_path, "https://example.org/some/source\n" + body)))
    assert_expected(read_file(text_file(tmp_path, "# exported\n\n" + body.replace("\n", "\n\n") + "\n\n")))
    assert_expected(read_file(text_file(tmp_path, body.replace("\n", "\r\n"))))
    path = tmp_path / "b.csv"
    path.write_bytes(b"\xef\xbb\xbf" + body.encode())
    assert_expected(read_file(path))
    path.write_bytes(body.encode("utf-16"))
    assert_expected(read_file(path))
    path.write_bytes(body.replace("volume", "volume,größe").encode("latin-1").replace(b"\n1", b"\n1"))
    with pytest.raises(DataError, match=r"there is no value|fields"):
        read_file(path, columns=["ts", "open", "high", "low", "close", "volume", "size", "more"])


def test_packed_files(tmp_path: Path) -> None:
    content = write(tmp_path / "BTC_USDT-1m.csv").read_bytes()
    for name, packed in {
        "a.csv.gz": gzip.compress(content),
        "a.csv.xz": lzma.compress(content),
        "a.csv.bz2": bz2.compress(content),
    }.items():
        (tmp_path / name).write_bytes(packed)
        assert_expected(read_file(tmp_path / name))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("__MACOSX/x", b"")
        archive.writestr("folder/inner.csv", content)
    assert_expected(read_file(tmp_path / "a.zip"))


def test_a_header_with_more_columns_needs_only_ours(tmp_path: Path) -> None:
    text = "symbol,timestamp,open,high,low,close,volume,trades\n" + "".join(
        f"BTCUSDT,{','.join(map(str, row))},5\n" for row in ROWS
    )
    assert_expected(read_file(text_file(tmp_path, text)))


def test_one_instrument_of_several(tmp_path: Path) -> None:
    text = "symbol,timestamp,open,high,low,close,volume\n" + "".join(
        f"{name},{','.join(map(str, row))}\n" for row in ROWS for name in ("AAA", "BBB")
    )
    path = text_file(tmp_path, text)
    assert_expected(read_file(path, symbol="BBB"))
    with pytest.raises(DataError, match=r"2 instruments \(AAA, BBB\)"):
        read_file(path)
    with pytest.raises(UnknownNameError, match="AAA, BBB"):
        read_file(path, symbol="CCC")


def test_columns_can_be_named(tmp_path: Path) -> None:
    lines = "".join(f"{ts},{o},{c},{h},{low},{v}\n" for ts, o, h, low, c, v in ROWS)
    path = text_file(tmp_path, lines)
    with pytest.raises(DataError, match=r"bars\.csv:1, column high.*--columns"):
        read_file(path)
    assert_expected(read_file(path, columns=["ts", "open", "close", "high", "low", "volume"]))


def test_bars_without_volume_get_zero_and_a_note(tmp_path: Path) -> None:
    text = "time,open,high,low,close\n" + "".join(f"{','.join(map(str, row[:5]))}\n" for row in ROWS)
    imported = read_file(text_file(tmp_path, text))
    assert imported.frame["volume"].to_list() == [0.0] * 3
    assert any("volume" in note for note in imported.notes)


def test_sorting_and_duplicates_are_asked_for(tmp_path: Path) -> None:
    body = "".join(f"{','.join(map(str, row))}\n" for row in (*reversed(ROWS), ROWS[0]))
    path = text_file(tmp_path, f"{HEADER}\n{body}")
    with pytest.raises(DataError, match=r"bars\.csv:3, column ts: time goes backwards .*--sort"):
        read_file(path)
    with pytest.raises(DataError, match=r"bars\.csv:5, column ts: this time is there twice"):
        read_file(path, sort=True)
    imported = read_file(path, sort=True, duplicates="last")
    assert_expected(imported)
    assert any("sorted" in note for note in imported.notes)
    assert any("1 repeated" in note for note in imported.notes)


def test_a_timeframe_that_is_asked_for_is_checked(tmp_path: Path) -> None:
    path = write(tmp_path / "bars.csv")
    assert_expected(read_file(path, timeframe="1m"))
    with pytest.raises(DataError, match=r"1m apart, not 1h.*resample"):
        read_file(path, timeframe="1h")
    with pytest.raises(InputError):
        read_file(path, timeframe="7m")
    with pytest.raises(UnknownNameError, match="Did you mean 'bars'"):
        read_file(path, kind="bar")
    one = text_file(tmp_path, f"{HEADER}\n{','.join(map(str, ROWS[0]))}\n", "one.csv")
    with pytest.raises(DataError, match="timeframe cannot be told"):
        read_file(one)
    assert str(read_file(one, timeframe="1h").timeframe) == "1h"


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "value"),
    [
        ("103.0", "abc", 3, "high", "abc"),
        ("103.0", "", 3, "high", None),
        ("103.0", "nan", 3, "high", None),
        ("103.0", "inf", 3, "high", None),
        ("103.0", "-103.0", 3, "high", -103.0),
        ("103.0", "90", 3, "high", 90.0),
        ("103.0", "101.5", 3, "high", 101.5),
        ("90.25", "0", 4, "low", 0.0),
        ("90.25", "91.5", 4, "low", 91.5),
        ("12.0", "-12.0", 4, "volume", -12.0),
        (str(START + 60_000), "yesterday", 3, "timestamp", "yesterday"),
        (str(START + 60_000), "", 3, "timestamp", None),
        (str(START + 60_000), str(START - 60_000), 3, "ts", "2022-12-31T23:59:00Z"),
        (str(START + 60_000), str(START), 3, "ts", "2023-01-01T00:00:00Z"),
    ],
)
def test_the_first_wrong_value_is_named_by_file_line_and_value(
    tmp_path: Path, old: str, new: str, line: int, column: str, value: object
) -> None:
    good = write(tmp_path / "good.csv").read_text()
    path = text_file(tmp_path, good.replace(old, new), "wrong.csv")
    with pytest.raises(DataError) as caught:
        read_file(path)
    error = caught.value
    assert (error.path, error.line, error.column) == (path, line, column)
    if value is not None:
        assert error.value == value
        assert str(value) in str(error)
    # The same place is named when lines before the table are passed over.
    moved = text_file(tmp_path, "# note\n" + good.replace(old, new), "moved.csv")
    with pytest.raises(DataError) as caught:
        read_file(moved)
    assert caught.value.line == line + 1


def test_bars_closer_than_the_timeframe_are_refused(tmp_path: Path) -> None:
    lines = [f"{START + 60_000 * i},1,1,1,1,1" for i in range(6)]
    lines[4] = f"{START + 60_000 * 3 + 20_000},1,1,1,1,1"
    with pytest.raises(DataError, match=r"bars\.csv:6, column ts: this bar is 20 s after .* 1m bars"):
        read_file(text_file(tmp_path, "\n".join([HEADER, *lines])))
    gap = [line for i, line in enumerate(lines) if i != 4]
    assert str(read_file(text_file(tmp_path, "\n".join([HEADER, *gap]))).timeframe) == "1m"


def test_bars_without_trades_may_be_left_out(tmp_path: Path) -> None:
    minutes = [0, 2, 4, 6, 7, 9, 12, 14, 16, 17, 19]
    lines = [f"{START + 60_000 * minute},1,1,1,1,1" for minute in minutes]
    path = text_file(tmp_path, "\n".join([HEADER, *lines]))
    assert str(read_file(path).timeframe) == "1m"
    mixed = [f"{START + 60_000 * minute},1,1,1,1,1" for minute in (*range(0, 40, 5), *range(40, 46))]
    with pytest.raises(DataError, match=r"bars\.csv:11, .* in a file of 5m bars"):
        read_file(text_file(tmp_path, "\n".join([HEADER, *mixed])))
    rare = [f"{START + 60_000 * minute},1,1,1,1,1" for minute in (*range(0, 100, 2), 99)]
    path = text_file(tmp_path, "\n".join([HEADER, *rare]))
    assert str(read_file(path, timeframe="1m").timeframe) == "1m"
    with pytest.raises(DataError, match="60 s after the one before it"):
        read_file(path)


def test_lines_of_other_length_and_cut_files(tmp_path: Path) -> None:
    good = write(tmp_path / "good.csv").read_text()
    longer = good.replace("102.5,", "102.5,1,2,")
    with pytest.raises(DataError, match=r"bars\.csv:2: the line has 8 fields.*expected 6 fields"):
        read_file(text_file(tmp_path, longer))
    with pytest.raises(DataError, match=r"bars\.csv:4.*there is no value.*cut short"):
        read_file(text_file(tmp_path, good[:-12]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n\n  \n", "the file is empty"),
        (HEADER + "\n", "there are no rows"),
        ("hello world\nthis is prose\n", "one field only"),
        ("a,b,c\n1,2,3\n", "these columns are no market data"),
        ("time,open,high,low\n1,2,3,4\n", "no market data"),
        ("1,2,3\n2,3,4\n", "no header and the line has 3 fields"),
        ("date,open,close,close,high,low\n1,2,3,4,5,6\n", "two columns have this name"),
        ("foo,open,high,low,close,volume\n1,2,3,1,2,3\n", "no column of the time"),
    ],
)
def test_files_that_are_no_bars(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_file(text_file(tmp_path, text))
    assert "bars.csv" in str(caught.value)


def test_unreadable_files(tmp_path: Path) -> None:
    good = gzip.compress(write(tmp_path / "bars.csv").read_bytes() * 50)
    for name, content, message in [
        ("cut.csv.gz", good[:-30], "cannot be unpacked"),
        ("cut.zip", b"PK\x03\x04" + bytes(50), "cannot be unpacked"),
        ("cut.parquet", b"PAR1" + bytes(50), "Parquet file cannot be read"),
        ("cut.feather", b"ARROW1\x00\x00" + bytes(50), "Feather file cannot be read"),
        ("old.feather", b"FEA1" + bytes(50), "Feather version 1"),
        ("table.h5", b"\x89HDF\r\n", "an HDF5 file"),
        ("binary.csv", bytes(range(256)) * 4, "no file of market data"),
        ("empty.csv", b"", "the file is empty"),
    ]:
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(DataError, match=message) as caught:
            read_file(path)
        assert caught.value.path == path
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "1")
        archive.writestr("b.csv", "1")
    with pytest.raises(DataError, match="holds 2 files"):
        read_file(tmp_path / "two.zip")
    with pytest.raises(DataError, match=r"no such file.*Did you mean 'bars.csv'"):
        read_file(tmp_path / "bar.csv")
    with pytest.raises(DataError, match="this is a folder"):
        read_file(tmp_path)


def test_wrong_values_can_be_let_through_for_the_quality_check(tmp_path: Path) -> None:
    text = write(tmp_path / "good.csv").read_text().replace("103.0", "1.0")
    assert read_file(text_file(tmp_path, text), check=False).frame["high"][1] == 1.0
