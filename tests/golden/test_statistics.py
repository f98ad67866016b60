"""Statistics against empyrical, quantstats and figures computed with them beforehand."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from cashup.kernel.statistics import drawdown, relative, returns, trading

PERIODS = 365.0


@pytest.fixture(scope="module")
def series() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    market = rng.standard_t(4, 900) * 0.012
    return 0.0004 + 0.6 * market + rng.normal(0.0, 0.01, 900), market


def test_ratios_equal_empyrical(series: tuple[np.ndarray, np.ndarray]) -> None:
    mine, market = series
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import empyrical

        expected = {
            returns.sharpe(mine, PERIODS): empyrical.sharpe_ratio(mine, annualization=PERIODS),
            returns.sortino(mine, PERIODS): empyrical.sortino_ratio(mine, annualization=PERIODS),
            returns.volatility(mine, PERIODS): empyrical.annual_volatility(mine, annualization=PERIODS),
            returns.downside_deviation(mine, PERIODS): empyrical.downside_risk(mine, annualization=PERIODS),
            returns.omega(mine): empyrical.omega_ratio(mine, annualization=1),
            returns.tail_ratio(mine): empyrical.tail_ratio(mine),
            returns.value_at_risk(mine): empyrical.value_at_risk(mine),
            returns.conditional_value_at_risk(mine): empyrical.conditional_value_at_risk(mine),
            relative.beta(mine, market): empyrical.beta(mine, market),
            relative.alpha(mine, market, PERIODS): empyrical.alpha(mine, market, annualization=PERIODS),
            relative.capture(mine, market, 252.0, rising=True): empyrical.up_capture(
                pd.Series(mine), pd.Series(market)
            ),
            float(np.min(drawdown.underwater(np.cumprod(1 + mine)))): empyrical.max_drawdown(mine),
        }
    for ours, theirs in expected.items():
        assert ours == pytest.approx(theirs, rel=1e-9)


def test_moments_equal_scipy(series: tuple[np.ndarray, np.ndarray]) -> None:
    from scipy import stats

    assert returns.skewness(series[0]) == pytest.approx(stats.skew(series[0]), rel=1e-12)
    assert returns.kurtosis(series[0]) == pytest.approx(stats.kurtosis(series[0]), rel=1e-12)


def test_reference_figures_of_an_index_fund(shared_data: Path) -> None:
    reference = json.loads((shared_data / "reference" / "metrics_SPY_2010_2019.json").read_text())
    bars = pl.read_parquet(shared_data / "klines" / "us_equity" / "SPY_1d_raw.parquet")
    day = pl.from_epoch("ts", time_unit="ms")
    first, last = pl.datetime(2010, 1, 1), pl.datetime(2020, 1, 1)
    close = bars.filter((day >= first) & (day <= last))["close"].to_numpy()
    daily = np.diff(close) / close[:-1]
    figures = {key.lower(): value for key, value in _flat(reference).items()}
    checked = 0
    for name, ours in {
        "sharpe": returns.sharpe(daily, 252),
        "sortino": returns.sortino(daily, 252),
        "max_drawdown": float(np.min(drawdown.underwater(np.concatenate(([1.0], np.cumprod(1 + daily)))))),
        "volatility": returns.volatility(daily, 252),
        "omega": returns.omega(daily),
        "tail_ratio": returns.tail_ratio(daily),
    }.items():
        for key, value in figures.items():
            known = name in key and isinstance(value, int | float) and "rolling" not in key
            if known and math.isclose(ours, value, rel_tol=1e-9):
                checked += 1
                break
    assert checked >= 4, figures


def _flat(value: object, prefix: str = "") -> dict[str, object]:
    if isinstance(value, dict):
        found: dict[str, object] = {}
        for key, inner in value.items():
            found |= _flat(inner, f"{prefix}.{key}")
        return found
    return {prefix: value}


def test_published_example_of_the_deflated_sharpe_ratio() -> None:
    # Bailey and Lopez de Prado (2014), section "A numerical example": 5 years of daily returns, annual Sharpe 2.5,
    # 100 trials with variance 1/2 a year, skewness -3, kurtosis 10: the deflated ratio is about 0.90.
    best = returns.expected_maximum_sharpe(100, 0.5 / 250)
    assert best * math.sqrt(250) == pytest.approx(1.79, abs=0.01)
    ratio, n, skew, kurt = 2.5 / math.sqrt(250), 1250, -3.0, 10.0
    z = (ratio - best) * math.sqrt(n - 1) / math.sqrt(1 - skew * ratio + (kurt - 1) / 4 * ratio**2)
    from statistics import NormalDist

    assert NormalDist().cdf(z) == pytest.approx(0.90, abs=0.005)


def test_drawdowns_by_hand() -> None:
    curve = np.array([100.0, 120.0, 90.0, 96.0, 130.0, 117.0])
    first, second = drawdown.drawdowns(curve)
    assert (first.peak, first.valley, first.end, first.recovered) == (1, 2, 4, True)
    assert first.depth == pytest.approx(-0.25)
    assert (second.peak, second.valley, second.end, second.recovered) == (4, 5, 5, False)
    assert second.depth == pytest.approx(-0.1)


def test_trade_figures_by_hand() -> None:
    profits = np.array([10.0, -5.0, 20.0, -10.0, -5.0])
    assert trading.profit_factor(profits) == pytest.approx(1.5)
    assert trading.payoff_ratio(profits) == pytest.approx(15.0 / (20.0 / 3.0))
    assert trading.kelly_fraction(profits) == pytest.approx(0.4 - 0.6 / 2.25)
    assert trading.longest_streak(profits < 0) == 2
    assert trading.profit_factor(np.array([1.0])) == math.inf
