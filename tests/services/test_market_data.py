"""Stored market data through the API."""

from __future__ import annotations

from pathlib import Path

from platform_fixtures import Installation
from services.test_strategies import NAME, stored


async def test_stored_bars_are_listed_checked_and_charted(installation: Installation, tmp_path: Path) -> None:
    stored(tmp_path / "home", 500)
    headers = await installation.owner()
    client = installation.client
    (entry,) = (await client.get("/api/v1/data", headers=headers)).json()
    assert (entry["name"], entry["timeframe"], entry["rows"]) == (NAME, "1h", 500)
    hours = (await client.get(f"/api/v1/data/bars?name={NAME}&timeframe=1h&limit=24", headers=headers)).json()
    assert len(hours["ts"]) == 24
    assert hours["more"] is True
    day = (
        await client.get(
            f"/api/v1/data/bars?name={NAME}&timeframe=4h&until={hours['ts'][-1]}", headers=headers
        )
    ).json()
    assert day["ts"][-1] < hours["ts"][-1]
    assert day["ts"][1] - day["ts"][0] == 4 * 3_600_000
    report = (await client.get(f"/api/v1/data/check?name={NAME}&timeframe=1h", headers=headers)).json()
    assert report["missing"] == 0
    wrong = await client.get("/api/v1/data/bars?name=binance:BTC/USD&timeframe=1h", headers=headers)
    assert wrong.status_code == 422
    assert wrong.json()["suggestion"] == NAME
    finer = await client.get(f"/api/v1/data/bars?name={NAME}&timeframe=5m", headers=headers)
    assert finer.status_code == 422
    trader = await installation.user("t@example.com", "administrator")
    gone = f"/api/v1/data?name={NAME}&kind=bars&timeframe=1h"
    assert (await client.delete(gone, headers=trader)).status_code == 403
    assert (await client.delete(gone, headers=headers)).status_code == 204
    assert (await client.get("/api/v1/data", headers=headers)).json() == []
