"""From a real run to the page."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from cashup.app.workbench import Backtest
from cashup.backtest.registry import GROUPS, REGISTRY
from cashup.backtest.report import report_input_of, report_of
from cashup.backtest.report.page import document
from cashup.engine.strategy import Strategy
from unit.backtest.report_sample import sample_bars


class Turns(Strategy):
    """Goes long and short in turn.

    This second paragraph is not shown.
    """

    timeframe = "1h"

    def prepare(self, bars: Any) -> None:
        self.phase = np.floor(np.arange(len(bars.close)) / 40.0) % 2

    def on_bar(self) -> None:
        if self.phase[0] > self.phase[1]:
            self.target(0.8)
        elif self.phase[0] < self.phase[1]:
            self.target(-0.5)


class Silent(Turns):
    def on_bar(self) -> None:
        pass


def frame() -> pl.DataFrame:
    bars = sample_bars(24 * 120)
    columns = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
    return pl.DataFrame({"ts": bars.ts // 1_000_000, **columns})


def run(strategy: type[Strategy], **options: Any) -> Any:
    return Backtest(strategy, frame(), fee=0.0005, slippage=0.0002, mode="python", **options).run()


@pytest.fixture(scope="module")
def result() -> Any:
    return run(Turns, margin_mode="cross")


def test_the_page_shows_the_run(result: Any) -> None:
    shown = report_input_of(result)
    assert shown.strategy == "Turns"
    assert shown.description == "Goes long and short in turn."
    assert shown.equity[-1] == result.equity["equity"][-1]
    assert len(shown.bars) == len(shown.equity) == 24 * 120
    assert shown.costs.gross == pytest.approx(
        shown.costs.net + result.statistics["fees"] + result.statistics["slippage_cost"]
    )
    assert f"{__file__}:Turns" in shown.command
    assert "--margin cross" in shown.command
    assert len(shown.trades["pnl"]) == len(result.trades)


def test_exposure_is_negative_while_short(result: Any) -> None:
    exposure = report_input_of(result).exposure
    assert exposure is not None
    assert exposure.max() == pytest.approx(0.8, abs=0.1)
    assert exposure.min() == pytest.approx(-0.5, abs=0.1)
    np.testing.assert_allclose(np.abs(exposure), result.equity["exposure"].to_numpy())


def test_months_years_and_drawdowns_agree_with_the_statistics(result: Any) -> None:
    page = document(report_input_of(result))
    months = [month["return"] for month in page["calendar"]["months"]]
    assert max(months) == pytest.approx(result.statistics["best_month"])
    assert min(months) == pytest.approx(result.statistics["worst_month"])
    assert page["drawdowns"][0]["depth"] == pytest.approx(result.statistics["max_drawdown"])
    assert page["calendar"]["years"][0]["benchmark"] == pytest.approx(result.statistics["benchmark_return"])


def test_every_statistic_is_shown_with_its_words_in_both_languages(result: Any) -> None:
    rows = {row.key: row for row in report_input_of(result).statistics}
    assert rows.keys() == {item.key for item in REGISTRY}
    for row in rows.values():
        assert row.label, row.key
        assert row.label_zh, row.key
        assert row.definition, row.key
        assert row.definition_zh, row.key
    assets = Path(str(resources.files("cashup.backtest.report").joinpath("assets")))
    assert json.loads((assets / "formulas.zh.json").read_text("utf-8")).keys() == rows.keys()
    for language in ("en", "zh"):
        words = json.loads((assets / f"text.{language}.json").read_text("utf-8"))
        assert {f"group.{row.group}" for row in rows.values()} <= words.keys()
    assert len({row.group for row in rows.values()}) == len(GROUPS)


def test_buy_and_hold_stands_beside_the_figures_it_also_has(result: Any) -> None:
    rows = {row.key: row for row in report_input_of(result).statistics}
    assert rows["total_return"].benchmark == result.statistics["benchmark_return"]
    assert rows["sharpe"].benchmark is not None
    assert rows["win_rate"].benchmark is None


def test_a_silent_strategy_gives_a_page_with_its_warning() -> None:
    result = run(Silent)
    assert "no_trades" in [item["code"] for item in document(report_input_of(result))["warnings"]]
    assert report_of(result).endswith("</html>\n")


def test_a_strategy_without_a_docstring_borrows_none() -> None:
    assert report_input_of(run(Silent)).description == ""


def test_result_writes_the_report(result: Any, tmp_path: Path) -> None:
    path = result.report(tmp_path / "new" / "report.html")
    assert path.read_text("utf-8") == report_of(result)


def test_a_shipped_strategy_is_named_as_the_command_line_names_it() -> None:
    result = Backtest("sma_cross", frame(), mode="python").run()
    assert report_input_of(result).command.startswith("cashup backtest sma_cross ")
