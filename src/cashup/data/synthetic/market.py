"""A market that behaves like one: seeded, correlated, with clustering volatility, jumps, volume and funding.

It is for demonstrations and tests. Prices are invented; nothing in them predicts anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cashup.data.synthetic.volatility import (
    MINUTES_PER_WEEK,
    REGIMES,
    autoregression,
    walk_regimes,
    week_shape,
)
from cashup.model.errors import InputError, UnknownNameError, explain
from cashup.model.time import NS_PER_MS, Timeframe, parse_time

Floats = NDArray[np.float64]

MS_PER_MINUTE: Final = 60_000
MINUTES_PER_YEAR: Final = 525_600
FUNDING_MINUTES: Final = 480
_MONDAY_MS: Final = 4 * 86_400_000  # 1970-01-05 was a Monday


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticInstrument:
    """What one instrument of a synthetic market looks like.

    Attributes:
        name: Such as "demo:BTC/USDT".
        price: First price.
        volatility: Base annual volatility, as a fraction (0.6 is 60 %).
        beta: Share of the market's common move it takes, 0 to 1: its correlation with the market.
        daily_volume: Mean traded quantity a day, in base units.
        tick: Price step; 0 for none.
    """

    name: str
    price: float = 40_000.0
    volatility: float = 0.6
    beta: float = 0.85
    daily_volume: float = 30_000.0
    tick: float = 0.01


DEMO: Final = (
    SyntheticInstrument(name="demo:BTC/USDT"),
    SyntheticInstrument(
        name="demo:ETH/USDT", price=2_300.0, volatility=0.75, beta=0.8, daily_volume=400_000.0
    ),
    SyntheticInstrument(
        name="demo:SOL/USDT", price=95.0, volatility=1.0, beta=0.7, daily_volume=4e6, tick=0.001
    ),
)


class SyntheticMarket:
    """One-minute bars of correlated instruments, made once from a seed.

    Args:
        instruments: What to make.
        since: First minute, anything `cashup.model.time.parse_time` reads.
        minutes: How many one-minute bars.
        seed: The same seed gives the same market on every machine.
        jumps_per_year: Mean number of jumps common to all instruments.

    Raises:
        InputError: nothing to make.
    """

    def __init__(
        self,
        instruments: Sequence[SyntheticInstrument] = DEMO,
        *,
        since: str | int = "2024-01-01",
        minutes: int = MINUTES_PER_YEAR,
        seed: int = 7,
        jumps_per_year: float = 60.0,
    ) -> None:
        if not instruments or minutes < 1:
            raise InputError(
                explain(
                    f"{len(instruments)} instruments over {minutes} minutes", expected="at least one of each"
                )
            )
        self.instruments = tuple(instruments)
        first = parse_time(since) if isinstance(since, str) else since
        start = Timeframe.parse("1m").floor(first) // NS_PER_MS
        self.ts: NDArray[np.int64] = start + MS_PER_MINUTE * np.arange(minutes, dtype=np.int64)
        rng = np.random.Generator(np.random.PCG64(seed))
        self._regime = walk_regimes(rng, minutes)
        minute = ((self.ts - _MONDAY_MS) // MS_PER_MINUTE) % MINUTES_PER_WEEK
        slow = autoregression(rng.standard_normal(minutes), 8 * 1440.0)
        fast = autoregression(rng.standard_normal(minutes), 180.0)
        levels = np.array([regime.volatility for regime in REGIMES])[self._regime]
        drifts = np.array([regime.drift for regime in REGIMES])[self._regime]
        self._activity = levels * np.exp(0.35 * slow + 0.45 * fast - 0.1625)
        self._volatility = self._activity * week_shape(minute, strength=0.5)
        self._busy = week_shape(minute, strength=1.0)
        common = rng.standard_normal(minutes)
        jumps = np.where(
            rng.random(minutes) < jumps_per_year / MINUTES_PER_YEAR, rng.laplace(0.0, 1.0, minutes), 0.0
        )
        self._bars = {item.name: self._make(item, rng, common, jumps, drifts) for item in self.instruments}

    def _make(
        self,
        item: SyntheticInstrument,
        rng: np.random.Generator,
        common: Floats,
        jumps: Floats,
        drifts: Floats,
    ) -> pl.DataFrame:
        n = len(self.ts)
        sigma = item.volatility / np.sqrt(MINUTES_PER_YEAR) * self._volatility
        own = rng.standard_normal(n)
        noise = item.beta * common + np.sqrt(1.0 - item.beta**2) * own
        steps = drifts * item.beta / MINUTES_PER_YEAR - 0.5 * sigma**2 + sigma * noise
        steps += jumps * item.beta * item.volatility * 0.02
        log_close = np.log(item.price) + np.cumsum(steps)
        log_open = np.empty(n)
        log_open[0] = np.log(item.price)
        log_open[1:] = log_close[:-1]
        # The extremes of a Brownian bridge between open and close have a known law: invert it.
        move = log_close - log_open
        spread = sigma**2
        above = 0.5 * (move + np.sqrt(move**2 - 2.0 * spread * np.log(1.0 - rng.random(n))))
        below = 0.5 * (move - np.sqrt(move**2 - 2.0 * spread * np.log(1.0 - rng.random(n))))
        surprise = np.abs(move) / np.maximum(sigma, 1e-12)
        volume = item.daily_volume / 1440.0 * self._busy * self._activity
        volume = volume * (0.6 + 0.5 * surprise) * np.exp(0.5 * rng.standard_normal(n) - 0.125)
        prices = {
            "open": np.exp(log_open),
            "high": np.exp(log_open + above),
            "low": np.exp(log_open + below),
            "close": np.exp(log_close),
        }
        return _on_grid(self.ts, prices, volume, item.tick)

    def bars(self, name: str, timeframe: str = "1m") -> pl.DataFrame:
        """Return the bars of an instrument: ts (ms, open time), open, high, low, close, volume.

        Coarser bars are made of the minutes, so every timeframe tells the same story; partial bars are left out.

        Raises:
            UnknownNameError: no such instrument.
            InputError: a timeframe that minutes do not make up.
        """
        if name not in self._bars:
            raise UnknownNameError("instrument", name, sorted(self._bars), field="name")
        minutes = self._bars[name]
        frame = Timeframe.parse(timeframe)
        if not frame.is_multiple_of(Timeframe.parse("1m")) or not frame.is_fixed:
            raise InputError(explain(f"a synthetic market has no bars of {timeframe}", expected="1m to 1w"))
        width = frame.duration_ns // NS_PER_MS
        if width == MS_PER_MINUTE:
            return minutes
        first = frame.next_open(int(self.ts[0]) * NS_PER_MS - 1) // NS_PER_MS
        per_bar = width // MS_PER_MINUTE
        count = (int(self.ts[-1]) + MS_PER_MINUTE - first) // width
        offset = (first - int(self.ts[0])) // MS_PER_MINUTE
        columns = {
            name: minutes[name].to_numpy()[offset : offset + count * per_bar].reshape(count, per_bar)
            for name in ("open", "high", "low", "close", "volume")
        }
        return pl.DataFrame(
            {
                "ts": first + width * np.arange(count, dtype=np.int64),
                "open": columns["open"][:, 0],
                "high": columns["high"].max(axis=1),
                "low": columns["low"].min(axis=1),
                "close": columns["close"][:, -1],
                "volume": columns["volume"].sum(axis=1),
            }
        )

    def funding(self, name: str, *, cap: float = 0.0075) -> pl.DataFrame:
        """Return funding of a perpetual on the instrument: ts (ms, every 8 hours) and funding_rate.

        Longs pay after rises and in bull markets, as they do on venues; the rate is clamped to `cap`.
        """
        close = np.log(self.bars(name)["close"].to_numpy())
        at = np.flatnonzero(self.ts % (FUNDING_MINUTES * MS_PER_MINUTE) == 0)
        before = np.maximum(at - 3 * FUNDING_MINUTES, 0)
        moved = close[at] - close[before]
        noise = np.sin(12.9898 * at) * 43_758.5453
        noise = (noise - np.floor(noise) - 0.5) * 1e-4
        rate = np.clip(0.0001 + 0.006 * moved + noise, -cap, cap)
        return pl.DataFrame({"ts": self.ts[at], "funding_rate": np.round(rate, 8)})

    def mark(self, name: str, timeframe: str = "1m") -> pl.DataFrame:
        """Return mark-price bars: the price with its shortest swings smoothed away."""
        bars = self.bars(name, timeframe)
        smooth = bars["close"].ewm_mean(half_life=2.0, adjust=False)
        calm = (bars["close"] + smooth) / 2.0
        opened = calm.shift(1).fill_null(bars["open"][0])
        return pl.DataFrame(
            {
                "ts": bars["ts"],
                "open": opened,
                "high": np.maximum(opened, calm),
                "low": np.minimum(opened, calm),
                "close": calm,
            }
        )

    def regimes(self) -> list[str]:
        """Return the name of the regime of every minute."""
        return [REGIMES[index].name for index in self._regime]


def _on_grid(ts: NDArray[np.int64], prices: dict[str, Floats], volume: Floats, tick: float) -> pl.DataFrame:
    """Round to the tick and keep high and low outside open and close."""
    if tick > 0.0:
        digits = max(0, round(-np.log10(tick)))
        prices = {name: np.round(np.round(values / tick) * tick, digits) for name, values in prices.items()}
        prices = {name: np.maximum(values, tick) for name, values in prices.items()}
    high = np.maximum.reduce([prices["open"], prices["high"], prices["close"]])
    low = np.minimum.reduce([prices["open"], prices["low"], prices["close"]])
    columns = {"ts": ts, "open": prices["open"], "high": high, "low": low, "close": prices["close"]}
    return pl.DataFrame({**columns, "volume": np.round(volume, 6)})


def demo_bars(timeframe: str = "1m", *, seed: int = 7) -> pl.DataFrame:
    """Return a year of bars of one instrument: what demonstrations and first steps run on."""
    return SyntheticMarket(DEMO[:1], seed=seed).bars(DEMO[0].name, timeframe)
