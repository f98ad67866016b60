"""Exported files are whole, read back equal, and refuse what cannot be."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cashup.data.export import FORMATS, export_file, format_of
from cashup.data.importers import read_file
from cashup.model.errors import InputError, UnknownNameError

START = 1_672_531_200_000
BARS = pl.DataFrame(
    {
        "ts": [START, START + 60_000, START + 120_000],
        "open": [0.1, 1e-9, 3.0],
        "high": [0.30000000000000004, 1e12, 3.5],
        "low": [0.1, 1e-9, 2.0],
        "close": [0.2, 123456789.123456, 2.5],
        "volume": [0.0, 5e-324, 1e300],
    }
)
TRADES = pl.DataFrame(
    {
        "ts": [START, START],
        "id": ["007", "008"],
        "side": ["buy", "sell"],
        "price": [1.5, 1.6],
        "amount": [2.0, 3.0],
    }
)
FUNDING = pl.DataFrame({"ts": [START, START + 1], "funding_rate": [0.0001, -3e-05]})


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("frame", [BARS, TRADES, FUNDING], ids=["bars", "trades", "funding"])
def test_every_format_reads_back_to_the_bit(tmp_path: Path, form: str, frame: pl.DataFrame) -> None:
    path = export_file(frame, tmp_path / f"data.{form}")
    assert read_file(path).frame.equals(frame)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_iso_times_in_csv(tmp_path: Path) -> None:
    path = export_file(BARS, tmp_path / "bars.csv", iso_time=True)
    assert "2023-01-01T00:01:00.000Z" in path.read_text()
    assert read_file(path).frame.equals(BARS)
    with pytest.raises(InputError, match="CSV only"):
        export_file(BARS, tmp_path / "bars.json", iso_time=True)


def test_formats_follow_the_ending_or_the_wish(tmp_path: Path) -> None:
    assert format_of(Path("a.PQ")) == "parquet"
    export_file(BARS, tmp_path / "bars.dat", form="json")
    assert read_file(tmp_path / "bars.dat").frame.equals(BARS)
    with pytest.raises(UnknownNameError, match=r"'\.xlsx'"):
        export_file(BARS, tmp_path / "bars.xlsx")
    with pytest.raises(InputError, match="no folder"):
        export_file(BARS, tmp_path / "nowhere/bars.csv")
    assert not (tmp_path / "bars.xlsx").exists()
