"""Does a strategy know the future, and how much past does it need? Found out by running it on less data.

Look-ahead: what `prepare` computes for a bar, and what the strategy orders up to it, must not change when the bars
after it are taken away. Warm-up: the value of a recursive indicator depends on where the data begins; how many
bars before it forgets that is measured by beginning later and later.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cashup.backtest.fast import run_fast
from cashup.backtest.market import InstrumentData, MarketData
from cashup.engine.bars import BarTable
from cashup.engine.callbacks import wants_of
from cashup.engine.kernel_host import KernelHost
from cashup.engine.series import Series
from cashup.engine.strategy import Strategy, attach
from cashup.model.errors import InputError, explain
from cashup.model.time import format_time

Floats = NDArray[np.float64]

TOLERANCE: Final = 1e-9
"""Relative difference below which two values are the same: rounding of sums, not knowledge of the future."""
SETTLED: Final = 1e-6
"""Relative difference below which an indicator has forgotten where its data began."""
WARM_UPS: Final = (25, 50, 100, 200, 400, 800, 1600, 3200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """A value that changes when later bars are taken away.

    Attributes:
        column: The attribute of the strategy, or "orders".
        bar: Index of the first decision bar it concerns.
        bar_ts: Open time of that bar, ns UTC.
        cut: Number of bars that were left.
        full: What it is with all bars.
        truncated: What it is with only the bars up to the cut.
    """

    column: str
    bar: int
    bar_ts: int
    cut: int
    full: float
    truncated: float

    def __str__(self) -> str:
        when = format_time(self.bar_ts)
        if self.column == "orders":
            return (
                f"orders change at bar {self.bar} ({when}) when the bars after bar {self.cut - 1} are unknown"
            )
        return (
            f"self.{self.column} at bar {self.bar} ({when}) is {self.full:.10g}, but {self.truncated:.10g} when the "
            f"bars after bar {self.cut - 1} are unknown"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What the checks found.

    Attributes:
        leaks: Look-ahead, the earliest of each column.
        warm_up: Bars each column needs before it agrees with a longer history; None when it never settled.
        cuts: Where the data was cut.
        bars: Decision bars in the data.
    """

    leaks: tuple[Leak, ...]
    warm_up: Mapping[str, int | None]
    cuts: tuple[int, ...]
    bars: int
    declared: int | None = field(default=None)

    @property
    def is_clean(self) -> bool:
        """Whether nothing knows the future."""
        return not self.leaks

    @property
    def needed(self) -> int:
        """Bars the slowest column needs."""
        return max((bars for bars in self.warm_up.values() if bars is not None), default=0)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "clean": self.is_clean,
            "leaks": [
                {name: getattr(leak, name) for name in leak.__dataclass_fields__} for leak in self.leaks
            ],
            "warm_up": dict(self.warm_up),
            "cuts": list(self.cuts),
            "bars": self.bars,
        }

    def __str__(self) -> str:
        lines = [f"Look-ahead: none found in {len(self.cuts)} cuts of {self.bars:,} bars."]
        if self.leaks:
            lines = [f"Look-ahead: {len(self.leaks)} found.", *(f"  {leak}" for leak in self.leaks)]
        lines.append("Warm-up, bars until a column no longer depends on where its data begins:")
        for name, bars in self.warm_up.items():
            lines.append(f"  {name}: {bars if bars is not None else 'does not settle within the data'}")
        if not self.warm_up:
            lines.append("  nothing is prepared")
        return "\n".join(lines)


def check_strategy(strategy: Strategy, market: MarketData, *, cuts: int = 12) -> CheckReport:
    """Run both checks.

    Args:
        strategy: The instance; it is not changed.
        market: Bars to try it on, at least 50.
        cuts: How many moments to cut the data at, spread over its second half and most of its first.

    Raises:
        InputError: there are too few bars.
        StrategyFailed: the strategy raised.
    """
    total = len(market.view.decision_close)
    if total < 50 or cuts < 1:
        raise InputError(explain(f"{total} bars and {cuts} cuts", expected="at least 50 bars and one cut"))
    points = tuple(sorted({int(point) for point in np.linspace(0.2 * total, total - 1, cuts)}))
    full = columns_of(strategy, market)
    orders = run_fast(strategy, market).orders
    found: dict[str, Leak] = {}
    for cut in points:
        for leak in _leaks(strategy, market, cut, full, orders):
            known = found.get(leak.column)
            if known is None or leak.bar < known.bar:
                found[leak.column] = leak
    return CheckReport(
        leaks=tuple(sorted(found.values(), key=lambda leak: (leak.column == "orders", leak.column))),
        warm_up=warm_ups(strategy, market, full),
        cuts=points,
        bars=total,
    )


def columns_of(strategy: Strategy, market: MarketData) -> dict[str, Floats]:
    """Return every column `prepare` leaves on a copy of the strategy, by attribute."""
    fresh = copy.deepcopy(strategy)
    attach(fresh, market.view, KernelHost(market.memory(wants=wants_of(fresh))))
    found: dict[str, Floats] = {}
    for name, value in vars(fresh).items():
        parts = value if isinstance(value, tuple) else (value,)
        series = [part for part in parts if isinstance(part, Series)]
        for place, part in enumerate(series):
            label = name if len(series) == 1 else f"{name}[{place}]"
            found[label] = part.data
    return found


