"""A newcomer's way through the pages in a real browser: from the setup link to a backtest's report."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from platform_fixtures import PASSWORD, Served, serve_in_thread
from services.test_strategies import NAME, stored

CHROMIUM = Path("/usr/bin/chromium")
WEB = Path(__file__).resolve().parents[2] / "src" / "cashup" / "web" / "index.html"

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A platform with market data and its pages."""
    for path, variable, hint in (
        (WEB, "CASHUP_REQUIRE_WEB", "the pages are not built: make web"),
        (CHROMIUM, "CASHUP_REQUIRE_BROWSER", f"{CHROMIUM} is missing: install the package chromium"),
    ):
        if not path.exists():
            if os.environ.get(variable):
                pytest.fail(hint)
            pytest.skip(hint)
    home = tmp_path_factory.mktemp("web")
    (home / "home").mkdir()
    stored(home / "home", 1_500)
    with serve_in_thread(home) as found:
        yield found


@pytest.fixture
async def browser() -> AsyncIterator[Any]:
    """Chromium."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield found
        await found.close()


def watch(page: Any, base: str) -> list[str]:
    """Collect what a page must not do: complain, fail, or speak to another host."""
    problems: list[str] = []
    page.on("console", lambda m: problems.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda e: problems.append(str(e)))
    allowed = (base, base.replace("http", "ws"), "data:", "blob:", "about:")
    page.on("request", lambda r: problems.append(r.url) if not r.url.startswith(allowed) else None)
    return problems


async def test_from_the_setup_link_to_a_report_and_back_in_chinese_on_a_phone(
    served: Served, browser: Any
) -> None:
    desktop = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    page = await desktop.new_page()
    problems = watch(page, served.url)
    await page.goto(f"{served.url}/setup?token={served.setup_token}")
    await page.get_by_label("Name").fill("Ada")
    await page.get_by_label("E-mail").fill("ada@example.com")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create the account").click()
    await page.get_by_role("heading", name="Dashboard").wait_for()

    await page.get_by_role("button", name="New strategy").click()
    template = page.get_by_label("From a template")
    await template.fill("sma_cross")
    await page.get_by_title("sma_cross", exact=True).first.click()
    await page.get_by_role("dialog").get_by_label("Name", exact=True).fill("My cross")
    await page.get_by_role("button", name="Create").click()
    await page.get_by_role("heading", name="My cross").wait_for()
    assert "class SmaCross" in await page.locator(".cm-content").inner_text()

    await page.get_by_role("button", name="Run a backtest").click()
    await page.get_by_role("combobox", name="Data").click()
    await page.get_by_title(NAME, exact=True).first.click()
    await page.get_by_role("dialog").get_by_role("button", name="Run").click()
    await page.get_by_role("tab", name="Report").wait_for(timeout=60_000)
    report = page.frame_locator("iframe.report")
    await report.get_by_text("Total return").first.wait_for()
    assert await report.locator("canvas, svg").count() >= 3

    for path, heading in (
        ("strategies", "Strategies"), ("backtests", "Backtests"), ("data", "Market data"),
        ("notifications", "Notifications"), ("notifications/channels", "Notifications"), ("settings", "Settings"),
        ("settings/security", "Settings"), ("settings/api-keys", "Settings"), ("administration", "Administration"),
        ("administration/users", "Administration"), ("administration/configuration", "Administration"),
        ("administration/audit", "Administration"), ("administration/backups", "Administration"),
    ):  # fmt: skip
        await page.goto(f"{served.url}/{path}")
        await page.get_by_role("heading", name=heading, exact=True).wait_for()
        await page.wait_for_load_state("networkidle")
        assert await page.locator(".ant-result").count() == 0, path
    assert problems == []

    phone = await browser.new_context(
        viewport={"width": 390, "height": 844}, locale="zh-CN", color_scheme="dark",
        storage_state={"cookies": await desktop.cookies(), "origins": []},
    )  # fmt: skip
    page = await phone.new_page()
    problems = watch(page, served.url)
    for path, heading in (
        ("", "仪表盘"),
        ("strategies", "策略"),
        ("backtests", "回测"),
        ("data", "行情数据"),
        ("settings", "设置"),
    ):
        await page.goto(f"{served.url}/{path}")
        await page.get_by_role("heading", name=heading, exact=True).wait_for()
        await page.wait_for_load_state("networkidle")
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, (path, width)
    await page.goto(f"{served.url}/data/chart?name={NAME}&timeframe=1h")
    await page.locator(".chart canvas").first.wait_for()
    await page.wait_for_load_state("networkidle")
    assert problems == []


async def test_without_a_session_every_page_leads_to_signing_in_and_back(
    served: Served, browser: Any
) -> None:
    async with httpx.AsyncClient(base_url=served.url) as client:  # unless another test was here first
        owner = {"token": served.setup_token, "email": "ada@example.com", "password": PASSWORD, "name": "Ada"}
        await client.post("/api/v1/auth/setup", json=owner)
    context = await browser.new_context(locale="en-US")
    page = await context.new_page()
    await page.goto(f"{served.url}/backtests")
    await page.wait_for_url(re.compile("/sign-in$"))
    await page.get_by_label("E-mail").fill("ada@example.com")
    await page.get_by_label("Password").fill("wrong password")
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("alert").get_by_text("is wrong").wait_for()
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(re.compile("/backtests$"))


def test_the_client_of_the_pages_is_generated_from_the_api_as_it_is() -> None:
    from cashup.app.openapi import document

    kept = Path(__file__).resolve().parents[2] / "frontend" / "src" / "lib" / "openapi.json"
    assert kept.read_text(encoding="utf-8") == document(), "run: make openapi"
