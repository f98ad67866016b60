"""The data commands: what they print, what they store, and how they fail."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from cashup.app.cli.data import app

HOUR = 3_600_000
START = 1_672_531_200_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CASHUP_DATA_DIR", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bars(count: int = 48, *, first: int = 0) -> pl.DataFrame:
    close = 100 + np.arange(count) % 3 * 0.1
    return pl.DataFrame(
        {
            "ts": START + HOUR * (first + np.arange(count)),
            "open": close,
            "high": close + 0.5,
            "low": close - 0.5,
            "close": close,
            "volume": np.ones(count) + np.arange(count),
        }
    )


def call(*arguments: str, code: int = 0, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(app, list(arguments), input=stdin)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def call_json(*arguments: str) -> object:
    return json.loads(call(*arguments, "--json").stdout)


def test_an_empty_store_says_what_to_do(folder: Path) -> None:
    assert "cashup data import" in call("list").stdout
    assert call_json("list") == []


def test_from_file_to_store_to_file(folder: Path) -> None:
    bars().write_csv("BTC_USDT-1h.csv")
    bars(48, first=48).write_parquet("more.parquet")
    call("import", "BTC_USDT-1h.csv", "more.parquet", "--name", "binance:BTC/USDT")
    (info,) = call_json("list")  # type: ignore[misc]
    assert (info["name"], info["rows"], info["timeframe"]) == ("binance:BTC/USDT", 96, "1h")
    assert "binance:BTC/USDT" in call("list").stdout
    call("resample", "binance:BTC/USDT", "--to", "1d")
    call(
        "export", "binance:BTC/USDT", "out.json", "-t", "1h", "--since", "2023-01-02", "--until", "2023-01-03"
    )
    assert len(json.loads(Path("out.json").read_text())) == 24
    assert "5 of" not in call("check", "out.json").stdout
    assert [entry["timeframe"] for entry in call_json("list")] == ["1h", "1d"]  # type: ignore[union-attr]


def test_one_wrong_file_of_many_stores_nothing(folder: Path) -> None:
    bars().write_csv("good.csv")
    Path("bad.csv").write_text("ts,open,high,low,close,volume\n1672531200000,1,2,0.5,x,1\n")
    result = call("import", "good.csv", "bad.csv", "--name", "binance:BTC/USDT", code=2)
    assert "error: bad.csv:2, column close: this is not a number (found 'x')" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (folder / "store").exists()


def test_a_dry_run_stores_nothing(folder: Path) -> None:
    bars().write_csv("BTC_USDT-1h.csv")
    assert "48 rows" in call("import", "BTC_USDT-1h.csv", "--dry-run").stdout
    assert call_json("list") == []


def test_checks_count_and_may_fail_a_script(folder: Path) -> None:
    bars().filter(pl.col("ts") != START + 5 * HOUR).write_csv("BTC_USDT-1h.csv")
    call("import", "BTC_USDT-1h.csv")
    report = call_json("check", "file:BTC/USDT")
    assert (report["missing"], report["rows"]) == (1, 47)  # type: ignore[index]
    call("check", "file:BTC/USDT", "--min-score", "99", code=1)
    shown = call("check", "file:BTC/USDT").stdout
    assert "2023-01-01T05:00:00Z x1" in shown


def test_repair_and_undo(folder: Path) -> None:
    bars().filter(pl.col("ts") != START + 5 * HOUR).write_csv("BTC_USDT-1h.csv")
    call("import", "BTC_USDT-1h.csv")
    assert "1 bars changed" in call("repair", "file:BTC/USDT", "--fill-gaps").stdout
    assert call_json("check", "file:BTC/USDT")["missing"] == 0  # type: ignore[index]
    assert "nothing to repair" in call("repair", "file:BTC/USDT", "--fill-gaps").stdout
    assert call_json("repair", "file:BTC/USDT", "--undo")["undone"] is True  # type: ignore[index]
    assert call_json("check", "file:BTC/USDT")["missing"] == 1  # type: ignore[index]
    call("repair", "file:BTC/USDT", "--undo", code=2)
    call("repair", "file:BTC/USDT", code=2)


def test_delete_asks_first(folder: Path) -> None:
    bars().write_csv("BTC_USDT-1h.csv")
    call("import", "BTC_USDT-1h.csv")
    call("delete", "file:BTC/USDT", stdin="n\n", code=1)
    assert len(call_json("list")) == 1  # type: ignore[arg-type]
    call("delete", "file:BTC/USDT", "--yes")
    assert call_json("list") == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "binance:BTC/USDT"], "unknown bars in the store 'binance:BTC/USDT'"),
        (["check", "BTC/USDT", "-t", "1h"], "names no venue"),
        (["import", "nowhere.csv"], "there is no such file"),
        (["import", "GOOG.csv"], "hint|--name"),
        (["export", "file:BTC/USDT", "out.xlsx"], "unknown format of file '.xlsx'"),
        (["resample", "file:BTC/USDT", "--to", "7m"], "7m"),
        (["resample", "file:BTC/USDT", "--to", "15m"], "not made of whole bars"),
        (["export", "file:BTC/USDT", "out.csv", "--since", "soon"], "'soon' is not a time"),
    ],
)
def test_errors_are_one_clear_line_and_code_two(folder: Path, arguments: list[str], message: str) -> None:
    bars().write_csv("BTC_USDT-1h.csv")
    bars().write_csv("GOOG.csv")
    call("import", "BTC_USDT-1h.csv")
    result = call(*arguments, code=2)
    assert any(part in result.stderr for part in message.split("|"))
    assert len(result.stderr.strip().splitlines()) == 1


def test_several_timeframes_ask_for_one(folder: Path) -> None:
    bars().write_csv("BTC_USDT-1h.csv")
    call("import", "BTC_USDT-1h.csv")
    call("resample", "file:BTC/USDT", "--to", "4h")
    assert "stored as 1h, 4h. Choose one with --timeframe" in call("check", "file:BTC/USDT", code=2).stderr
