"""TA-Lib's compiled functions, loaded at first use and without what its package imports besides."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from cashup.model.errors import ConfigError, explain


class FunctionInfo(NamedTuple):
    """What TA-Lib says about one of its functions.

    Attributes:
        name: Its name.
        inputs: The columns it takes: open, high, low, close, volume, or any one ("real", "periods").
        parameters: Its options with their defaults.
        outputs: Names of its results.
    """

    name: str
    inputs: tuple[str, ...]
    parameters: dict[str, float]
    outputs: tuple[str, ...]


@cache
def library() -> ModuleType:
    """Load TA-Lib's extension module.

    It imports pandas and polars where they are installed, which takes seconds and serves only to accept their
    frames. They are kept out of its sight unless they are loaded already. `import talib` works later as ever;
    only `talib.abstract` then takes NumPy arrays and no frames.

    Raises:
        ConfigError: TA-Lib is not installed.
    """
    loaded = sys.modules.get("talib._ta_lib")
    if loaded is not None:
        return loaded
    package = importlib.util.find_spec("talib")
    if package is None or not package.submodule_search_locations:
        raise ConfigError(explain("TA-Lib is not installed", hint="pip install TA-Lib"), key="TA-Lib")
    folder = Path(package.submodule_search_locations[0])
    for suffix in EXTENSION_SUFFIXES:
        file = folder / f"_ta_lib{suffix}"
        if file.exists():
            return _loaded(file)
    raise ConfigError(explain("TA-Lib has no compiled library", where=str(folder)), key="TA-Lib")


def _loaded(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("talib._ta_lib", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    unseen = [name for name in ("pandas", "polars") if name not in sys.modules]
    sys.modules.update(dict.fromkeys(unseen))  # type: ignore[arg-type]  # None makes an import fail at once
    try:
        spec.loader.exec_module(module)
    finally:
        for name in unseen:
            del sys.modules[name]
    sys.modules["talib._ta_lib"] = module
    module._ta_initialize()
    return module


@cache
def function_names() -> tuple[str, ...]:
    """Return the names of all TA-Lib functions."""
    return tuple(library().__TA_FUNCTION_NAMES__)


@cache
def function_info(name: str) -> FunctionInfo:
    """Return what a function takes and gives."""
    info: dict[str, Any] = library().Function(name, getattr(library(), name)).info
    inputs: list[str] = []
    for group, columns in info["input_names"].items():
        if isinstance(columns, (list, tuple)):
            inputs += columns
        else:
            inputs.append("real" if group == "price" else columns if group.startswith("price") else group)
    return FunctionInfo(name, tuple(inputs), dict(info["parameters"]), tuple(info["output_names"]))
