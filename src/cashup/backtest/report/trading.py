"""Trades, orders and costs as the page shows them: columns for the tables, counts for the charts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cashup.backtest.report.input import ORDER_COLUMNS, TRADE_COLUMNS, Columns, Costs, Float
from cashup.backtest.report.price import milliseconds

#: Rows a page carries; the machine-readable exports carry all.
MAX_TRADES = 20_000
MAX_ORDERS = 10_000
_POINTS = 3_000
_BINS = 40
_TIMES = {"entry_ts", "exit_ts", "created_ts", "done_ts"}
_WORDS = {"side", "exit_reason", "tag", "instrument", "type", "status", "reason"}


def trades(columns: Columns) -> dict[str, Any]:
    """Return the last `MAX_TRADES` trades by column, and how many there were."""
    table = _table(columns, TRADE_COLUMNS)
    total = _rows(table)
    keep = slice(max(0, total - MAX_TRADES), total)
    return {
        "total": total,
        "first": keep.start,
        "columns": {name: column[keep] for name, column in table.items()},
    }


def orders(columns: Columns) -> dict[str, Any]:
    """Return the orders by column; rejected ones first in line when there are more than `MAX_ORDERS`."""
    table = _table(columns, ORDER_COLUMNS)
    total = _rows(table)
    if total > MAX_ORDERS:
        status = np.asarray(table.get("status", np.full(total, "")), dtype=object)
        rank = np.where(status == "rejected", 0, 1)
        keep = np.sort(np.argsort(rank, kind="stable")[:MAX_ORDERS])
        table = {name: column[keep] for name, column in table.items()}
    return {"total": total, "columns": table}


def trade_charts(columns: Columns) -> dict[str, Any]:
    """Return the histograms of return and holding time and the points of the excursion scatter."""
    table = _table(columns, TRADE_COLUMNS)
    if not _rows(table):
        return {}
    out: dict[str, Any] = {}
    if "return" in table:
        out["returns"] = histogram(table["return"])
    if "entry_ts" in table and "exit_ts" in table:
        held = (table["exit_ts"] - table["entry_ts"]).astype(np.float64)
        out["holding"] = holding_histogram(held, table.get("return"))
    if {"mae", "mfe", "return"} <= table.keys():
        step = max(1, -(-_rows(table) // _POINTS))
        out["excursion"] = {name: np.float32(table[name][::step]) for name in ("mae", "mfe", "return")} | {
            "row": np.arange(0, _rows(table), step)
        }
    return out


def histogram(values: Float) -> dict[str, Any]:
    """Return counts over equal bins with an edge at zero; the outermost 1 % are gathered in the end bins."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return {"edges": [], "counts": []}
    low, high = np.percentile(finite, [0.5, 99.5])
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    if high - low <= 0:
        low, high = -0.01, 0.01
    width = nice_step((high - low) / min(_BINS, max(8, 2 * int(np.sqrt(finite.size)))))
    edges = np.arange(np.floor(low / width), np.ceil(high / width) + 1) * width
    counts, _ = np.histogram(np.clip(finite, edges[0], edges[-1]), edges)
    return {
        "edges": edges.tolist(),
        "counts": counts.tolist(),
        "mean": float(finite.mean()),
        "median": float(np.median(finite)),
        "clipped": bool(finite.min() < edges[0] or finite.max() > edges[-1]),
    }


def nice_step(step: float) -> float:
    """Return the next number of the form 1, 2, 2.5 or 5 x a power of ten."""
    power = 10.0 ** np.floor(np.log10(step))
    for factor in (1.0, 2.0, 2.5, 5.0):
        if step <= factor * power * (1 + 1e-9):
            return float(factor * power)
    return float(10.0 * power)


_HOLDING_EDGES_MINUTES = (
    0, 1, 5, 15, 30, 60, 120, 240, 480, 720, 1440, 2880, 5760, 10080, 20160, 43200, 86400, 175200, 525600,
)  # fmt: skip


def holding_histogram(held: Float, returns: Float | None) -> dict[str, Any]:
    """Return winners and losers by holding time (given in ms) over customary steps from minutes to a year."""
    minutes = np.where(np.isfinite(held), held, 0.0) / 60e3
    edges = np.array(_HOLDING_EDGES_MINUTES, np.float64)
    place = np.clip(np.searchsorted(edges, minutes, side="right") - 1, 0, len(edges) - 1)
    won = np.ones(len(minutes), bool) if returns is None else np.asarray(returns > 0)
    wins = np.bincount(place[won], minlength=len(edges))
    losses = np.bincount(place[~won], minlength=len(edges))
    used = np.flatnonzero(wins + losses)
    shown = slice(int(used[0]), int(used[-1]) + 1)
    return {
        "minutes": edges[shown].tolist(),
        "wins": wins[shown].tolist(),
        "losses": losses[shown].tolist(),
        "more": int(used[-1]) == len(edges) - 1,
    }


def waterfall(costs: Costs) -> dict[str, float]:
    """Return the steps from gross to net profit."""
    return {
        "gross": costs.gross,
        "fees": -costs.fees,
        "funding": costs.funding,
        "slippage": -costs.slippage,
        "net": costs.net,
        "turnover": costs.turnover,
    }


def _table(columns: Columns, names: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    return {name: _column(name, columns[name]) for name in names if name in columns}


def _column(name: str, values: Any) -> npt.NDArray[Any]:
    if name in _WORDS:
        return np.asarray(["" if v is None else str(v) for v in values], dtype=object)
    array = np.asarray(values)
    if name in _TIMES:
        return milliseconds(array.astype(np.int64))
    return array.astype(np.float64)


def _rows(table: dict[str, npt.NDArray[Any]]) -> int:
    return len(next(iter(table.values()))) if table else 0
