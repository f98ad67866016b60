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

from cashup.data.resample import resample
from cashup.data.synthetic import perpetual
from cashup.data.synthetic.prices import VOLUME_PARTS, extremes, make_bars
from cashup.data.synthetic.trading import make_trades
from cashup.data.synthetic.volatility import MINUTES_PER_WEEK, REGIMES, activity, walk_regimes, week_shape
from cashup.model.errors import InputError, UnknownNameError, explain
from cashup.model.time import NS_PER_MS, Timeframe, format_time, ms_to_ns, parse_time

Floats = NDArray[np.float64]

MS_PER_MINUTE: Final = 60_000
MINUTES_PER_YEAR: Final = 525_600
JUMP_SCALE: Final = 0.02
"""Mean size of a jump, as a part of the instrument's annual volatility."""
_MONDAY_MS: Final = 4 * 86_400_000  # 1970-01-05 was a Monday
_FEWEST_TRADES: Final = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticInstrument:
    """What one instrument of a synthetic market looks like.

    Attributes:
        name: Such as "demo:BTC/USDT".
        price: First price.
        volatility: Base annual volatility, as a fraction (0.6 is 60 %).
        beta: Its correlation with the market's common move, -1 to 1; also its share of the market's drift and
            jumps.
        daily_volume: Mean traded quantity a day, in base units.
        tick: Price step; 0 for none.
        jumps_per_year: Mean number of jumps of its own.
    """

    name: str
    price: float = 40_000.0
    volatility: float = 0.6
    beta: float = 0.85
    daily_volume: float = 30_000.0
    tick: float = 0.01
    jumps_per_year: float = 20.0

    def __post_init__(self) -> None:
        wrong = [
            field
            for field, fine in (
                ("price", 0.0 < self.price < np.inf),
                ("volatility", 0.0 <= self.volatility < 20.0),
                ("beta", -1.0 <= self.beta <= 1.0),
                ("daily_volume", 0.0 <= self.daily_volume < np.inf),
                ("tick", 0.0 <= self.tick <= self.price),
                ("jumps_per_year", 0.0 <= self.jumps_per_year < MINUTES_PER_YEAR),
            )
            if not fine
        ]
        if wrong:
            found = f"the {wrong[0]} of {self.name} is {getattr(self, wrong[0])}"
            expected = "a price above 0, a tick up to the price, beta from -1 to 1, nothing negative"
            raise InputError(explain(found, expected=expected), field=wrong[0])


DEMO: Final = (
    SyntheticInstrument(name="demo:BTC/USDT"),
    SyntheticInstrument(
        name="demo:ETH/USDT", price=2_300.0, volatility=0.75, beta=0.8, daily_volume=400_000.0
    ),
    SyntheticInstrument(
        name="demo:SOL/USDT", price=95.0, volatility=1.0, beta=0.7, daily_volume=4e6, tick=0.001
    ),
)

DEMO_SEED: Final = 17
"""A year with every regime in it, that ends near where it began."""


