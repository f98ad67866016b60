"""What a reader must know before believing the figures."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from cashup.backtest.report.input import ReportInput

_FEW_TRADES = 30
_SHORT_RUN_DAYS = 90


def cautions(report: ReportInput) -> list[dict[str, Any]]:
    """Return the warnings of a run: a code the page translates, its severity and its numbers."""
    found: list[dict[str, Any]] = []

    def warn(code: str, level: str, **values: Any) -> None:
        found.append({"code": code, "level": level, "values": values})

    counters = report.counters
    if report.error:
        warn("error", "bad", text=report.error)
    if counters.get("bankrupt", 0):
        warn("bankrupt", "bad")
    if count := counters.get("liquidations", 0):
        warn("liquidations", "bad", n=count)
    if count := counters.get("ambiguous", 0):
        warn("ambiguous", "note", n=count)
    if reasons := _rejections(report):
        warn("rejected", "note", n=sum(reasons.values()), reasons=dict(reasons.most_common(3)))
    if _has_open_trade(report):
        warn("open_trade", "note")
    warn_about_sample(report, warn)
    return found


def warn_about_sample(report: ReportInput, warn: Any) -> None:
    """Add the warnings about too little evidence."""
    trades = len(report.trades.get("entry_ts", ()))
    if trades == 0:
        warn("no_trades", "bad")
    elif trades < _FEW_TRADES:
        warn("few_trades", "note", n=trades)
    if len(report.bars) > 1:
        days = (int(report.bars.ts[-1]) - int(report.bars.ts[0])) / 86_400e9
        if days < _SHORT_RUN_DAYS:
            warn("short_run", "note", days=round(days))


def _rejections(report: ReportInput) -> Counter[str]:
    status = report.orders.get("status", ())
    reasons = report.orders.get("reason", ())
    counted = Counter(
        str(reason) for state, reason in zip(status, reasons, strict=False) if state == "rejected"
    )
    if not counted and (count := report.counters.get("rejected", 0)):
        counted["other"] = count
    return counted


def _has_open_trade(report: ReportInput) -> bool:
    return bool(np.any(np.asarray(report.trades.get("open", ()), dtype=bool)))
