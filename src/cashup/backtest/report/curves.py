"""Curves of a run, thinned to what a screen can show, and its calendar and rolling figures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from cashup.backtest.report.input import Float, Int, ReportInput
from cashup.backtest.report.price import milliseconds

_DAY = 86_400_000_000_000
_BUCKETS = 1_200
_EXPOSURE_BUCKETS = 320
_WORST_DRAWDOWNS = 10
_LEAST_DAYS = 12
_WINDOWS = (7, 14, 30, 60, 90, 180, 365)


def curves(report: ReportInput) -> dict[str, Any]:
    """Return equity, benchmark, drawdown and exposure at one common, thinned set of times."""
    if not len(report.equity):
        return {}
    benchmark = buy_and_hold(report)
    drawdown = drawdowns(report.equity)
    keep = extremes(report.equity, drawdown, benchmark)
    times = report.bars.ts + bar_length(report.bars.ts)
    out: dict[str, Any] = {
        "ts": milliseconds(times[keep]),
        "equity": _short(report.equity[keep]),
        "benchmark": _short(benchmark[keep]),
        "drawdown": _short(drawdown[keep]),
        "benchmark_drawdown": _short(drawdowns(benchmark)[keep]),
    }
    if report.exposure is not None and len(report.exposure):
        out["exposure"] = exposure_curve(times, np.nan_to_num(report.exposure))
    return out


def buy_and_hold(report: ReportInput) -> Float:
    """Return the equity of buying with all the money at the first close, without costs."""
    if report.benchmark is not None:
        return report.benchmark
    close = report.bars.close
    known = close[np.isfinite(close)]
    if not len(known):
        return np.full(len(close), report.initial_cash)
    filled = close[np.maximum.accumulate(np.where(np.isfinite(close), np.arange(len(close)), 0))]
    return np.asarray(np.nan_to_num(filled / known[0], nan=1.0) * report.initial_cash)


def drawdowns(equity: Float) -> Float:
    """Return equity / its highest value so far - 1 (zero or negative)."""
    peak = np.maximum.accumulate(equity)
    return np.divide(equity, peak, out=np.ones_like(equity), where=peak > 0) - 1.0


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
    """Return mean, lowest and highest exposure of even buckets, and the share of time by direction."""
    size = max(1, -(-len(exposure) // _EXPOSURE_BUCKETS))
    first = np.arange(0, len(exposure), size)
    count = np.diff(np.append(first, len(exposure)))
    return {
        "ts": milliseconds(times[first]),
        "mean": _short(np.add.reduceat(exposure, first) / count),
        "low": _short(np.minimum.reduceat(exposure, first)),
        "high": _short(np.maximum.reduceat(exposure, first)),
        "long": float((exposure > 0).mean()),
        "short": float((exposure < 0).mean()),
    }


def drawdown_table(report: ReportInput) -> list[dict[str, Any]]:
    """Return the deepest drawdowns: times in ms (recovery is `None` while it lasts) and depth."""
    equity = report.equity
    if len(equity) < 2:
        return []
    below = drawdowns(equity) < 0
    edges = np.diff(np.concatenate([[False], below, [False]]).astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    if not len(starts):
        return []
    depth = np.minimum.reduceat(np.append(drawdowns(equity), 0.0), np.stack([starts, ends], axis=1).ravel())[
        ::2
    ]
    times = milliseconds(report.bars.ts + bar_length(report.bars.ts))
    rows = []
    for k in np.argsort(depth, kind="stable")[:_WORST_DRAWDOWNS]:
        start, end = int(starts[k]), int(ends[k])
        trough = start + int(np.argmin(equity[start:end]))
        rows.append(
            {
                "peak": int(times[max(start - 1, 0)]),
                "trough": int(times[trough]),
                "recovery": int(times[end]) if end < len(equity) else None,
                "end": int(times[min(end, len(equity) - 1)]),
                "depth": float(depth[k]),
            }
        )
    return rows


def calendar(report: ReportInput) -> dict[str, Any]:
    """Return the return of every month and year, of the strategy and of buy-and-hold."""
    if not len(report.equity):
        return {"months": [], "years": []}
    benchmark = buy_and_hold(report)
    months = report.bars.ts.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
    years = months // 12 + 1970
    return {
        "months": [
            {"year": m // 12 + 1970, "month": m % 12 + 1, "return": own, "benchmark": other}
            for m, own, other in _by_period(months, report.equity, benchmark, report.initial_cash)
        ],
        "years": [
            {"year": year, "return": own, "benchmark": other}
            for year, own, other in _by_period(years, report.equity, benchmark, report.initial_cash)
        ],
    }


def _by_period(period: Int, own: Float, other: Float, cash: float) -> list[tuple[int, float, float]]:
    last = np.append(np.flatnonzero(np.diff(period)), len(period) - 1)
    return list(zip(period[last].tolist(), _growth(own[last], cash), _growth(other[last], cash), strict=True))


def _growth(values: Float, start: float) -> list[float]:
    before = np.concatenate([[start], values[:-1]])
    growth: list[float] = (
        np.divide(values, before, out=np.ones_like(values), where=before > 0) - 1.0
    ).tolist()
    return growth


def rolling(report: ReportInput) -> dict[str, Any]:
    """Return annualised Sharpe ratio and volatility of daily returns over windows that fit the run."""
    days, closes = daily(report.bars.ts, report.equity)
    if len(closes) < _LEAST_DAYS:
        return {"windows": []}
    _, holds = daily(report.bars.ts, buy_and_hold(report))
    fitting = [w for w in _WINDOWS if 3 * w <= len(closes)] or [_WINDOWS[0]]
    windows = []
    for window in fitting[-3:]:
        sharpe, volatility = _rolling_figures(closes, window, report.periods_per_year)
        other, other_volatility = _rolling_figures(holds, window, report.periods_per_year)
        windows.append(
            {
                "days": window,
                "sharpe": _short(sharpe),
                "volatility": _short(volatility),
                "benchmark_sharpe": _short(other),
                "benchmark_volatility": _short(other_volatility),
                "ts": days[window:] * 86_400_000,
            }
        )
    return {"windows": windows, "chosen": len(windows) // 2}


def daily(ts: Int, values: Float) -> tuple[Int, Float]:
    """Return the days (since 1970) and the last value of each."""
    if not len(ts):
        return ts, values
    day = ts // _DAY
    last = np.append(np.flatnonzero(np.diff(day)), len(day) - 1)
    return day[last], values[last]


def _rolling_figures(closes: Float, window: int, year: float) -> tuple[Float, Float]:
    returns = np.asarray(_growth(closes[1:], float(closes[0])))
    views = np.lib.stride_tricks.sliding_window_view(returns, window)
    deviation = views.std(axis=1, ddof=1)
    flat = deviation < 1e-12
    sharpe = np.where(flat, np.nan, views.mean(axis=1) / np.where(flat, 1.0, deviation) * np.sqrt(year))
    return sharpe, deviation * np.sqrt(year)


def bar_length(ts: Int) -> int:
    """Return the usual distance between bars in nanoseconds."""
    return int(np.median(np.diff(ts[:10_000]))) if len(ts) > 1 else 0


def _short(values: Float) -> Float:
    """Keep six significant digits: what a chart can show."""
    return np.asarray(values, np.float32).astype(np.float64)


def iso(ts: int) -> str:
    """Return a time in nanoseconds UTC as `2024-03-01 12:00`."""
    return datetime.fromtimestamp(ts / 1e9, UTC).strftime("%Y-%m-%d %H:%M")
