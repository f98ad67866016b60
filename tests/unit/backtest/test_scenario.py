"""Drawn markets, used as a user's own test would use them."""

from __future__ import annotations

import pytest

from cashup import Backtest
from cashup.backtest.scenario import Scenario
from cashup.model.errors import InputError
from cashup.strategies.sma_cross import SmaCross
from cashup.strategies.trailing_momentum import TrailingMomentum


def test_steps_follow_each_other() -> None:
    frame = Scenario(100, wick=0.01).flat(2).move(0.1, bars=2).gap(-0.5).bar(50).frame()
    assert frame["close"].to_list() == pytest.approx([100, 100, 100 * 1.1**0.5, 110, 50])
    assert frame["open"].to_list() == pytest.approx([100, 100, 100, 100 * 1.1**0.5, 55])
    assert frame["high"][0] == pytest.approx(101)
    assert frame["ts"].diff().drop_nulls().unique().to_list() == [3_600_000]


def test_a_trend_follower_buys_the_rise_and_leaves_in_the_fall() -> None:
    market = Scenario(100).flat(40).move(0.5, bars=60).move(-0.3, bars=40).frame()
    trades = Backtest(SmaCross, market, fee=0.0).run().trades
    assert trades["side"].to_list() == ["long"]
    assert trades["return"][0] > 0.2


def test_a_crash_gaps_through_a_trailing_stop() -> None:
    market = Scenario(100).flat(80).move(0.2, bars=10).gap(-0.3).flat(5).frame()
    result = Backtest(TrailingMomentum, market, fee=0.0).run()
    trade = result.trades.row(0, named=True)
    assert trade["exit_reason"] == "trailing stop"
    assert trade["exit_price"] == pytest.approx(120 * 0.7)


def test_nonsense_is_refused() -> None:
    with pytest.raises(InputError):
        Scenario(-1)
    with pytest.raises(InputError):
        Scenario(1).move(-1.5, bars=3)
    with pytest.raises(InputError, match="no bars"):
        Scenario(1).frame()
