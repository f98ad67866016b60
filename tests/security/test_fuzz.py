"""Every operation of the OpenAPI document, asked with what a machine makes up: nothing answers with a fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error

from platform_fixtures import PASSWORD, serve_in_thread

#: What would end the session the fuzzer asks with, or fill the disk.
_LEFT_OUT = r"/auth/(logout|logout-all|password|totp|setup)|/backups$"


@pytest.fixture(scope="module")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A server; gives its address and an owner's token."""
    limits = {
        "CASHUP_SECURITY__REQUESTS_PER_MINUTE": "1000000",
        "CASHUP_SECURITY__LOGIN_PER_MINUTE": "1000000",
    }
    with serve_in_thread(tmp_path_factory.mktemp("fuzz"), **limits) as served:
        body = {"token": served.setup_token, "email": "o@example.com", "password": PASSWORD, "name": "O"}
        answer = httpx.post(f"{served.url}/api/v1/auth/setup", json=body)
        yield served.url, answer.json()["access_token"]


@pytest.mark.slow
def test_nothing_made_up_causes_a_fault(running_server: tuple[str, str]) -> None:
    base, token = running_server
    schema = schemathesis.openapi.from_url(f"{base}/api/v1/openapi.json").exclude(path_regex=_LEFT_OUT)
    tried = 0
    for found in schema.get_all_operations():
        operation: Any = found.ok()
        tried += 1
        _fuzz(operation, token)
    assert tried > 40


def _fuzz(operation: Any, token: str) -> None:
    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy())
    def attempt(case: Any) -> None:
        answer = case.call(headers={"authorization": f"Bearer {token}"})
        case.validate_response(answer, checks=[not_a_server_error])
        if answer.status_code >= 400:
            assert "Traceback" not in answer.text
            assert str(Path.home()) not in answer.text

    attempt()
