"""Bars of higher timeframes: labels, edges, calendars, trades, real files, and joins without look-ahead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cashup.data.resample import bars_from_trades, fill_flat, resample
from cashup.data.timeline import bar_closes, close_times, closed_bars, floor_times
from cashup.model.errors import InputError
from cashup.model.time import NS_PER_MS, Timeframe

MINUTE = 60_000
START = 1_672_531_200_000


def bars(opens: list[int]) -> pl.DataFrame:
    count = len(opens)
    value = np.arange(count, dtype=float) + 10
    return pl.DataFrame(
        {"ts": opens, "open": value, "high": value + 2, "low": value - 2, "close": value + 1, "volume": value}
    )


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_a_bar_is_named_by_its_open_and_closes_before_the_next() -> None:
    made = resample(bars([START + MINUTE * i for i in range(10)]), "1m", "5m")
    assert made.rows() == [
        (START, 10.0, 16.0, 8.0, 15.0, 60.0),
        (START + 5 * MINUTE, 15.0, 21.0, 13.0, 20.0, 85.0),
    ]


def test_uncovered_edges_are_dropped_kept_or_flagged() -> None:
    source = bars([START + MINUTE * i for i in range(3, 13)])
    assert resample(source, "1m", "5m")["ts"].to_list() == [START + 5 * MINUTE]
    kept = resample(source, "1m", "5m", partial="keep")
    assert kept["ts"].to_list() == [START, START + 5 * MINUTE, START + 10 * MINUTE]
    flagged = resample(source, "1m", "5m", partial="flag")
    assert flagged["complete"].to_list() == [False, True, False]
    assert flagged.drop("complete").equals(kept)


def test_gaps_inside_leave_the_remaining_bars() -> None:
    source = bars([START, START + 4 * MINUTE, START + 15 * MINUTE, START + 19 * MINUTE])
    assert resample(source, "1m", "5m")["ts"].to_list() == [START, START + 15 * MINUTE]


def test_weeks_open_on_monday_and_months_on_the_first() -> None:
    day = 24 * 60 * MINUTE
    source = bars([ms("2024-01-01") + day * i for i in range(91)])  # January to March of a leap year
    weeks = resample(source, "1d", "1w")
    assert weeks["ts"].to_list() == [ms("2024-01-01") + 7 * day * i for i in range(13)]
    months = resample(source, "1d", "1M")
    assert months["ts"].to_list() == [ms("2024-01-01"), ms("2024-02-01"), ms("2024-03-01")]
    assert months["open"].to_list() == [10.0, 41.0, 70.0]
    assert resample(source, "1d", "3M")["close"].to_list() == [101.0]
    assert resample(source.slice(1), "1d", "3M").is_empty()


def test_mark_prices_and_empty_frames() -> None:
    source = bars([START + MINUTE * i for i in range(5)]).drop("volume")
    assert resample(source, "1m", "5m").columns == ["ts", "open", "high", "low", "close"]
    assert resample(source.clear(), "1m", "5m").is_empty()
    assert resample(source.clear(), "1m", "5m", partial="flag").columns[-1] == "complete"


def test_a_timeframe_must_be_made_of_whole_bars() -> None:
    for source, target in (("5m", "7m"), ("1h", "15m"), ("1w", "1M"), ("4h", "6h")):
        with pytest.raises(InputError):
            resample(bars([START]), source, target)


def trades(*rows: tuple[int, float, float]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["ts", "price", "amount"], orient="row")


def test_bars_of_trades() -> None:
    source = trades(
        (START, 10.0, 1.0),
        (START + 1, 12.0, 2.0),
        (START + 59_999, 9.0, 3.0),
        (START + 60_000, 11.0, 1.0),
        (START + 200_000, 13.0, 1.0),
    )
    made = bars_from_trades(source, "1m")
    assert made.rows() == [(START, 10.0, 12.0, 9.0, 9.0, 6.0), (START + MINUTE, 11.0, 11.0, 11.0, 11.0, 1.0)]
    whole = bars_from_trades(source, "1m", until=START + 240_000, fill=True)
    assert whole["ts"].to_list() == [START + MINUTE * i for i in range(4)]
    assert whole.row(2) == (START + 2 * MINUTE, 11.0, 11.0, 11.0, 11.0, 0.0)
    late = bars_from_trades(source.slice(1), "1m")
    assert late["ts"].to_list() == [START + MINUTE]
    assert bars_from_trades(source.slice(1), "1m", since=START)["ts"].to_list() == [START, START + MINUTE]
    assert bars_from_trades(source.clear(), "1m").is_empty()


def test_bars_without_gaps() -> None:
    months = bars([ms("2023-01-01"), ms("2023-04-01")])
    assert fill_flat(months, "1M")["ts"].to_list() == [
        ms(text) for text in ("2023-01-01", "2023-02-01", "2023-03-01", "2023-04-01")
    ]
    assert fill_flat(months, "1M")["close"].to_list() == [11.0, 11.0, 11.0, 12.0]


@pytest.mark.parametrize("text", ["1s", "7200s", "15m", "4h", "1d", "3d", "1w", "1M", "3M", "12M"])
def test_arrays_of_times_agree_with_timeframes(text: str) -> None:
    timeframe = Timeframe.parse(text)
    generator = np.random.default_rng(3)
    times = generator.integers(0, 4_000_000_000_000, 500)
    for ts, floor, end in zip(
        times, floor_times(times, timeframe), close_times(times, timeframe), strict=True
    ):
        assert floor * NS_PER_MS == timeframe.floor(int(ts) * NS_PER_MS)
        assert end * NS_PER_MS == timeframe.next_open(int(ts) * NS_PER_MS)


def test_a_higher_bar_is_seen_when_it_has_closed_and_not_before() -> None:
    lower = np.array([START + 15 * MINUTE * i for i in range(9)])
    higher = np.array([START - 60 * MINUTE, START, START + 60 * MINUTE])
    counts = closed_bars(lower, Timeframe.parse("15m"), higher, Timeframe.parse("1h"))
    # The hour from 00:00 closes at 01:00, which is when the quarter from 00:45 closes.
    assert counts.tolist() == [1, 1, 1, 2, 2, 2, 2, 3, 3]


def test_months_close_by_the_calendar() -> None:
    month = Timeframe.parse("1M")
    opens = np.array([ms("2024-01-01"), ms("2024-02-01")])
    assert bar_closes(opens, month).tolist() == [ms("2024-02-01"), ms("2024-03-01")]
    days = np.array([ms("2024-02-01") + int(timedelta(days=i).total_seconds() * 1000) for i in range(-2, 30)])
    counts = closed_bars(days, Timeframe.parse("1d"), opens, month)
    assert counts.tolist() == [0] + [1] * 29 + [2] * 2


@pytest.mark.parametrize(
    ("source", "target", "lower", "higher"),
    [
        ("5m", "1h", "binance_spot/BTCUSDT_5m_2023", "binance_spot/BTCUSDT_1h_2023"),
        ("5m", "1h", "binance_spot/ETHUSDT_5m_2023", "binance_spot/ETHUSDT_1h_2023"),
        ("1m", "15m", "binance_spot/BTCUSDT_1m_2025-05_2025-08", "binance_spot/BTCUSDT_15m_2025-05_2025-08"),
        ("5m", "1h", "gate_futures/BTC_USDT_5m_2023-01_2023-09", "gate_futures/BTC_USDT_1h_2023-01_2023-09"),
        ("1h", "1d", "gate_futures/BTC_USDT_1h_2023-01_2023-09", "gate_futures/BTC_USDT_1d_2023-01_2023-09"),
    ],
)
def test_real_bars_equal_the_exchange_s_own(
    shared_data: Path, source: str, target: str, lower: str, higher: str
) -> None:
    made = resample(pl.read_parquet(shared_data / f"klines/{lower}.parquet"), source, target)
    own = pl.read_parquet(shared_data / f"klines/{higher}.parquet")
    own = own.filter(pl.col("ts").is_between(made["ts"][0], made["ts"][-1]))
    prices = ["ts", "open", "high", "low", "close"]
    assert made.select(prices).equals(own.select(prices))
    assert np.allclose(made["volume"], own["volume"], rtol=1e-14, atol=0)
