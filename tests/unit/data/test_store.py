"""The store: what is written is what is read, in ranges, across files, and wrong rows never get in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cashup.data.catalog import Catalog
from cashup.data.datasets import DataKind, DatasetKey, MarketType, Partition
from cashup.data.durable import only_writer
from cashup.data.fingerprint import fingerprint
from cashup.data.schema import SCHEMAS
from cashup.data.store import Store
from cashup.model.errors import DataError, InputError, UnknownNameError

MINUTE = 60_000
START = 1_672_531_200_000  # 2023-01-01
KEY = DatasetKey.bars("binance:BTC/USDT", "1m")


def bars(count: int, *, start: int = START, step: int = MINUTE, base: float = 100.0) -> pl.DataFrame:
    close = base + np.arange(count) % 7
    return pl.DataFrame(
        {
            "ts": start + step * np.arange(count),
            "open": close,
            "high": close + 1,
            "low": close - 1,
            "close": close + 0.5,
            "volume": np.arange(count) % 5 + 1.0,
        }
    )


def trades(count: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "ts": [START + i // 2 for i in range(count)],
            "id": [str(95 + i) for i in range(count)],
            "side": ["buy" if i % 3 else "sell" for i in range(count)],
            "price": [100.0 + i for i in range(count)],
            "amount": [0.5] * count,
        }
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data")


def test_bars_are_read_as_written(store: Store) -> None:
    frame = bars(1000)
    result = store.append(KEY, frame)
    assert (result.rows, result.added, result.replaced) == (1000, 1000, 0)
    assert store.read_bars("binance:BTC/USDT", "1m").equals(frame)
    assert dict(store.read(KEY).schema) == SCHEMAS[DataKind.BARS]


@pytest.mark.parametrize(
    ("since", "until", "first", "count"),
    [
        (None, None, 0, 1000),
        (START + 10 * MINUTE, START + 20 * MINUTE, 10, 10),
        (START + 1, START + MINUTE + 1, 1, 1),
        ("2023-01-01 01:00", "2023-01-01T02:00:00Z", 60, 60),
        (datetime(2023, 1, 1, 0, 5, tzinfo=UTC), None, 5, 995),
        ("2024-01-01", None, 0, 0),
        (START + 20 * MINUTE, START + 10 * MINUTE, 0, 0),
    ],
)
def test_ranges_include_since_and_exclude_until(
    store: Store, since: object, until: object, first: int, count: int
) -> None:
    store.append(KEY, bars(1000))
    assert store.read(KEY, since, until).equals(bars(1000).slice(first, count))  # type: ignore[arg-type]


def test_a_dataset_of_several_years_is_one_frame_and_an_append_rewrites_one_file(store: Store) -> None:
    frame = bars(3000, start=START - 1000 * MINUTE)
    store.append(KEY, frame)
    folder = store.root / KEY.folder
    files = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.parquet")}
    assert sorted(name[:4] for name in files) == ["2022", "2023"]
    more = bars(10, start=START + 5000 * MINUTE)
    store.append(KEY, more)
    after = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.parquet")}
    assert {name for name in files if name.startswith("2022")} == {
        name for name in after if after[name] == files.get(name)
    }
    assert store.read(KEY).equals(pl.concat([frame, more]))
    assert store.read(KEY, START - 2 * MINUTE, START + 2 * MINUTE).height == 4


def test_the_later_row_wins_and_a_known_row_changes_nothing(store: Store) -> None:
    store.append(KEY, bars(100))
    same = store.append(KEY, bars(50))
    assert (same.added, same.replaced) == (0, 0)
    changed = store.append(KEY, bars(10, base=200.0))
    assert (changed.rows, changed.added, changed.replaced) == (100, 0, 10)
    assert store.read(KEY).equals(pl.concat([bars(10, base=200.0), bars(100).slice(10)]))


def test_conflicts_can_keep_the_stored_row_or_refuse_all(store: Store) -> None:
    store.append(KEY, bars(100))
    before = store.fingerprint(KEY)
    store.append(KEY, bars(10, base=200.0), on_conflict="keep")
    assert store.fingerprint(KEY) == before
    with pytest.raises(DataError, match=r"10 rows are stored with other values.*2023-01-01T00:00:00Z"):
        store.append(
            KEY,
            bars(200, base=100.0)
            .with_columns(pl.col("volume") + 0)
            .vstack(bars(0))
            .with_columns(
                pl.when(pl.col("ts") < START + 10 * MINUTE)
                .then(pl.col("volume") + 1)
                .otherwise("volume")
                .alias("volume")
            ),
            on_conflict="refuse",
        )
    assert store.read(KEY).equals(bars(100))


def test_overwrite_leaves_only_the_new_rows(store: Store) -> None:
    store.append(KEY, bars(3000, start=START - 1000 * MINUTE))
    store.overwrite(KEY, bars(5))
    assert store.read(KEY).equals(bars(5))
    assert len(list((store.root / KEY.folder).glob("*.parquet"))) == 1


def test_overwrite_refuses_a_dataset_somebody_changed(store: Store) -> None:
    seen = store.append(KEY, bars(5)).fingerprint
    store.append(KEY, bars(6))
    with pytest.raises(DataError, match="changed by another program"):
        store.overwrite(KEY, bars(1), expected=seen)
    assert store.read(KEY).height == 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"close": -1.0}, "column close.*not positive"),
        ({"high": 1.0}, "column high.*below the low"),
        ({"volume": float("nan")}, "column volume.*not a number"),
        ({"volume": -1.0}, "column volume.*negative"),
        ({"ts": START + 6 * MINUTE}, "column ts.*twice"),
        ({"ts": START - MINUTE}, "column ts.*backwards"),
        ({"open": None}, "column open.*not a number"),
    ],
)
def test_a_wrong_row_is_refused_and_nothing_is_written(
    store: Store, change: dict[str, object], message: str
) -> None:
    store.append(KEY, bars(5))
    ((column, value),) = change.items()
    wrong = (
        bars(20)
        .with_row_index("i")
        .with_columns(pl.when(pl.col("i") == 7).then(pl.lit(value)).otherwise(pl.col(column)).alias(column))
    )
    with pytest.raises(DataError, match=message):
        store.append(KEY, wrong.drop("i"))
    assert store.read(KEY).equals(bars(5))


def test_missing_columns_and_wrong_types_are_named(store: Store) -> None:
    with pytest.raises(DataError, match="no column volume"):
        store.append(KEY, bars(5).drop("volume"))
    with pytest.raises(DataError, match="column close: the values are of type String"):
        store.append(KEY, bars(5).with_columns(pl.col("close").cast(pl.String)))


def test_trades_funding_and_marks(store: Store) -> None:
    store.append(DatasetKey.trades("binance:XRP/ETH"), trades(20))
    store.append(DatasetKey.trades("binance:XRP/ETH"), trades(30))
    assert store.read_trades("binance:XRP/ETH").equals(trades(30))
    funding = pl.DataFrame({"ts": [START, START + 8 * 60 * MINUTE], "funding_rate": [0.0001, -0.0002]})
    store.append(DatasetKey.funding("gate:BTC/USDT:USDT"), funding)
    assert store.read_funding("gate:BTC/USDT:USDT").equals(funding)
    mark = bars(10).drop("volume")
    store.append(DatasetKey.mark("gate:BTC/USDT:USDT", "1m"), mark)
    store.append(DatasetKey.mark("gate:BTC/USDT:USDT", "1h"), mark.head(1))
    assert store.read_mark("gate:BTC/USDT:USDT").equals(mark)
    assert store.read_mark("gate:BTC/USDT:USDT", "1h").height == 1


def test_arrays_are_contiguous_columns(store: Store) -> None:
    frame = bars(3000, start=START - 1000 * MINUTE)
    store.append(KEY, frame)
    arrays = store.load_arrays("binance:BTC/USDT", "1m")
    assert arrays.ts.dtype == np.int64
    assert arrays.close.dtype == np.float64
    assert all(column.flags.c_contiguous for column in (arrays.ts, arrays.open, arrays.volume))
    assert np.array_equal(arrays.close, frame["close"].to_numpy())


def test_unknown_names_offer_the_stored_ones(store: Store) -> None:
    store.append(KEY, bars(5))
    with pytest.raises(UnknownNameError, match="Did you mean 'binance:BTC/USDT'"):
        store.read_bars("binance:BTC/USDC", "1m")
    with pytest.raises(UnknownNameError, match="expected one of: 1m"):
        store.read_bars("binance:BTC/USDT", "5m")
    with pytest.raises(InputError, match="names no venue"):
        store.read_bars("BTC/USDT", "5m")


def test_damaged_and_missing_files_are_named(store: Store) -> None:
    store.append(KEY, bars(100))
    (path,) = (store.root / KEY.folder).glob("*.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="damaged"):
        store.read(KEY)
    path.unlink()
    with pytest.raises(DataError, match="missing"):
        store.read(KEY)
    (store.root / KEY.folder / "manifest.json").write_text("{")
    with pytest.raises(DataError, match="damaged"):
        store.read(KEY)


def test_a_manifest_cannot_point_outside_its_folder(store: Store) -> None:
    store.append(KEY, bars(5))
    path = store.root / KEY.folder / "manifest.json"
    (name,) = (file.name for file in path.parent.glob("*.parquet"))
    path.write_text(path.read_text().replace(name, f"../1m/{name}"))
    with pytest.raises(DataError, match="outside its folder"):
        store.read(KEY)


def test_delete_leaves_nothing_behind(store: Store) -> None:
    store.append(KEY, bars(5))
    store.append(DatasetKey.bars("binance:BTC/USDT", "1h"), bars(1))
    store.delete(KEY)
    assert not store.exists(KEY)
    assert store.timeframes("binance:BTC/USDT") == [DatasetKey.bars("binance:A/B", "1h").timeframe]
    store.delete(DatasetKey.bars("binance:BTC/USDT", "1h"))
    assert list(store.root.iterdir()) == []


def test_a_second_writer_waits_and_then_says_why(tmp_path: Path) -> None:
    store = Store(tmp_path, wait_s=0.05)
    with only_writer(tmp_path / KEY.folder), pytest.raises(DataError, match="another process is writing"):
        store.append(KEY, bars(5))
    assert store.append(KEY, bars(5)).rows == 5


def test_fingerprints_depend_on_content_alone(tmp_path: Path) -> None:
    one, two = Store(tmp_path / "one"), Store(tmp_path / "two")
    one.append(KEY, bars(500))
    two.append(KEY, bars(300))
    two.append(KEY, bars(500))
    assert one.fingerprint(KEY) == two.fingerprint(KEY)
    two.append(KEY, bars(1, base=101.0))
    assert one.fingerprint(KEY) != two.fingerprint(KEY)
    chunked = pl.concat([bars(300), bars(500).slice(300)], rechunk=False)
    assert fingerprint(chunked) == fingerprint(bars(500))
    assert fingerprint(trades(9)) != fingerprint(trades(9).with_columns(pl.lit("buy").alias("side")))
    assert fingerprint(bars(5)) != fingerprint(bars(5).rename({"open": "close", "close": "open"}))


def test_the_catalog_describes_without_reading_data(store: Store) -> None:
    frame = bars(3000, start=START - 1000 * MINUTE)
    store.append(KEY, frame.filter(pl.col("ts") % (10 * MINUTE) != 0))
    store.append(DatasetKey.trades("binance:XRP/ETH"), trades(20))
    for path in store.root.rglob("*.parquet"):
        path.write_bytes(b"x" * path.stat().st_size)
    info, other = Catalog(store).list()
    assert (info.name, info.kind, str(info.timeframe), info.market_type) == (KEY.name, "bars", "1m", "spot")
    assert (info.rows, info.missing, info.files) == (2700, 299, 2)
    assert (info.first, info.last) == (frame["ts"][1], frame["ts"][-1])
    assert info.to_dict()["first"] == "2022-12-31T07:21:00Z"
    assert (other.kind, other.missing, other.timeframe) == ("trades", None, None)


@pytest.mark.parametrize(
    ("name", "kind", "timeframe", "folder", "market", "partition"),
    [
        ("binance:BTC/USDT", "bars", "1m", "binance/spot/BTC_USDT/bars/1m", "spot", "year"),
        ("binance:BTC/USDT", "bars", "1M", "binance/spot/BTC_USDT/bars/1mo", "spot", "all"),
        ("binance:BTC/USDT", "bars", "1s", "binance/spot/BTC_USDT/bars/1s", "spot", "month"),
        ("gate:BTC/USDT:USDT", "mark", "8h", "gate/linear/BTC_USDT_USDT/mark/8h", "linear", "year"),
        (
            "binance:BTC/USD:BTC",
            "funding",
            None,
            "binance/inverse/BTC_USD_BTC/funding/events",
            "inverse",
            "all",
        ),
        ("okx:A_B/C%:C%", "trades", None, "okx/linear/A%5FB_C%25_C%25/trades/events", "linear", "day"),
        (
            "okx:BTC/USDT:USDT-260327",
            "bars",
            "1d",
            "okx/linear/BTC_USDT_USDT-260327/bars/1d",
            "linear",
            "all",
        ),
    ],
)
def test_folders_name_datasets(
    name: str, kind: str, timeframe: str | None, folder: str, market: str, partition: str
) -> None:
    key = DatasetKey.of(name, kind, timeframe)
    assert key.folder.as_posix() == folder
    assert key.market_type is MarketType(market)
    assert key.partition is Partition(partition)


def test_keys_refuse_what_makes_no_sense() -> None:
    with pytest.raises(InputError, match="need a timeframe"):
        DatasetKey.of("binance:BTC/USDT", "bars")
    with pytest.raises(InputError, match="have no timeframe"):
        DatasetKey.of("binance:BTC/USDT", "trades", "1m")
    with pytest.raises(InputError, match="unknown kind of data 'candles'"):
        DatasetKey.of("binance:BTC/USDT", "candles", "1m")
