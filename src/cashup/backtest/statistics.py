"""The statistics of a run, by the names of `cashup.backtest.registry`.

Ratios use daily returns: equity at the last bar of each UTC day, the first day measured against the cash. Crypto
trades every day, so a year has 365 of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cashup.backtest.outcome import RunOutcome
from cashup.kernel import types as kt
from cashup.kernel.statistics import drawdown, relative, returns, trading

Floats = NDArray[np.float64]
NS_PER_DAY: Final = 86_400_000_000_000
DAYS_PER_YEAR: Final = 365.0
NS_PER_YEAR: Final = 365.25 * NS_PER_DAY
DAYS_PER_MONTH: Final = 365.25 / 12


@dataclass(frozen=True)
class Curve:
    """Equity on the time axis of a run, and the daily and monthly returns made of it."""

    close_ts: NDArray[np.int64]
    equity: Floats
    start: float

    @cached_property
    def day(self) -> NDArray[np.int64]:
        """Days since 1970 of each bar; a bar that closes at midnight belongs to the day before."""
        return (self.close_ts - 1) // NS_PER_DAY

    @cached_property
    def last_of_day(self) -> NDArray[np.int64]:
        """Index of the last bar of each day."""
        return np.append(np.flatnonzero(np.diff(self.day)), len(self.day) - 1)

    @cached_property
    def daily(self) -> Floats:
        """Daily returns."""
        return changes(np.concatenate(([self.start], self.equity[self.last_of_day])))

    @cached_property
    def months(self) -> NDArray[np.int64]:
        """Month number (year x 12 + month - 1) of each day in `last_of_day`."""
        days = self.day[self.last_of_day].astype("datetime64[D]")
        months: NDArray[np.int64] = days.astype("datetime64[M]").astype(np.int64) + 1970 * 12
        return months

    @cached_property
    def monthly(self) -> dict[tuple[int, int], float]:
        """Return of each month, by (year, month)."""
        last = np.append(np.flatnonzero(np.diff(self.months)), len(self.months) - 1)
        values = changes(np.concatenate(([self.start], self.equity[self.last_of_day[last]])))
        numbers = self.months[last].tolist()
        return {(n // 12, n % 12 + 1): r for n, r in zip(numbers, values.tolist(), strict=True)}

    @cached_property
    def yearly(self) -> dict[int, float]:
        """Return of each year."""
        grown: dict[int, float] = {}
        for (year, _), value in self.monthly.items():
            grown[year] = grown.get(year, 1.0) * (1.0 + value)
        return {year: value - 1.0 for year, value in grown.items()}


def changes(curve: Floats) -> Floats:
    """Return simple returns between neighbours; 0 from a value that is not positive."""
    before = curve[:-1]
    out: Floats = np.where(before > 0.0, curve[1:] / np.where(before > 0.0, before, 1.0) - 1.0, 0.0)
    return out


def curve_of(outcome: RunOutcome) -> Curve:
    """Return the equity curve of a run; bars it never reached keep the last value."""
    equity = outcome.equity
    known = np.flatnonzero(~np.isnan(equity))
    if len(known) and known[-1] < len(equity) - 1:
        equity = equity.copy()
        equity[known[-1] + 1 :] = equity[known[-1]]
    return Curve(outcome.close_ts, np.nan_to_num(equity, nan=outcome.cash), outcome.cash)


def benchmark_of(outcome: RunOutcome) -> Curve:
    """Return buy and hold of the first instrument: its closes, bought at its first open."""
    bars = outcome.market.instruments[0].bars
    return Curve(bars.close_ts, np.asarray(bars.close), float(bars.open[0]))


def statistics_of(outcome: RunOutcome, trades: pl.DataFrame, *, trials: int = 1) -> dict[str, float | int]:
    """Compute every statistic of `registry.REGISTRY`; NaN where a figure has no meaning.

    Args:
        outcome: the run.
        trades: its trades, `cashup.backtest.trades.trades_of`.
        trials: how many variants were tried before this one was chosen; deflates the Sharpe ratio.
    """
    curve = curve_of(outcome)
    years = (int(curve.close_ts[-1]) - int(outcome.market.instruments[0].bars.open_ts[0])) / NS_PER_YEAR
    figures: dict[str, float | int] = {}
    figures |= _returns(curve, years)
    figures |= _risk(curve, figures, trials)
    figures |= _tail(curve.daily)
    figures |= _drawdown(curve, figures)
    figures |= _trades(trades, years)
    figures |= _exposure(outcome, curve)
    figures |= _costs(outcome, figures)
    figures |= _benchmark(curve, benchmark_of(outcome), figures)
    figures |= _counters(outcome, years)
    return figures


def _returns(curve: Curve, years: float) -> dict[str, float | int]:
    final = float(curve.equity[-1])
    daily, monthly = curve.daily, np.array(list(curve.monthly.values()))
    return {
        "total_return": final / curve.start - 1.0,
        "cagr": returns.compound_growth(final / curve.start, years),
        "final_equity": final,
        "profit": final - curve.start,
        "best_day": float(np.max(daily)),
        "worst_day": float(np.min(daily)),
        "best_month": float(np.max(monthly)),
        "worst_month": float(np.min(monthly)),
        "average_day": float(np.mean(daily)),
        "positive_days": float(np.mean(daily > 0.0)),
        "positive_months": float(np.mean(monthly > 0.0)),
        "annual_mean": float(np.mean(daily)) * DAYS_PER_YEAR,
    }


def _risk(curve: Curve, done: dict[str, float | int], trials: int) -> dict[str, float | int]:
    daily = curve.daily
    ratio = returns.sharpe(daily, DAYS_PER_YEAR)
    error = returns.sharpe_error(daily, DAYS_PER_YEAR)
    water = float(np.min(drawdown.underwater(curve.equity)))
    return {
        "sharpe": ratio,
        "sharpe_low": ratio - 1.959963984540054 * error,
        "sharpe_high": ratio + 1.959963984540054 * error,
        "probabilistic_sharpe": returns.probabilistic_sharpe(daily, 0.0),
        "deflated_sharpe": returns.deflated_sharpe(daily, trials),
        "sortino": returns.sortino(daily, DAYS_PER_YEAR),
        "calmar": returns.divide(float(done["cagr"]), -water),
        "omega": returns.omega(daily),
        "volatility": returns.volatility(daily, DAYS_PER_YEAR),
        "downside_deviation": returns.downside_deviation(daily, DAYS_PER_YEAR),
        "gain_to_pain": returns.gain_to_pain(daily),
        "tail_ratio": returns.tail_ratio(daily),
        "common_sense_ratio": trading.profit_factor(daily) * returns.tail_ratio(daily),
        "stability": returns.stability(curve.equity[curve.last_of_day]),
        "k_ratio": returns.k_ratio(curve.equity[curve.last_of_day]),
    }


def _tail(daily: Floats) -> dict[str, float | int]:
    return {
        "skewness": returns.skewness(daily),
        "kurtosis": returns.kurtosis(daily),
        "value_at_risk": returns.value_at_risk(daily),
        "conditional_value_at_risk": returns.conditional_value_at_risk(daily),
        "normal_value_at_risk": returns.normal_value_at_risk(daily),
        "cornish_fisher_value_at_risk": returns.cornish_fisher_value_at_risk(daily),
        "autocorrelation": returns.autocorrelation(daily),
    }


def _drawdown(curve: Curve, done: dict[str, float | int]) -> dict[str, float | int]:
    equity = np.concatenate(([curve.start], curve.equity))
    times = np.concatenate((curve.close_ts[:1], curve.close_ts))
    water = drawdown.underwater(equity)
    found = drawdown.drawdowns(equity)
    money = float(np.max(np.maximum.accumulate(equity) - equity))
    ulcer = drawdown.ulcer_index(equity)
    return {
        "max_drawdown": float(np.min(water)),
        "average_drawdown": float(np.mean([item.depth for item in found])) if found else 0.0,
        "max_drawdown_days": drawdown.longest(times, found) / NS_PER_DAY,
        "current_drawdown": float(water[-1]),
        "drawdown_count": len(found),
        "time_under_water": float(np.mean(water < 0.0)),
        "ulcer_index": ulcer,
        "pain_index": drawdown.pain_index(equity),
        "ulcer_performance": returns.divide(float(done["cagr"]), ulcer),
        "recovery_factor": returns.divide(float(done["profit"]), money),
    }


def _mean(values: Floats) -> float:
    return float(np.mean(values)) if len(values) else math.nan


def _trades(trades: pl.DataFrame, years: float) -> dict[str, float | int]:
    closed = trades.filter(~pl.col("is_open"))
    profits = closed["pnl"].to_numpy()
    gains = closed["return"].to_numpy()
    hours = closed["duration_ms"].to_numpy() / 3_600_000.0
    long = (trades["side"] == "long").to_numpy()
    every = trades["pnl"].to_numpy()
    some = len(profits) > 0
    return {
        "trades": len(trades),
        "open_trades": len(trades) - len(closed),
        "win_rate": _mean((profits > 0.0).astype(np.float64)),
        "profit_factor": trading.profit_factor(profits),
        "payoff_ratio": trading.payoff_ratio(profits),
        "expectancy": _mean(profits),
        "average_trade": _mean(gains),
        "median_trade": float(np.median(gains)) if some else math.nan,
        "best_trade": float(np.max(gains)) if some else math.nan,
        "worst_trade": float(np.min(gains)) if some else math.nan,
        "average_win": _mean(gains[profits > 0.0]),
        "average_loss": _mean(gains[profits < 0.0]),
        "longest_winning_streak": trading.longest_streak(profits > 0.0),
        "longest_losing_streak": trading.longest_streak(profits < 0.0),
        "system_quality": trading.system_quality(profits),
        "kelly_fraction": trading.kelly_fraction(profits),
        "average_bars": _mean(closed["bars"].to_numpy().astype(np.float64)),
        "average_hours": _mean(hours),
        "longest_hours": float(np.max(hours)) if some else math.nan,
        "average_mae": _mean(closed["mae"].to_numpy()),
        "average_mfe": _mean(closed["mfe"].to_numpy()),
        "long_trades": int(np.sum(long)),
        "short_trades": int(np.sum(~long)),
        "long_profit": float(np.sum(every[long])),
        "short_profit": float(np.sum(every[~long])),
        "trades_per_month": len(trades) / (years * 12.0) if years > 0 else math.nan,
    }


def exposure_of(outcome: RunOutcome, curve: Curve, *, signed: bool = False) -> Floats:
    """Return the value of all positions over equity at each decision bar's close (0 = flat).

    Args:
        outcome: the run.
        curve: its equity.
        signed: count short positions as negative, so that longs and shorts offset each other.
    """
    total = np.zeros(len(curve.equity))
    for k, item in enumerate(outcome.market.instruments):
        fills = outcome.fills[outcome.fills["instrument"] == k]
        if not len(fills):
            continue
        at = np.searchsorted(fills["d"], np.arange(len(total)), side="right") - 1
        quantity = np.where(at >= 0, fills["position"][np.maximum(at, 0)], 0.0)
        rows = np.searchsorted(item.bars.close_ts, curve.close_ts, side="right") - 1
        price = np.asarray(item.bars.close)[np.maximum(rows, 0)]
        value = (quantity if signed else np.abs(quantity)) * item.spec.contract_size
        total += value / price if item.spec.kind == kt.INVERSE else value * price
    out: Floats = np.where(curve.equity > 0.0, total / np.where(curve.equity > 0.0, curve.equity, 1.0), 0.0)
    return out


def _exposure(outcome: RunOutcome, curve: Curve) -> dict[str, float | int]:
    exposure = exposure_of(outcome, curve)
    return {
        "time_in_market": float(np.mean(exposure > 0.0)),
        "average_exposure": float(np.mean(exposure)),
        "max_leverage": float(np.max(exposure)),
        "turnover": float(outcome.counters["turnover"]) / outcome.cash,
    }


def _costs(outcome: RunOutcome, done: dict[str, float | int]) -> dict[str, float | int]:
    fees, slipped = float(outcome.counters["fees"]), float(outcome.counters["slippage_cost"])
    funding = float(outcome.counters["funding"])
    costs = fees + slipped - funding
    gross = float(done["profit"]) + costs
    return {
        "fees": fees,
        "funding": funding,
        "slippage_cost": slipped,
        "cost_share": costs / gross if gross > 0.0 else math.nan,
    }


def _benchmark(curve: Curve, held: Curve, done: dict[str, float | int]) -> dict[str, float | int]:
    ratio = float(held.equity[-1]) / held.start - 1.0
    mine, theirs = curve.daily, held.daily
    if len(mine) != len(theirs):  # several instruments: the first may lack days
        days = {int(day): value for day, value in zip(held.day[held.last_of_day], theirs, strict=True)}
        theirs = np.array([days.get(int(day), 0.0) for day in curve.day[curve.last_of_day]])
    return {
        "benchmark_return": ratio,
        "benchmark_max_drawdown": float(np.min(drawdown.underwater(held.equity))),
        "excess_return": float(done["total_return"]) - ratio,
        "alpha": relative.alpha(mine, theirs, DAYS_PER_YEAR),
        "beta": relative.beta(mine, theirs),
        "correlation": relative.correlation(mine, theirs),
        "tracking_error": relative.tracking_error(mine, theirs, DAYS_PER_YEAR),
        "information_ratio": relative.information_ratio(mine, theirs, DAYS_PER_YEAR),
        "up_capture": relative.capture(mine, theirs, DAYS_PER_YEAR, rising=True),
        "down_capture": relative.capture(mine, theirs, DAYS_PER_YEAR, rising=False),
    }


def _counters(outcome: RunOutcome, years: float) -> dict[str, float | int]:
    return {
        "orders": len(outcome.orders),
        "fills": len(outcome.fills),
        "rejected_orders": int(outcome.counters["n_rejected"]),
        "liquidations": int(outcome.counters["n_liquidations"]),
        "ambiguous_bars": int(outcome.counters["n_ambiguous"]),
        "bars": len(outcome.equity),
        "years": years,
    }
