"""Indicators against TA-Lib's own numbers, exact sums, and nothing that looks ahead."""

import math
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashup import ta
from cashup.engine.bars import PRICES, BarTable, MarketView
from cashup.model.errors import InputError, UnknownNameError
from unit.engine.market_builders import bar_table

SHARED = Path(os.environ.get("CASHUP_SHARED_DATA", Path(__file__).parents[4] / "shared/data"))
REFERENCE = SHARED / "reference/talib_BTCUSDT_1h_2023.parquet"
BARS = SHARED / "klines/binance_spot/BTCUSDT_1h_2023.parquet"


@pytest.fixture
def bars():
    return MarketView((bar_table(400),)).primary


@pytest.mark.skipif(not REFERENCE.exists(), reason=f"shared market data is missing: {REFERENCE}")
def test_values_equal_talib_reference():
    reference, frame = pl.read_parquet(REFERENCE), pl.read_parquet(BARS)
    table = BarTable.of(
        "BTC", "1h", frame["ts"].to_numpy() * 1_000_000, *(frame[c].to_numpy() for c in PRICES)
    )
    bars = MarketView((table,)).primary
    bands, macd, stochastic = (
        ta.BBANDS(bars.close, 20),
        ta.MACD(bars.close, 12, 26, 9),
        ta.STOCH(bars, 14, 3, 0, 3, 0),
    )
    ours = {
        "sma20": ta.SMA(bars.close, 20),
        "ema20": ta.EMA(bars.close, timeperiod=20),
        "rsi14": ta.RSI(bars.close, 14),
        "macd": macd.macd,
        "macd_signal": macd.macdsignal,
        "macd_hist": macd.macdhist,
        "bb_up": bands.upperband,
        "bb_low": bands.lowerband,
        "atr14": ta.ATR(bars, 14),
        "adx14": ta.ADX(bars, 14),
        "stoch_k": stochastic.slowk,
        "stoch_d": stochastic.slowd,
        "cci20": ta.CCI(bars, 20),
        "obv": ta.OBV(bars),
        "mfi14": ta.MFI(bars.high, bars.low, bars.close, bars.volume, 14),
        "sar": ta.SAR(bars, 0.02, 0.2),
        "stddev20": ta.rolling_std(bars.close, 20),
        "donch_hi20": ta.donchian(bars, 20).upper,
        "donch_lo20": ta.rolling_min(bars.low, 20),
    }
    for name, values in ours.items():
        expected = reference[name].to_numpy().astype(float)
        np.testing.assert_allclose(np.asarray(values), expected, rtol=1e-9, atol=1e-6, err_msg=name)


def test_results_are_columns_of_the_same_bars(bars):
    assert ta.RSI(bars.close, 14).frame is bars.frame
    assert ta.BBANDS(bars.close).middleband.frame is bars.frame
    assert type(ta.RSI(np.asarray(bars.close))) is np.ndarray


def test_leading_gaps_are_kept_and_inner_gaps_refused(bars):
    averaged = ta.EMA(ta.SMA(bars.close, 10), 5)
    assert np.isnan(averaged[:13]).all()
    assert not np.isnan(averaged[13:]).any()
    broken = bars.close.copy()
    broken[50] = np.nan
    with pytest.raises(InputError, match=r"bar 50 \(2023-01-01T00:50:00Z\)"):
        ta.RSI(broken, 14)


def test_wrong_calls_say_what_would_be_right(bars):
    with pytest.raises(UnknownNameError, match="Did you mean 'SMA'"):
        _ = ta.SMMA
    with pytest.raises(UnknownNameError, match="Did you mean 'timeperiod'"):
        ta.RSI(bars.close, timeperoid=3)
    with pytest.raises(InputError, match=r"ta\.ATR\(high, low, close, timeperiod=14\)"):
        ta.ATR(bars.close, 14)
    with pytest.raises(InputError, match="refused by TA-Lib"):
        ta.RSI(bars.close, 0)
    with pytest.raises(InputError, match="integer of at least 1"):
        ta.SMA(bars.close, 2.5)


@given(
    st.lists(st.integers(1, 10**7), min_size=12, max_size=60),
    st.integers(1, 6),
    st.sampled_from([1, 100, 10**4]),
)
def test_averages_of_decimal_prices_are_exact(cents, period, scale):
    values = np.array(cents, dtype=np.float64) / scale
    ours = ta.SMA(values, period)
    exact = [
        float(Fraction(sum(cents[at - period + 1 : at + 1]), period * scale))
        for at in range(period - 1, len(cents))
    ]
    assert ours[period - 1 :].tolist() == exact


@given(st.lists(st.floats(1e-3, 1e5), min_size=8, max_size=50), st.integers(1, 8))
def test_sums_of_any_prices_are_rounded_once(prices, period):
    ours = ta.rolling_sum(np.array(prices), period)
    exact = [math.fsum(prices[at - period + 1 : at + 1]) for at in range(period - 1, len(prices))]
    np.testing.assert_array_max_ulp(ours[period - 1 :], np.array(exact), maxulp=1)


def test_equal_averages_do_not_cross():
    flat = np.full(200, 0.1)
    flat[:50] = np.linspace(0.5, 0.1, 50).round(3)
    fast, slow = ta.SMA(flat, 5), ta.SMA(flat, 20)
    assert (fast[80:] == slow[80:]).all()
    assert not ta.crossed_above(fast, slow)[80:].any()


OURS = {
    "vwap": lambda b: ta.vwap(b),
    "rolling vwap": lambda b: ta.vwap(b, 10),
    "supertrend": lambda b: ta.supertrend(b, 7, 2.0).line,
    "heikin ashi": lambda b: ta.heikin_ashi(b).open,
    "keltner": lambda b: ta.keltner(b, 20).upper,
    "ichimoku": lambda b: ta.ichimoku(b).span_b,
    "rank": lambda b: ta.rolling_rank(b.close, 30),
    "zscore": lambda b: ta.zscore(b.close, 30),
    "std": lambda b: ta.rolling_std(b.close, 9),
    "max": lambda b: ta.rolling_max(b.high, 13),
    "crossed": lambda b: ta.crossed_above(b.close, ta.SMA(b.close, 10)),
    "joined": lambda b: b.at("5m").close.on(b),
}


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("cut", [150, 273])
def test_no_value_depends_on_later_bars(name, cut):
    whole, part = bar_table(400), bar_table(400)
    part = BarTable.of(
        "BTC/USDT", "1m", part.open_ts[:cut], *(getattr(part, field)[:cut] for field in PRICES)
    )
    of_all = np.asarray(OURS[name](MarketView((whole,)).primary))
    of_part = np.asarray(OURS[name](MarketView((part,)).primary))
    np.testing.assert_array_equal(of_all[:cut], of_part)


def test_rolling_extremes_equal_the_plain_way(bars):
    for period in (1, 2, 3, 7, 16, 31):
        expected = [max(bars.high[at - period + 1 : at + 1]) for at in range(period - 1, len(bars))]
        assert ta.rolling_max(bars.high, period)[period - 1 :].tolist() == expected


def test_names_are_listed():
    assert {"SMA", "RSI", "supertrend"} <= set(dir(ta))
    assert not hasattr(ta, "no_such_thing")
