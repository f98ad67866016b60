"""What this service asks of whoever runs jobs: a process of its own for the user's code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol


class Launcher(Protocol):
    """Run jobs in processes of their own."""

    async def run(
        self,
        kind: str,
        request: dict[str, Any],
        *,
        folder: Path,
        user_id: str,
        on_progress: Callable[[float, str], None] = ...,
    ) -> dict[str, Any]:
        """Run one job and return its result; cancelling ends its process.

        Raises:
            CashUpError: It ended without a result; the message says why.
        """
        ...
