"""Curves of a run, thinned to what a screen can show, and its calendar and rolling figures."""

from __future__ import annotations

from typing import Any

import numpy as np

from cashup.backtest.report.input import Float, Int, ReportInput
from cashup.backtest.report.price import bar_length, milliseconds
from cashup.backtest.statistics import Curve
from cashup.kernel.statistics.drawdown import drawdowns, underwater

_BUCKETS = 1_200
_EXPOSURE_BUCKETS = 320
_WORST_DRAWDOWNS = 10
_LEAST_DAYS = 12
_WINDOWS = (7, 14, 30, 60, 90, 180, 365)
_DAY_MS = 86_400_000


def own_curve(report: ReportInput) -> Curve:
    """Return the equity of the strategy at the close of every bar."""
    return Curve(report.bars.ts + bar_length(report.bars.ts), report.equity, report.initial_cash)


def buy_and_hold(report: ReportInput) -> Curve:
    """Return the equity of buying with all the money at the first open, without costs."""
    times, cash = report.bars.ts + bar_length(report.bars.ts), report.initial_cash
    if report.benchmark is not None:
        return Curve(times, report.benchmark, cash)
    close = report.bars.close
    at = np.maximum.accumulate(np.where(np.isfinite(close), np.arange(len(close)), 0))
    first = report.bars.open[np.isfinite(report.bars.open)][:1]
    held = close[at] / first * cash if len(first) else np.full(len(close), cash)
    return Curve(times, np.nan_to_num(held, nan=cash), cash)


def curves(report: ReportInput) -> dict[str, Any]:
    """Return equity, benchmark, drawdown and exposure at one common, thinned set of times."""
    if not len(report.equity):
        return {}
    own, held = own_curve(report), buy_and_hold(report)
    drawdown, held_drawdown = _water(own), _water(held)
    keep = extremes(own.equity, drawdown, held.equity)
    out: dict[str, Any] = {
        "ts": milliseconds(own.close_ts[keep]),
        "equity": _short(own.equity[keep]),
        "benchmark": _short(held.equity[keep]),
        "drawdown": _short(drawdown[keep]),
        "benchmark_drawdown": _short(held_drawdown[keep]),
    }
    if report.exposure is not None and len(report.exposure):
        out["exposure"] = exposure_curve(own.close_ts, np.nan_to_num(report.exposure))
    return out


def extremes(*columns: Float) -> Int:
    """Return the rows to draw: of each bucket the first, the last and every column's extremes."""
    n = len(columns[0])
    if n <= 4 * _BUCKETS:
        return np.arange(n)
    size = -(-n // _BUCKETS)
    whole = n // size * size
    first = np.arange(0, whole, size)
    chosen = [first, first + size - 1, np.arange(whole, n), np.array([0, n - 1])]
    for column in columns:
        rows = column[:whole].reshape(-1, size)
        chosen += [first + rows.argmin(axis=1), first + rows.argmax(axis=1)]
    return np.unique(np.concatenate(chosen))


def exposure_curve(times: Int, exposure: Float) -> dict[str, Any]:
    """Return the mean long and short exposure of even buckets, and the share of time by direction."""
    size = max(1, -(-len(exposure) // _EXPOSURE_BUCKETS))
    first = np.arange(0, len(exposure), size)
    count = np.diff(np.append(first, len(exposure)))
    return {
        "ts": milliseconds(times[first]),
        "long_part": _short(np.add.reduceat(np.maximum(exposure, 0.0), first) / count),
        "short_part": _short(np.add.reduceat(np.minimum(exposure, 0.0), first) / count),
        "long": float((exposure > 0).mean()),
        "short": float((exposure < 0).mean()),
    }


def drawdown_table(report: ReportInput) -> list[dict[str, Any]]:
    """Return the deepest drawdowns: times in ms (recovery is `None` while it lasts) and depth."""
    if not len(report.equity):
        return []
    own = own_curve(report)
    times = milliseconds(np.concatenate((report.bars.ts[:1], own.close_ts)))
    return [
        {
            "peak": int(times[found.peak]),
            "trough": int(times[found.valley]),
            "recovery": int(times[found.end]) if found.recovered else None,
            "end": int(times[found.end]),
            "depth": found.depth,
        }
        for found in drawdowns(_from_cash(own))[:_WORST_DRAWDOWNS]
    ]


def calendar(report: ReportInput) -> dict[str, Any]:
    """Return the return of every month and year, of the strategy and of buy-and-hold."""
    if not len(report.equity):
        return {"months": [], "years": []}
    own, held = own_curve(report), buy_and_hold(report)
    return {
        "months": [
            {"year": year, "month": month, "return": value, "benchmark": held.monthly[year, month]}
            for (year, month), value in own.monthly.items()
        ],
        "years": [
            {"year": year, "return": value, "benchmark": held.yearly[year]}
            for year, value in own.yearly.items()
        ],
    }


def rolling(report: ReportInput) -> dict[str, Any]:
    """Return annualised Sharpe ratio and volatility of daily returns over windows that fit the run."""
    own, held = own_curve(report), buy_and_hold(report)
    if not len(report.equity) or len(own.last_of_day) < _LEAST_DAYS:
        return {"windows": []}
    days = own.day[own.last_of_day]
    fitting = [window for window in _WINDOWS if 3 * window <= len(days)] or [_WINDOWS[0]]
    windows = []
    for window in fitting[-3:]:
        sharpe, volatility = _rolling_figures(own.daily, window, report.periods_per_year)
        other, other_volatility = _rolling_figures(held.daily, window, report.periods_per_year)
        windows.append(
            {
                "days": window,
                "sharpe": _short(sharpe),
                "volatility": _short(volatility),
                "benchmark_sharpe": _short(other),
                "benchmark_volatility": _short(other_volatility),
                "ts": days[window - 1 :] * _DAY_MS,
            }
        )
    return {"windows": windows, "chosen": len(windows) // 2}


def _rolling_figures(daily: Float, window: int, year: float) -> tuple[Float, Float]:
    views = np.lib.stride_tricks.sliding_window_view(daily, window)
    deviation = views.std(axis=1, ddof=1)
    flat = deviation < 1e-12
    sharpe = np.where(flat, np.nan, views.mean(axis=1) / np.where(flat, 1.0, deviation) * np.sqrt(year))
    return sharpe, deviation * np.sqrt(year)


def _from_cash(curve: Curve) -> Float:
    """Return the curve with the cash it started from before its first bar."""
    return np.concatenate(([curve.start], curve.equity))


def _water(curve: Curve) -> Float:
    return underwater(_from_cash(curve))[1:]


def _short(values: Float) -> Float:
    """Keep single precision: more than a chart can show."""
    return np.asarray(values, np.float32).astype(np.float64)
