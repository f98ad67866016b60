"""Strategies and backtests through the API, run behind the fence."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from platform_fixtures import Installation, running, start

CODE = '''
from cashup import Strategy, param, ta

class Cross(Strategy):
    """Long while the fast average is above the slow one."""
    timeframe = "1h"
    fast = param(10, low=5, high=60)

    def prepare(self, bars):
        self.a = ta.SMA(bars.close, self.fast)
        self.b = ta.SMA(bars.close, 30)

    def on_bar(self):
        if self.crossed_above(self.a, self.b):
            self.target(1.0)
        elif self.crossed_below(self.a, self.b):
            self.close()
'''
NAME = "binance:BTC/USDT"


def stored(home: Path, hours: int = 800) -> None:
    """Put a market of ours into the store."""
    from cashup.data.datasets import DataKind, DatasetKey
    from cashup.data.store import Store
    from cashup.data.synthetic.market import demo_bars
    from cashup.model.time import Timeframe

    bars: pl.DataFrame = demo_bars("1h", seed=3).head(hours)
    Store(home / "data").append(DatasetKey.of(NAME, DataKind.BARS, Timeframe.parse("1h")), bars)


async def ended(installation: Installation, headers: dict[str, str], backtest_id: str) -> dict[str, Any]:
    """Wait for the end of a backtest, as the browser does: by its topic."""
    from cashup.runtime.hub import Subscriber

    me = (await installation.client.get("/api/v1/me", headers=headers)).json()["id"]
    subscriber = Subscriber()
    installation.platform.context.hub.subscribe(subscriber, f"user:{me}:backtests")
    async with asyncio.timeout(60):
        while True:
            found = (
                await installation.client.get(f"/api/v1/backtests/{backtest_id}", headers=headers)
            ).json()
            if found["status"] in {"done", "failed", "cancelled"}:
                return dict(found)
            await subscriber.queue.get()


async def test_a_strategy_is_kept_in_versions(installation: Installation) -> None:
    headers = await installation.owner()
    client = installation.client
    made = await client.post("/api/v1/strategies", headers=headers, json={"name": "cross", "code": CODE})
    assert made.status_code == 201, made.text
    path = f"/api/v1/strategies/{made.json()['id']}"
    shown = await client.get(path, headers=headers)
    outline = shown.json()["in_use"]["outline"]
    assert (outline["name"], outline["timeframe"]) == ("Cross", "1h")
    assert outline["parameters"][0] == {
        "name": "fast", "default": 10, "low": 5, "high": 60, "step": None, "choices": None,
    }  # fmt: skip
    same = await client.post(f"{path}/versions", headers=headers, json={"code": CODE})
    assert same.json()["number"] == 1
    changed = CODE.replace("30", "50")
    stale = {**headers, "if-match": '"99"'}
    assert (await client.post(f"{path}/versions", headers=stale, json={"code": changed})).status_code == 412
    fresh = {**headers, "if-match": shown.headers["etag"]}
    assert (await client.post(f"{path}/versions", headers=fresh, json={"code": changed})).json()[
        "number"
    ] == 2
    diff = (await client.get(f"{path}/diff?old=1&new=2", headers=headers)).json()["diff"]
    assert "-        self.b = ta.SMA(bars.close, 30)" in diff
    assert "+        self.b = ta.SMA(bars.close, 50)" in diff
    back = await client.patch(path, headers=headers, json={"current": 1, "status": "active"})
    assert (back.json()["current"], back.json()["status"]) == (1, "active")
    taken = await client.post("/api/v1/strategies", headers=headers, json={"name": "cross", "code": CODE})
    assert taken.status_code == 409


async def test_code_that_cannot_be_loaded_is_kept_as_a_draft_with_its_mistake(
    installation: Installation,
) -> None:
    headers = await installation.owner()
    broken = CODE.replace("def on_bar(self):", "def on_bar(self:")
    made = await installation.client.post(
        "/api/v1/strategies", headers=headers, json={"name": "x", "code": broken}
    )
    assert made.status_code == 201
    shown = await installation.client.get(f"/api/v1/strategies/{made.json()['id']}", headers=headers)
    problem = shown.json()["in_use"]["problem"]
    assert problem.startswith("strategy.py:13")
    assert "/tmp" not in problem
    assert "Traceback" not in problem
    refused = await installation.client.post(
        "/api/v1/backtests", headers=headers, json={"strategy_id": made.json()["id"], "data": NAME}
    )
    assert refused.status_code == 422
    assert "strategy.py:13" in refused.json()["detail"]


async def test_a_backtest_runs_to_its_report_and_equals_the_one_run_directly(
    installation: Installation, tmp_path: Path
) -> None:
    stored(tmp_path / "home")
    headers = await installation.owner()
    client = installation.client
    strategy = (
        await client.post("/api/v1/strategies", headers=headers, json={"name": "c", "code": CODE})
    ).json()
    body = {"strategy_id": strategy["id"], "data": NAME, "params": {"fast": 12}}
    keyed = {**headers, "idempotency-key": "once"}
    queued = await client.post("/api/v1/backtests", headers=keyed, json=body)
    assert queued.status_code == 202, queued.text
    again = await client.post("/api/v1/backtests", headers=keyed, json=body)
    assert again.json()["id"] == queued.json()["id"]
    other = await client.post("/api/v1/backtests", headers=keyed, json={**body, "cash": 5})
    assert other.status_code == 409
    done = await ended(installation, headers, queued.json()["id"])
    assert done["status"] == "done", done["error"]
    assert done["isolation"]["files"] is True
    assert done["isolation"]["network"] is True

    from cashup.app.workbench import Backtest as PlainBacktest
    from cashup.engine.loader import load_strategy

    file = tmp_path / "direct.py"
    file.write_text(CODE)
    from cashup.data.store import Store
    from cashup.model.time import Timeframe

    bars = Store(tmp_path / "home" / "data").read_bars(NAME, Timeframe.parse("1h"))
    direct = PlainBacktest(load_strategy(file), bars, params={"fast": 12}).run()
    assert done["statistics"]["final_equity"] == direct.statistics["final_equity"]
    report = await client.get(f"/api/v1/backtests/{done['id']}/report", headers=headers)
    assert report.headers["content-security-policy"].startswith("sandbox")
    assert "<html" in report.text[:200]
    link = (await client.post(f"/api/v1/backtests/{done['id']}/report-link", headers=headers)).json()["url"]
    framed = await client.get(link)
    assert framed.text == report.text
    assert framed.headers["x-frame-options"] == "SAMEORIGIN"
    for wrong in (link[:-4] + "AAAA", "/api/v1/backtests/reports/x", "/api/v1/backtests/reports/v1.a.b.c"):
        assert (await client.get(wrong)).status_code == 404
    result = await client.get(f"/api/v1/backtests/{done['id']}/result", headers=headers)
    assert result.json()["statistics"]["trades"] == direct.statistics["trades"]
    assert (await client.delete(f"/api/v1/backtests/{done['id']}", headers=headers)).status_code == 204
    assert not (tmp_path / "home" / "backtests" / done["id"]).exists()


async def test_a_strategy_that_never_ends_can_be_cancelled(
    installation: Installation, tmp_path: Path
) -> None:
    stored(tmp_path / "home", 100)
    headers = await installation.owner()
    endless = CODE.replace("        self.a =", "        while True: pass\n        self.a =")
    client = installation.client
    strategy = (
        await client.post("/api/v1/strategies", headers=headers, json={"name": "e", "code": endless})
    ).json()
    queued = (
        await client.post(
            "/api/v1/backtests", headers=headers, json={"strategy_id": strategy["id"], "data": NAME}
        )
    ).json()
    from cashup.runtime.hub import Subscriber

    me = (await client.get("/api/v1/me", headers=headers)).json()["id"]
    subscriber = Subscriber()
    installation.platform.context.hub.subscribe(subscriber, f"user:{me}:backtests", after=0)
    async with asyncio.timeout(30):
        while '"running"' not in await subscriber.queue.get():
            pass
    cancelled = await client.post(f"/api/v1/backtests/{queued['id']}/cancel", headers=headers)
    assert cancelled.json()["status"] == "cancelled"
    assert (await ended(installation, headers, queued["id"]))["status"] == "cancelled"
    async with asyncio.timeout(10):
        while installation.platform.strategy.backtests._running:
            await asyncio.sleep(0)


async def test_a_backtest_a_crash_interrupted_runs_again_at_the_next_start(tmp_path: Path) -> None:
    stored(tmp_path / "home", 200)
    platform, app = await start(tmp_path)
    async with running(platform, app) as installation:
        headers = await installation.owner()
        strategy = (
            await installation.client.post(
                "/api/v1/strategies", headers=headers, json={"name": "c", "code": CODE}
            )
        ).json()
        await platform.context.supervisor.stop("backtests")
        queued = await installation.client.post(
            "/api/v1/backtests", headers=headers, json={"strategy_id": strategy["id"], "data": NAME}
        )
        await platform.strategy.backtests._take()
    platform, app = await start(tmp_path)
    async with running(platform, app) as installation:
        headers = await installation.login("owner@example.com")
        done = await ended(installation, headers, queued.json()["id"])
    assert done["status"] == "done", done["error"]


@pytest.mark.parametrize("data", ["/etc/passwd", "../../secret.csv", "file:///etc/passwd", "binance:", ""])
async def test_data_is_named_and_never_a_path(installation: Installation, data: str) -> None:
    headers = await installation.owner()
    body = {"strategy_id": "x", "data": data}
    assert (
        await installation.client.post("/api/v1/backtests", headers=headers, json=body)
    ).status_code == 422
