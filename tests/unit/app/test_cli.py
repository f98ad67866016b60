"""The command line as a person meets it: figures, files, and errors of one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

RUN = [sys.executable, "-c", "from cashup.app.cli import main; main()"]


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    rng = np.random.default_rng(2)
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 0.01, 400))), 2)
    open_ = np.concatenate(([100.0], close[:-1]))
    path = tmp_path / "bars.csv"
    pl.DataFrame(
        {
            "ts": 1_704_067_200_000 + 3_600_000 * np.arange(400),
            "open": open_,
            "high": np.maximum(open_, close) + 1,
            "low": np.minimum(open_, close) - 1,
            "close": close,
            "volume": np.ones(400),
        }
    ).write_csv(path)
    return path


def cashup(tmp_path: Path, *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    import os

    environment = {
        **os.environ,
        "CASHUP_DATA_DIR": str(tmp_path / "store"),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [*RUN, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_a_backtest_writes_everything_asked_for(tmp_path: Path, csv: Path) -> None:
    done = cashup(
        tmp_path,
        "backtest",
        "sma_cross",
        "--data",
        csv,
        "--param",
        "fast=5",
        "--json",
        "--csv",
        "out",
        "--report",
        "r.html",
    )
    figures = json.loads(done.stdout)
    assert figures["config"]["parameters"]["fast"] == 5
    assert figures["statistics"]["bars"] == 400
    assert (tmp_path / "r.html").stat().st_size > 100_000
    assert pl.read_csv(tmp_path / "out" / "trades.csv").height == figures["statistics"]["trades"]


def test_a_strategy_of_ones_own(tmp_path: Path, csv: Path) -> None:
    cashup(tmp_path, "strategy", "new", "mine.py")
    shown = cashup(tmp_path, "backtest", "mine.py", "--data", csv, "--explain")
    assert "Mine on" in shown.stdout
    assert "compiled" in shown.stdout
    assert "Look-ahead: none found" in cashup(tmp_path, "strategy", "check", "mine.py", "--data", csv).stdout


def test_a_leak_fails_the_check(tmp_path: Path, csv: Path) -> None:
    (tmp_path / "leak.py").write_text(
        "from cashup import Strategy\nimport numpy as np\n\n\nclass Leak(Strategy):\n"
        "    def prepare(self, bars):\n        self.next = np.roll(np.asarray(bars.close), -1)\n"
    )
    assert (
        "self.next at bar" in cashup(tmp_path, "strategy", "check", "leak.py", "--data", csv, code=1).stdout
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["backtest", "sma_cross", "--data", "nothing.csv"], "no such file"),
        (["backtest", "sma_cros", "--data", "CSV"], "sma_cross"),
        (["backtest", "sma_cross", "--data", "CSV", "--param", "fats=3"], "fast"),
        (["backtest", "sma_cross", "--data", "CSV", "--param", "fast"], "name=value"),
        (["backtest", "sma_cross", "--data", "CSV", "--fee", "cheap"], "0.001"),
        (["backtest", "sma_cross", "--data", "CSV", "--since", "someday"], "someday"),
        (["backtest", "broken.py", "--data", "CSV"], "broken.py"),
        (["backtest", "sma_cross", "--data", "text.csv"], "text.csv"),
    ],
)
def test_an_error_is_one_clear_line(tmp_path: Path, csv: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "broken.py").write_text("class X(:\n")
    lines = csv.read_text().splitlines()
    lines[7] = lines[7].replace(lines[7].split(",")[4], "abc")
    (tmp_path / "text.csv").write_text("\n".join(lines))
    done = cashup(tmp_path, *(str(csv) if part == "CSV" else part for part in arguments), code=2)
    assert done.stderr.startswith("error: ")
    assert words in done.stderr


def test_templates_are_listed(tmp_path: Path) -> None:
    templates = json.loads(cashup(tmp_path, "strategy", "list", "--json").stdout)
    assert len(templates) >= 20
    assert all(item["summary"] and item["style"] for item in templates)


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom cashup.app.cli import app\n"
        "heavy = {'numba', 'polars', 'talib', 'ccxt', 'pandas'} & set(sys.modules)\nassert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": ":".join(sys.path)})
