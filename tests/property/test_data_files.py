"""What is exported is imported again, equal to the bit, in every format."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from cashup.data.export import FORMATS, Format, export_file
from cashup.data.importers import from_frame, read_file
from cashup.data.repair import Action, repair_frame

PRICE = st.floats(min_value=1e-12, max_value=1e12, allow_subnormal=False)


@st.composite
def bars(draw: st.DrawFn) -> pl.DataFrame:
    """Valid minutes with gaps and any prices a float can hold."""
    minutes = sorted(draw(st.sets(st.integers(0, 60), min_size=3, max_size=12)) | {100, 101, 102, 103})
    rows = [sorted(draw(st.tuples(PRICE, PRICE, PRICE, PRICE))) for _ in minutes]
    up = [draw(st.booleans()) for _ in minutes]
    return pl.DataFrame(
        {
            "ts": [1_672_531_200_000 + 60_000 * minute for minute in minutes],
            "open": [row[1] if rising else row[2] for row, rising in zip(rows, up, strict=True)],
            "high": [row[3] for row in rows],
            "low": [row[0] for row in rows],
            "close": [row[2] if rising else row[1] for row, rising in zip(rows, up, strict=True)],
            "volume": [draw(st.floats(min_value=0.0, max_value=1e15)) for _ in minutes],
        }
    )


@settings(max_examples=60, deadline=None)
@given(bars(), st.sampled_from(FORMATS), st.booleans(), st.booleans())
def test_a_file_reads_back_as_it_was_written(
    frame: pl.DataFrame, form: Format, iso: bool, packed: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"bars.{form}")
        export_file(frame, path, iso_time=iso and form == "csv")
        if packed:
            path.write_bytes(gzip.compress(path.read_bytes(), 1))
        imported = read_file(path, timeframe="1m")
    assert imported.frame.equals(frame)


@settings(max_examples=40, deadline=None)
@given(bars())
def test_frames_of_pandas_and_polars_are_the_same(frame: pl.DataFrame) -> None:
    columns = {name: frame[name].to_numpy() for name in frame.columns if name != "ts"}
    index = pd.to_datetime(frame["ts"].to_numpy(), unit="ms", utc=True)
    assert from_frame(pd.DataFrame(columns, index=index), timeframe="1m").frame.equals(frame)
    assert from_frame(frame, timeframe="1m").frame.equals(frame)


@settings(max_examples=40, deadline=None)
@given(bars())
def test_filled_bars_keep_what_was_there_and_have_no_gaps(frame: pl.DataFrame) -> None:
    filled, changes = repair_frame(frame, "1m", [Action.FILL_GAPS])
    assert filled.filter(pl.col("ts").is_in(frame["ts"].implode())).equals(frame)
    assert np.all(np.diff(filled["ts"].to_numpy()) == 60_000)
    assert len(changes) == filled.height - frame.height
    assert repair_frame(filled, "1m", [Action.FILL_GAPS])[1] == ()
