"""`cashup.Backtest`: data from anywhere, checked options, identical results in every mode."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cashup import Backtest, Strategy, param, ta
from cashup.backtest.registry import REGISTRY
from cashup.data.datasets import DatasetKey
from cashup.data.store import Store
from cashup.model.errors import CashUpError, DataError, InputError, StrategyFailed, UnknownNameError

HOUR = 3_600_000
START = 1_704_067_200_000


def bars(count: int = 600, step: int = HOUR, seed: int = 1) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 0.01, count))), 2)
    open_ = np.concatenate(([100.0], close[:-1]))
    return pl.DataFrame(
        {
            "ts": START + step * np.arange(count, dtype=np.int64),
            "open": open_,
            "high": np.maximum(open_, close) + 0.5,
            "low": np.minimum(open_, close) - 0.5,
            "close": close,
            "volume": np.full(count, 1_000.0),
        }
    )


class Cross(Strategy):
    fast = param(5, low=2, high=20)
    slow = param(15, low=10, high=60)

    def prepare(self, bars):
        self.fast_ma = ta.SMA(bars.close, self.fast)
        self.slow_ma = ta.SMA(bars.close, self.slow)

    def on_bar(self):
        if self.crossed_above(self.fast_ma, self.slow_ma):
            self.buy(value=self.equity * 0.9, stop_loss=self.price * 0.97, take_profit=self.price * 1.05)
        elif self.crossed_below(self.fast_ma, self.slow_ma):
            self.close()


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASHUP_DATA_DIR", str(tmp_path / "store"))


def test_frames_files_and_stored_names_give_the_same(tmp_path: Path) -> None:
    frame = bars()
    path = tmp_path / "bars.csv"
    frame.write_csv(path)
    Store(tmp_path / "store").append(DatasetKey.bars("binance:BTC/USDT", "1h"), frame)
    sources = [frame, frame.to_pandas(), path, str(path), "binance:BTC/USDT"]
    finals = {Backtest(Cross, source).run().statistics["final_equity"] for source in sources}
    assert len(finals) == 1


@pytest.mark.parametrize(
    "options", [{}, {"leverage": 3.0, "margin_mode": "isolated"}, {"slippage": "impact:0.5"}]
)
def test_every_mode_gives_identical_results(options: dict[str, object]) -> None:
    funding = pl.DataFrame({"ts": START + 8 * HOUR * np.arange(70), "funding_rate": np.full(70, 0.0003)})
    results = [
        Backtest(Cross, bars(), mode=mode, funding=funding if options else None, **options).run()
        for mode in ("compiled", "python", "event")
    ]
    assert [result.mode for result in results] == ["compiled", "python", "event"]
    assert results[0].statistics["trades"] > 5
    for other in results[1:]:
        assert other.orders.equals(results[0].orders)
        assert other.fills.equals(results[0].fills)
        assert other.equity.equals(results[0].equity)


def test_finer_data_is_resampled_and_coarser_refused() -> None:
    class Hourly(Cross):
        timeframe = "1h"

    result = Backtest(Hourly, bars(2_400, HOUR // 4)).run()
    assert len(result.equity) == 600
    with pytest.raises(InputError, match="1h or finer"):
        Backtest(Hourly, bars(100, 4 * HOUR))


def test_detail_fills_on_the_finer_bars() -> None:
    class Hourly(Cross):
        timeframe = "1h"

    fine = bars(2_400, HOUR // 4)
    coarse, detailed = (Backtest(Hourly, fine, detail=detail).run() for detail in (None, True))
    assert detailed.config["detail"] == "15m"
    assert detailed.statistics["ambiguous_bars"] <= coarse.statistics["ambiguous_bars"]
    assert not detailed.fills["ts"].equals(coarse.fills["ts"])


def test_since_and_until_bound_the_bars() -> None:
    result = Backtest(Cross, bars(), since="2024-01-05", until="2024-01-10").run()
    assert len(result.equity) == 5 * 24
    with pytest.raises(InputError, match="2024-01-01"):
        Backtest(Cross, bars(), since="2030-01-01")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"params": {"fats": 3}}, UnknownNameError, "fast"),
        ({"params": {"fast": 500}}, InputError, "20"),
        ({"cahs": 1}, UnknownNameError, "cash"),
        ({"mode": "compile"}, UnknownNameError, "compiled"),
        ({"fee": 5.0}, InputError, "0.001 is 0.1 %"),
        ({"slippage": "spred:1"}, UnknownNameError, "spread"),
        ({"leverage": 0.5}, InputError, "1 to 1000"),
        ({"limit_fill": "toch"}, UnknownNameError, "touch"),
        ({"instrument": {"tik": 1}}, UnknownNameError, "tick"),
    ],
)
def test_a_wrong_argument_says_what_would_be_right(
    arguments: dict[str, object], error: type[CashUpError], words: str
) -> None:
    with pytest.raises(error, match=words):
        Backtest(Cross, bars(), **arguments)


def test_data_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        Backtest(Cross, "missing.csv")
    with pytest.raises(InputError, match="store is empty"):
        Backtest(Cross, "binance:BTC/USDT")
    Store(tmp_path / "store").append(DatasetKey.bars("binance:BTC/USDT", "1h"), bars())
    with pytest.raises(UnknownNameError, match="BTC/USDT"):
        Backtest(Cross, "binance:BTX/USDT")


def test_a_strategy_that_raises_is_named_with_its_line() -> None:
    class Broken(Strategy):
        def on_bar(self):
            if self.index == 7:
                raise ValueError("seven")

    with pytest.raises(StrategyFailed, match=r"test_runner\.py:\d+.*seven"):
        Backtest(Broken, bars()).run()


def test_the_result_has_every_statistic_and_reproduces(tmp_path: Path) -> None:
    first, again = Backtest(Cross, bars()).run(), Backtest(Cross, bars()).run()
    assert len(REGISTRY) >= 60
    assert set(first.statistics) == {item.key for item in REGISTRY}
    assert first.id == again.id
    assert first.to_json().replace(str(dict(first.outcome.timings)), "") != ""
    assert Backtest(Cross, bars(), params={"fast": 6}).run().id != first.id
    assert Backtest(Cross, bars(seed=2)).run().id != first.id
    assert json.loads(first.to_json())["statistics"]["trades"] == first.statistics["trades"]
    assert {path.name for path in first.to_csv(tmp_path / "csv")} == {
        "trades.csv",
        "orders.csv",
        "fills.csv",
        "equity.csv",
    }
    report = first.report(tmp_path / "report.html").read_text()
    assert "Cross" in report
    assert "<table" in first._repr_html_()
    assert "Sharpe" in str(first)


def test_trades_add_up_to_the_equity() -> None:
    for options in ({}, {"leverage": 2.0}):
        result = Backtest(Cross, bars(1_500), **options).run()
        total = result.trades["pnl"].sum()
        assert total == pytest.approx(result.statistics["profit"], rel=1e-9, abs=1e-6)
        assert (result.trades["mae"] <= 0).all()
        assert (result.trades["mfe"] >= 0).all()
        assert set(result.trades["exit_reason"]) <= {"signal", "stop", "target", "end of data"}


def test_the_report_says_how_to_run_it_again(tmp_path: Path) -> None:
    from cashup.backtest.report import report_input_of

    path = tmp_path / "bars.csv"
    bars(2_400, HOUR // 4).write_csv(path)
    rates = tmp_path / "rates.csv"
    pl.DataFrame({"ts": [START, START + 8 * HOUR], "funding_rate": [0.0001, 0.0002]}).write_csv(rates)
    result = Backtest(
        Cross,
        path,
        timeframe="1h",
        detail=True,
        funding=str(rates),
        mark=False,
        leverage=2.0,
        params={"fast": 4},
    ).run()
    command = report_input_of(result).command
    for part in (
        str(path),
        "--timeframe 1h",
        "--detail data",
        f"--funding {rates}",
        "--mark none",
        "--leverage 2.0",
    ):
        assert part in command
    assert "--param fast=4" in command
