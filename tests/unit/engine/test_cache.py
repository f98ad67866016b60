import math

import numpy as np
import pytest

from cashup.engine.cache import BarCollector, BarsClosed, DataCache
from cashup.model.errors import DataError
from cashup.model.ids import InstrumentId
from cashup.model.market import Bar
from cashup.model.time import Timeframe

BTC, ETH = InstrumentId("binance:BTC/USDT"), InstrumentId("binance:ETH/USDT")
VALUES = (10.0, 12.0, 9.0, 11.0, 5.0, math.nan)


def bar(name, minute, close=11.0):
    return Bar(
        instrument_id=name,
        timeframe=Timeframe.parse("1m"),
        ts_open=minute * 60,
        open=10.0,
        high=12.0,
        low=9.0,
        close=close,
        volume=5.0,
        ts_event=minute * 60 + 60,
        ts_init=minute * 60 + 61,
    )


def test_bars_become_columns_with_nan_where_there_is_none():
    cache = DataCache(window=2)
    assert cache.last is None
    steps = [
        BarsClosed(0, 60, 60, (VALUES, VALUES)),
        BarsClosed(60, 120, 120, (VALUES, None)),
        BarsClosed(120, 180, 180, (None, VALUES)),
    ]
    assert [cache.write(step) for step in steps] == [0, 1, 2]
    np.testing.assert_array_equal(cache.columns(0).close, [11.0, np.nan])
    np.testing.assert_array_equal(cache.columns(1).high, [np.nan, 12.0])
    np.testing.assert_array_equal(cache.open_times(), [60, 120])
    assert cache.last is steps[-1]
    assert cache.count == 3


def test_time_only_goes_forward():
    cache = DataCache()
    cache.write(BarsClosed(60, 120, 120, (VALUES,)))
    with pytest.raises(DataError, match="came after"):
        cache.write(BarsClosed(60, 120, 120, (VALUES,)))
    assert cache.count == 1


def test_a_step_is_complete_when_every_instrument_has_its_bar():
    collector = BarCollector([BTC, ETH])
    assert collector.add(bar(ETH, 0, close=10.5)) == []
    (step,) = collector.add(bar(BTC, 0))
    assert (step.ts_open, step.ts_event, step.ts_init) == (0, 60, 61)
    assert [values.close for values in step.bars] == [11.0, 10.5]
    assert collector.flush() == []


def test_a_later_bar_completes_the_step_before_it():
    collector = BarCollector([BTC, ETH])
    collector.add(bar(BTC, 0))
    (step,) = collector.add(bar(ETH, 1))
    assert step.ts_event == 60
    assert [values is None for values in step.bars] == [False, True]
    (rest,) = collector.flush()
    assert rest.ts_event == 120


def test_one_instrument_never_waits():
    collector = BarCollector([BTC])
    assert [len(collector.add(bar(BTC, minute))) for minute in range(3)] == [1, 1, 1]


@pytest.mark.parametrize("late", [bar(BTC, 1), bar(BTC, 0)])
def test_a_bar_that_comes_late_or_twice_is_refused(late):
    collector = BarCollector([BTC, ETH])
    collector.add(bar(BTC, 1))
    with pytest.raises(DataError, match="late or twice"):
        collector.add(late)


def test_a_bar_of_a_strange_instrument_is_refused():
    with pytest.raises(DataError, match="binance:ETH/USDT"):
        BarCollector([BTC]).add(bar(ETH, 0))
