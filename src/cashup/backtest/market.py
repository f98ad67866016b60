"""The market a run happens on: bars, finer detail, mark prices, funding and constants, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cashup.engine.bars import PRICES, BarTable, MarketView
from cashup.kernel.memory import Columns, InstrumentSpec, Rules, RunMemory
from cashup.model.errors import InputError, explain

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InstrumentData:
    """One instrument of a run.

    Attributes:
        spec: Its constants for the kernel.
        bars: Bars of the strategy's timeframe; they also give it its name.
        detail: Finer bars to match orders on, or None to match on `bars`.
        mark: Mark price at the close of every bar orders are matched on, or None for the close itself.
        funding_ts: Settlement times, ns UTC, or None.
        funding_rate: Rate at each settlement.
        funding_mark: Mark price at each settlement, NaN for the last price; or None.
    """

    spec: InstrumentSpec
    bars: BarTable
    detail: BarTable | None = None
    mark: Floats | None = None
    funding_ts: Times | None = None
    funding_rate: Floats | None = None
    funding_mark: Floats | None = None

    @property
    def name(self) -> str:
        """Name of the instrument."""
        return self.bars.instrument

    @property
    def matched(self) -> BarTable:
        """The bars orders are matched on."""
        return self.bars if self.detail is None else self.detail


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """The match bars of a run: the union of all instruments' bars and of all decision moments.

    Attributes:
        open_ts: Open time of each match bar, ns UTC.
        close_ts: Its close time.
        decision: The decision bar that closes with it, else -1; None when every match bar is one.
        columns: Per instrument its values on the timeline, NaN where it has no bar.
    """

    open_ts: Times
    close_ts: Times
    decision: Times | None
    columns: tuple[Columns, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class MarketData:
    """Everything a run needs besides the strategy; made once and shared by any number of runs.

    Attributes:
        instruments: The first is the primary one. They share the cash.
        cash: Money at the start, in the settlement currency.
        rules: How orders meet bars.
        seed: Handed to strategies that need a random stream.
        name: What the data is called in reports.

    Raises:
        InputError: No instrument or no bar; different timeframes; detail for some instruments only.
    """

    instruments: tuple[InstrumentData, ...]
    cash: float = 100_000.0
    rules: Rules = field(default_factory=Rules)
    seed: int = 0
    name: str = ""

    def __post_init__(self) -> None:
        if not self.instruments or not any(len(item.bars) for item in self.instruments):
            raise InputError(
                explain("there is no bar to run on", expected="at least one instrument with bars")
            )
        for what, values in (
            ("timeframes", {str(item.bars.timeframe) for item in self.instruments}),
            ("detail timeframes", {str(item.matched.timeframe) for item in self.instruments}),
        ):
            if len(values) > 1:
                raise InputError(explain(f"instruments have different {what}: {', '.join(sorted(values))}"))
        names = [item.name for item in self.instruments]
        if len(set(names)) != len(names):
            raise InputError(explain(f"an instrument is there twice: {', '.join(names)}"))
        matched = self.instruments[0].matched.timeframe
        if not self.instruments[0].bars.timeframe.is_multiple_of(matched):
            raise InputError(
                explain(
                    f"detail bars of {matched} do not make up bars of {self.instruments[0].bars.timeframe}"
                ),
                field="detail",
            )

    @cached_property
    def view(self) -> MarketView:
        """The bars as a strategy sees them."""
        return MarketView(tuple(item.bars for item in self.instruments))

    @cached_property
    def timeline(self) -> Timeline:
        """The match bars of all instruments on one timeline."""
        decisions = self.view.decision_close
        tables = [item.matched for item in self.instruments]
        has_detail = any(item.detail is not None for item in self.instruments)
        if len(tables) == 1 and not has_detail:
            table = tables[0]
            return Timeline(table.open_ts, table.close_ts, None, (self._columns(0, None, 0),))
        closes = decisions
        for table in tables:
            closes = np.union1d(closes, table.close_ts)
        opens = np.zeros(len(closes), np.int64)
        at = [np.searchsorted(closes, table.close_ts) for table in tables]
        # A moment without any bar (a gap in the detail where a decision falls) opens when the last bar
        # closed.
        opens[1:] = closes[:-1]
        opens[:1] = tables[0].open_ts[:1] if len(tables[0]) else closes[:1]
        for table, rows in zip(tables, at, strict=True):
            opens[rows] = table.open_ts
        decision = None
        if len(closes) != len(decisions):
            decision = np.full(len(closes), -1, np.int64)
            decision[np.searchsorted(closes, decisions)] = np.arange(len(decisions))
        columns = tuple(self._columns(k, rows, len(closes)) for k, rows in enumerate(at))
        return Timeline(opens, closes, decision, columns)

    def memory(self, *, first_decision: int = 0, wants: int = 0) -> RunMemory:
        """Return the memory of one run over this market."""
        timeline = self.timeline
        return RunMemory(
            instruments=[item.spec for item in self.instruments],
            columns=timeline.columns,
            open_ts=timeline.open_ts,
            close_ts=timeline.close_ts,
            decision=timeline.decision,
            cash=self.cash,
            rules=self.rules,
            first_decision=first_decision,
            wants=wants,
            seed=self.seed,
        )

    def _columns(self, k: int, rows: Times | None, length: int) -> Columns:
        item = self.instruments[k]
        table = item.matched
        values: dict[str, Any] = {name: _spread(getattr(table, name), rows, length) for name in PRICES}
        return Columns(
            **values,
            mark=None if item.mark is None else _spread(item.mark, rows, length),
            funding_ts=item.funding_ts,
            funding_rate=item.funding_rate,
            funding_mark=item.funding_mark,
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> MarketData:
        return self


def _spread(values: Floats, rows: Times | None, length: int) -> Floats:
    if rows is None:
        return values
    column = np.full(length, np.nan)
    column[rows] = values
    return column
