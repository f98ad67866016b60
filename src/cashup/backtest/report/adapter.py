"""From a result to what the report page shows."""

from __future__ import annotations

import inspect
import json
import math
import shlex
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cashup.backtest.registry import REGISTRY
from cashup.backtest.report.input import Bars, Costs, ReportInput, Statistic, Unit
from cashup.backtest.report.page import asset, build_report
from cashup.backtest.statistics import DAYS_PER_YEAR, exposure_of
from cashup.engine.loader import shipped_strategies
from cashup.engine.strategy import Strategy
from cashup.kernel.statistics import returns
from cashup.model.errors import InputError
from cashup.model.ids import split_instrument_id
from cashup.version import __version__

if TYPE_CHECKING:
    from cashup.backtest.result import Result

NS_PER_MS: Final = 1_000_000
NS_PER_HOUR: Final = 3_600_000_000_000
NS_PER_DAY: Final = 24 * NS_PER_HOUR

_UNITS: Final[dict[str, Unit]] = {
    "fraction": "fraction",
    "money": "money",
    "count": "count",
    "ratio": "ratio",
}
_GROUPS: Final = {"risk": "ratios", "counters": "run", "tail": "distribution"}
_EXIT_REASONS: Final = {
    "target": "take_profit",
    "stop": "stop_loss",
    "trailing stop": "trailing_stop",
    "end of data": "open",
}


def report_of(result: Result) -> str:
    """Return the HTML report of a result."""
    return build_report(report_input_of(result))


def report_input_of(result: Result) -> ReportInput:
    """Return everything the page shows of a result."""
    outcome, equity = result.outcome, result.equity
    table = outcome.market.instruments[0].bars
    at = np.searchsorted(result.curve.close_ts, table.close_ts)
    curve = equity["equity"].to_numpy()[at]
    statistics = result.statistics
    return ReportInput(
        strategy=outcome.strategy,
        description=_description(result),
        instruments=[_short(item.name) for item in outcome.market.instruments],
        timeframe=str(table.timeframe),
        mode=outcome.mode,
        currency=_currency(table.instrument),
        initial_cash=outcome.cash,
        bars=Bars(
            ts=np.asarray(table.open_ts),
            open=np.asarray(table.open),
            high=np.asarray(table.high),
            low=np.asarray(table.low),
            close=np.asarray(table.close),
            volume=np.asarray(table.volume),
        ),
        equity=curve,
        exposure=exposure_of(outcome, result.curve, signed=True)[at],
        benchmark=equity["benchmark"].to_numpy()[at],
        periods_per_year=DAYS_PER_YEAR,
        costs=Costs(
            net=float(statistics["profit"]),
            fees=float(statistics["fees"]),
            funding=float(statistics["funding"]),
            slippage=float(statistics["slippage_cost"]),
            turnover=float(outcome.counters["turnover"]),
        ),
        trades=_trades(result),
        orders=_orders(result),
        statistics=_statistics(result),
        counters={
            "ambiguous": int(statistics["ambiguous_bars"]),
            "rejected": int(statistics["rejected_orders"]),
            "liquidations": int(statistics["liquidations"]),
            "bankrupt": int(curve[-1] <= 1e-9 * outcome.cash),
            "bars": int(statistics["bars"]),
        },
        parameters=dict(outcome.parameters),
        configuration=_configuration(result),
        provenance={
            "run": result.id,
            "data_fingerprint": result.config["data"],
            "strategy_fingerprint": result.config["source"],
            "version": __version__,
            **({} if outcome.obstacle is None else {"not_compiled": outcome.obstacle}),
            **{f"{name}_ms": round(seconds * 1e3, 2) for name, seconds in outcome.timings.items()},
        },
        command=_command(result),
        log=list(outcome.log),
    )


def _trades(result: Result) -> dict[str, Any]:
    frame = result.trades
    columns: dict[str, Any] = {name: frame[name].to_numpy() for name in _SAME}
    columns["entry_ts"] = frame["entry_ts"].to_numpy() * NS_PER_MS
    columns["exit_ts"] = frame["exit_ts"].to_numpy() * NS_PER_MS
    columns["side"] = frame["side"].to_list()
    columns["exit_reason"] = [_EXIT_REASONS.get(reason, reason) for reason in frame["exit_reason"].to_list()]
    columns["tag"] = [str(tag) for tag in frame["entry_tag"].to_list()]
    columns["instrument"] = [_short(name) for name in frame["instrument"].to_list()]
    columns["open"] = frame["is_open"].to_list()
    return columns


_SAME: Final = (
    "quantity",
    "entry_price",
    "exit_price",
    "pnl",
    "return",
    "fees",
    "funding",
    "mae",
    "mfe",
    "bars",
)


def _orders(result: Result) -> dict[str, Any]:
    frame = result.orders
    columns: dict[str, Any] = {
        name: frame[name].to_numpy()
        for name in ("id", "quantity", "price", "stop_price", "filled", "average_price", "fee")
    }
    for name in ("created_ts", "done_ts"):
        columns[name] = frame[name].to_numpy() * NS_PER_MS
    for name in ("type", "status", "reason"):
        columns[name] = [word.replace(" ", "_") or "none" for word in frame[name].to_list()]
    columns["side"] = frame["side"].to_list()
    columns["tag"] = [str(tag) for tag in frame["tag"].to_list()]
    columns["instrument"] = [_short(name) for name in frame["instrument"].to_list()]
    return columns


