"""How the program is doing, as its administrator sees it."""

from __future__ import annotations

from datetime import timedelta

from cashup.runtime.db import utc_now
from cashup.services.core.system.tables import ProbeRow
from platform_fixtures import Installation


async def test_the_overview_tells_of_health_tasks_and_availability(installation: Installation) -> None:
    headers = await installation.owner()
    found = (await installation.client.get("/api/v1/system", headers=headers)).json()
    assert found["ready"] is True
    assert found["database"] == "SQLite"
    assert {task["name"] for task in found["tasks"]} >= {
        "outbox",
        "backups",
        "health",
        "backtests",
        "notifications",
    }
    assert all(task["running"] for task in found["tasks"])


async def test_minutes_without_a_good_probe_count_as_down(installation: Installation) -> None:
    headers = await installation.owner()
    await installation.platform.context.supervisor.stop("health")
    now = utc_now().replace(microsecond=0)
    async with installation.platform.context.database.write() as session:
        for minute in range(100):
            if minute % 10:  # every tenth is missing
                session.add(
                    ProbeRow(at=now - timedelta(minutes=100 - minute), ready=minute % 9 != 0, failures={})
                )
    found = (await installation.client.get("/api/v1/system", headers=headers)).json()
    assert 0.75 < found["availability_24h"] < 0.85
    assert found["availability_30d"] == found["availability_24h"]


async def test_a_failing_check_makes_the_program_not_ready_and_says_which(installation: Installation) -> None:
    async def broken() -> None:
        raise OSError("the secret password is hunter2")

    headers = await installation.owner()
    installation.platform.context.checks["venue"] = broken
    answer = await installation.client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"venue": "does not answer"}
    found = (await installation.client.get("/api/v1/system", headers=headers)).json()
    assert found["failures"] == {"venue": "OSError"}
    assert (await installation.client.get("/health/live")).status_code == 200


async def test_metrics_are_exposed_without_secrets_or_texts_of_users(installation: Installation) -> None:
    await installation.owner("planted-address@example.com")
    text = (await installation.client.get("/metrics")).text
    assert "cashup_api_requests_total" in text
    assert 'cashup_up{service="database"}' in text or "cashup_up" in text
    assert "planted" not in text
