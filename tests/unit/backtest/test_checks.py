"""The checks name what looks ahead, and leave clean strategies alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cashup import Backtest, Strategy, ta
from cashup.backtest.checks import CheckReport, check_strategy


def bars(count: int = 1_500, seed: int = 3) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, count)))
    open_ = np.concatenate(([100.0], close[:-1]))
    return pl.DataFrame(
        {
            "ts": 1_704_067_200_000 + 3_600_000 * np.arange(count, dtype=np.int64),
            "open": open_,
            "high": np.maximum(open_, close) * 1.003,
            "low": np.minimum(open_, close) * 0.997,
            "close": close,
            "volume": rng.lognormal(3, 1, count),
        }
    )


def checked(strategy: type[Strategy]) -> CheckReport:
    backtest = Backtest(strategy, bars())
    return check_strategy(backtest.strategy, backtest.market)


class Clean(Strategy):
    def prepare(self, bars):
        self.average = ta.SMA(bars.close, 20)
        self.momentum = ta.RSI(bars.close, 14)
        self.day = ta.EMA(bars.at("1d").close, 5)

    def on_bar(self):
        if self.crossed_above(self.bars.close, self.average):
            self.target(1.0)
        elif self.crossed_below(self.bars.close, self.average):
            self.close()


class Shifted(Clean):
    def prepare(self, bars):
        super().prepare(bars)
        close = np.asarray(bars.close)
        self.tomorrow = np.append(close[1:], close[-1])


class Centred(Clean):
    def prepare(self, bars):
        super().prepare(bars)
        self.smooth = np.convolve(np.asarray(bars.close), np.ones(9) / 9, mode="same")


class Normalised(Clean):
    def prepare(self, bars):
        super().prepare(bars)
        close = np.asarray(bars.close)
        self.scaled = close / close.max()


class Labelled(Clean):
    """Puts the value of a whole day on the day's first hour."""

    def prepare(self, bars):
        super().prepare(bars)
        close = np.asarray(bars.close)
        day = np.asarray(bars.ts) // 86_400_000
        last = {int(d): float(c) for d, c in zip(day, close, strict=True)}
        self.today = np.array([last[int(d)] for d in day])


class Hidden(Strategy):
    """Keeps the future where no column shows it, and trades on it."""

    def prepare(self, bars):
        close = np.asarray(bars.close)
        self.best = float(close[-1])

    def on_bar(self):
        if self.position.is_flat and self.price < self.best:
            self.target(1.0)
        elif self.position.is_long and self.price > self.best:
            self.close()


def test_a_clean_strategy_is_clean() -> None:
    report = checked(Clean)
    assert report.is_clean, str(report)
    assert set(report.warm_up) == {"average", "momentum", "day"}


@pytest.mark.parametrize(
    ("strategy", "column"),
    [(Shifted, "tomorrow"), (Centred, "smooth"), (Normalised, "scaled"), (Labelled, "today")],
)
def test_a_column_that_knows_the_future_is_named(strategy: type[Strategy], column: str) -> None:
    report = checked(strategy)
    assert [leak.column for leak in report.leaks if leak.column != "orders"] == [column]
    leak = report.leaks[0]
    assert leak.full != leak.truncated
    assert f"self.{column} at bar {leak.bar}" in str(report)


def test_the_first_wrong_bar_is_named() -> None:
    report = checked(Shifted)
    leak = report.leaks[0]
    assert leak.bar == report.cuts[0] - 1  # only the last bar before a cut differs when shifted by one


def test_orders_that_know_the_future_are_found_without_a_column() -> None:
    report = checked(Hidden)
    assert [leak.column for leak in report.leaks] == ["orders"]


def test_warm_up_grows_with_memory() -> None:
    report = checked(Clean)
    assert report.warm_up["average"] == 25
    assert (report.warm_up["momentum"] or 0) > 50  # Wilder's average never quite forgets
