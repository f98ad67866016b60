"""Whatever is appended in whatever pieces, the store holds each row once, in order, the latest value."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from cashup.data.datasets import DataKind, DatasetKey
from cashup.data.merge import join, merge, sort_rows
from cashup.data.schema import UNIQUE, empty_frame
from cashup.data.store import Store

HOUR = 3_600_000
NEW_YEAR = 1_672_531_200_000
BARS = DatasetKey.bars("binance:BTC/USDT", "1h")
TRADES = DatasetKey.trades("binance:BTC/USDT")


@st.composite
def bars(draw: st.DrawFn) -> pl.DataFrame:
    """Hours around a change of year, any of them, each with a random price."""
    hours = sorted(draw(st.sets(st.integers(-8, 8), max_size=10)))
    price = [float(draw(st.integers(1, 4))) for _ in hours]
    columns = dict.fromkeys(("open", "high", "low", "close", "volume"), pl.Series(price, dtype=pl.Float64))
    return pl.DataFrame({"ts": pl.Series([NEW_YEAR + HOUR * h for h in hours], dtype=pl.Int64), **columns})


@st.composite
def trades(draw: st.DrawFn) -> pl.DataFrame:
    """Trades of a few milliseconds around midnight, of which some have the same id."""
    rows = sorted(draw(st.sets(st.tuples(st.integers(-3, 3), st.integers(1, 12)), max_size=10)))
    return pl.DataFrame(
        {
            "ts": pl.Series([NEW_YEAR + ts for ts, _ in rows], dtype=pl.Int64),
            "id": pl.Series([str(number) for _, number in rows], dtype=pl.String),
            "side": pl.Series(["buy" for _ in rows], dtype=pl.String),
            "price": pl.Series([float(draw(st.integers(1, 3))) for _ in rows], dtype=pl.Float64),
            "amount": pl.Series([1.0 for _ in rows], dtype=pl.Float64),
        }
    )


def expected(frames: list[pl.DataFrame], kind: DataKind) -> pl.DataFrame:
    """Concatenate, keep the last of each, sort: with plain Python, as a second opinion."""
    rows: dict[tuple[object, ...], tuple[object, ...]] = {}
    for frame in frames:
        for row in frame.iter_rows(named=True):
            rows[tuple(row[column] for column in UNIQUE[kind])] = tuple(row.values())
    ordered = sorted(
        rows.values(),
        key=lambda row: (row[0], len(str(row[1])), str(row[1])) if kind is DataKind.TRADES else row[0],
    )
    return pl.DataFrame(ordered, schema=empty_frame(kind).schema, orient="row")


@settings(max_examples=40, deadline=None)
@given(st.lists(bars(), min_size=1, max_size=5))
def test_appended_bars_are_the_sorted_union(frames: list[pl.DataFrame]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        for frame in frames:
            store.append(BARS, frame)
        assert store.read(BARS).equals(expected(frames, DataKind.BARS))
        other = Store(Path(folder, "other"))
        other.overwrite(BARS, expected(frames, DataKind.BARS))
        assert other.fingerprint(BARS) == store.fingerprint(BARS)


@settings(max_examples=40, deadline=None)
@given(st.lists(trades(), min_size=1, max_size=4))
def test_appended_trades_are_the_sorted_union(frames: list[pl.DataFrame]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        for frame in frames:
            store.append(TRADES, frame)
        assert store.read(TRADES).equals(expected(frames, DataKind.TRADES))


@given(bars(), bars(), bars())
def test_joining_is_associative_and_keeping_is_the_mirror_of_replacing(
    one: pl.DataFrame, two: pl.DataFrame, three: pl.DataFrame
) -> None:
    kind = DataKind.BARS
    left = join(
        [join([one, two], kind, on_conflict="replace", what=""), three], kind, on_conflict="replace", what=""
    )
    right = join(
        [one, join([two, three], kind, on_conflict="replace", what="")], kind, on_conflict="replace", what=""
    )
    assert left.equals(right)
    kept = merge(one, two, kind, on_conflict="keep", what="").frame
    assert kept.equals(merge(two, one, kind, on_conflict="replace", what="").frame)


@given(bars(), st.integers(-9, 9), st.integers(-9, 9))
@settings(max_examples=40, deadline=None)
def test_a_range_is_a_filter(frame: pl.DataFrame, since: int, until: int) -> None:
    low, high = NEW_YEAR + since * HOUR, NEW_YEAR + until * HOUR
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        store.append(BARS, frame)
        assert store.read(BARS, low, high).equals(frame.filter((pl.col("ts") >= low) & (pl.col("ts") < high)))


@given(trades())
def test_sorting_is_idempotent_and_independent_of_order(frame: pl.DataFrame) -> None:
    once = sort_rows(frame, DataKind.TRADES)
    assert sort_rows(once, DataKind.TRADES).equals(once)
    assert sort_rows(frame.reverse(), DataKind.TRADES).equals(once)