def _statistics(result: Result) -> list[Statistic]:
    rows = []
    held, chinese = _held(result), _chinese_formulas()
    for item in REGISTRY:
        unit, value = _in_unit(item.unit, result.statistics[item.key])
        rows.append(
            Statistic(
                key=item.key,
                group=_GROUPS.get(item.group, item.group),
                unit=unit,
                value=value,
                benchmark=held.get(item.key),
                label=item.label,
                label_zh=item.label_zh,
                definition=_sentence(item.formula, item.source),
                definition_zh=chinese.get(item.key, ""),
            )
        )
    return rows


def _in_unit(unit: str, value: float) -> tuple[Unit, float | None]:
    """Return the page's unit for one of the registry, and the figure in it."""
    if unit in ("days", "hours"):
        size = NS_PER_DAY if unit == "days" else NS_PER_HOUR
        return "duration", None if math.isnan(value) else round(value * size)
    return _UNITS.get(unit, "number"), value


def _held(result: Result) -> dict[str, float]:
    """Return the figures of buy and hold that stand beside the strategy's own."""
    curve, statistics = result.benchmark, result.statistics
    daily, growth = curve.daily, float(curve.equity[-1]) / curve.start
    growth_a_year = returns.compound_growth(growth, float(statistics["years"]))
    depth = float(statistics["benchmark_max_drawdown"])
    return {
        "total_return": float(statistics["benchmark_return"]),
        "cagr": growth_a_year,
        "best_day": float(np.max(daily)),
        "worst_day": float(np.min(daily)),
        "sharpe": returns.sharpe(daily, DAYS_PER_YEAR),
        "sortino": returns.sortino(daily, DAYS_PER_YEAR),
        "calmar": returns.divide(growth_a_year, -depth),
        "volatility": returns.volatility(daily, DAYS_PER_YEAR),
        "max_drawdown": depth,
    }


def _sentence(formula: str, source: str) -> str:
    text = formula[:1].upper() + formula[1:]
    return f"{text}. Source: {source}." if source else f"{text}."


@cache
def _chinese_formulas() -> dict[str, str]:
    words: dict[str, str] = json.loads(asset("formulas.zh.json"))
    return words


def _configuration(result: Result) -> dict[str, Any]:
    options = result.backtest.options
    maker, taker = options.fees
    return {
        "cash": options.cash,
        "maker_fee": maker,
        "taker_fee": taker,
        "slippage": options.slippage,
        "leverage": options.leverage,
        "margin_mode": options.margin_mode or "–",
        "latency": f"{options.latency_ms:g} ms",
        "volume_limit": options.volume_limit,
        "limit_rule": options.limit_fill,
        "detail": result.config["detail"] or "–",
        "warmup": result.outcome.first_decision,
        "since": result.config["first_bar"],
        "until": result.config["last_bar"],
        "data": "; ".join(source.source for source in result.backtest.sources),
        "seed": options.seed,
    }


def _command(result: Result) -> str:
    backtest, options = result.backtest, result.backtest.options
    parts = ["cashup", "backtest", _reference(type(backtest.strategy))]
    for source in backtest.sources:
        parts += ["--data", source.source.removeprefix("store ").split(" ")[0]]
    parts += ["--timeframe", str(backtest.timeframe)]
    since, until = backtest.period
    parts += [] if since is None else ["--since", str(since)]
    parts += [] if until is None else ["--until", str(until)]
    maker, taker = options.fees
    parts += [
        "--cash",
        f"{options.cash:g}",
        "--fee",
        f"{maker:g}" if maker == taker else f"{maker:g},{taker:g}",
    ]
    for option, value, default in (
        ("--slippage", options.slippage, 0.0),
        ("--leverage", options.leverage, 1.0),
        ("--margin", options.margin_mode, None),
        ("--latency-ms", options.latency_ms, 0.0),
        ("--volume-limit", options.volume_limit, 0.0),
        ("--limit-fill", options.limit_fill, "touch"),
    ):
        if value != default:
            parts += [option, str(value)]
    for name, given in backtest.extras.items():
        # Frames have no name a command line could give; the configuration's data hash tells them apart.
        if isinstance(given, bool):
            parts += [f"--{name}", "data" if given else "none"]
        elif isinstance(given, str | Path):
            parts += [f"--{name}", str(given)]
    for key, setting in result.outcome.parameters.items():
        parts += ["--param", f"{key}={setting}"]
    return shlex.join(parts)


def _reference(strategy: type[Strategy]) -> str:
    """Return how the command line names a strategy: a shipped name, or file:class."""
    origin = getattr(strategy, "__cashup_source__", None)
    path = (
        origin.path if origin is not None else getattr(sys.modules.get(strategy.__module__), "__file__", None)
    )
    if path is None:  # typed into a notebook or a console: there is no file to name
        return strategy.__name__
    shipped = {str(file): name for name, file in shipped_strategies().items()}
    return shipped.get(path, f"{path}:{strategy.__name__}")


def _description(result: Result) -> str:
    text = inspect.cleandoc(type(result.backtest.strategy).__dict__.get("__doc__") or "")
    return text.split("\n\n")[0].replace("\n", " ")


def _short(name: str) -> str:
    return name.partition(":")[2] or name


def _currency(name: str) -> str:
    try:
        return str(split_instrument_id(name)[1].settle or split_instrument_id(name)[1].quote)
    except (InputError, AttributeError):
        return ""