class SyntheticMarket:
    """One-minute bars of correlated instruments, made once from a seed.

    The same arguments give the same market on every machine (with a tick of 0 prices may differ in the last
    bit), and an instrument is the same whatever instruments come after it.

    Args:
        instruments: What to make.
        since: First minute: ISO 8601 text, or nanoseconds since 1970 UTC.
        minutes: How many one-minute bars; left out, up to `until`, or else a year.
        until: Time after the last minute, as text or nanoseconds; instead of `minutes`.
        seed: Names the market; any whole number from 0.
        correlation: Correlations of the minutes' moves, a row and a column for each instrument; left out, the
            product of two betas.
        jumps_per_year: Mean number of jumps that move all instruments.

    Raises:
        InputError: nothing to make, or a matrix that is not one of correlations.
    """

    def __init__(
        self,
        instruments: Sequence[SyntheticInstrument] = DEMO,
        *,
        since: str | int = "2024-01-01",
        minutes: int | None = None,
        until: str | int | None = None,
        seed: int = DEMO_SEED,
        correlation: Sequence[Sequence[float]] | None = None,
        jumps_per_year: float = 40.0,
    ) -> None:
        self.instruments = tuple(instruments)
        start = Timeframe.parse("1m").floor(_ns(since)) // NS_PER_MS
        count = _minutes(start, minutes, until)
        _check(self.instruments, count)
        self.ts: NDArray[np.int64] = start + MS_PER_MINUTE * np.arange(count, dtype=np.int64)
        self._seed = seed
        self._jumps_per_year = jumps_per_year
        rng = self._rng("market")
        self._regime = walk_regimes(rng, count)
        self._activity = activity(rng, self._regime)
        minute = ((self.ts - _MONDAY_MS) // MS_PER_MINUTE) % MINUTES_PER_WEEK
        self._volatility = self._activity * week_shape(minute, strength=0.5)
        self._busy = self._activity * week_shape(minute, strength=1.0)
        self._common = self._jumps(rng, jumps_per_year)
        noise = [self._rng("noise", index).standard_normal(count) for index in range(len(self.instruments))]
        mixing = _mixing(self.instruments, correlation)
        self._moves: dict[str, Floats] = {}
        self._bars: dict[str, pl.DataFrame] = {}
        for index, item in enumerate(self.instruments):
            mixed = sum((mixing[index, other] * noise[other] for other in range(index + 1)), np.zeros(count))
            self._bars[item.name] = self._make(index, item, mixed)

    def bars(self, name: str, timeframe: str = "1m") -> pl.DataFrame:
        """Return the bars of an instrument: ts (ms, open time), open, high, low, close, volume.

        Coarser bars are made of the minutes, so every timeframe tells the same story; partial bars are left out.

        Raises:
            UnknownNameError: no such instrument.
            InputError: a timeframe that minutes do not make up.
        """
        return self._coarser(self._bars[self._known(name)], timeframe)

    def mark(self, name: str, timeframe: str = "1m") -> pl.DataFrame:
        """Return mark-price bars (ts, open, high, low, close) of a perpetual on the instrument.

        Raises:
            UnknownNameError: no such instrument.
            InputError: a timeframe that minutes do not make up.
        """
        made = perpetual.mark(self._bars[self._known(name)], self.premium(name), self._item(name).tick)
        return self._coarser(made, timeframe)

    def funding(self, name: str, *, cap: float = 0.0075) -> pl.DataFrame:
        """Return the funding of a perpetual on the instrument: ts (ms, every 8 hours) and funding_rate.

        The rate follows the premium of the eight hours before and lies between `-cap` and `cap`.

        Raises:
            UnknownNameError: no such instrument.
        """
        return perpetual.funding(self.ts, self.premium(name), cap)

    def premium(self, name: str) -> Floats:
        """Return by which fraction the perpetual trades above its index at the end of every minute.

        Raises:
            UnknownNameError: no such instrument.
        """
        rng = self._rng("premium", self.instruments.index(self._item(name)))
        return perpetual.premium(rng, self._moves[name])

    def trades(
        self, name: str, since: str | int | None = None, until: str | int | None = None, *, mean: float = 12.0
    ) -> pl.DataFrame:
        """Return trades (ts, id, side, price, amount) that make the minutes of ``since <= ts < until``.

        Args:
            name: The instrument.
            since: First minute, as text or nanoseconds; the market's first when left out.
            until: Time after the last minute; the market's end when left out.
            mean: Mean number of trades a minute, at least 4.

        Raises:
            UnknownNameError: no such instrument.
            InputError: fewer than four trades a minute: open, high, low and close need one each.
        """
        bars = self._bars[self._known(name)]
        if not mean >= _FEWEST_TRADES:
            raise InputError(
                explain(f"a mean of {mean} trades a minute", expected="at least 4"), field="mean"
            )
        low = 0 if since is None else int(np.searchsorted(self.ts, _ns(since) // NS_PER_MS))
        high = len(self.ts) if until is None else int(np.searchsorted(self.ts, _ns(until) // NS_PER_MS))
        item = self._item(name)
        rng = self._rng("trades", self.instruments.index(item), low)
        return make_trades(rng, bars.slice(low, max(0, high - low)), mean=mean, tick=item.tick)

    def regimes(self) -> list[str]:
        """Return the name of the regime of every minute."""
        names = [regime.name for regime in REGIMES]
        return [names[index] for index in self._regime.tolist()]

    def _make(self, index: int, item: SyntheticInstrument, noise: Floats) -> pl.DataFrame:
        rng = self._rng("bars", index)
        sigma = item.volatility / np.sqrt(MINUTES_PER_YEAR) * self._volatility
        drift = np.array([regime.drift for regime in REGIMES])[self._regime] * (item.beta / MINUTES_PER_YEAR)
        jumps = item.beta * self._common + self._jumps(rng, item.jumps_per_year)
        moves = drift - 0.5 * sigma**2 + sigma * noise + item.volatility * JUMP_SCALE * jumps
        self._moves[item.name] = moves
        bars = make_bars(self.ts, item.price, moves, extremes(rng, moves, sigma), item.tick)
        surprise = np.abs(moves) / np.maximum(sigma, 1e-12)
        volume = item.daily_volume / 1440.0 * self._busy * (0.6 + 0.5 * np.minimum(surprise, 20.0))
        volume *= np.exp(0.5 * rng.standard_normal(len(moves)) - 0.125)
        return bars.with_columns(volume=np.rint(volume * VOLUME_PARTS) / VOLUME_PARTS)

    def _jumps(self, rng: np.random.Generator, per_year: float) -> Floats:
        """Return a compound Poisson process: the sum of Laplace jumps of each minute, in mean sizes."""
        minutes = len(self.ts)
        count = int(rng.poisson(per_year * minutes / MINUTES_PER_YEAR))
        out = np.zeros(minutes)
        np.add.at(out, rng.integers(0, minutes, count), rng.laplace(0.0, 1.0, count))
        return out

    def _rng(self, purpose: str, *numbers: int) -> np.random.Generator:
        """Return a stream of chance of its own for each purpose, so that none disturbs another."""
        entropy = [self._seed, *purpose.encode(), *numbers]
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))

    def _coarser(self, minutes: pl.DataFrame, timeframe: str) -> pl.DataFrame:
        frame = Timeframe.parse(timeframe)
        if not frame.is_multiple_of(Timeframe.parse("1m")) or not frame.is_fixed:
            raise InputError(
                explain(f"a synthetic market has no bars of {timeframe}", expected="1m to 1w"),
                field="timeframe",
            )
        return minutes if frame == Timeframe.parse("1m") else resample(minutes, "1m", frame)

    def _known(self, name: str) -> str:
        if name not in self._bars:
            raise UnknownNameError("instrument", name, sorted(self._bars), field="name")
        return name

    def _item(self, name: str) -> SyntheticInstrument:
        self._known(name)
        return next(item for item in self.instruments if item.name == name)


def demo_bars(timeframe: str = "1m", *, seed: int = DEMO_SEED) -> pl.DataFrame:
    """Return a year of bars of one instrument: what demonstrations and first steps run on."""
    return SyntheticMarket(DEMO[:1], seed=seed).bars(DEMO[0].name, timeframe)


def _ns(moment: str | int) -> int:
    return parse_time(moment) if isinstance(moment, str) else moment


def _minutes(start_ms: int, minutes: int | None, until: str | int | None) -> int:
    if until is None:
        return MINUTES_PER_YEAR if minutes is None else minutes
    if minutes is not None:
        raise InputError(explain("both minutes and until are given", expected="one of them"), field="until")
    count = (_ns(until) // NS_PER_MS - start_ms) // MS_PER_MINUTE
    if count < 1:
        found = f"until is not a minute after {format_time(ms_to_ns(start_ms))}"
        raise InputError(explain(found, expected="since before until"), field="until")
    return count


def _check(instruments: tuple[SyntheticInstrument, ...], minutes: int) -> None:
    if not instruments or minutes < 1:
        found = f"{len(instruments)} instruments over {minutes} minutes"
        raise InputError(explain(found, expected="at least one of each"))
    names = [item.name for item in instruments]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(explain(f"{twice} is there twice", expected="each name once"), field="instruments")


def _mixing(
    instruments: tuple[SyntheticInstrument, ...], correlation: Sequence[Sequence[float]] | None
) -> Floats:
    """Return the lower triangle that makes independent noise correlated (Cholesky)."""
    betas = np.array([item.beta for item in instruments])
    wanted = np.outer(betas, betas) if correlation is None else np.array(correlation, dtype=np.float64)
    expected = "a symmetric positive matrix with ones on its diagonal, a row for each instrument"
    size = len(instruments)
    if correlation is None:
        np.fill_diagonal(wanted, 1.0)
    elif (
        wanted.shape != (size, size)
        or not np.allclose(wanted, wanted.T)
        or not np.allclose(np.diag(wanted), 1.0)
    ):
        raise InputError(explain("this is no matrix of correlations", expected=expected), field="correlation")
    try:
        # The shift admits instruments that move as one.
        return np.asarray(np.linalg.cholesky(wanted + 1e-12 * np.eye(size)), dtype=np.float64)
    except np.linalg.LinAlgError:
        found = "these correlations contradict each other"
        raise InputError(explain(found, expected=expected), field="correlation") from None
