from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from cashup.model import errors
from cashup.model.errors import (
    CashUpError,
    DataError,
    InputError,
    OrderRefused,
    StrategyFailed,
    UnknownNameError,
    did_you_mean,
    explain,
)
from cashup.model.reasons import OrderReason

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "errors.md"


def every_error() -> list[type[CashUpError]]:
    found: list[type[CashUpError]] = []
    waiting: list[type[CashUpError]] = [CashUpError]
    while waiting:
        cls = waiting.pop()
        found.append(cls)
        waiting += [sub for sub in cls.__subclasses__() if sub.__module__ == errors.__name__]
    return found


def test_codes_are_stable_and_distinct() -> None:
    assert {cls.__name__: cls.code for cls in every_error()} == {
        "CashUpError": "cashup_error",
        "ConfigError": "config_error",
        "InputError": "input_error",
        "UnknownNameError": "unknown_name",
        "DataError": "data_error",
        "OrderRefused": "order_refused",
        "ExchangeRejected": "exchange_rejected",
        "ExchangeUnavailable": "exchange_unavailable",
        "OutcomeUnknown": "outcome_unknown",
        "StrategyFailed": "strategy_failed",
        "InvariantBroken": "invariant_broken",
    }


@pytest.mark.parametrize("cls", every_error(), ids=lambda cls: cls.__name__)
def test_the_module_tree_and_the_reference_name_every_error(cls: type[CashUpError]) -> None:
    assert cls.__name__ in (errors.__doc__ or "")
    assert f"`{cls.code}`" in REFERENCE.read_text(encoding="utf-8")


@pytest.mark.parametrize("reason", OrderReason)
def test_every_reason_is_described_and_documented(reason: OrderReason) -> None:
    assert reason.description
    assert f"| `{reason.value}` |" in REFERENCE.read_text(encoding="utf-8")


@pytest.mark.parametrize("cls", every_error(), ids=lambda cls: cls.__name__)
def test_every_error_survives_pickling(cls: type[CashUpError]) -> None:
    error = cls("timeframe")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is cls
    assert str(copy) == str(error)


def test_the_fields_of_an_error_survive_pickling() -> None:
    error = DataError("high is below low", path="btc.csv", line=88, column="high", value=9.5)
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error)
    assert (copy.path, copy.line, copy.column, copy.value) == ("btc.csv", 88, "high", 9.5)
    unknown = pickle.loads(pickle.dumps(UnknownNameError("timeframe", "1hh", ["1h", "4h"])))
    assert unknown.suggestion == "1h"


def test_explain_says_what_where_and_what_would_be_right() -> None:
    text = explain(
        "the fee is -0.1",
        where="paper.yaml, line 3",
        expected="a fraction from 0 to 1",
        hint="remove the sign",
    )
    assert text == "paper.yaml, line 3: the fee is -0.1; expected a fraction from 0 to 1. Remove the sign."
    assert explain("no data") == "no data."


def test_a_data_error_names_file_line_column_and_value() -> None:
    error = DataError("not a number", path="btc.csv", line=7, column="close", value="abc", expected="a price")
    assert str(error) == "btc.csv:7, column close: not a number (found 'abc'); expected a price."


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("1hh", ["1m", "1h", "1d"], "1h"),
        ("CLOSE", ["open", "close"], "close"),
        ("binanse", ["gate", "Binance"], "Binance"),
        ("xyz", ["open", "close"], None),
        ("anything", [], None),
    ],
)
def test_the_near_miss(name: str, options: list[str], expected: str | None) -> None:
    assert did_you_mean(name, options) == expected


def test_an_unknown_name_offers_the_near_miss_and_the_list() -> None:
    error = UnknownNameError("column", "clse", ["open", "close"], field="columns")
    assert str(error) == "unknown column 'clse'; expected one of: open, close. Did you mean 'close'?"
    assert isinstance(error, InputError)
    assert error.field == "columns"


def test_a_long_list_of_names_is_cut() -> None:
    assert "and 8 more" in str(UnknownNameError("coin", "?", [f"c{i}" for i in range(20)]))


def test_an_order_refusal_carries_its_reason() -> None:
    assert OrderRefused("too small", reason=OrderReason.MIN_NOTIONAL).reason is OrderReason.MIN_NOTIONAL


def test_a_failed_strategy_is_told_in_one_sentence() -> None:
    error = StrategyFailed.of(
        ZeroDivisionError("division by zero"),
        strategy="SmaCross",
        callback="on_bar",
        bar_time="2024-01-01T00:00:00Z",
        file="sma.py",
        line=12,
    )
    assert str(error) == (
        "sma.py:12: SmaCross.on_bar raised ZeroDivisionError"
        " at the bar of 2024-01-01T00:00:00Z: division by zero."
    )
    assert (error.file, error.line, error.callback) == ("sma.py", 12, "on_bar")
