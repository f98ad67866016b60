"""What a check finds in bars, and what each fault costs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cashup.data.importers import read_file
from cashup.data.quality import WEIGHTS, QualityReport, Run, check

HOUR = 3_600_000
START = 1_672_531_200_000


def bars(count: int = 2000, *, seed: int = 1) -> pl.DataFrame:
    """Return hourly bars of a random walk with nothing wrong."""
    generator = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.003, count)))
    opened = np.concatenate(([100.0], close[:-1]))
    wick = np.abs(generator.normal(0, 0.001, (2, count)))
    return pl.DataFrame(
        {
            "ts": START + HOUR * np.arange(count),
            "open": opened,
            "high": np.maximum(opened, close) * (1 + wick[0]),
            "low": np.minimum(opened, close) * (1 - wick[1]),
            "close": close,
            "volume": generator.uniform(1, 9, count),
        }
    )


def with_value(frame: pl.DataFrame, row: int, **values: float) -> pl.DataFrame:
    here = pl.int_range(pl.len()) == row
    return frame.with_columns(
        pl.when(here).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
        for name, value in values.items()
    )


def test_clean_bars_have_a_hundred_points() -> None:
    report = check(bars(), "1h", now=START + 3000 * HOUR)
    assert (report.score, report.costs) == (100.0, {})
    assert (report.rows, report.missing, report.repeated, report.invalid, report.stale) == (2000, 0, 0, 0, 0)
    assert report.outliers == ()
    assert report.partial_last is False


def test_no_bars_have_no_points() -> None:
    assert check(bars().clear(), "1h").score == 0.0


def test_gaps_are_counted_and_placed() -> None:
    frame = bars().with_row_index("i").filter(~pl.col("i").is_in([10, 11, 12, 500])).drop("i")
    report = check(frame, "1h")
    assert report.gaps == (
        Run(first=START + 10 * HOUR, last=START + 12 * HOUR, bars=3),
        Run(first=START + 500 * HOUR, last=START + 500 * HOUR, bars=1),
    )
    assert report.missing == 4
    assert report.costs == {"missing": round(30 * (4 / 2000) / 0.05, 2)}


def test_months_are_counted_by_the_calendar() -> None:
    opens = [1_672_531_200_000, 1_675_209_600_000, 1_682_899_200_000]  # January, February, May 2023
    frame = bars(3).with_columns(ts=pl.Series(opens))
    assert check(frame, "1M").gaps == (Run(first=1_677_628_800_000, last=1_680_307_200_000, bars=2),)


def test_weekends_are_not_missing_from_daily_bars_that_have_none() -> None:
    days = [START + (1 + i) * 24 * HOUR for i in range(60)]
    frame = bars(60).with_columns(ts=pl.Series(days))
    weekdays = frame.filter(pl.from_epoch("ts", time_unit="ms").dt.weekday() <= 5)
    holiday = weekdays.filter(pl.col("ts") != START + 10 * 24 * HOUR)
    assert check(weekdays, "1d").missing == 0
    report = check(holiday, "1d")
    assert (report.missing, report.weekdays_only) == (1, True)


def test_repeated_and_backward_times() -> None:
    frame = pl.concat([bars().head(50), bars().slice(20, 5), bars().slice(50)])
    report = check(frame, "1h")
    assert (report.repeated, report.backwards, report.missing) == (5, 1, 0)
    assert "repeated" in report.costs


@pytest.mark.parametrize(
    "values",
    [
        {"high": 1.0},
        {"low": 1e9},
        {"close": -1.0},
        {"open": 0.0},
        {"close": float("nan")},
        {"volume": float("inf")},
        {"volume": -0.5},
    ],
    ids=str,
)
def test_impossible_bars(values: dict[str, float]) -> None:
    report = check(with_value(bars(), 700, **values), "1h")
    assert (report.invalid, report.first_invalid) == (1, START + 700 * HOUR)
    assert report.costs["invalid"] == round(40 * (1 / 2000) / 0.001, 2)


def test_zero_volume_and_stale_bars() -> None:
    frame = bars()
    for row in (100, 101, 102, 103, 900):
        frame = with_value(frame, row, volume=0.0)
    same = frame.row(1500, named=True)
    for row in (1501, 1502):
        frame = with_value(frame, row, **{name: same[name] for name in frame.columns if name != "ts"})
    report = check(frame, "1h")
    assert report.zero_volume == 5
    assert report.zero_volume_runs == (Run(first=START + 100 * HOUR, last=START + 103 * HOUR, bars=4),)
    assert report.stale_runs == (Run(first=START + 1501 * HOUR, last=START + 1502 * HOUR, bars=2),)


def test_spikes_jumps_and_wicks_are_told_apart() -> None:
    frame = bars()
    price = frame.item(300, "close")
    spiked = with_value(frame, 300, close=price * 1.3, high=price * 1.31)
    (spike,) = check(spiked, "1h").outliers
    assert (spike.kind, spike.ts) == ("spike", START + 300 * HOUR)
    assert spike.change == pytest.approx(0.3, abs=0.02)
    assert check(spiked, "1h").costs == {"spikes": 20.0}
    later = pl.int_range(pl.len()) >= 300
    prices = [
        pl.when(later).then(pl.col(name) * 1.3).otherwise(name).alias(name)
        for name in ("open", "high", "low", "close")
    ]
    (jump,) = (found for found in check(frame.with_columns(prices), "1h").outliers if found.kind != "wick")
    assert (jump.kind, jump.ts) == ("jump", START + 300 * HOUR)
    (wick,) = check(with_value(frame, 300, low=price * 0.7), "1h").outliers
    assert (wick.kind, wick.ts) == ("wick", START + 300 * HOUR)
    assert wick.change == pytest.approx(-0.3, abs=0.02)
    assert check(with_value(frame, 300, low=price * 0.7), "1h").score == 100.0


def test_wild_times_are_no_outliers() -> None:
    generator = np.random.default_rng(5)
    scale = np.where(np.arange(4000) // 1000 % 2, 0.03, 0.003)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 1, 4000) * scale))
    frame = pl.DataFrame(
        {"ts": START + HOUR * np.arange(4000), "open": close, "high": close, "low": close, "close": close}
    )
    assert check(frame, "1h").outliers == ()


def test_a_last_bar_that_has_not_ended() -> None:
    end = START + 2000 * HOUR
    assert check(bars(), "1h", now=end - 1).costs == {"partial_last": WEIGHTS["partial_last"][0]}
    assert check(bars(), "1h", now=end).partial_last is False
    assert check(bars(), "1h").partial_last is None


def test_a_report_is_json() -> None:
    frame = bars().slice(0, 100).filter(pl.col("ts") != START + 5 * HOUR)
    values = json.loads(json.dumps(check(frame, "1h").to_dict()))
    assert values["gaps"] == [{"first": "2023-01-01T05:00:00Z", "last": "2023-01-01T05:00:00Z", "bars": 1}]
    assert values["timeframe"] == "1h"
    assert values["score"] == check(frame, "1h").score


def test_scores_do_not_fall_below_zero() -> None:
    worst = QualityReport(
        timeframe=check(bars(), "1h").timeframe, rows=1, first=0, last=0, costs={"a": 70.0, "b": 50.0}
    )
    assert worst.score == 0.0


def test_the_known_outage_of_real_data_is_found(shared_data: Path) -> None:
    imported = read_file(shared_data / "klines/binance_spot/BTCUSDT_5m_2023.parquet")
    assert imported.timeframe is not None
    report = check(imported.frame, imported.timeframe)
    assert report.gaps == (Run(first=1_679_661_600_000, last=1_679_666_100_000, bars=16),)
    assert not [outlier for outlier in report.outliers if outlier.kind == "spike"]
    assert report.score > 99
    long = read_file(shared_data / "klines/binance_spot/BTCUSDT_1h_2017-08_2023-12.parquet")
    assert len(check(long.frame, "1h").gaps) == 28
