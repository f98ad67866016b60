"""From a result to what the report page shows."""

from __future__ import annotations

import inspect
import math
import shlex
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cashup.backtest.registry import REGISTRY
from cashup.backtest.report.input import Bars, Costs, ReportInput, Statistic, Unit
from cashup.backtest.report.page import build_report
from cashup.model.errors import InputError
from cashup.model.ids import split_instrument_id
from cashup.version import __version__

if TYPE_CHECKING:
    from cashup.backtest.result import Result

NS_PER_MS: Final = 1_000_000
NS_PER_HOUR: Final = 3_600_000_000_000
NS_PER_DAY: Final = 24 * NS_PER_HOUR

_GROUPS: Final = {"risk": "ratios", "counters": "run", "tail": "distribution"}
_EXIT_REASONS: Final = {
    "target": "take_profit",
    "stop": "stop_loss",
    "trailing stop": "trailing_stop",
    "end of data": "open",
}
_BENCHMARK: Final = {"total_return": "benchmark_return", "max_drawdown": "benchmark_max_drawdown"}


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
        exposure=equity["exposure"].to_numpy()[at],
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
    for item in REGISTRY:
        value: float | int | None = result.statistics[item.key]
        unit: Unit = "number"
        if item.unit in ("fraction", "money", "count"):
            unit = item.unit  # type: ignore[assignment]  # the three names are the same there
        elif item.unit in ("days", "hours"):
            unit = "duration"
            size = NS_PER_DAY if item.unit == "days" else NS_PER_HOUR
            value = (
                None if math.isnan(result.statistics[item.key]) else round(result.statistics[item.key] * size)
            )
        elif item.unit == "ratio":
            unit = "ratio"
        other = _BENCHMARK.get(item.key)
        rows.append(
            Statistic(
                key=item.key,
                group=_GROUPS.get(item.group, item.group),
                unit=unit,
                value=value,
                benchmark=None if other is None else float(result.statistics[other]),
                label=item.label,
                label_zh=item.label_zh,
                definition=f"{item.formula}. {item.source}".strip() if item.source else item.formula,
            )
        )
    return rows


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
        "since": result.config["first_bar"],
        "until": result.config["last_bar"],
        "data": "; ".join(source.source for source in result.backtest.sources),
        "seed": options.seed,
    }


def _command(result: Result) -> str:
    backtest, options = result.backtest, result.backtest.options
    origin = getattr(type(backtest.strategy), "__cashup_source__", None)
    name = getattr(origin, "path", None) or type(backtest.strategy).__module__.rpartition(".")[2]
    parts = ["cashup", "backtest", str(name)]
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
    for key, setting in result.outcome.parameters.items():
        parts += ["--param", f"{key}={setting}"]
    return shlex.join(parts)


def _description(result: Result) -> str:
    text = inspect.getdoc(type(result.backtest.strategy)) or ""
    return text.split("\n\n")[0].replace("\n", " ")


def _short(name: str) -> str:
    return name.partition(":")[2] or name


def _currency(name: str) -> str:
    try:
        return str(split_instrument_id(name)[1].settle or split_instrument_id(name)[1].quote)
    except (InputError, AttributeError):
        return ""
