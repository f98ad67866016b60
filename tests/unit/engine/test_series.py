"""Columns remember their frame; series never look ahead."""

import math
import pickle

import numpy as np
import pytest

from cashup.engine.bars import BarTable, MarketView, resample
from cashup.engine.series import Column, first_known, series_of
from cashup.model.errors import InputError, UnknownNameError
from cashup.model.time import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, Timeframe, parse_time
from unit.engine.market_builders import bar_table


@pytest.fixture
def view():
    return MarketView((bar_table(50), bar_table(40, name="ETH/USDT", seed=2)))


def test_columns_keep_their_frame_through_arithmetic_and_lose_it_when_cut(view):
    bars = view.primary
    ratio = np.log(bars.close / bars.open) * 2.0 + 1.0
    assert isinstance(ratio, Column)
    assert ratio.frame is bars.frame
    assert np.where(bars.close > 100.0, 1.0, 0.0).frame is bars.frame
    assert np.maximum.accumulate(bars.high).frame is bars.frame
    assert bars.close[10:].frame is None
    assert type(bars.close.sum()) is np.float64


def test_columns_of_different_bars_do_not_mix(view):
    bars = view.primary
    with pytest.raises(InputError, match=r"column\.on\(bars\)"):
        bars.close - bars.at("5m").close
    joined = bars.at("5m").close.on(bars)
    assert joined.frame is bars.frame
    assert np.isnan(joined[:4]).all()
    assert (joined[4:9] == bars.close[4]).all()  # until the next five minutes end


def test_bars_are_read_only(view):
    with pytest.raises(ValueError, match="read-only"):
        view.primary.close[0] = 1.0


def test_shift_looks_back_only(view):
    close = view.primary.close
    assert close.shift(2)[2] == close[0]
    with pytest.raises(InputError, match="looks ahead"):
        close.shift(-1)


def test_a_pickled_column_is_plain_data(view):
    assert type(pickle.loads(pickle.dumps(view.primary.close))) is np.ndarray


def test_series_count_back_from_the_cursor(view):
    cursor = [7]
    close = view.primary.close
    series = series_of(close, view.primary.frame, cursor)
    series.unroll()
    assert (series[0], series[3]) == (close[7], close[4])
    assert math.isnan(series[8])
    cursor[0] = 8
    assert series[0] == close[8]
    with pytest.raises(IndexError, match="looks ahead"):
        series[-1]
    with pytest.raises(TypeError):
        len(series)
    with pytest.raises(TypeError):
        list(series)


def test_series_of_a_longer_timeframe_count_in_their_own_closed_bars(view):
    bars = view.primary.at("5m")
    cursor = [3]
    series = series_of(bars.close, bars.frame, cursor)
    series.unroll()
    assert math.isnan(series[0])  # the first five minutes end with bar 4
    cursor[0] = 13
    assert (series[0], series[1]) == (bars.close[1], bars.close[0])
    assert first_known(series) == 4


def test_the_first_known_bar_skips_the_warm_up(view):
    values = np.asarray(view.primary.close).copy()
    values[:6] = np.nan
    assert first_known(series_of(values, view.primary.frame, [0])) == 6
    assert first_known(series_of(np.full(50, np.nan), view.primary.frame, [0])) == 50


def test_another_instrument_has_its_own_bars(view):
    other = view.primary.of("ETH/USDT")
    assert len(other) == 40
    assert other.frame.seen.tolist()[-3:] == [39, 39, 39]
    with pytest.raises(UnknownNameError, match="ETH/USDT"):
        view.primary.of("ETH/USD")


def test_resampled_bars_are_whole_and_exact():
    table = bar_table(3 * 60 + 7, timeframe="1m", start=parse_time("2023-01-01T00:50:00Z"))
    hours = resample(table, Timeframe.parse("1h"), int(table.close_ts[-1]))
    assert hours.open_ts.tolist() == [parse_time("2023-01-01T01:00:00Z"), parse_time("2023-01-01T02:00:00Z")]
    cut = slice(10, 70)
    assert hours.open[0] == table.open[10]
    assert hours.high[0] == table.high[cut].max()
    assert hours.low[0] == table.low[cut].min()
    assert hours.close[0] == table.close[69]
    assert hours.volume[0] == pytest.approx(table.volume[cut].sum(), rel=1e-12)


def test_months_close_with_the_calendar():
    ts = parse_time("2023-01-01") + np.arange(90, dtype=np.int64) * NS_PER_DAY
    ones = np.ones(90)
    days = BarTable.of("X", "1d", ts, ones, ones, ones, ones, ones)
    months = resample(days, Timeframe.parse("1M"), int(days.close_ts[-1]))
    assert months.volume.tolist() == [31.0, 28.0, 31.0]
    assert months.close_ts[1] == parse_time("2023-03-01")


def test_only_whole_multiples_can_be_resampled():
    table = bar_table(10, timeframe="15m")
    with pytest.raises(InputError, match="whole multiple"):
        resample(table, Timeframe.parse("20m"), int(table.close_ts[-1]))


def test_tables_are_checked():
    good = [np.arange(3, dtype=np.int64) * NS_PER_MINUTE, *([np.ones(3)] * 5)]
    with pytest.raises(InputError, match="different lengths"):
        BarTable.of("X", "1m", *good[:-1], np.ones(2))
    with pytest.raises(InputError, match="order of time"):
        BarTable.of("X", "1m", good[0][::-1], *good[1:])
    assert BarTable.of("X", "1h", good[0] * 60, *good[1:]).close_ts[0] == NS_PER_HOUR
