"""The result of a backtest: figures, tables, pictures, and what reproduces it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from cashup.backtest.fingerprint import data_hash, run_id, source_hash
from cashup.backtest.outcome import RunOutcome
from cashup.backtest.statistics import Curve, benchmark_of, curve_of, exposure_of, statistics_of
from cashup.backtest.trades import NS_PER_MS, trades_of
from cashup.kernel import types as kt
from cashup.kernel.statistics.drawdown import underwater
from cashup.model.errors import InputError, explain
from cashup.version import __version__

if TYPE_CHECKING:
    from cashup.backtest.runner import Backtest


def _words(prefix: str) -> dict[int, str]:
    """Return the words of a family of kernel codes, such as ORDER statuses, from their names."""
    return {
        value: name.removeprefix(prefix).lower().replace("_", " ")
        for name, value in vars(kt).items()
        if name.startswith(prefix) and isinstance(value, int)
    }


REASONS: Final = {**_words("REASON_"), kt.REASON_NONE: ""}
TYPES: Final = {
    getattr(kt, name): name.lower().replace("_", " ")
    for name in ("MARKET", "LIMIT", "STOP", "STOP_LIMIT", "TRAILING_STOP", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
}
STATUSES: Final = {
    getattr(kt, name): name.lower().replace("_", " ")
    for name in (
        "HELD",
        "SUBMITTED",
        "ACCEPTED",
        "TRIGGERED",
        "PARTIALLY_FILLED",
        "FILLED",
        "CANCELLED",
        "REJECTED",
        "EXPIRED",
    )
}
TIMES_IN_FORCE: Final = {kt.GTC: "GTC", kt.IOC: "IOC", kt.FOK: "FOK", kt.GTD: "GTD"}


class Result:
    """What a backtest gave. Tables are made when they are first asked for.

    Attributes:
        outcome: The run itself, in the kernel's arrays.
        backtest: What was run.
    """

    def __init__(self, outcome: RunOutcome, backtest: Backtest) -> None:
        self.outcome = outcome
        self.backtest = backtest

    @cached_property
    def statistics(self) -> Mapping[str, float | int]:
        """Every figure of `cashup.backtest.registry`, by key; NaN where it has no meaning."""
        return statistics_of(self.outcome, self.trades)

    @cached_property
    def trades(self) -> pl.DataFrame:
        """Round trips; columns in `cashup.backtest.trades.SCHEMA`, times in ms UTC."""
        return trades_of(self.outcome)

    @cached_property
    def orders(self) -> pl.DataFrame:
        """All orders, rejected ones included, with words for codes and times in ms UTC."""
        rows = self.outcome.orders
        names = np.array([item.name for item in self.outcome.market.instruments])
        return pl.DataFrame(
            {
                "id": rows["id"],
                "instrument": names[rows["instrument"]] if len(rows) else np.array([], dtype=str),
                "created_ts": rows["created_ts"] // NS_PER_MS,
                "done_ts": rows["done_ts"] // NS_PER_MS,
                "side": _translate(rows["side"], {kt.BUY: "buy", kt.SELL: "sell"}),
                "type": _translate(rows["type"], TYPES),
                "time_in_force": _translate(rows["time_in_force"], TIMES_IN_FORCE),
                "reduce_only": (rows["flags"] & kt.REDUCE_ONLY) != 0,
                "post_only": (rows["flags"] & kt.POST_ONLY) != 0,
                "quantity": rows["quantity"],
                "price": rows["price"],
                "stop_price": rows["stop_price"],
                "filled": rows["filled"],
                "average_price": rows["average_price"],
                "fee": rows["fee"],
                "status": _translate(rows["status"], STATUSES),
                "reason": _translate(rows["reason"], REASONS),
                "parent": rows["parent"],
                "group": rows["group"],
                "tag": rows["tag"],
            }
        )

    @cached_property
    def fills(self) -> pl.DataFrame:
        """All fills: times in ms UTC, prices, quantities, fees, realised profit."""
        rows = self.outcome.fills
        names = np.array([item.name for item in self.outcome.market.instruments])
        return pl.DataFrame(
            {
                "ts": rows["ts"] // NS_PER_MS,
                "instrument": names[rows["instrument"]] if len(rows) else np.array([], dtype=str),
                "order": rows["order"],
                "side": _translate(rows["side"], {kt.BUY: "buy", kt.SELL: "sell"}),
                "kind": _translate(
                    rows["kind"], {kt.FILL_TRADE: "trade", kt.FILL_LIQUIDATION: "liquidation"}
                ),
                "liquidity": _translate(rows["maker"], {0: "taker", 1: "maker"}),
                "price": rows["price"],
                "quantity": rows["quantity"],
                "fee": rows["fee"],
                "realized": rows["realized"],
                "position": rows["position"],
                "tag": rows["tag"],
            }
        )

    @cached_property
    def equity(self) -> pl.DataFrame:
        """Per decision bar: ts (close, ms UTC), equity, drawdown, exposure and the value of buy and hold."""
        curve, held = self.curve, self.benchmark
        at = np.searchsorted(held.close_ts, curve.close_ts, side="right") - 1
        return pl.DataFrame(
            {
                "ts": curve.close_ts // NS_PER_MS,
                "equity": curve.equity,
                "drawdown": underwater(np.concatenate(([curve.start], curve.equity)))[1:],
                "exposure": exposure_of(self.outcome, curve),
                "benchmark": held.equity[np.maximum(at, 0)] / held.start * curve.start,
            }
        )

    @cached_property
    def curve(self) -> Curve:
        """Equity with its daily and monthly returns."""
        return curve_of(self.outcome)

    @cached_property
    def benchmark(self) -> Curve:
        """Buy and hold of the first instrument."""
        return benchmark_of(self.outcome)

    @property
    def mode(self) -> str:
        """How it ran: "compiled", "python" or "event"."""
        return self.outcome.mode

    @property
    def explain(self) -> str:
        """Why the strategy was not compiled, with file and line; or that it was."""
        return self.outcome.obstacle or f"{self.outcome.strategy} ran {self.mode}"

    @cached_property
    def config(self) -> dict[str, Any]:
        """Everything that decides the result: the run repeats exactly from it."""
        backtest = self.backtest
        bars = self.outcome.market.instruments[0].bars
        return {
            "strategy": self.outcome.strategy,
            "source": source_hash(type(backtest.strategy)),
            "parameters": dict(self.outcome.parameters),
            "instruments": [item.name for item in self.outcome.market.instruments],
            "timeframe": str(backtest.timeframe),
            "detail": None
            if self.outcome.market.instruments[0].detail is None
            else str(self.outcome.market.instruments[0].matched.timeframe),
            "first_bar": str(np.datetime64(int(bars.open_ts[0]), "ns").astype("datetime64[s]")),
            "last_bar": str(np.datetime64(int(bars.open_ts[-1]), "ns").astype("datetime64[s]")),
            "bars": len(bars),
            "data": data_hash(self.outcome.market),
            "options": backtest.options.to_dict(),
        }

    @cached_property
    def id(self) -> str:
        """Hash of code, parameters, data, options and engine version: equal ids, equal results."""
        return run_id(self.config)

    def to_dict(self) -> dict[str, Any]:
        """Return statistics, configuration and counters as plain values; what is not a number becomes None."""
        return {
            "id": self.id,
            "engine": __version__,
            "mode": self.mode,
            "obstacle": self.outcome.obstacle,
            "config": self.config,
            "statistics": {key: plain(value) for key, value in self.statistics.items()},
            "monthly_returns": {f"{y}-{m:02d}": plain(r) for (y, m), r in self.curve.monthly.items()},
            "yearly_returns": {str(year): plain(value) for year, value in self.curve.yearly.items()},
            "timings": dict(self.outcome.timings),
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """Return `to_dict` as JSON."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False, default=str)

    def to_csv(self, folder: str | Path) -> list[Path]:
        """Write trades, orders, fills and equity as CSV files into a folder, and return their paths.

        Raises:
            InputError: the folder cannot be written.
        """
        target = Path(folder)
        try:
            target.mkdir(parents=True, exist_ok=True)
            written = []
            for name in ("trades", "orders", "fills", "equity"):
                path = target / f"{name}.csv"
                getattr(self, name).write_csv(path)
                written.append(path)
        except OSError as e:
            raise InputError(explain(f"cannot write to {target}: {e.strerror}"), field="csv") from e
        return written

    def report(self, path: str | Path) -> Path:
        """Write the HTML report, one file that needs no network, and return its path.

        Raises:
            InputError: the file cannot be written.
        """
        from cashup.backtest.report import report_of

        target = Path(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(report_of(self), encoding="utf-8")
        except OSError as e:
            raise InputError(explain(f"cannot write {target}: {e.strerror}"), field="report") from e
        return target

    def plot(self, path: str | Path | None = None, *, open_browser: bool = True) -> Path:
        """Write the report beside temporary files (or to `path`), show it in the browser and return its path."""
        import tempfile
        import webbrowser

        if path is None:
            path = Path(tempfile.gettempdir()) / f"cashup-{self.id}.html"
        written = self.report(path)
        if open_browser:
            webbrowser.open(written.resolve().as_uri())
        return written

    def __str__(self) -> str:
        from cashup.backtest.terminal import summary

        return summary(self)

    def __repr__(self) -> str:
        figures = self.statistics
        return (
            f"<Result {self.outcome.strategy} on {self.outcome.market.name}: "
            f"{figures['total_return']:+.2%}, Sharpe {figures['sharpe']:.2f}, "
            f"drawdown {figures['max_drawdown']:.2%}, {figures['trades']} trades>"
        )

    def _repr_html_(self) -> str:
        from cashup.backtest.terminal import notebook

        return notebook(self)


def plain(value: float | int) -> float | int | None:
    """Return a figure as JSON can hold it."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _translate(codes: Any, words: Mapping[int, str]) -> list[str]:
    return [words.get(code, str(code)) for code in codes.tolist()]
