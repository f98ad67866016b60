"""The same strategy and data through backtesting.py and vectorbt: the same trades, the same equity.

What the engines treat differently is listed in `docs/concepts/other-engines.md`; the cases here keep to the
rules all of them share: signals at the close, fills at the next open, one fee, one position, spot, no leverage.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from cashup import Backtest, Strategy, param

CASH = 100_000.0
FEE = 0.001


def sma(values: np.ndarray, length: int) -> np.ndarray:
    out = np.full(len(values), np.nan)
    out[length - 1 :] = np.lib.stride_tricks.sliding_window_view(values, length).mean(axis=1)
    return out


class Cross(Strategy):
    fast = param(10)
    slow = param(30)

    def prepare(self, bars):
        self.fast_ma = sma(np.asarray(bars.close), self.fast)
        self.slow_ma = sma(np.asarray(bars.close), self.slow)

    def on_bar(self):
        if self.crossed_above(self.fast_ma, self.slow_ma):
            self.buy()
        elif self.crossed_below(self.fast_ma, self.slow_ma):
            self.close()


def walk(seed: int, bars: int = 4_000) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    close = np.exp(np.cumsum(rng.normal(0.0, 0.01, bars)))
    open_ = np.concatenate(([1.0], close[:-1])) * np.exp(rng.normal(0.0, 1e-3, bars))
    reach = np.abs(rng.normal(0.0, 4e-3, (2, bars)))
    return pl.DataFrame(
        {
            "ts": 1_704_067_200_000 + 3_600_000 * np.arange(bars, dtype=np.int64),
            "open": open_,
            "high": np.maximum(open_, close) * np.exp(reach[0]),
            "low": np.minimum(open_, close) * np.exp(-reach[1]),
            "close": close,
            "volume": np.full(bars, 1e9),
        }
    )


def real(shared_data: Path) -> pl.DataFrame:
    return pl.read_parquet(shared_data / "klines" / "binance_spot" / "BTCUSDT_1h_2023.parquet")


def crossings(bars: pl.DataFrame, fast: int, slow: int) -> tuple[np.ndarray, np.ndarray]:
    close = bars["close"].to_numpy()
    a, b = sma(close, fast), sma(close, slow)
    up = np.zeros(len(close), dtype=bool)
    down = np.zeros(len(close), dtype=bool)
    with np.errstate(invalid="ignore"):
        up[1:] = (a[1:] > b[1:]) & (a[:-1] <= b[:-1])
        down[1:] = (a[1:] < b[1:]) & (a[:-1] >= b[:-1])
    return up, down


def against_vectorbt(bars: pl.DataFrame, fast: int, slow: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import vectorbt as vbt

        up, down = crossings(bars, fast, slow)
        index = pd.to_datetime(bars["ts"].to_numpy(), unit="ms")
        close, open_ = (pd.Series(bars[name].to_numpy(), index) for name in ("close", "open"))
        shifted = [pd.Series(np.concatenate(([False], signal[:-1])), index) for signal in (up, down)]
        theirs = vbt.Portfolio.from_signals(close, *shifted, price=open_, fees=FEE, init_cash=CASH, freq="1h")
        records = theirs.trades.records
        value = theirs.value().to_numpy()
    ours = Backtest(Cross, bars, params={"fast": fast, "slow": slow}, cash=CASH, fee=FEE).run()
    assert len(ours.trades) == len(records) > 10
    np.testing.assert_allclose(ours.trades["entry_price"], records["entry_price"], rtol=1e-12)
    np.testing.assert_allclose(ours.trades["quantity"], records["size"], rtol=1e-9)
    closed = ~ours.trades["is_open"].to_numpy()
    np.testing.assert_allclose(
        ours.trades["pnl"].to_numpy()[closed], records["pnl"][closed], rtol=1e-7, atol=1e-6
    )
    np.testing.assert_allclose(ours.equity["equity"], value, rtol=1e-9)


def against_backtesting_py(bars: pl.DataFrame, fast: int, slow: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from backtesting import Backtest as TheirBacktest
        from backtesting import Strategy as TheirStrategy

        class TheirCross(TheirStrategy):
            def init(self):
                self.fast_ma = self.I(sma, self.data.Close, fast)
                self.slow_ma = self.I(sma, self.data.Close, slow)

            def next(self):
                if self.fast_ma[-2] <= self.slow_ma[-2] and self.fast_ma[-1] > self.slow_ma[-1]:
                    self.buy(size=UNITS)
                elif self.fast_ma[-2] >= self.slow_ma[-2] and self.fast_ma[-1] < self.slow_ma[-1]:
                    self.position.close()

        # It trades whole units, so both buy a fixed number of them.
        frame = bars.to_pandas().rename(columns=str.capitalize).set_index("Ts")
        frame.index = pd.to_datetime(frame.index, unit="ms")
        stats = TheirBacktest(frame, TheirCross, cash=CASH, commission=FEE).run()
        theirs = stats["_trades"]
        curve = stats["_equity_curve"]["Equity"].to_numpy()

    class OurCross(Cross):
        def on_bar(self):
            if self.crossed_above(self.fast_ma, self.slow_ma):
                self.buy(UNITS)
            elif self.crossed_below(self.fast_ma, self.slow_ma):
                self.close()

    ours = Backtest(OurCross, bars, params={"fast": fast, "slow": slow}, cash=CASH, fee=FEE).run()
    closed = ours.trades.filter(~pl.col("is_open"))
    assert len(closed) == len(theirs) > 10
    np.testing.assert_allclose(closed["entry_price"], theirs["EntryPrice"], rtol=1e-12)
    np.testing.assert_allclose(closed["exit_price"], theirs["ExitPrice"], rtol=1e-12)
    np.testing.assert_allclose(ours.equity["equity"], curve, rtol=1e-9)


UNITS = 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_walks_agree_with_vectorbt(seed: int) -> None:
    against_vectorbt(walk(seed), 7, 23)


def test_a_year_of_bitcoin_agrees_with_vectorbt(shared_data: Path) -> None:
    against_vectorbt(real(shared_data), 10, 30)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_walks_agree_with_backtesting_py(seed: int) -> None:
    against_backtesting_py(walk(seed), 7, 23)


def test_a_year_of_bitcoin_agrees_with_backtesting_py(shared_data: Path) -> None:
    against_backtesting_py(real(shared_data), 10, 30)
