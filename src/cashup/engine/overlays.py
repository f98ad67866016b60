"""Indicators TA-Lib does not have: VWAP, Supertrend, Heikin-Ashi, Donchian, Keltner, Ichimoku, crossings.

Every value at a bar is computed from that bar and earlier ones only.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cashup.engine.bars import Bars
from cashup.engine.rolling import check_period, known_part, padded, rolling_max, rolling_min
from cashup.engine.series import Column, common_frame, framed
from cashup.engine.talib_library import library
from cashup.model.time import NS_PER_DAY


class Channel(NamedTuple):
    """Three lines around the price."""

    upper: Column
    middle: Column
    lower: Column


class Trend(NamedTuple):
    """A trailing line, and the side of the market it takes: 1.0 up, -1.0 down."""

    line: Column
    direction: Column


class Candles(NamedTuple):
    """Bars of another construction."""

    open: Column
    high: Column
    low: Column
    close: Column


class Ichimoku(NamedTuple):
    """The lines of Ichimoku Kinko Hyo as they are known at each bar."""

    conversion: Column
    base: Column
    span_a: Column
    span_b: Column


def crossed_above(first: Any, second: Any) -> Any:
    """Return where `first` is above `second` and was not one bar before."""
    return _crossed(first, second, 1.0)


def crossed_below(first: Any, second: Any) -> Any:
    """Return where `first` is below `second` and was not one bar before."""
    return _crossed(first, second, -1.0)


def _crossed(first: Any, second: Any, sign: float) -> Any:
    frame = common_frame((first, second))
    one = np.asarray(first, dtype=np.float64) * sign
    two = np.broadcast_to(np.asarray(second, dtype=np.float64) * sign, one.shape)
    crossed = np.zeros(one.shape, dtype=bool)
    crossed[1:] = (one[1:] > two[1:]) & (one[:-1] <= two[:-1])
    return framed(crossed, frame)


def vwap(bars: Bars, period: int | None = None) -> Column:
    """Return the average of (high + low + close) / 3 weighted by volume.

    Args:
        bars: The bars.
        period: Number of bars of a rolling window; None begins anew every day at 00:00 UTC.

    Where nothing has traded it is the typical price itself.
    """
    typical = np.asarray((bars.high + bars.low + bars.close) / 3.0)
    volume = np.asarray(bars.volume)
    money = np.cumsum(typical * volume)
    traded = np.cumsum(volume)
    if period is None:
        days = np.asarray(bars.frame.open_ts) // NS_PER_DAY
        first = np.searchsorted(days, days, side="left")
    else:
        first = np.maximum(np.arange(len(bars)) - check_period("vwap", period) + 1, 0)
    before = first - 1
    paid = money - np.where(before >= 0, money[before], 0.0)
    quantity = traded - np.where(before >= 0, traded[before], 0.0)
    nothing = quantity <= 0.0
    result = np.where(nothing, typical, paid / np.where(nothing, 1.0, quantity))
    if period is not None:
        result[: period - 1] = np.nan
    return Column(result, bars.frame)


def donchian(bars: Bars, period: int = 20) -> Channel:
    """Return the highest high, the lowest low and their middle over the last `period` bars."""
    upper, lower = rolling_max(bars.high, period), rolling_min(bars.low, period)
    return Channel(upper, _of_bars(bars, (upper + lower) / 2.0), lower)


def keltner(bars: Bars, period: int = 20, multiplier: float = 2.0) -> Channel:
    """Return the exponential average of the close, and `multiplier` average true ranges around it."""
    length = check_period("keltner", period)
    middle = _of_bars(bars, library().EMA(np.array(bars.close), length))
    width = multiplier * _of_bars(bars, _true_range(bars, length))
    return Channel(_of_bars(bars, middle + width), middle, _of_bars(bars, middle - width))


def supertrend(bars: Bars, period: int = 10, multiplier: float = 3.0) -> Trend:
    """Return the Supertrend line and its direction.

    The band on the side of the trend only moves with it, and the trend turns when the close passes it.
    """
    width = multiplier * _true_range(bars, check_period("supertrend", period))
    middle = np.asarray((bars.high + bars.low) / 2.0)
    uppers, lowers = (middle + width).tolist(), (middle - width).tolist()
    closes = np.asarray(bars.close).tolist()
    line, direction = np.full(len(bars), np.nan), np.full(len(bars), np.nan)
    start = int(np.searchsorted(np.cumsum(~np.isnan(width)), 1))
    side, upper, lower = 1.0, np.inf, -np.inf
    for at in range(start, len(bars)):
        before = closes[at - 1] if at > start else closes[at]
        upper = uppers[at] if uppers[at] < upper or before > upper else upper
        lower = lowers[at] if lowers[at] > lower or before < lower else lower
        if side > 0.0 and closes[at] < lower:
            side = -1.0
        elif side < 0.0 and closes[at] > upper:
            side = 1.0
        line[at] = lower if side > 0.0 else upper
        direction[at] = side
    return Trend(Column(line, bars.frame), Column(direction, bars.frame))


def heikin_ashi(bars: Bars) -> Candles:
    """Return Heikin-Ashi candles: close is the mean of the bar, open the middle of the candle before."""
    close = np.asarray((bars.open + bars.high + bars.low + bars.close) / 4.0)
    opened = np.empty(len(bars))
    if len(bars):
        previous = (float(bars.open[0]) + float(bars.close[0])) / 2.0
        for at, value in enumerate(close.tolist()):
            opened[at] = previous
            previous = (previous + value) / 2.0
    high = np.maximum(np.maximum(bars.high, opened), close)
    low = np.minimum(np.minimum(bars.low, opened), close)
    return Candles(*(_of_bars(bars, values) for values in (opened, high, low, close)))


def ichimoku(bars: Bars, conversion: int = 9, base: int = 26, span: int = 52) -> Ichimoku:
    """Return the Ichimoku lines; the spans are those drawn at this bar, computed `base` bars before it.

    The lagging line (the close drawn `base` bars back) is the close itself, and is left out.
    """
    fast, slow = donchian(bars, conversion).middle, donchian(bars, base).middle
    wide = donchian(bars, span).middle
    return Ichimoku(fast, slow, _of_bars(bars, (fast + slow) / 2.0).shift(base), wide.shift(base))


def _true_range(bars: Bars, period: int) -> Any:
    (high, low, close), start = known_part("ATR", bars.high, bars.low, bars.close)
    return np.asarray(padded(library().ATR(high, low, close, period), start, ()))


def _of_bars(bars: Bars, values: Any) -> Column:
    return Column(values, bars.frame)
