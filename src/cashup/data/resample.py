"""Make bars of a higher timeframe out of bars or trades.

A bar is named by its open time and holds what happened in ``open <= t < close``. Months and weeks follow the
calendar. A bar at either end whose time is not wholly covered is dropped, kept or flagged, as asked for.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl

from cashup.data.datasets import DataKind
from cashup.data.schema import SCHEMAS
from cashup.data.timeline import bar_closes, close_times, floor_times
from cashup.model.errors import InputError, explain
from cashup.model.time import Timeframe

Partial = Literal["drop", "keep", "flag"]
"""What to do with a first or last bar that is not wholly covered; "flag" adds a column ``complete``."""


def resample(
    bars: pl.DataFrame,
    source: Timeframe | str,
    target: Timeframe | str,
    *,
    partial: Partial = "drop",
) -> pl.DataFrame:
    """Return bars of the timeframe `target`: first open, highest high, lowest low, last close, sum of volume.

    Missing bars inside leave the bar as its remaining bars make it, as an exchange would; a bar without any
    is missing. Mark-price bars, which have no volume, work too.

    Args:
        bars: Bars sorted by ts (milliseconds UTC, open time).
        source: Their timeframe.
        target: The timeframe to make; a multiple of `source`.
        partial: What to do with an uncovered first or last bar.

    Raises:
        InputError: `target` is not made of whole bars of `source`.
    """
    source, target = Timeframe.parse(source), Timeframe.parse(target)
    if not target.is_multiple_of(source):
        raise InputError(
            explain(
                f"bars of {target} are not made of whole bars of {source}", expected=f"a multiple of {source}"
            ),
            field="timeframe",
        )
    if bars.is_empty():
        return _flagged(bars, np.zeros(0, dtype=bool), partial)
    ts = bars.get_column("ts").to_numpy()
    sums = [pl.col("volume").sum()] if "volume" in bars.columns else []
    made = _grouped(bars, ts, target).agg(
        pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last(), *sums
    )
    covered = int(ts[0]), int(bar_closes(ts[-1:], source)[0])
    return _flagged(made, _complete(made, target, covered), partial)


def bars_from_trades(
    trades: pl.DataFrame,
    timeframe: Timeframe | str,
    *,
    since: int | None = None,
    until: int | None = None,
    partial: Partial = "drop",
    fill: bool = False,
) -> pl.DataFrame:
    """Return bars made of trades.

    Args:
        trades: Trades sorted by ts (milliseconds UTC), with price and amount.
        timeframe: The timeframe to make.
        since: Time from which all trades are there, in milliseconds; None means from the first trade.
        until: Time up to which all trades are there, in milliseconds; None means to the last trade.
        partial: What to do with a first or last bar this does not wholly cover.
        fill: Whether a bar without trades repeats the last price with volume 0, or is missing.
    """
    timeframe = Timeframe.parse(timeframe)
    if trades.is_empty():
        return _flagged(pl.DataFrame(schema=SCHEMAS[DataKind.BARS]), np.zeros(0, dtype=bool), partial)
    ts = trades.get_column("ts").to_numpy()
    price = pl.col("price")
    made = _grouped(trades, ts, timeframe).agg(
        price.first().alias("open"),
        price.max().alias("high"),
        price.min().alias("low"),
        price.last().alias("close"),
        pl.col("amount").sum().alias("volume"),
    )
    covered = int(ts[0]) if since is None else since, int(ts[-1]) if until is None else until
    complete = _complete(made, timeframe, covered)
    made = made.with_columns(pl.Series("complete", complete))
    if fill:
        made = fill_flat(made, timeframe).with_columns(pl.col("complete").fill_null(True))
    return _flagged(made.drop("complete"), made.get_column("complete").to_numpy(), partial)


def fill_flat(bars: pl.DataFrame, timeframe: Timeframe | str) -> pl.DataFrame:
    """Return bars without gaps: a missing bar repeats the last close with volume 0."""
    timeframe = Timeframe.parse(timeframe)
    if bars.height < 2:
        return bars
    opens = pl.DataFrame({"ts": open_times(bars.item(0, "ts"), bars.item(-1, "ts"), timeframe)})
    filled = opens.join(bars, on="ts", how="left", maintain_order="left")
    close = pl.col("close").forward_fill()
    flat = [pl.col(column).fill_null(close) for column in ("open", "high", "low", "close")]
    volume = [pl.col("volume").fill_null(0.0)] if "volume" in bars.columns else []
    return filled.with_columns(*flat, *volume)


def open_times(first: int, last: int, timeframe: Timeframe) -> pl.Series:
    """Return the open times, in milliseconds, of all bars from `first` to `last`, both included."""
    if timeframe.is_fixed:
        step = int(bar_closes(np.array([0]), timeframe)[0])
        return pl.Series("ts", np.arange(first, last + 1, step, dtype=np.int64))
    times = [first]
    while times[-1] < last:
        times.append(int(close_times(np.array([times[-1]]), timeframe)[0]))
    return pl.Series("ts", times, dtype=pl.Int64)


def _grouped(rows: pl.DataFrame, ts: np.ndarray, timeframe: Timeframe) -> pl.dataframe.group_by.GroupBy:
    opens = pl.Series("ts", floor_times(ts, timeframe)).set_sorted()
    return rows.with_columns(opens).group_by("ts", maintain_order=True)


def _complete(made: pl.DataFrame, timeframe: Timeframe, covered: tuple[int, int]) -> np.ndarray:
    opens = made.get_column("ts").to_numpy()
    since, until = covered
    return (opens >= since) & (close_times(opens, timeframe) <= until)


def _flagged(made: pl.DataFrame, complete: np.ndarray, partial: Partial) -> pl.DataFrame:
    if partial == "flag":
        return made.with_columns(pl.Series("complete", complete, dtype=pl.Boolean))
    return made.filter(pl.Series(complete, dtype=pl.Boolean)) if partial == "drop" else made
