from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cashup.backtest.report.pack import decimals, pack, signed


def unpack(text: str) -> Any:
    """What the page's data.js does, written again in Python."""
    raw = zlib.decompress(base64.b64decode(text))
    (length,) = struct.unpack_from("<I", raw)
    source = {"raw": raw, "at": 4 + length}
    return restore(json.loads(raw[4 : 4 + length]), source)


def restore(node: Any, source: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [restore(item, source) for item in node]
    if not isinstance(node, dict):
        return node
    kind = node.get("$")
    if kind == "int":
        return read_integers(node, source)
    if kind == "float":
        return planes(node["n"], 4, source).astype(np.uint8).tobytes()
    if kind == "words":
        return [node["of"][int(code)] for code in read_integers(node["at"], source)]
    if "$signed" in node:
        folded = restore(node["$signed"], source).astype(np.int64)
        return (folded >> 1) ^ -(folded & 1)
    return {key: restore(value, source) for key, value in node.items()}


def planes(n: int, width: int, source: dict[str, Any]) -> np.ndarray:
    start, source["at"] = source["at"], source["at"] + n * width
    return np.frombuffer(source["raw"][start : source["at"]], np.uint8).reshape(width, n).T


def read_integers(ref: dict[str, Any], source: dict[str, Any]) -> np.ndarray:
    bytes_ = planes(ref["n"], ref["width"], source).astype(object)
    values = [sum(int(b) << (8 * k) for k, b in enumerate(row)) * ref["unit"] for row in bytes_]
    whole = [ref["base"] + v for v in (np.cumsum(values).tolist() if ref["delta"] else values)]
    return np.array(whole, np.int64) if "places" not in ref else np.array(whole, float) / 10 ** ref["places"]


@given(hnp.arrays(np.int64, st.integers(0, 40), elements=st.integers(-(2**45), 2**45)))
@settings(max_examples=60, deadline=None)
def test_integers_come_back_exactly(values: np.ndarray) -> None:
    assert unpack(pack({"a": values}))["a"].tolist() == values.tolist()


@given(hnp.arrays(np.int64, st.integers(1, 40), elements=st.integers(0, 10**6)))
@settings(max_examples=40, deadline=None)
def test_rising_times_come_back_exactly(steps: np.ndarray) -> None:
    times = 1_700_000_000_000 + np.cumsum(steps) * 60_000
    assert unpack(pack([times]))[0].tolist() == times.tolist()


@given(hnp.arrays(np.int64, st.integers(1, 40), elements=st.integers(-(10**6), 10**6)))
@settings(max_examples=40, deadline=None)
def test_signed_numbers_come_back_exactly(values: np.ndarray) -> None:
    assert unpack(pack(signed(values))).tolist() == values.tolist()


def test_decimal_prices_come_back_to_the_last_digit() -> None:
    prices = np.array([105573.73, 0.01, 42.0, 105597.1])
    assert unpack(pack({"p": prices}))["p"].tolist() == prices.tolist()


def test_other_floats_keep_single_precision_and_nan() -> None:
    values = np.array([np.pi, np.nan, -np.inf, 1e-12])
    back = np.frombuffer(unpack(pack({"v": values}))["v"], "<f4")
    np.testing.assert_allclose(back, values.astype(np.float32))


def test_words_come_back() -> None:
    words = np.array(["long", "short", None, "long"], dtype=object)
    assert unpack(pack({"w": words}))["w"] == ["long", "short", "", "long"]


def test_arrays_follow_the_order_of_the_tree() -> None:
    tree = {"b": np.array([3, 1, 2]), "a": [np.array([9.5]), {"deep": np.array([7])}], "n": 1.5}
    back = unpack(pack(tree))
    assert back["b"].tolist() == [3, 1, 2]
    assert back["a"][0].tolist() == [9.5]
    assert back["a"][1]["deep"].tolist() == [7]
    assert back["n"] == 1.5


def test_not_a_number_becomes_null_because_json_has_none() -> None:
    assert unpack(pack({"x": float("nan"), "y": np.float64("inf"), "z": None})) == {
        "x": None,
        "y": None,
        "z": None,
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 2.0], 0),
        ([0.1, 0.25], 2),
        ([1e-8, 5.0], 8),
        ([1 / 3], None),
        ([np.nan], 0),
        ([1e15 + 0.5], None),
    ],
)
def test_decimals(values: list[float], expected: int | None) -> None:
    assert decimals(np.array(values)) == expected


def test_packed_text_holds_nothing_but_base64() -> None:
    text = pack({"evil": "</script><script>alert(1)</script>"})
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
