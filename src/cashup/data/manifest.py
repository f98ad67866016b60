"""The table of contents of one dataset: which files hold it now.

Data files never change once written; their names carry the hash of their content. A change writes new
files, then replaces the manifest, so a dataset of many files changes all at once. Files the manifest does not
name are garbage.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

from cashup.data.datasets import DatasetKey
from cashup.data.durable import replace_file
from cashup.data.fingerprint import combine
from cashup.model.errors import DataError

MANIFEST_NAME: Final = "manifest.json"
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of a dataset.

    Attributes:
        label: Span of time it covers ("2024", "2024-03", "2024-03-05" or "all").
        file: Name of the file inside the dataset's folder.
        rows: Number of rows, at least 1.
        first: Time of the first row, milliseconds UTC.
        last: Time of the last row, milliseconds UTC.
        size: Bytes on disk.
        sha256: Fingerprint of its rows.
    """

    label: str
    file: str
    rows: int
    first: int
    last: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All files of one dataset, in order of time.

    Attributes:
        key: The dataset.
        parts: Its files.
    """

    key: DatasetKey
    parts: tuple[Part, ...] = ()

    @property
    def rows(self) -> int:
        """Number of rows in all files."""
        return sum(part.rows for part in self.parts)

    @property
    def fingerprint(self) -> str:
        """Version of the dataset: changes exactly when a row changes."""
        return combine([(part.label, part.sha256) for part in self.parts])

    def part(self, label: str) -> Part | None:
        """Return the file that covers the span named `label`, if there is one."""
        return next((part for part in self.parts if part.label == label), None)

    def with_parts(self, changed: list[Part], *, without: set[str] | None = None) -> Manifest:
        """Return the manifest with parts replaced by those of the same label, and others dropped."""
        kept = {part.label: part for part in self.parts if part.label not in (without or set())}
        kept |= {part.label: part for part in changed}
        return replace(self, parts=tuple(sorted(kept.values(), key=lambda part: part.first)))

    def save(self, folder: Path) -> None:
        """Make this manifest the dataset's, at once."""
        content = {
            "format": _FORMAT,
            "name": self.key.name,
            "kind": self.key.kind.value,
            "timeframe": None if self.key.timeframe is None else str(self.key.timeframe),
            "fingerprint": self.fingerprint,
            "parts": [asdict(part) for part in self.parts],
        }
        text = json.dumps(content, indent=1)
        replace_file(folder / MANIFEST_NAME, lambda path: path.write_text(text, encoding="utf-8"))

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Read the dataset's manifest, or None when there is none.

        Raises:
            DataError: It is there and cannot be understood.
        """
        path = folder / MANIFEST_NAME
        try:
            content = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as e:
            raise _damaged(path, e) from None
        if content.get("format") != _FORMAT:
            raise DataError(
                "unknown format of the store", path=path, value=content.get("format"), expected=str(_FORMAT)
            )
        return cls._of(path, content)

    @classmethod
    def _of(cls, path: Path, content: dict[str, Any]) -> Self:
        try:
            key = DatasetKey.of(content["name"], content["kind"], content["timeframe"])
            parts = tuple(Part(**part) for part in content["parts"])
        except (KeyError, TypeError) as e:
            raise _damaged(path, e) from None
        for part in parts:
            if Path(part.file).name != part.file:
                raise DataError("a part is outside its folder", path=path, value=part.file)
        return cls(key=key, parts=parts)


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"the table of contents is damaged ({error})",
        path=path,
        hint="delete the dataset's folder and import it again",
    )
