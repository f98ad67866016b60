from __future__ import annotations

import math
from typing import Any

import pytest

from cashup.model.errors import DataError
from cashup.model.ids import InstrumentId
from cashup.model.market import Bar, BookLevel, FundingRate, MarkPrice, OrderBook, Quote, Ticker, Trade
from cashup.model.orders import Side
from cashup.model.time import Timeframe, parse_time

BTC = InstrumentId("binance:BTC/USDT")
OPEN = parse_time("2024-03-05T12:00:00Z")
HOUR = Timeframe.parse("1h")
WHEN: dict[str, Any] = {"instrument_id": BTC, "ts_event": OPEN, "ts_init": OPEN + 1}


def bar(**changes: Any) -> Bar:
    values: dict[str, Any] = {
        "instrument_id": BTC,
        "timeframe": HOUR,
        "ts_open": OPEN,
        "open": 100.0,
        "high": 110.0,
        "low": 90.0,
        "close": 105.0,
        "volume": 3.0,
        "ts_event": HOUR.close_time(OPEN),
        "ts_init": HOUR.close_time(OPEN),
    }
    return Bar(**(values | changes))


def test_a_sound_bar() -> None:
    assert bar().is_closed
    assert bar(volume=0.0, open=90.0, close=90.0, high=90.0).volume == 0.0


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"open": math.nan}, "open"),
        ({"high": math.inf}, "high"),
        ({"low": 0.0}, "low"),
        ({"low": -1.0}, "low"),
        ({"close": math.nan}, "close"),
        ({"high": 80.0}, "high"),
        ({"open": 111.0}, "open"),
        ({"close": 89.0}, "close"),
        ({"volume": -1.0}, "volume"),
        ({"volume": math.nan}, "volume"),
        ({"volume": math.inf}, "volume"),
        ({"ts_event": OPEN}, "ts_event"),
    ],
)
def test_a_wrong_bar_says_which_value_and_when(changes: dict[str, Any], column: str) -> None:
    with pytest.raises(DataError) as caught:
        bar(**changes)
    assert caught.value.column == column
    assert str(caught.value.value) in str(caught.value)
    assert "1h bar of binance:BTC/USDT at 2024-03-05T12:00:00Z" in str(caught.value)


@pytest.mark.parametrize("price", [0.0, -1.0, math.nan, math.inf])
def test_impossible_prices_are_refused(price: float) -> None:
    with pytest.raises(DataError, match="trade of binance:BTC/USDT"):
        Trade(price=price, quantity=1.0, side=Side.BUY, **WHEN)
    with pytest.raises(DataError, match="mark price"):
        MarkPrice(price=price, **WHEN)
    with pytest.raises(DataError, match="ticker"):
        Ticker(last=price, **WHEN)


def test_a_quote_may_lack_a_side_but_not_cross() -> None:
    quote = Quote(bid=99.0, ask=101.0, bid_quantity=1.0, ask_quantity=2.0, **WHEN)
    assert (quote.mid, quote.spread) == (100.0, 2.0)
    empty = Quote(bid=99.0, ask=0.0, bid_quantity=1.0, ask_quantity=0.0, **WHEN)
    assert math.isnan(empty.mid)
    assert math.isnan(empty.spread)
    with pytest.raises(DataError, match="at most the ask, 98"):
        Quote(bid=99.0, ask=98.0, bid_quantity=1.0, ask_quantity=2.0, **WHEN)
    with pytest.raises(DataError, match="ask_quantity"):
        Quote(bid=99.0, ask=100.0, bid_quantity=1.0, ask_quantity=math.nan, **WHEN)


def book(bids: list[tuple[float, float]], asks: list[tuple[float, float]]) -> OrderBook:
    return OrderBook(
        bids=tuple(BookLevel(*level) for level in bids),
        asks=tuple(BookLevel(*level) for level in asks),
        **WHEN,
    )


def test_a_book_knows_its_best_prices() -> None:
    sound = book([(99.0, 1.0), (98.0, 5.0)], [(101.0, 2.0), (103.0, 2.0)])
    assert sound.best_bid == (99.0, 1.0)
    assert sound.best_ask == (101.0, 2.0)
    assert (sound.mid, sound.spread) == (100.0, 2.0)
    empty = book([], [])
    assert empty.best_bid is None
    assert empty.best_ask is None
    assert math.isnan(empty.mid)
    assert math.isnan(empty.spread)


def test_a_taker_pays_the_levels_it_eats() -> None:
    sound = book([(99.0, 1.0), (98.0, 5.0)], [(101.0, 2.0), (103.0, 2.0)])
    assert sound.average_price(Side.BUY, 1.0) == 101.0
    assert sound.average_price(Side.BUY, 4.0) == 102.0
    assert sound.average_price(Side.SELL, 2.0) == 98.5
    assert math.isnan(sound.average_price(Side.BUY, 4.5))


@pytest.mark.parametrize(
    ("bids", "asks", "match"),
    [
        ([(98.0, 1.0), (99.0, 1.0)], [], "best first"),
        ([], [(101.0, 1.0), (101.0, 1.0)], "best first"),
        ([(101.0, 1.0)], [(101.0, 1.0)], "below the best ask"),
        ([(99.0, 0.0)], [], "positive finite"),
        ([], [(math.nan, 1.0)], "positive finite"),
    ],
)
def test_a_book_out_of_order_is_refused(
    bids: list[tuple[float, float]], asks: list[tuple[float, float]], match: str
) -> None:
    with pytest.raises(DataError, match=match):
        book(bids, asks)


def test_funding_is_a_fraction() -> None:
    assert FundingRate(rate=-0.0001, **WHEN).is_settled
    for rate in (1.0, math.nan, -3.0):
        with pytest.raises(DataError, match="rate"):
            FundingRate(rate=rate, **WHEN)


def test_a_ticker_tells_the_change_when_it_can() -> None:
    assert Ticker(last=110.0, open=100.0, **WHEN).change == pytest.approx(0.1)
    assert math.isnan(Ticker(last=110.0, **WHEN).change)
