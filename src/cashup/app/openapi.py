"""The OpenAPI document of the platform, which the client of the pages is generated from."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path


def document() -> str:
    """Return the document as text that changes only when the API does."""
    from cashup.app.api import create_app
    from cashup.app.platform import Platform

    with tempfile.TemporaryDirectory() as folder:
        platform = Platform(None, {"CASHUP_DATA_DIR": folder, "CASHUP_PROFILE": "test"})
        found = create_app(platform).openapi()
    found["info"]["version"] = ""
    return json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if target is None:
        print(document(), end="")
    else:
        target.write_text(document(), encoding="utf-8")
