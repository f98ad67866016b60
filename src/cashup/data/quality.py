"""Check bars: what is missing, repeated, impossible or suspicious, and how good they are from 0 to 100."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from cashup.data.outliers import Outlier, find_outliers
from cashup.data.schema import PRICES
from cashup.data.timeline import bar_closes
from cashup.model.time import NS_PER_DAY, NS_PER_MS, Timeframe, format_time, ms_to_ns

WEIGHTS: Final[dict[str, tuple[float, float]]] = {
    "invalid": (40.0, 0.001),
    "missing": (30.0, 0.05),
    "spikes": (20.0, 0.0005),
    "stale": (15.0, 0.02),
    "repeated": (10.0, 0.01),
    "zero_volume": (10.0, 0.2),
    "partial_last": (2.0, 0.0),
}
"""For each fault: the most points it costs, and the share of all bars at which it costs them all.

Below that share the cost is proportional. The score is 100 less all costs, at least 0. A partial last bar
costs its points whole. Jumps that do not come back and long wicks are shown but cost nothing: markets do so.
"""

_RUN_MINIMUM: Final = 3
_FRIDAY: Final = 5
_DAY_MS: Final = NS_PER_DAY // NS_PER_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Consecutive bars, or consecutive missing ones.

    Attributes:
        first: Open time of the first, milliseconds UTC.
        last: Open time of the last, milliseconds UTC.
        bars: How many.
    """

    first: int
    last: int
    bars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """What a check of bars found.

    Attributes:
        timeframe: Their timeframe.
        rows: Number of bars.
        first: Open time of the first bar, milliseconds UTC; None without bars.
        last: Open time of the last bar, milliseconds UTC; None without bars.
        missing: Bars the calendar has between first and last, and the data have not.
        gaps: The runs of missing bars.
        weekdays_only: Whether weekends were not counted as missing: the bars are daily and have none.
        repeated: Bars whose time is there before.
        backwards: Bars earlier than the one before them.
        invalid: Bars with a value missing or not finite, a price not positive, a negative volume, or a high
            or low inside the other prices.
        first_invalid: Open time of the first invalid bar.
        zero_volume: Bars in which nothing was traded.
        zero_volume_runs: Runs of at least three of them.
        stale: Bars with the same prices and volume as the one before, though something was traded.
        stale_runs: Runs of them, the bar they repeat not counted.
        outliers: Suspicious bars: spikes that come back, jumps that do not, and long wicks.
        partial_last: Whether the last bar had not ended; None when the present is not known.
        costs: Points each kind of fault takes off the score.
    """

    timeframe: Timeframe
    rows: int
    first: int | None
    last: int | None
    missing: int = 0
    gaps: tuple[Run, ...] = ()
    weekdays_only: bool = False
    repeated: int = 0
    backwards: int = 0
    invalid: int = 0
    first_invalid: int | None = None
    zero_volume: int = 0
    zero_volume_runs: tuple[Run, ...] = ()
    stale: int = 0
    stale_runs: tuple[Run, ...] = ()
    outliers: tuple[Outlier, ...] = ()
    partial_last: bool | None = None
    costs: dict[str, float] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """Quality from 0 (useless) to 100 (nothing found); `WEIGHTS` says what a fault costs."""
        return round(max(0.0, 100.0 - sum(self.costs.values())), 1) if self.rows else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, times as ISO 8601."""
        values = _readable(asdict(self))
        return {"score": self.score, **values, "timeframe": str(self.timeframe)}


def check(bars: pl.DataFrame, timeframe: Timeframe | str, *, now: int | None = None) -> QualityReport:
    """Check bars of one instrument, in any order and state; mark prices (no volume) too.

    Args:
        bars: Columns ts (milliseconds UTC, open time), open, high, low, close and maybe volume.
        timeframe: Their timeframe.
        now: The present, in milliseconds UTC, to tell whether the last bar has ended.
    """
    timeframe = Timeframe.parse(timeframe)
    if bars.is_empty():
        return QualityReport(timeframe=timeframe, rows=0, first=None, last=None)
    steps = bars.get_column("ts").diff()
    clean = bars.unique(subset="ts", keep="last").sort("ts")
    ts = clean.get_column("ts")
    invalid = clean.filter(_invalid(bars.columns))
    weekdays_only = _weekdays_only(ts, timeframe)
    gaps = _gaps(ts, timeframe, weekdays_only=weekdays_only)
    idle, stale = _idle(clean), _stale(clean)
    found = QualityReport(
        timeframe=timeframe,
        rows=bars.height,
        first=int(ts[0]),
        last=int(ts[-1]),
        missing=sum(gap.bars for gap in gaps),
        gaps=gaps,
        weekdays_only=weekdays_only,
        repeated=bars.height - clean.height,
        backwards=int((steps < 0).sum()),
        invalid=invalid.height,
        first_invalid=None if invalid.is_empty() else int(invalid.item(0, "ts")),
        zero_volume=int(idle.sum()),
        zero_volume_runs=_runs(ts, idle, _RUN_MINIMUM),
        stale=int(stale.sum()),
        stale_runs=_runs(ts, stale, 1),
        outliers=find_outliers(clean.filter(~_invalid(bars.columns))),
        partial_last=None if now is None else bool(bar_closes(ts[-1:].to_numpy(), timeframe)[0] > now),
    )
    found.costs.update(_costs(found))
    return found


def _costs(report: QualityReport) -> dict[str, float]:
    total = report.rows + report.missing
    counts = {
        "invalid": report.invalid,
        "missing": report.missing,
        "spikes": sum(outlier.kind == "spike" for outlier in report.outliers),
        "stale": report.stale,
        "repeated": report.repeated + report.backwards,
        "zero_volume": report.zero_volume,
    }
    costs = {
        name: round(WEIGHTS[name][0] * min(1.0, count / total / WEIGHTS[name][1]), 2)
        for name, count in counts.items()
        if count
    }
    if report.partial_last:
        costs["partial_last"] = WEIGHTS["partial_last"][0]
    return costs


def _invalid(columns: list[str]) -> pl.Expr:
    high, low = pl.col("high"), pl.col("low")
    prices = pl.any_horizontal(
        *(~pl.col(column).is_finite() | (pl.col(column) <= 0) for column in PRICES),
        high < pl.max_horizontal("open", "low", "close"),
        low > pl.min_horizontal("open", "close"),
    )
    if "volume" in columns:
        prices = prices | ~pl.col("volume").is_finite() | (pl.col("volume") < 0)
    return prices.fill_null(True)


def _weekdays_only(ts: pl.Series, timeframe: Timeframe) -> bool:
    """Return whether daily bars leave out weekends, as stock markets do, and hold more than a week."""
    if timeframe != Timeframe.parse("1d") or len(ts) < 10:
        return False
    return bool((pl.from_epoch(ts, time_unit="ms").dt.weekday() <= _FRIDAY).all())


def _weekdays(first: int, bars: int) -> int:
    days = pl.from_epoch(pl.Series([first + i * _DAY_MS for i in range(bars)]), time_unit="ms")
    return int((days.dt.weekday() <= _FRIDAY).sum())


def _gaps(ts: pl.Series, timeframe: Timeframe, *, weekdays_only: bool) -> tuple[Run, ...]:
    times = ts.to_numpy()
    expected = bar_closes(times[:-1], timeframe)
    found = []
    for i in np.flatnonzero(times[1:] > expected):
        first, after = int(expected[i]), int(times[i + 1])
        bars = timeframe.count_between(ms_to_ns(first), ms_to_ns(after))
        if weekdays_only:
            bars = _weekdays(first, bars)
        if bars:
            last = timeframe.previous_open(ms_to_ns(after)) // NS_PER_MS
            found.append(Run(first=first, last=last, bars=bars))
    return tuple(found)


def _idle(bars: pl.DataFrame) -> pl.Series:
    if "volume" not in bars.columns:
        return pl.repeat(False, bars.height, eager=True)
    return (bars.get_column("volume") == 0).fill_null(False)


def _stale(bars: pl.DataFrame) -> pl.Series:
    """Mark bars equal to the one before; flat bars without trades are not stale, only idle."""
    columns = [column for column in (*PRICES, "volume") if column in bars.columns]
    same = pl.all_horizontal(pl.col(column) == pl.col(column).shift(1) for column in columns)
    traded = pl.col("volume") > 0 if "volume" in columns else pl.col("high") > pl.col("low")
    return bars.select((same & traded).fill_null(False).alias("stale")).to_series()


def _runs(ts: pl.Series, marked: pl.Series, minimum: int) -> tuple[Run, ...]:
    """Return the runs of at least `minimum` marked rows."""
    edges = np.diff(np.concatenate(([0], marked.to_numpy().astype(np.int8), [0])))
    firsts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return tuple(
        Run(first=int(ts[int(a)]), last=int(ts[int(b) - 1]), bars=int(b - a))
        for a, b in zip(firsts, ends, strict=True)
        if b - a >= minimum
    )


def _readable(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _readable(item, key) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_readable(item) for item in value]
    if name in ("ts", "first", "last", "first_invalid") and isinstance(value, int):
        return format_time(value * NS_PER_MS)
    return value
