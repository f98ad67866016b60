"""Where settings are read, and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

from cashup.model.time import ns_to_ms
from cashup.runtime.clock import LiveClock


def data_dir() -> Path:
    """Return the folder of stored market data: CASHUP_DATA_DIR, or ~/.cashup/data."""
    chosen = os.environ.get("CASHUP_DATA_DIR")
    return Path(chosen).expanduser() if chosen else Path.home() / ".cashup" / "data"


def now_ms() -> int:
    """Return the present in milliseconds UTC."""
    return ns_to_ms(LiveClock().now())
