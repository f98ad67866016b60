"""Where compiled code is kept between runs: one folder a user, never beside the installed package."""

from __future__ import annotations

import os
from pathlib import Path

from numba import config


def use_user_cache() -> Path:
    """Point Numba's cache at the user's cache folder unless NUMBA_CACHE_DIR already names one, and return it."""
    if "NUMBA_CACHE_DIR" not in os.environ:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        config.CACHE_DIR = str(Path(base) / "cashup" / "numba")
    return Path(config.CACHE_DIR)


CACHE_DIR = use_user_cache()
