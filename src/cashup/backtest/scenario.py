"""Markets drawn by hand, for testing a strategy: so long flat, so far up, a gap, a crash."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from cashup.model.errors import InputError, explain
from cashup.model.time import NS_PER_MS, Timeframe, parse_time

VOLUME: Final = 1_000.0


class Scenario:
    """Bars drawn step by step; every step goes on from the last close.

    Args:
        start: The first price.
        timeframe: Length of a bar.
        since: Open time of the first bar, ISO text.
        wick: How far high and low reach beyond open and close, as a fraction of the price.

    Example:
        `Scenario(100).flat(30).move(+0.10, bars=20).gap(-0.05).flat(10).frame()`
    """

    def __init__(
        self, start: float, *, timeframe: str = "1h", since: str = "2024-01-01", wick: float = 0.0
    ) -> None:
        if not start > 0.0 or not 0.0 <= wick < 1.0:
            raise InputError(
                explain(f"a scenario from {start} with wicks of {wick}", expected="a price above 0")
            )
        self._timeframe = Timeframe.parse(timeframe)
        self._since = parse_time(since)
        self._wick = wick
        self._last = float(start)
        self._opens: list[float] = []
        self._closes: list[float] = []

    def flat(self, bars: int) -> Scenario:
        """Stay where the price is."""
        return self.move(0.0, bars=bars)

    def move(self, change: float, *, bars: int) -> Scenario:
        """Move steadily by a fraction of the price: +0.1 ends 10 % higher.

        Raises:
            InputError: no bars, or a fall of everything or more.
        """
        if bars < 1 or change <= -1.0:
            raise InputError(
                explain(f"a move of {change:+.0%} in {bars} bars", expected="a fall below 100 %, 1 bar")
            )
        path = self._last * np.exp(np.log1p(change) * np.arange(1, bars + 1) / bars)
        for close in path.tolist():
            self.bar(close)
        return self

    def gap(self, change: float) -> Scenario:
        """Open the next bar elsewhere, by a fraction of the price."""
        if change <= -1.0:
            raise InputError(explain(f"a gap of {change:+.0%}", expected="above -100 %"))
        self._last *= 1.0 + change
        return self

    def bar(self, close: float) -> Scenario:
        """Add one bar from where the price is to `close`."""
        if not close > 0.0:
            raise InputError(explain(f"a close of {close}", expected="a price above 0"))
        self._opens.append(self._last)
        self._closes.append(close)
        self._last = close
        return self

    def frame(self) -> pl.DataFrame:
        """Return the bars as `Backtest` takes them.

        Raises:
            InputError: nothing was drawn.
        """
        if not self._closes:
            raise InputError(explain("the scenario has no bars", hint="draw some: flat, move, bar"))
        times = []
        at = self._timeframe.floor(self._since)
        for _ in self._closes:
            times.append(at // NS_PER_MS)
            at = self._timeframe.next_open(at)
        opens, closes = np.array(self._opens), np.array(self._closes)
        return pl.DataFrame(
            {
                "ts": times,
                "open": opens,
                "high": np.maximum(opens, closes) * (1.0 + self._wick),
                "low": np.minimum(opens, closes) * (1.0 - self._wick),
                "close": closes,
                "volume": np.full(len(closes), VOLUME),
            }
        )