def truncated(market: MarketData, first: int, last: int) -> MarketData:
    """Return a market with the decision bars first to last - 1 only, as it was known then."""
    closes = market.view.decision_close
    start = int(closes[first - 1]) if first > 0 else -(2**62)
    end = int(closes[last - 1])
    items = [_cut_instrument(item, start, end) for item in market.instruments]
    return replace(market, instruments=tuple(item for item in items if len(item.bars)))


def _cut_instrument(item: InstrumentData, start: int, end: int) -> InstrumentData:
    matched = (item.matched.close_ts > start) & (item.matched.close_ts <= end)
    changes: dict[str, Any] = {"bars": _cut_table(item.bars, start, end)}
    if item.detail is not None:
        changes["detail"] = _cut_table(item.detail, start, end)
    if item.mark is not None:
        changes["mark"] = item.mark[matched]
    if item.funding_ts is not None and item.funding_rate is not None:
        kept = item.funding_ts <= end
        changes |= {"funding_ts": item.funding_ts[kept], "funding_rate": item.funding_rate[kept]}
        if item.funding_mark is not None:
            changes["funding_mark"] = item.funding_mark[kept]
    return replace(item, **changes)


def _cut_table(table: BarTable, start: int, end: int) -> BarTable:
    first, last = np.searchsorted(table.close_ts, [start, end], side="right")
    arrays = {name: getattr(table, name)[first:last] for name in _ARRAYS if getattr(table, name) is not None}
    return replace(table, **arrays)


_ARRAYS: Final = ("open_ts", "close_ts", "open", "high", "low", "close", "volume", "funding_rate")


def _leaks(
    strategy: Strategy, market: MarketData, cut: int, full: Mapping[str, Floats], orders: NDArray[np.void]
) -> list[Leak]:
    less = truncated(market, 0, cut)
    opens = market.instruments[0].bars.open_ts
    found = []
    for name, values in columns_of(strategy, less).items():
        whole = full.get(name)
        at = -1 if whole is None else first_difference(whole[: len(values)], values, TOLERANCE)
        if whole is not None and at >= 0:
            bar = min(at, len(opens) - 1)
            found.append(
                Leak(
                    column=name,
                    bar=at,
                    bar_ts=int(opens[bar]),
                    cut=cut,
                    full=float(whole[at]),
                    truncated=float(values[at]),
                )
            )
    changed = _orders_differ(orders, run_fast(strategy, less).orders, cut)
    if changed >= 0:
        found.append(
            Leak(
                column="orders",
                bar=changed,
                bar_ts=int(opens[min(changed, len(opens) - 1)]),
                cut=cut,
                full=float("nan"),
                truncated=float("nan"),
            )
        )
    return found


def first_difference(first: Floats, second: Floats, tolerance: float) -> int:
    """Return the first index at which two columns differ, -1 when they do not; NaN equals NaN."""
    size = min(len(first), len(second))
    a, b = first[:size], second[:size]
    with np.errstate(invalid="ignore"):
        same = np.abs(a - b) <= tolerance * np.maximum(np.abs(a), np.abs(b))
    same |= (a == b) | (np.isnan(a) & np.isnan(b))
    different = np.flatnonzero(~same)
    return int(different[0]) if len(different) else -1


def _orders_differ(full: NDArray[np.void], less: NDArray[np.void], cut: int) -> int:
    """Return the bar of the first order decided before the last bar of the cut that is not in both, else -1."""
    names = ["created_d", "instrument", "side", "type", "flags", "price", "stop_price"]
    a = full[(full["created_d"] < cut - 1) & (full["parent"] == 0)]
    b = less[(less["created_d"] < cut - 1) & (less["parent"] == 0)]
    for one, other in zip(a[names].tolist(), b[names].tolist(), strict=False):
        if not all(x == y or (x != x and y != y) or _near(x, y) for x, y in zip(one, other, strict=True)):
            return int(min(one[0], other[0]))
    if len(a) != len(b):
        longer = a if len(a) > len(b) else b
        return int(longer["created_d"][min(len(a), len(b))])
    return -1


def _near(first: float, second: float) -> bool:
    return abs(first - second) <= TOLERANCE * max(abs(first), abs(second))


def warm_ups(strategy: Strategy, market: MarketData, full: Mapping[str, Floats]) -> dict[str, int | None]:
    """Return for each column how many bars it needs until its last value no longer depends on the beginning."""
    total = len(market.view.decision_close)
    settled: dict[str, int | None] = dict.fromkeys(full)
    for bars in WARM_UPS:
        if bars >= total:
            break
        for name, values in columns_of(strategy, truncated(market, total - bars, total)).items():
            whole = full.get(name)
            if whole is None or not len(values) or settled.get(name) is not None:
                continue
            last, known = float(values[-1]), float(whole[-1])
            if abs(last - known) <= SETTLED * max(abs(last), abs(known)) or (last != last and known != known):
                settled[name] = bars
            else:
                settled[name] = None
    return settled
