"""The locks pin everything by hash and name no host."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_no_address(lock: Path) -> None:
    assert not re.search(r"https?://|file:", lock.read_text())


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_distribution_is_pinned_and_hashed(lock: Path) -> None:
    blocks = re.split(r"\n(?=\S)", lock.read_text().strip())
    assert len(blocks) >= 2
    for block in blocks:
        assert re.match(r"^[A-Za-z0-9._\[\]-]+==\S+", block), block.splitlines()[0]
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_the_product_and_its_tests_use_the_same_versions() -> None:
    def versions(name: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for package, version in re.findall(
            r"^([^=\s]+)==(\S+)", (ROOT / "requirements" / name).read_text(), re.M
        ):
            found.setdefault(package, set()).add(version)
        return found

    development = versions("dev.lock")
    for package, pinned in versions("run.lock").items():
        assert development[package] == pinned
