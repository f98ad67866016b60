"""Fixtures every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no fault of the code; every run tries the same cases, the nightly one new ones.
settings.register_profile("cashup", deadline=None, derandomize="CASHUP_NIGHTLY" not in os.environ)
settings.load_profile("cashup")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real market data beside the checkout; tests that need it are skipped where it is absent."""
    path = Path(os.environ.get("CASHUP_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no real market data at {path}; set CASHUP_SHARED_DATA to the folder that has it")
    return path


pytest_plugins = ["platform_fixtures"]
