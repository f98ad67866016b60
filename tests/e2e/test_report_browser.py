"""The report in a real browser: it draws, answers and fits, and asks no network."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cashup.backtest.report import build_report
from unit.backtest.report_sample import sample_report

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CHARTS = {
    "equity", "exposure", "price", "years", "rolling-sharpe", "rolling-volatility",
    "returns", "excursion", "holding", "costs",
}  # fmt: skip
EVIL = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>{{7*7}}'

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        message = f"{CHROMIUM} is missing: install the package chromium to run the browser tests"
        if os.environ.get("CASHUP_REQUIRE_BROWSER") == "1":
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    sample = sample_report()
    evil = sample_report(
        24 * 60,
        strategy=EVIL,
        description=EVIL,
        instruments=[EVIL],
        parameters={EVIL: EVIL},
        error=EVIL,
        command=EVIL,
        log=[(0, EVIL)],
        trades=dict(sample_report(24 * 60).trades, tag=[EVIL] * len(sample_report(24 * 60).trades["side"])),
    )
    empty = sample_report(24 * 60, trades={}, orders={}, exposure=None)
    files = {}
    for name, report in {"sample": sample, "evil": evil, "empty": empty}.items():
        files[name] = folder / f"{name}.html"
        files[name].write_text(build_report(report), encoding="utf-8")
    return files


class Opened:
    """A page with a record of everything that went wrong on it."""

    def __init__(self, browser: Any, file: Path, *, width: int = 1440, **context: Any) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, **({"locale": "en-US"} | context)
        )
        self.page = self.context.new_page()
        self.troubles: list[str] = []
        self.requests: list[str] = []
        self.page.on(
            "console", lambda m: self.troubles.append(m.text) if m.type in {"error", "warning"} else None
        )
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())
        self.page.wait_for_selector("html[data-ready]", timeout=15_000)

    def draw_all(self) -> None:
        self.page.evaluate("document.querySelectorAll('.chart').forEach((box) => box.start())")
        assert self.page.locator(".chart:not([data-drawn])").count() == 0

    def texts(self, selector: str) -> list[str]:
        found: list[str] = self.page.locator(selector).all_inner_texts()
        return found


@pytest.fixture
def opened(browser: Any, reports: dict[str, Path]) -> Iterator[Any]:
    pages: list[Opened] = []

    def open_page(name: str = "sample", **options: Any) -> Opened:
        pages.append(Opened(browser, reports[name], **options))
        return pages[-1]

    yield open_page
    for page in pages:
        page.context.close()


def inked_charts(view: Opened) -> set[str]:
    """Names of the charts whose canvas holds more than a handful of coloured pixels."""
    names: list[str] = view.page.evaluate(
        """() => [...document.querySelectorAll('.chart')].filter((box) => {
          const canvas = box.querySelector('canvas');
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          const seen = new Set();
          for (let k = 0; k < data.length; k += 4) {
            if (data[k + 3] > 200) seen.add((data[k] << 16) | (data[k + 1] << 8) | data[k + 2]);
          }
          return seen.size > 8;
        }).map((box) => box.dataset.chart)"""
    )
    return set(names)


def test_every_chart_draws_without_an_error_or_a_request(opened: Any, reports: dict[str, Path]) -> None:
    view = opened()
    view.draw_all()
    assert inked_charts(view) == CHARTS
    assert view.troubles == []
    assert view.requests == [reports["sample"].as_uri()]


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_width_scrolls_sideways(opened: Any, width: int, lang: str) -> None:
    view = opened(width=width, locale="zh-CN" if lang == "zh" else "en-US", has_touch=width < 600)
    view.draw_all()
    assert view.page.evaluate("document.documentElement.scrollWidth") == width
    assert view.page.evaluate("document.documentElement.lang").startswith(lang)
    assert view.troubles == []


def test_the_language_switch_changes_every_heading(opened: Any) -> None:
    view = opened()
    english = view.texts("h3")
    view.page.click(".language [data-value=zh]")
    chinese = view.texts("h3")
    assert len(english) == len(chinese) > 12
    assert all(re.search(r"[\u4e00-\u9fff]", heading) for heading in chinese)
    assert not any(re.search(r"[\u4e00-\u9fff]", heading) for heading in english)
    assert "总收益率" in view.texts("[data-card=total_return] .card-name")[0]
    view.page.reload()
    view.page.wait_for_selector("html[data-ready]")
    assert view.texts("h3") == chinese
    assert view.troubles == []


def test_theme_follows_the_system_until_chosen(opened: Any) -> None:
    view = opened(color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = view.page.evaluate(ground)
    view.page.click(".menu summary")
    view.page.click(".menu [data-value=light]")
    light = view.page.evaluate(ground)
    assert dark != light
    view.page.emulate_media(color_scheme="light")
    view.page.click(".menu [data-value=dark]")
    assert view.page.evaluate(ground) == dark
    view.draw_all()
    assert view.troubles == []


def test_colours_of_gain_and_loss_can_be_exchanged(opened: Any) -> None:
    view = opened()
    gain = "getComputedStyle(document.querySelector('.card-value.gain')).color"
    green = view.page.evaluate(gain)
    view.page.click(".menu summary")
    view.page.click(".menu [data-value=red]")
    red = view.page.evaluate(gain)
    view.page.click(".menu [data-value=safe]")
    blue = view.page.evaluate(gain)
    assert len({green, red, blue}) == 3


def column(view: Opened, key: str) -> list[float]:
    place = view.page.evaluate(
        "(key) => [...document.querySelectorAll('[data-table=trades] th')]"
        ".findIndex((th) => th.dataset.key === key) + 1",
        key,
    )
    cells = view.texts(f"[data-table=trades] tbody td:nth-child({place})")
    return [float(cell.replace("−", "-").replace(",", "").rstrip("%")) for cell in cells]


def test_trades_sort_filter_and_page(opened: Any) -> None:
    view = opened()
    heading = "[data-table=trades] th[data-key=pnl]"
    view.page.click(f"{heading} button")
    falling = column(view, "pnl")
    assert falling == sorted(falling, reverse=True)
    assert view.page.get_attribute(heading, "aria-sort") == "descending"
    view.page.click(f"{heading} button")
    assert column(view, "pnl") == sorted(column(view, "pnl"))

    panel = view.page.locator("[data-panel=trade-list]")
    panel.locator("[data-value=win]").click()
    panel.locator("[data-value=short]").click()
    assert min(column(view, "pnl")) > 0
    assert set(view.texts("[data-table=trades] .side")) == {"Short"}

    panel.locator("[data-value=all]").first.click()
    panel.locator("[data-value=all]").last.click()
    view.page.click("[data-table=trades] th[data-key=number] button")
    view.page.click("[data-table=trades] th[data-key=number] button")
    assert column(view, "number")[0] == 1
    panel.get_by_label("Next page").click()
    assert column(view, "number")[0] == 26
    panel.locator("select").select_option("100")
    assert len(column(view, "number")) == 100


def test_a_click_on_a_trade_pans_the_price_chart_to_it(opened: Any) -> None:
    view = opened()
    cells = view.texts("[data-table=trades] tbody tr:nth-child(2) td")
    view.page.locator("[data-table=trades] tbody tr").nth(1).click()
    view.page.wait_for_selector("[data-chart=price][data-drawn]")
    view.page.locator(".readout time", has_text=cells[2][:7]).wait_for()
    box = view.page.locator("[data-chart=price]").bounding_box()
    assert box["y"] < 900
    assert view.troubles == []


def test_the_price_chart_zooms_down_to_real_bars(opened: Any) -> None:
    view = opened()
    panel = view.page.locator("[data-panel=price]")
    panel.scroll_into_view_if_needed()
    view.page.wait_for_selector("[data-chart=price][data-drawn]")
    panel.get_by_role("button", name="All").click()
    view.page.get_by_text("One candle = 3d").wait_for()
    for _ in range(10):
        panel.get_by_label("Zoom in").click()
    view.page.get_by_text("One candle = 1h").wait_for()


def test_definitions_open_on_hover_and_on_tap(opened: Any) -> None:
    view = opened()
    view.page.locator("[data-stat=cagr]").scroll_into_view_if_needed()
    view.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    view.page.hover("[data-stat=cagr] .term")
    assert view.texts(".tip") == ["Compound annual growth rate."]
    view.page.mouse.move(5, 500)
    assert view.texts(".tip") == []
    view.page.click("[data-stat=sharpe] .term")
    assert view.texts(".tip") == ["Mean / deviation."]


def test_statistics_can_be_searched(opened: Any) -> None:
    view = opened()
    view.page.fill("[data-panel=statistics] input", "sharpe")
    assert view.page.locator(".stat:visible").count() == 1


def test_a_drawdown_is_marked_on_the_equity_curve(opened: Any) -> None:
    view = opened()
    view.draw_all()
    marked = (
        "document.querySelector('[data-chart=equity]').chart.getOption().series"
        ".some((line) => line.markArea && line.markArea.data.length)"
    )
    assert not view.page.evaluate(marked)
    view.page.click("[data-panel=drawdowns] tbody tr")
    assert view.page.evaluate(marked)


def test_the_list_of_trades_is_saved_as_csv(opened: Any) -> None:
    view = opened()
    with view.page.expect_download() as waiting:
        view.page.locator("[data-panel=trade-list]").get_by_role("button", name="Save CSV").click()
    lines = Path(waiting.value.path()).read_text("utf-8-sig").splitlines()
    assert lines[0].startswith("number,side,entry_ts")
    assert len(lines) == len(sample_report().trades["side"]) + 1


def test_hostile_names_run_nothing_and_show_as_written(opened: Any) -> None:
    view = opened("evil")
    view.draw_all()
    view.page.click("[data-table=trades] tbody tr")
    view.page.click(".language [data-value=zh]")
    view.draw_all()
    assert view.page.evaluate("window.hacked") is None
    assert view.texts("h1") == [EVIL]
    assert view.page.locator("main img, main script").count() == 0
    assert view.troubles == []


def test_a_run_without_trades_still_reads_well(opened: Any) -> None:
    view = opened("empty")
    view.draw_all()
    assert "no trades" in " ".join(view.texts(".warnings li"))
    assert view.troubles == []


def test_headings_and_controls_have_names(opened: Any) -> None:
    view = opened()
    unnamed = view.page.evaluate(
        "[...document.querySelectorAll('button, select, input, summary, [role=img]')]"
        ".filter((node) => !(node.textContent.trim() || node.getAttribute('aria-label'))).length"
    )
    assert unnamed == 0
    assert view.page.locator("h1").count() == 1


def test_paper_shows_every_chart_as_a_light_picture(opened: Any) -> None:
    view = opened(color_scheme="dark")
    view.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    view.page.emulate_media(media="print")
    view.page.set_viewport_size({"width": 720, "height": 1000})
    widths = view.page.evaluate(
        "Promise.all([...document.querySelectorAll('.paper')].map(async (picture) => {"
        "await picture.decode(); return picture.naturalWidth; }))"
    )
    assert len(widths) == len(CHARTS)
    assert min(widths) > 300
    assert view.page.evaluate("document.documentElement.scrollWidth") == 720
    assert view.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    view.page.emulate_media(media="screen")
    view.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert view.page.locator(".paper").count() == 0
    assert view.troubles == []
