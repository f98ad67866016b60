"""Where compiled code is kept between processes: one directory per user and per state of the kernel's source.

Numba notices a change in the file of a cached function, not in the files of what it refers to. The directory
therefore carries a fingerprint of every source file of this package: a changed constant in `types` can never
meet code compiled against the old one.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def cache_directory() -> Path:
    """Return the directory for compiled code, honouring NUMBA_CACHE_DIR and XDG_CACHE_HOME."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        root = Path(chosen)
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cashup" / "numba"
    return root / f"kernel-{_fingerprint()}"


def use_cache_directory() -> None:
    """Tell Numba to cache there; call before the first function is compiled."""
    from numba.core import config

    config.CACHE_DIR = str(cache_directory())  # type: ignore[attr-defined]  # made at import


def _fingerprint() -> str:
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for path in sorted(here.rglob("*.py")):
        digest.update(path.relative_to(here).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
