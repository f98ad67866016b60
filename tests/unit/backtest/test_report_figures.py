"""The numbers behind the charts: bars, curves, calendar, trades, costs, warnings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cashup.backtest.report import Bars, Costs
from cashup.backtest.report.cautions import cautions
from cashup.backtest.report.curves import (
    buy_and_hold,
    calendar,
    curves,
    drawdown_table,
    extremes,
    rolling,
)
from cashup.backtest.report.price import fold_bars, price_block, price_places
from cashup.backtest.report.trading import (
    MAX_ORDERS,
    MAX_TRADES,
    histogram,
    holding_histogram,
    orders,
    trade_charts,
    trades,
    waterfall,
)
from cashup.kernel.statistics.drawdown import underwater
from unit.backtest.report_sample import MINUTE, START, sample_bars, sample_report
from unit.backtest.test_report_pack import unpack

DAY_MS = 86_400_000


def bars_of(block: str) -> dict[str, np.ndarray]:
    """Rebuild prices from a price block as data.js does."""
    data = unpack(block)
    scale = 10 ** data["places"]
    close = data["start"] + np.cumsum(data["gap"] + data["body"])
    opened = close - data["body"]
    return {
        "ts": data["ts"],
        "open": opened / scale,
        "close": close / scale,
        "high": (np.maximum(opened, close) + data["up"]) / scale,
        "low": (np.minimum(opened, close) - data["down"]) / scale,
        "fold": data["fold"],
    }


def test_price_block_carries_every_bar_exactly_when_it_fits() -> None:
    bars = sample_bars(3_000)
    back = bars_of(price_block(bars))
    assert back["fold"] == 1
    assert back["ts"].tolist() == (bars.ts // 1_000_000).tolist()
    for name in ("open", "high", "low", "close"):
        np.testing.assert_array_equal(back[name], getattr(bars, name))


def test_price_block_rounds_prices_before_it_folds_bars() -> None:
    bars = sample_bars(6_000)
    exact = len(price_block(bars))
    back = bars_of(price_block(bars, int(exact * 0.92)))
    assert back["fold"] == 1
    np.testing.assert_allclose(back["close"], bars.close, atol=float(np.median(bars.high - bars.low)) / 100)


def test_price_block_keeps_its_limit_by_folding() -> None:
    bars = sample_bars(20_000)
    block = price_block(bars, 60_000)
    back = bars_of(block)
    assert len(block) <= 60_000
    assert back["fold"] > 1
    assert back["high"].max() == pytest.approx(bars.high.max(), rel=1e-4)
    assert back["low"].min() == pytest.approx(bars.low.min(), rel=1e-4)


def test_folded_bars_hold_the_extremes_and_all_the_volume() -> None:
    bars = sample_bars(101)
    folded = fold_bars(bars, 10)
    assert len(folded) == 11
    assert folded.open[3] == bars.open[30]
    assert folded.close[3] == bars.close[39]
    assert folded.high[3] == bars.high[30:40].max()
    assert folded.low[-1] == bars.low[100]
    assert folded.volume.sum() == pytest.approx(bars.volume.sum())


def test_bars_without_a_price_are_left_out() -> None:
    bars = sample_bars(50)
    holed = replace(bars, close=np.where(np.arange(50) == 7, np.nan, bars.close))
    assert len(bars_of(price_block(holed))["ts"]) == 49


def test_prices_off_any_decimal_grid_are_rounded_to_what_can_be_seen() -> None:
    bars = sample_bars(500)
    odd = Bars(
        ts=bars.ts, volume=bars.volume, **{k: getattr(bars, k) / 7 for k in ("open", "high", "low", "close")}
    )
    places = price_places(odd)
    assert 10.0**-places <= np.median(odd.high - odd.low) / 100 <= 10.0 ** (1 - places)


def test_thinned_curves_keep_every_extreme() -> None:
    report = sample_report(40_000, minutes=1, every=200)
    thin = curves(report)
    assert len(thin["ts"]) < 15_000
    assert thin["equity"].max() == pytest.approx(report.equity.max(), rel=1e-6)
    assert thin["drawdown"].min() == pytest.approx(underwater(report.equity).min(), rel=1e-6)
    assert thin["ts"][-1] == (report.bars.ts[-1] + MINUTE) // 1_000_000


def test_short_curves_are_not_thinned() -> None:
    assert len(extremes(np.arange(100.0))) == 100


def test_buy_and_hold_starts_with_the_cash_and_carries_prices_over_gaps() -> None:
    report = sample_report(400)
    holed = replace(report.bars, close=np.where(np.arange(400) == 9, np.nan, report.bars.close))
    hold = buy_and_hold(replace(report, bars=holed))
    assert hold.start == report.initial_cash
    assert hold.equity[9] == hold.equity[8]
    assert hold.equity[-1] / hold.start == pytest.approx(report.bars.close[-1] / report.bars.open[0])


def equity_report(equity: list[float], minutes: int = 1440) -> Any:
    bars = sample_bars(len(equity), minutes)
    return replace(
        sample_report(240), bars=bars, equity=np.array(equity, float), exposure=None, initial_cash=100.0
    )


def test_drawdown_table_names_peak_trough_and_recovery() -> None:
    rows = drawdown_table(equity_report([100, 110, 99, 88, 105, 110, 120, 114]))
    day = lambda k: START // 1_000_000 + (k + 1) * DAY_MS  # noqa: E731
    assert rows[0] == {
        "peak": day(1),
        "trough": day(3),
        "recovery": day(5),
        "end": day(5),
        "depth": pytest.approx(-0.2),
    }
    assert rows[1] == {
        "peak": day(6),
        "trough": day(7),
        "recovery": None,
        "end": day(7),
        "depth": pytest.approx(-0.05),
    }
    assert len(rows) == 2


def test_drawdown_table_of_a_run_that_only_rises_is_empty() -> None:
    assert drawdown_table(equity_report([100, 101, 102])) == []


def test_months_and_years_multiply_to_the_whole_return() -> None:
    report = sample_report()
    found = calendar(report)
    whole = report.equity[-1] / report.initial_cash
    assert np.prod([1 + m["return"] for m in found["months"]]) == pytest.approx(whole)
    assert np.prod([1 + y["return"] for y in found["years"]]) == pytest.approx(whole)
    assert [y["year"] for y in found["years"]] == [2023, 2024]
    assert (found["months"][0]["year"], found["months"][0]["month"]) == (2023, 1)


def test_rolling_sharpe_equals_the_plain_formula() -> None:
    report = sample_report()
    window = rolling(report)["windows"][0]
    closes = np.concatenate(([report.initial_cash], report.equity[23::24]))
    returns = np.diff(closes) / closes[:-1]
    first = returns[: window["days"]]
    assert window["sharpe"][0] == pytest.approx(first.mean() / first.std(ddof=1) * np.sqrt(365), rel=1e-5)
    assert window["volatility"][0] == pytest.approx(first.std(ddof=1) * np.sqrt(365), rel=1e-5)
    assert len(window["sharpe"]) == len(window["ts"])


def test_rolling_needs_days() -> None:
    assert rolling(sample_report(48, every=6))["windows"] == []


def test_histogram_counts_every_trade_and_has_an_edge_at_zero() -> None:
    values = np.random.default_rng(3).normal(0.002, 0.02, 700)
    found = histogram(values)
    assert sum(found["counts"]) == 700
    assert min(abs(edge) for edge in found["edges"]) < 1e-12
    losers = sum(c for c, edge in zip(found["counts"], found["edges"], strict=False) if edge < -1e-12)
    assert losers == (values < 0).sum()


@pytest.mark.parametrize("values", [[0.0], [0.01], [-0.5, 9.0], [np.nan]])
def test_histogram_of_few_values(values: list[float]) -> None:
    assert sum(histogram(np.array(values))["counts"]) == np.isfinite(values).sum()


def test_holding_times_fall_into_their_steps() -> None:
    minutes = np.array([0.5, 4, 61, 1441, 10**7])
    found = holding_histogram(minutes * 60_000, np.array([1, -1, 1, -1, 1.0]))
    counts = dict(zip(found["minutes"], zip(found["wins"], found["losses"], strict=True), strict=True))
    assert counts[0.0] == (1, 0)
    assert counts[1.0] == (0, 1)
    assert counts[60.0] == (1, 0)
    assert counts[1440.0] == (0, 1)
    assert found["more"]


def test_trade_tables_are_cut_but_charts_count_all() -> None:
    n = MAX_TRADES + 500
    ts = START + np.arange(n) * MINUTE
    columns = {
        "entry_ts": ts,
        "exit_ts": ts + MINUTE,
        "side": ["long"] * n,
        "pnl": np.ones(n),
        "return": np.full(n, 0.01),
    }
    table = trades(columns)
    assert table["total"] == n
    assert table["first"] == 500
    assert len(table["columns"]["pnl"]) == MAX_TRADES
    assert sum(trade_charts(columns)["returns"]["counts"]) == n


def test_every_rejected_order_stays_when_orders_are_cut() -> None:
    n = MAX_ORDERS + 300
    status = np.where(np.arange(n) % 50 == 0, "rejected", "filled")
    table = orders({"id": np.arange(n), "status": status})
    assert table["total"] == n
    assert len(table["columns"]["id"]) == MAX_ORDERS
    assert (table["columns"]["status"] == "rejected").sum() == (status == "rejected").sum()


def test_waterfall_leads_from_gross_to_net() -> None:
    steps = waterfall(Costs(net=50.0, fees=30.0, funding=-5.0, slippage=15.0, turnover=1e4))
    assert steps["gross"] == 100.0
    assert steps["gross"] + steps["fees"] + steps["funding"] + steps["slippage"] == steps["net"]


def codes(report: Any) -> list[str]:
    return [item["code"] for item in cautions(report)]


def test_a_sound_run_has_no_warning() -> None:
    report = sample_report(counters={}, orders={})
    trades_ = dict(report.trades) | {"open": [False] * len(report.trades["open"])}
    assert codes(replace(report, trades=trades_)) == []


def test_warnings_name_what_happened() -> None:
    report = sample_report(
        counters={"ambiguous": 2, "liquidations": 1, "bankrupt": 1}, error="ValueError: bad signal", trades={}
    )
    assert codes(report) == ["error", "bankrupt", "liquidations", "ambiguous", "rejected", "no_trades"]


def test_rejections_are_counted_by_reason() -> None:
    report = sample_report(
        orders={
            "status": ["rejected", "filled", "rejected"],
            "reason": ["min_notional", "none", "min_notional"],
        }
    )
    found = next(item for item in cautions(report) if item["code"] == "rejected")
    assert found["values"] == {"n": 2, "reasons": {"min_notional": 2}}


def test_few_trades_and_a_short_run_are_said() -> None:
    report = sample_report(24 * 20, every=40)
    assert {"few_trades", "short_run"} <= set(codes(report))
