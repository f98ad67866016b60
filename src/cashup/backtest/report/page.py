"""Builds the page: one HTML file that carries its data, styles, scripts and charts, and asks no network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

from cashup.backtest.report.cautions import cautions
from cashup.backtest.report.curves import calendar, curves, drawdown_table, rolling
from cashup.backtest.report.input import ReportInput, Statistic
from cashup.backtest.report.pack import pack
from cashup.backtest.report.price import bar_length, price_block
from cashup.backtest.report.trading import orders, trade_charts, trades, waterfall
from cashup.version import __version__

_SCRIPTS = (
    "data.js",
    "format.js",
    "dom.js",
    "theme.js",
    "chart.js",
    "timeaxis.js",
    "price.js",
    "pricepanel.js",
    "equity.js",
    "analysis.js",
    "calendar.js",
    "table.js",
    "trades.js",
    "statistics.js",
    "details.js",
    "page.js",
)
_STYLES = ("page.css", "parts.css", "tables.css", "lists.css", "narrow.css", "print.css")
_LOG_LINES = 1_000


def build_report(report: ReportInput) -> str:
    """Return the report as one self-contained HTML document.

    The same input gives the same text, byte for byte. Nothing in the document refers to a remote address, and
    its content security policy forbids both remote requests and any script that is not part of it.
    """
    scripts = (asset("echarts.min.js"), _page_script())
    title = html.escape(f"{report.strategy} · {', '.join(report.instruments)} · {report.timeframe}")
    return "".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="color-scheme" content="light dark">\n',
            '<meta name="referrer" content="no-referrer">\n',
            f'<meta name="generator" content="CashUp {html.escape(__version__)}">\n',
            f"<title>{title}</title>\n<style>\n{_styles()}</style>\n</head>\n<body>\n",
            _noscript(report),
            '<div id="report"></div>\n',
            f'<script type="text/plain" id="document">{pack(document(report))}</script>\n',
            f'<script type="text/plain" id="prices">{price_block(report.bars)}</script>\n',
            *(f"<script>{script}</script>\n" for script in scripts),
            "</body>\n</html>\n",
        )
    )


def document(report: ReportInput) -> dict[str, Any]:
    """Return everything the page shows, except the bars, as one tree of plain data and arrays."""
    length = bar_length(report.bars.ts)
    span = (int(report.bars.ts[0]), int(report.bars.ts[-1]) + length) if len(report.bars) else (0, 0)
    return {
        "version": __version__,
        "strategy": report.strategy,
        "description": report.description,
        "instruments": list(report.instruments),
        "timeframe": report.timeframe,
        "mode": report.mode,
        "currency": report.currency,
        "initial_cash": report.initial_cash,
        "final_equity": float(report.equity[-1]) if len(report.equity) else report.initial_cash,
        "start": span[0] // 1_000_000,
        "end": span[1] // 1_000_000,
        "bars": len(report.bars),
        "bar_ms": length // 1_000_000,
        "warnings": cautions(report),
        "curves": curves(report),
        "drawdowns": drawdown_table(report),
        "calendar": calendar(report),
        "rolling": rolling(report),
        "trades": trades(report.trades),
        "trade_charts": trade_charts(report.trades),
        "orders": orders(report.orders),
        "costs": waterfall(report.costs),
        "statistics": [_row(statistic) for statistic in report.statistics],
        "parameters": _pairs(report.parameters),
        "configuration": _pairs(report.configuration),
        "provenance": _pairs(report.provenance),
        "command": report.command,
        "log": [[ts // 1_000_000, text] for ts, text in report.log[:_LOG_LINES]],
        "log_total": len(report.log),
        "text": {"en": _text("en"), "zh": _text("zh")},
    }


def _row(statistic: Statistic) -> dict[str, Any]:
    return {
        "key": statistic.key,
        "group": statistic.group,
        "unit": statistic.unit,
        "value": statistic.value,
        "benchmark": statistic.benchmark,
        "label": {"en": statistic.label or statistic.key, "zh": statistic.label_zh},
        "definition": {"en": statistic.definition, "zh": statistic.definition_zh},
    }


def _pairs(values: Any) -> list[list[str]]:
    return [[str(key), _written(value)] for key, value in values.items()]


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return format(value, ".12g")
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(value)


def _noscript(report: ReportInput) -> str:
    ends = [
        datetime.fromtimestamp(int(ts) / 1e9, UTC).strftime("%Y-%m-%d")
        for ts in report.bars.ts[:: max(1, len(report.bars) - 1)]
    ]
    period = " – ".join(ends)
    return (
        f"<noscript><h1>{html.escape(report.strategy)}</h1>"
        f"<p>{html.escape(', '.join(report.instruments))} · {period}</p>"
        "<p>This report draws itself with JavaScript, which is switched off here. "
        "此报告需要启用 JavaScript 才能显示。</p></noscript>\n"
    )


def _policy(scripts: tuple[str, ...]) -> str:
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


@cache
def _page_script() -> str:
    return "(() => {\n'use strict';\n" + "\n".join(asset(name) for name in _SCRIPTS) + "\n})();\n"


@cache
def _styles() -> str:
    return "\n".join(asset(name) for name in _STYLES)


@cache
def _text(language: str) -> dict[str, str]:
    words: dict[str, str] = json.loads(asset(f"text.{language}.json"))
    return words


@cache
def asset(name: str) -> str:
    """Return the text of a file that belongs to the page."""
    text = resources.files("cashup.backtest.report").joinpath("assets", name).read_text("utf-8")
    return text.replace("\r\n", "\n")
