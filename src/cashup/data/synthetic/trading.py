"""Trades inside bars: a path from open over both extremes to close, with amounts that add up to the volume."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cashup.data.synthetic.prices import VOLUME_PARTS, on_tick

_FEWEST: Final = 4  # open, one extreme, the other, close
_MINUTE_MS: Final = 60_000

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def make_trades(rng: np.random.Generator, bars: pl.DataFrame, *, mean: float, tick: float) -> pl.DataFrame:
    """Return trades (ts, id, side, price, amount) that make exactly these one-minute bars.

    Args:
        rng: Source of chance.
        bars: One-minute bars.
        mean: Mean number of trades a bar; busier bars have more.
        tick: Price step; 0 for none.
    """
    volume = bars["volume"].to_numpy()
    busy = volume / max(float(volume.mean()), 1.0 / VOLUME_PARTS) if len(volume) else volume
    counts = _FEWEST + rng.poisson(np.clip((mean - _FEWEST) * busy, 0.0, 50.0 * mean))
    ends = np.cumsum(counts)
    bar = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(bar)) - (ends - counts)[bar]
    price = _prices(rng, bars, counts, bar, place, tick)
    inside = np.sort(bar + rng.random(len(bar))) - bar  # one sort for all: minutes do not overlap
    first = bars["ts"].to_numpy()[bar]
    ts = first + np.minimum(np.floor(inside * _MINUTE_MS), _MINUTE_MS - 1).astype(np.int64)
    amount = _amounts(rng, volume, counts, bar)
    return pl.DataFrame(
        {
            "ts": ts,
            "id": pl.Series(first // _MINUTE_MS * 100_000 + place).cast(pl.String),
            "side": np.where(_taker_buys(rng, price), "buy", "sell"),
            "price": price,
            "amount": amount,
        },
        schema_overrides={"side": pl.String},
    )


def _prices(
    rng: np.random.Generator, bars: pl.DataFrame, counts: Counts, bar: Counts, place: Counts, tick: float
) -> Floats:
    opened, high, low, close = (bars[name].to_numpy() for name in ("open", "high", "low", "close"))
    up_first = rng.random(len(counts)) < 0.5
    one, two = np.where(up_first, high, low), np.where(up_first, low, high)
    at_one = 1 + np.floor(rng.random(len(counts)) * (counts - 3)).astype(np.int64)
    at_two = at_one + 1 + np.floor(rng.random(len(counts)) * (counts - 2 - at_one)).astype(np.int64)
    stops = np.stack((np.zeros_like(counts), at_one, at_two, counts - 1))
    levels = np.stack((opened, one, two, close))
    leg = (place >= at_one[bar]).astype(np.int64) + (place >= at_two[bar])
    begin, end = stops[leg, bar], stops[leg + 1, bar]
    share = (place - begin) / (end - begin)
    line = levels[leg, bar] + share * (levels[leg + 1, bar] - levels[leg, bar])
    noisy = line + (rng.random(len(bar)) - 0.5) * 0.3 * (high - low)[bar]
    price = np.clip(on_tick(noisy, tick), low[bar], high[bar])
    fixed = (place == stops[:, bar]).any(axis=0)
    exact = np.where(place == begin, levels[leg, bar], levels[leg + 1, bar])
    return np.where(fixed, exact, price)


def _amounts(rng: np.random.Generator, volume: Floats, counts: Counts, bar: Counts) -> Floats:
    """Share the volume out in whole parts; the last trade of a bar takes what is left over."""
    units = np.rint(volume * VOLUME_PARTS)
    weights = rng.standard_exponential(len(bar))
    starts = np.cumsum(counts) - counts
    totals = np.add.reduceat(weights, starts) if len(starts) else weights
    shares = np.floor(weights / totals[bar] * units[bar])
    rest = units - np.add.reduceat(shares, starts) if len(starts) else units
    shares[starts + counts - 1] += rest
    return shares / VOLUME_PARTS


def _taker_buys(rng: np.random.Generator, price: Floats) -> NDArray[np.bool_]:
    """Return whether the taker bought: up-ticks are bought, down-ticks sold, the rest is even."""
    moves = np.diff(price, prepend=price[:1])
    return np.where(moves == 0.0, rng.random(len(price)) < 0.5, moves > 0.0)
