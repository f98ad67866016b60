"""`Backtest`: a strategy, its data and the rules, run once or many times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cashup.backtest.market import InstrumentData, MarketData
from cashup.backtest.options import MODES, Mode, Options
from cashup.backtest.outcome import RunOutcome
from cashup.backtest.result import Result
from cashup.backtest.shelf import Loaded, Shelf
from cashup.engine.bars import BarTable
from cashup.engine.strategy import Strategy
from cashup.kernel import types as kt
from cashup.model.errors import DataError, InputError, UnknownNameError, explain
from cashup.model.time import Timeframe, parse_time

NS_PER_MS = 1_000_000
NS_PER_SECOND = 1_000_000_000


class Backtest:
    """One strategy on one market.

    Args:
        strategy: A Strategy class or instance, a path ("file.py" or "file.py:Class") or a template's name.
        data: A stored name ("binance:BTC/USDT"), a file, a Polars or pandas frame with ts (ms UTC, bar open),
            open, high, low, close, volume; or a mapping of names to any of these for several instruments.
        timeframe: Length of the decision bars; None takes the strategy's, else the data's own. Finer data is
            resampled.
        since, until: Use bars that open in since <= t < until: ISO text, or ms UTC.
        params: Parameter values that replace the strategy's defaults.
        detail: Finer bars to fill orders on: True uses the data itself when it is finer than `timeframe`; or a
            timeframe of the stored name, a file or a frame.
        funding: Funding rates: a file or frame (ts, funding_rate); None uses what is stored under the name.
        mark: Mark-price bars of the timeframe orders are matched on; None uses what is stored under the name.
        mode: "auto" compiles where possible, "compiled" insists, "python" never does, "event" runs the engine
            that paper and live use.
        shelf: Where data is found.
        options: See `cashup.backtest.options.Options`: cash, fee, slippage, leverage, margin_mode, instrument,
            latency_ms, volume_limit, limit_fill, seed.

    Raises:
        InputError: an argument is wrong; the message says which, and what would be right.
        DataError: the data is.
    """

    def __init__(
        self,
        strategy: type[Strategy] | Strategy | str | Path,
        data: Any,
        *,
        shelf: Shelf,
        timeframe: str | None = None,
        since: Any = None,
        until: Any = None,
        params: Mapping[str, Any] | None = None,
        detail: Any = None,
        funding: Any = None,
        mark: Any = None,
        mode: Mode = "auto",
        **options: Any,
    ) -> None:
        if mode not in MODES:
            raise UnknownNameError("mode", str(mode), MODES, field="mode")
        self.strategy = instance_of(strategy, params or {})
        self.options = options_of(options)
        self.mode: Mode = mode
        self._shelf = shelf
        self.period = (since, until)
        self.extras = {"detail": detail, "funding": funding, "mark": mark}
        started = perf_counter()
        wanted = timeframe or self.strategy.timeframe
        self.sources: list[Loaded] = []
        items = [
            self._instrument(name, source, wanted, detail, funding, mark) for name, source in named(data)
        ]
        self.market = MarketData(
            instruments=tuple(items),
            cash=float(self.options.cash),
            rules=self.options.rules(),
            seed=self.options.seed,
            name=", ".join(item.name for item in items),
        )
        self.load_seconds = perf_counter() - started

    def run(self) -> Result:
        """Run once and return the result. The strategy instance is not changed.

        Raises:
            StrategyFailed: a method of the strategy raised; the message names file, line and bar.
        """
        return Result(self.outcome(), self)

    def outcome(self) -> RunOutcome:
        """Run once and return the plain outcome."""
        if self.mode == "event":
            return self._through_events()
        from cashup.backtest.fast import run_fast

        done = run_fast(self.strategy, self.market, mode=self.mode)
        return RunOutcome(
            market=self.market,
            strategy=type(self.strategy).__name__,
            parameters=self.strategy.parameters,
            mode=done.mode,
            obstacle=None if done.obstacle is None else str(done.obstacle),
            equity=done.equity,
            orders=done.orders,
            fills=done.fills,
            payments=done.memory.payments,
            counters=done.memory.counters(),
            first_decision=done.first_decision,
            log=tuple((line.ts, line.text) for line in done.log),
            timings=done.timings,
        )

    def _through_events(self) -> RunOutcome:
        from cashup.backtest.events import run_events

        done = run_events(self.strategy, self.market)
        memory = done.node.book.memory
        return RunOutcome(
            market=self.market,
            strategy=type(self.strategy).__name__,
            parameters=self.strategy.parameters,
            mode="event",
            equity=memory.equity,
            orders=memory.orders,
            fills=memory.fills,
            payments=memory.payments,
            counters=done.counters,
            first_decision=done.first_decision,
            log=tuple((line.ts, line.text) for line in done.log),
            timings=done.timings,
        )

    @property
    def timeframe(self) -> Timeframe:
        """Length of the decision bars."""
        return self.market.instruments[0].bars.timeframe

    def _instrument(
        self, name: str | None, source: Any, wanted: str | None, detail: Any, funding: Any, mark: Any
    ) -> InstrumentData:
        since, until = self.period
        loaded = self._shelf.load(source, wanted)
        self.sources.append(loaded)
        name = name or loaded.name
        frame = Timeframe.parse(wanted) if wanted else loaded.timeframe
        bars, own = window(loaded.bars, since, until), loaded.timeframe
        if not frame.is_multiple_of(own):
            raise InputError(
                explain(
                    f"{name} has bars of {own}, the strategy decides on {frame}",
                    expected=f"data of {frame} or finer",
                    hint=f"give other data, or --timeframe {own}",
                ),
                field="timeframe",
            )
        table = table_of(name, frame, bars if own == frame else self._shelf.resample(bars, own, frame))
        finer = self._detail(name, source, detail, bars, own, frame)
        spec = self.options.spec(name)
        matched = table if finer is None else finer
        extra: dict[str, Any] = {}
        if spec.kind != kt.SPOT:
            extra = self._perpetual(name, funding, mark, matched)
        if "funding_ts" in extra:
            table = with_funding(table, extra["funding_ts"], extra["funding_rate"])
        return InstrumentData(spec=spec, bars=table, detail=finer, **extra)

    def _detail(
        self, name: str, source: Any, detail: Any, bars: pl.DataFrame, own: Timeframe, frame: Timeframe
    ) -> BarTable | None:
        if detail is None or detail is False:
            return None
        if detail is True:
            return table_of(name, own, bars) if own != frame else None
        stored = isinstance(detail, str) and not Path(detail).suffix
        loaded = self._shelf.load(source if stored else detail, detail if stored else None)
        fine = window(loaded.bars, *self.period)
        target = Timeframe.parse(detail) if stored else loaded.timeframe
        if loaded.timeframe != target:
            fine = self._shelf.resample(fine, loaded.timeframe, target)
        return table_of(name, target, fine)

    def _perpetual(self, name: str, funding: Any, mark: Any, matched: BarTable) -> dict[str, Any]:
        extra: dict[str, Any] = {}
        rates = None if funding is False else self._shelf.funding(name, funding)
        if rates is not None and len(rates):
            # Venues stamp settlements some milliseconds late; the second they belong to is what counts.
            seconds = rates["ts"].to_numpy() // 1000
            extra["funding_ts"] = np.ascontiguousarray(seconds * NS_PER_SECOND)
            extra["funding_rate"] = np.ascontiguousarray(rates["funding_rate"].to_numpy())
        marks = None if mark is False else self._shelf.mark(name, mark, matched.timeframe)
        if marks is not None and len(marks):
            at = np.searchsorted(marks["ts"].to_numpy() * NS_PER_MS, matched.open_ts)
            known = marks["ts"].to_numpy() * NS_PER_MS
            at = np.minimum(at, len(known) - 1)
            extra["mark"] = np.where(known[at] == matched.open_ts, marks["close"].to_numpy()[at], np.nan)
        return extra


def instance_of(strategy: type[Strategy] | Strategy | str | Path, params: Mapping[str, Any]) -> Strategy:
    """Return an instance of whatever names a strategy, with these parameter values.

    Raises:
        InputError: it is no strategy, or a parameter is wrong.
    """
    if isinstance(strategy, str | Path):
        from cashup.engine.loader import load_strategy

        strategy = load_strategy(str(strategy))
    if isinstance(strategy, Strategy):
        return type(strategy)(**{**strategy.parameters, **params}) if params else strategy
    if isinstance(strategy, type) and issubclass(strategy, Strategy):
        return strategy(**params)
    raise InputError(
        explain(
            f"{strategy!r} is no strategy",
            expected="a Strategy class, an instance, a file or a template's name",
        ),
        field="strategy",
    )


def options_of(given: Mapping[str, Any]) -> Options:
    """Return checked options.

    Raises:
        UnknownNameError: there is no such option; the message offers the near miss.
    """
    known = tuple(Options.__dataclass_fields__)
    for name in given:
        if name not in known:
            raise UnknownNameError("option of a backtest", name, known, field=name)
    return Options(**given)


def named(data: Any) -> list[tuple[str | None, Any]]:
    """Return the sources of all instruments with the names the user gave them."""
    if isinstance(data, Mapping):
        if not data:
            raise InputError(explain("there is no data", expected="at least one instrument"), field="data")
        return [(str(name), source) for name, source in data.items()]
    if isinstance(data, list | tuple):
        return [(None, source) for source in data]
    return [(None, data)]


def moment_ms(moment: Any) -> int | None:
    """Return a time given as ISO text or ms UTC in ms UTC."""
    if moment is None or isinstance(moment, int):
        return moment
    return parse_time(str(moment)) // NS_PER_MS


def window(bars: pl.DataFrame, since: Any, until: Any) -> pl.DataFrame:
    """Return the bars that open in since <= t < until.

    Raises:
        InputError: there are none; the message says what there is.
    """
    first, last = moment_ms(since), moment_ms(until)
    kept = bars
    if first is not None:
        kept = kept.filter(pl.col("ts") >= first)
    if last is not None:
        kept = kept.filter(pl.col("ts") < last)
    if len(kept) == 0:
        if len(bars) == 0:
            raise DataError("there are no bars in the data")
        span = [str(np.datetime64(int(bars["ts"][at]), "ms")) for at in (0, -1)]
        raise InputError(
            explain(f"no bars between {since} and {until}", expected=f"times within {span[0]} to {span[1]}"),
            field="since",
        )
    return kept


def table_of(name: str, timeframe: Timeframe, bars: pl.DataFrame) -> BarTable:
    """Return bars as the engine holds them."""
    ts: NDArray[np.int64] = bars["ts"].to_numpy() * NS_PER_MS
    columns = [bars[column].to_numpy() for column in ("open", "high", "low", "close", "volume")]
    return BarTable.of(name, timeframe, ts, *columns)


def with_funding(table: BarTable, ts: NDArray[np.int64], rates: NDArray[np.float64]) -> BarTable:
    """Return bars that know the rate last settled by the time they close."""
    at = np.searchsorted(ts, table.close_ts, side="right") - 1
    known = np.where(at >= 0, rates[np.maximum(at, 0)], np.nan)
    return replace(table, funding_rate=known)
