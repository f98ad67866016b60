"""Files as Binance's archive, freqtrade, ccxt, pandas and polars make them."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from cashup.data.datasets import DataKind
from cashup.data.importers import from_frame, read_file
from cashup.data.importers.naming import guess_from_path
from cashup.model.errors import DataError, InputError

START = 1_672_531_200_000
BARS = pl.DataFrame(
    {
        "ts": [START + 300_000 * i for i in range(4)],
        "open": [1.0, 2.0, 3.0, 4.0],
        "high": [2.0, 3.0, 4.0, 5.0],
        "low": [0.5, 1.5, 2.5, 3.5],
        "close": [1.5, 2.5, 3.5, 4.5],
        "volume": [10.0, 0.0, 30.0, 40.0],
    }
)


def zipped(path: Path, lines: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(path.with_suffix(".csv").name, "\n".join(lines) + "\n")
    return path


def klines(scale: int = 1) -> list[str]:
    return [
        f"{ts * scale},{o},{h},{low},{c},{v},{(ts + 299_999) * scale},99.5,12,5.0,50.0,0"
        for ts, o, h, low, c, v in BARS.rows()
    ]


@pytest.mark.parametrize("scale", [1, 1000], ids=["milliseconds", "microseconds"])
def test_binance_spot_klines(tmp_path: Path, scale: int) -> None:
    imported = read_file(zipped(tmp_path / "BTCUSDT-5m-2025-01.zip", klines(scale)))
    assert imported.frame.equals(BARS)
    assert (imported.kind, str(imported.timeframe), imported.name) == ("bars", "5m", "binance:BTC/USDT")


def test_binance_futures_klines_with_a_header(tmp_path: Path) -> None:
    header = (
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
        "taker_buy_volume,taker_buy_quote_volume,ignore"
    )
    path = tmp_path / "data/futures/um/monthly/klines/ETHUSDT/5m/ETHUSDT-5m-2023-01.zip"
    imported = read_file(zipped(path, [header, *klines()]))
    assert imported.frame.equals(BARS)
    assert imported.name == "binance:ETH/USDT:USDT"


def test_binance_mark_price_klines(tmp_path: Path) -> None:
    path = tmp_path / "data/futures/um/monthly/markPriceKlines/ETHUSDT/5m/ETHUSDT-5m-2023-01.zip"
    imported = read_file(zipped(path, klines()))
    assert imported.kind is DataKind.MARK
    assert imported.frame.equals(BARS.drop("volume"))


def test_binance_aggregated_trades(tmp_path: Path) -> None:
    spot = ["100,0.5,10.0,1,2,1672531200000123,True,True", "101,0.6,20.0,3,3,1672531200000456,False,True"]
    expected = pl.DataFrame(
        {
            "ts": [START, START],
            "id": ["100", "101"],
            "side": ["sell", "buy"],
            "price": [0.5, 0.6],
            "amount": [10.0, 20.0],
        }
    )
    imported = read_file(zipped(tmp_path / "XRPUSDT-aggTrades-2025-01-01.zip", spot))
    assert imported.kind is DataKind.TRADES
    assert imported.frame.equals(expected)
    assert imported.timeframe is None
    futures = [
        "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker",
        f"100,0.5,10.0,1,2,{START},true",
        f"101,0.6,20.0,3,3,{START},false",
    ]
    path = tmp_path / "futures/um/XRPUSDT-aggTrades-2023-01.zip"
    imported = read_file(zipped(path, futures))
    assert imported.frame.equals(expected)
    assert imported.name == "binance:XRP/USDT:USDT"


def test_binance_single_trades(tmp_path: Path) -> None:
    lines = [f"7,0.5,10.0,5.0,{START},True,True", f"8,0.6,20.0,12.0,{START + 1},False,True"]
    imported = read_file(zipped(tmp_path / "XRPUSDT-trades-2023-01.zip", lines))
    assert imported.frame["side"].to_list() == ["sell", "buy"]
    assert imported.frame["ts"].to_list() == [START, START + 1]


@pytest.mark.parametrize("header", [[], ["calc_time,funding_interval_hours,last_funding_rate"]])
def test_binance_funding_rates(tmp_path: Path, header: list[str]) -> None:
    lines = [f"{START + 3},8,0.00010000", f"{START + 8 * 3_600_000},8,-0.00002500"]
    imported = read_file(zipped(tmp_path / "BTCUSDT-fundingRate-2023-01.zip", [*header, *lines]))
    assert imported.kind is DataKind.FUNDING
    assert imported.name == "binance:BTC/USDT:USDT"
    assert imported.frame.rows() == [(START + 3, 0.0001), (START + 8 * 3_600_000, -0.000025)]


def candles(frame: pl.DataFrame = BARS) -> pd.DataFrame:
    """Return bars the way freqtrade keeps them."""
    pandas = pd.DataFrame({name: frame[name].to_numpy() for name in frame.columns if name != "ts"})
    pandas.insert(0, "date", pd.to_datetime(frame["ts"].to_numpy(), unit="ms", utc=True))
    return pandas


@pytest.mark.parametrize(
    ("name", "kind", "instrument"),
    [
        ("binance/ETH_BTC-5m.feather", "bars", "binance:ETH/BTC"),
        ("gateio/futures/XRP_USDT_USDT-5m-futures.feather", "bars", "gate:XRP/USDT:USDT"),
        ("XRP_USDT_USDT-5m-mark.feather", "mark", "file:XRP/USDT:USDT"),
    ],
)
def test_freqtrade_feather(tmp_path: Path, name: str, kind: str, instrument: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    candles().to_feather(path, compression="lz4")
    imported = read_file(path)
    assert (imported.kind, imported.name, str(imported.timeframe)) == (kind, instrument, "5m")
    assert imported.frame.equals(BARS if kind == "bars" else BARS.drop("volume"))


def test_freqtrade_funding_rates_stand_in_the_open(tmp_path: Path) -> None:
    frame = candles(BARS.with_columns(ts=pl.col("ts") + pl.int_range(4) * 28_500_000))
    frame["open"] = [0.0001, -0.0002, 0.0, 0.0003]
    frame[["high", "low", "close", "volume"]] = 0.0
    path = tmp_path / "XRP_USDT_USDT-8h-funding_rate.feather"
    frame.to_feather(path)
    imported = read_file(path)
    assert imported.kind is DataKind.FUNDING
    assert imported.frame["funding_rate"].to_list() == [0.0001, -0.0002, 0.0, 0.0003]
    assert imported.frame["ts"][1] == START + 8 * 3_600_000


def test_freqtrade_and_ccxt_json(tmp_path: Path) -> None:
    rows = [list(row) for row in BARS.rows()]
    for name, content in {
        "ETH_BTC-5m.json": json.dumps(rows).encode(),
        "ETH_BTC-5m.json.gz": gzip.compress(json.dumps(rows).encode()),
        "indented.json": json.dumps(rows, indent=2).encode(),
        "wrapped.json": json.dumps({"code": 0, "data": {"candles": rows}}).encode(),
        "texts.json": json.dumps([[row[0], *map(str, row[1:]), "more"] for row in rows]).encode(),
        "lines.jsonl": "\n".join(map(json.dumps, rows)).encode(),
        "objects.json": json.dumps(BARS.to_dicts()).encode(),
        "objects.ndjson": "\n".join(map(json.dumps, BARS.to_dicts())).encode(),
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        imported = read_file(path)
        assert imported.frame.equals(BARS), name
        assert str(imported.timeframe) == "5m"
    assert read_file(tmp_path / "ETH_BTC-5m.json").name == "file:ETH/BTC"


def test_ccxt_trades_and_funding_json(tmp_path: Path) -> None:
    path = tmp_path / "trades.json"
    trade = {
        "id": "5",
        "timestamp": START,
        "datetime": "2023-01-01T00:00:00.000Z",
        "side": "buy",
        "price": 10.5,
        "amount": 2,
        "info": {"x": 1},
    }
    path.write_text(json.dumps([trade, {**trade, "id": "6", "side": "sell"}]))
    assert read_file(path).frame.rows() == [(START, "5", "buy", 10.5, 2.0), (START, "6", "sell", 10.5, 2.0)]
    path.write_text(json.dumps([{"symbol": "BTC/USDT:USDT", "fundingRate": 0.0001, "timestamp": START}]))
    assert read_file(path).frame.rows() == [(START, 0.0001)]
    path.write_text(json.dumps([[START, "9", None, "sell", 0.5, 4.0, 2.0]]))
    assert read_file(path).frame.rows() == [(START, "9", "sell", 0.5, 4.0)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            '[[1672531200000,1,2,0.5,1.5,"x"],[1672531500000,1,2,0.5,1.5,1]]',
            r"row 1: this is not a number.*'x'",
        ),
        ("[[1672531200000,1,2,0.5,1.5,1],[1672531500000,1,2]]", "row 2 is not like the first"),
        ("[[1672531200000,1,2,0.5,1.5,null],[1672531500000,1,2,0.5,1.5,1]]", "row 1: there is no value"),
        ("[[1672531200000,1,2,0.5", "not JSON"),
        ("[]", "the list is empty"),
        ("[1,2]", "does not hold rows"),
        ('{"a": 1}', "the JSON is an object with a"),
        ("[[1672531200000,1,2]]", "the first row has 3 values"),
        ('[{"foo": 1}]', "no market data"),
    ],
)
def test_wrong_json(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "bars.json"
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        read_file(path)


def test_parquet_and_feather_of_others(tmp_path: Path) -> None:
    BARS.write_parquet(tmp_path / "a.parquet")
    candles().to_parquet(tmp_path / "b.parquet")
    candles().set_index("date").to_parquet(tmp_path / "c.parquet")
    BARS.with_columns(pl.from_epoch("ts", time_unit="ms")).write_ipc(tmp_path / "d.feather")
    for name in ("a.parquet", "b.parquet", "c.parquet", "d.feather"):
        assert read_file(tmp_path / name).frame.equals(BARS), name


def _index(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_index("date")


def _naive(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(date=frame["date"].dt.tz_localize(None)).set_index("date")


def _elsewhere(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(date=frame["date"].dt.tz_convert("Asia/Shanghai"))


def _capital(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_index("date").rename(columns=str.capitalize)


@pytest.mark.parametrize("change", [_index, _naive, _elsewhere, _capital])
def test_pandas_frames(change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    assert from_frame(change(candles())).frame.equals(BARS)


def test_polars_frames() -> None:
    assert from_frame(BARS).frame.equals(BARS)
    assert from_frame(BARS.lazy()).frame.equals(BARS)
    whole = BARS.with_columns(pl.col("volume").cast(pl.Int64))
    assert from_frame(whole).frame.equals(BARS)
    with pytest.raises(DataError, match="row 2: time goes backwards"):
        from_frame(BARS.reverse())
    with pytest.raises(InputError, match="of type int"):
        from_frame(7)


@pytest.mark.parametrize(
    ("path", "name", "timeframe"),
    [
        ("BTCUSDT-1m-2024-01.zip", "binance:BTC/USDT", "1m"),
        ("futures/cm/BTCUSD_PERP-1h-2024-01.zip", "binance:BTC/USD:BTC", "1h"),
        ("futures/um/BTCUSDT_240329-1h-2024-01.zip", "binance:BTC/USDT:USDT-240329", "1h"),
        ("BTCUSDT-1mo-2024-01.zip", "binance:BTC/USDT", "1M"),
        ("user_data/data/gateio/BTC_USDT-1h.feather", "gate:BTC/USDT", "1h"),
        ("okx/futures/BTC_USDT_USDT-4h-futures.feather", "okx:BTC/USDT:USDT", "4h"),
        ("binance_usdm/BTCUSDT_5m_2023.parquet", "binance:BTC/USDT:USDT", "5m"),
        ("gate_futures/BTC_USDT_1h_2023-01_2023-09.parquet", "gate:BTC/USDT:USDT", "1h"),
        ("kraken/BTC-EUR.csv", "kraken:BTC/EUR", None),
        ("ETHBTC.csv.gz", "file:ETH/BTC", None),
        ("my_prices.csv", None, None),
        ("GOOG.csv", None, None),
    ],
)
def test_what_paths_say(path: str, name: str | None, timeframe: str | None) -> None:
    guess = guess_from_path(Path(path))
    assert guess.name == name
    assert (guess.timeframe and str(guess.timeframe)) == timeframe


def test_real_files(shared_data: Path) -> None:
    for path in sorted(shared_data.glob("klines/binance_*m/*.parquet")):
        imported = read_file(path)
        assert imported.kind is DataKind.BARS
        assert imported.name is not None
        assert f"_{imported.timeframe}_" in path.name
    panel = shared_data / "klines/binance_panel/panel_1h_12_majors_2022_2024.parquet"
    assert read_file(panel, symbol="BTCUSDT").frame.height > 8000
    trades = read_file(shared_data / "trades/binance_spot/XRPETH_2019-10.parquet")
    assert trades.kind is DataKind.TRADES
    for path in shared_data.glob("book/nautilus_samples/*depth*.csv"):
        with pytest.raises(DataError, match="no market data we know"):
            read_file(path)
