"""A compact container for the page's data: JSON plus packed arrays, deflated, in base64.

Text of the run (names, tags, log lines) reaches the page only inside such a container, so that nothing a
strategy writes can be read as markup. The page's `data.js` is the other half of this file.

Layout before deflating: length of the JSON (uint32, little endian), JSON in UTF-8, then the arrays. A packed
array is written as its low bytes, then its next bytes and so on: deflate finds far more to save in that.
"""

from __future__ import annotations

import base64
import json
import math
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

_MAX_DECIMALS = 8
_MAX_EXACT = 2.0**52  # beyond this JavaScript's numbers no longer hold every integer


def pack(tree: Any, *, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> str:
    """Return `tree` (mappings, sequences, scalars, NumPy arrays) as base64 text.

    Args:
        tree: The data; arrays of integers stay exact, floats keep at least single precision.
        strategy: zlib's strategy; `zlib.Z_RLE` is fastest and best for noise such as packed prices.
    """
    sections: list[bytes] = []
    document = json.dumps(_plain(tree, sections), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    head = document.encode("utf-8", "replace")
    deflater = zlib.compressobj(5, zlib.DEFLATED, zlib.MAX_WBITS, 9, strategy)
    parts = [deflater.compress(struct.pack("<I", len(head)) + head)]
    parts.extend(deflater.compress(section) for section in sections)
    parts.append(deflater.flush())
    return base64.b64encode(b"".join(parts)).decode("ascii")


def decimals(values: npt.NDArray[np.float64]) -> int | None:
    """Return how many decimal places write every finite value exactly (at most 8), or `None`."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0
    sample = finite[:: max(1, finite.size // 512)]
    for places in range(_MAX_DECIMALS + 1):
        if _is_whole(sample, places) and _is_whole(finite, places):
            return places
    return None


def _is_whole(values: npt.NDArray[np.float64], places: int) -> bool:
    scaled = values * 10.0**places
    largest = float(np.abs(scaled).max())
    if largest > _MAX_EXACT:
        return False
    error = np.abs(scaled - np.rint(scaled)).max()
    return bool(error <= max(1e-9, largest * 4e-16))


def _plain(node: Any, sections: list[bytes]) -> Any:
    if isinstance(node, np.ndarray):
        return _array(node, sections)
    if isinstance(node, Mapping):
        return {str(key): _plain(value, sections) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_plain(value, sections) for value in node]
    if isinstance(node, np.generic):
        node = node.item()
    if isinstance(node, float):
        return node if math.isfinite(node) else None
    if node is None or isinstance(node, bool | int):
        return node
    return str(node)


def _array(values: npt.NDArray[Any], sections: list[bytes]) -> dict[str, Any]:
    if values.dtype.kind in "OUSV":
        return _words(values, sections)
    if values.dtype.kind == "f":
        return _floats(values.astype(np.float64), sections)
    return _integers(values.astype(np.int64), sections)


def _words(values: npt.NDArray[Any], sections: list[bytes]) -> dict[str, Any]:
    known: dict[str, int] = {}
    codes = [known.setdefault("" if value is None else str(value), len(known)) for value in values.tolist()]
    return {"$": "words", "of": list(known), "at": _integers(np.array(codes, np.int64), sections)}


def _floats(values: npt.NDArray[np.float64], sections: list[bytes]) -> dict[str, Any]:
    if np.isfinite(values).all():
        places = decimals(values)
        if places is not None:
            whole = np.rint(values * 10.0**places).astype(np.int64)
            return _integers(whole, sections) | {"places": places}
    _split(values.astype("<f4"), 4, sections)
    return {"$": "float", "n": len(values)}


def _integers(values: npt.NDArray[np.int64], sections: list[bytes]) -> dict[str, Any]:
    """Pack steps where the values never fall (times, ids), else their distance from the smallest."""
    if not len(values):
        return {"$": "int", "n": 0, "width": 0, "base": 0, "unit": 1, "delta": False}
    steps = np.diff(values, prepend=values[:1])
    delta = len(values) > 1 and int(steps.min()) >= 0
    base = int(values[0]) if delta else int(values.min())
    moved = steps if delta else values - base
    unit = max(1, int(np.gcd.reduce(moved))) if delta else 1
    if unit > 1:
        moved = moved // unit
    width = (int(moved.max()).bit_length() + 7) // 8
    _split(moved, width, sections)
    return {"$": "int", "n": len(values), "width": width, "base": base, "unit": unit, "delta": delta}


def signed(values: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Mark an array of small numbers around zero, so that `pack` keeps them small (zigzag)."""
    return {"$signed": (values << 1) ^ (values >> 63)}


def _split(values: npt.NDArray[Any], width: int, sections: list[bytes]) -> None:
    """Append the lowest `width` bytes of every value, plane by plane."""
    little = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"), copy=False))
    planes = little.view(np.uint8).reshape(len(values), values.dtype.itemsize)
    sections.append(np.ascontiguousarray(planes[:, :width].T).tobytes())
