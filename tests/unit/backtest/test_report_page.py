from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cashup.backtest.report import Bars, build_report
from unit.backtest.report_sample import sample_report
from unit.backtest.test_report_pack import unpack

ASSETS = Path(str(resources.files("cashup.backtest.report").joinpath("assets")))
EVIL = "</script><img src=x onerror=alert(1)>\"'&<b>"


class Page(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self._script: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._script = (dict(attrs).get("id") or f"code{len(self.scripts)}") if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self.scripts[self._script] = self.scripts.get(self._script, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._script = None


@pytest.fixture(scope="module")
def text() -> str:
    return build_report(sample_report(24 * 200))


def test_the_page_names_no_remote_address_to_load(text: str) -> None:
    page = Page(text)
    for tag, attributes in page.tags:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form", "img"}
        assert not {"src", "href", "action", "background"} & attributes.keys()
    styles = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in styles
    assert "@import" not in styles


def test_no_asset_reaches_for_the_network() -> None:
    for path in ASSETS.glob("*.js"):
        source = path.read_text("utf-8")
        assert not re.search(
            r"\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts|\bimport\(", source
        ), path
        assert not re.search(r"\beval\(|new Function", source), path
        for address in re.findall(r"https?://[^\"'` )]+", source):
            assert address.startswith("http://www.w3.org/"), (path, address)


def test_own_scripts_never_parse_text_as_markup() -> None:
    for path in ASSETS.glob("*.js"):
        if path.name != "echarts.min.js":
            source = path.read_text("utf-8")
            assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", source), path


def test_the_policy_admits_exactly_the_scripts_of_the_page(text: str) -> None:
    page = Page(text)
    policy = next(
        a["content"] for t, a in page.tags if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert "unsafe-eval" not in policy
    code = [body for name, body in page.scripts.items() if name.startswith("code")]
    hashes = {
        f"'sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}'" for body in code
    }
    assert hashes == set(re.findall(r"'sha256-[^']+'", policy))
    assert len(code) == 2


def test_hostile_text_stays_text() -> None:
    report = sample_report(
        24 * 30,
        strategy=EVIL,
        description=EVIL,
        instruments=[EVIL],
        command=EVIL,
        error=EVIL,
        log=[(0, EVIL)],
        parameters={EVIL: EVIL},
        configuration={EVIL: EVIL},
        provenance={EVIL: EVIL},
        trades=dict(sample_report(24 * 30).trades, tag=[EVIL] * len(sample_report(24 * 30).trades["side"])),
    )
    page = build_report(report)
    assert EVIL not in page
    assert "<img" not in page
    assert page.count("<script") == page.count("</script>") == 4
    shown = unpack(Page(page).scripts["document"])
    assert shown["strategy"] == EVIL
    assert shown["trades"]["columns"]["tag"][0] == EVIL
    assert shown["log"] == [[0, EVIL]]


def test_the_same_run_gives_the_same_page() -> None:
    assert build_report(sample_report(500)) == build_report(sample_report(500))


def test_everything_asked_for_is_in_the_document(text: str) -> None:
    document = unpack(Page(text).scripts["document"])
    for part in (
        "curves",
        "drawdowns",
        "calendar",
        "rolling",
        "trades",
        "trade_charts",
        "orders",
        "costs",
        "statistics",
    ):
        assert document[part], part
    assert document["command"].startswith("cashup backtest")
    assert ["data_fingerprint", "blake2b:9f1c7a2e5d"] in document["provenance"]
    assert document["bars"] == 24 * 200


def test_values_no_json_knows_are_written_as_text() -> None:
    report = sample_report(
        200, every=20, configuration={"rule": {1, 2} and frozenset({3}), "nan": float("nan"), "n": None}
    )
    document = unpack(Page(build_report(report)).scripts["document"])
    assert dict(document["configuration"]) == {"rule": "frozenset({3})", "nan": "nan", "n": "null"}


def empty_bars() -> Bars:
    none = np.zeros(0)
    return Bars(ts=np.zeros(0, np.int64), open=none, high=none, low=none, close=none, volume=none)


@pytest.mark.parametrize(
    "changes",
    [
        {"trades": {}, "orders": {}, "statistics": [], "log": [], "command": ""},
        {"bars": empty_bars(), "equity": np.zeros(0), "exposure": None, "trades": {}, "orders": {}},
    ],
)
def test_a_run_with_nothing_in_it_still_gives_a_page(changes: dict[str, Any]) -> None:
    assert build_report(sample_report(300, every=20, **changes)).endswith("</html>\n")


def test_one_bar_gives_a_page() -> None:
    report = sample_report(300, every=20)
    bars = Bars(
        **{name: getattr(report.bars, name)[:1] for name in ("ts", "open", "high", "low", "close", "volume")}
    )
    build_report(
        sample_report(
            300, every=20, bars=bars, equity=report.equity[:1], exposure=report.exposure[:1], trades={}
        )
    )


def texts() -> tuple[dict[str, str], dict[str, str]]:
    return tuple(json.loads((ASSETS / f"text.{lang}.json").read_text("utf-8")) for lang in ("en", "zh"))  # type: ignore[return-value]


def test_both_languages_say_the_same_things() -> None:
    english, chinese = texts()
    assert english.keys() == chinese.keys()
    for key, words in english.items():
        assert words, key
        assert chinese[key], key
        assert set(re.findall(r"\{\w+\}", words)) == set(re.findall(r"\{\w+\}", chinese[key])), key


def test_chinese_text_has_no_english_left() -> None:
    _, chinese = texts()
    allowed = re.compile(r"\{\w+\}|CashUp|UTC|MAE|MFE|CSV|K 线|Python|#|[0-9.%–]|\W")
    left = {
        key: words for key, words in chinese.items() if re.search(r"[A-Za-z]{2,}", allowed.sub(" ", words))
    }
    assert left == {}


def test_every_text_the_scripts_ask_for_exists() -> None:
    english, _ = texts()
    for path in ASSETS.glob("*.js"):
        if path.name != "echarts.min.js":
            for key in re.findall(r"\bt\(\"([\w.]+)\"", path.read_text("utf-8")):
                assert key in english, (path.name, key)


def test_every_reason_and_status_of_the_kernel_has_words() -> None:
    from cashup.kernel import types

    english, _ = texts()
    statuses = (
        "HELD",
        "SUBMITTED",
        "ACCEPTED",
        "TRIGGERED",
        "PARTIALLY_FILLED",
        "FILLED",
        "CANCELLED",
        "REJECTED",
        "EXPIRED",
    )
    kinds = ("MARKET", "LIMIT", "STOP", "STOP_LIMIT", "TRAILING_STOP", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
    for name in vars(types):
        if name.startswith("REASON_"):
            assert f"reason.{name.removeprefix('REASON_').lower()}" in english
    assert all(hasattr(types, name) and f"status.{name.lower()}" in english for name in statuses)
    assert all(hasattr(types, name) and f"type.{name.lower()}" in english for name in kinds)


def test_the_chart_library_is_small_and_carries_its_licence() -> None:
    assert (ASSETS / "echarts.min.js").stat().st_size <= 650_000
    assert "Apache ECharts" in (ASSETS / "echarts.min.js").read_text("utf-8")[:200]
    licence = (ASSETS / "echarts.LICENSE.txt").read_text("utf-8")
    assert "Apache License" in licence
    assert "zrender" in licence


def test_a_year_of_minutes_is_quick_and_small() -> None:
    report = sample_report(525_600, minutes=1, every=200)
    build_report(sample_report(300))
    page = build_report(report)
    assert len(page.encode()) < 5_000_000
