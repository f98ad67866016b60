"""Loads strategies from files, by content: an edited file is a new strategy, never a stale one.

Python's own import keeps compiled files by time stamp and size, and serves the old code after a quick edit.
Here the bytes are read, compiled and executed in a module named after their hash.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

import cashup
from cashup.engine.strategy import Strategy
from cashup.kernel.compiling.sources import SOURCE_TEXT
from cashup.model.errors import InputError, StrategyFailed, UnknownNameError, explain

_SHIPPED: Final = Path(cashup.__file__).parent / "strategies"


class StrategySource(NamedTuple):
    """Where a strategy class came from.

    Attributes:
        path: The file, absolute.
        name: Name of the class in it.
        digest: SHA-256 of the file's bytes, in hexadecimal.
    """

    path: str
    name: str
    digest: str


def load_strategy(reference: str | Path) -> type[Strategy]:
    """Return a strategy class.

    Args:
        reference: "path/to/file.py", "path/to/file.py:ClassName", or the name of a shipped strategy.

    Raises:
        InputError: There is no such file, it is not Python, or it holds no or several strategies.
        UnknownNameError: No shipped strategy or no class has that name; the message offers the near miss.
        StrategyFailed: The file raised while it was executed.
    """
    path, name = _parted(str(reference))
    module = _module(path)
    return _chosen(module, path, name)


def shipped_strategies() -> dict[str, Path]:
    """Return the strategies that come with CashUp, by name."""
    return {path.stem: path for path in sorted(_SHIPPED.glob("*.py")) if b"(Strategy):" in path.read_bytes()}


def restore(source: StrategySource, state: Mapping[str, Any]) -> Strategy:
    """Make a pickled instance again, from its file.

    Raises:
        InputError: The file is gone, or has changed since and this process never loaded what it was.
    """
    path = Path(source.path)
    loaded = sys.modules.get(_module_name(path, source.digest))
    strategy = _chosen(loaded or _module(path), path, source.name)
    found: StrategySource = strategy.__cashup_source__  # type: ignore[attr-defined]  # set when it was loaded
    if found.digest != source.digest:
        raise InputError(
            explain(
                f"{path} has changed since {source.name} was made from it", hint="load the strategy again"
            )
        )
    instance = strategy.__new__(strategy)
    instance.__dict__.update(state)
    return instance


def _parted(reference: str) -> tuple[Path, str]:
    text, colon, name = reference.rpartition(":")
    if not colon or not text.endswith(".py"):
        text, name = reference, ""
    if text.endswith(".py") or "/" in text or "\\" in text:
        path = Path(text).expanduser()
        if path.is_file():
            return path.resolve(), name
        near = [str(each) for each in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise UnknownNameError("strategy file", text, near, field="strategy")
    shipped = shipped_strategies()
    if text not in shipped:
        raise UnknownNameError("strategy", text, [*shipped, "path/to/file.py"], field="strategy")
    return shipped[text], name


def _module_name(path: Path, digest: str) -> str:
    return f"cashup_strategy_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}_{digest[:16]}"


def _module(path: Path) -> ModuleType:
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        raise InputError(
            explain(f"the strategy cannot be read ({e})", where=str(path)), field="strategy"
        ) from e
    digest = hashlib.sha256(content).hexdigest()
    name = _module_name(path, digest)
    if name in sys.modules:
        return sys.modules[name]
    linecache.cache[str(path)] = (len(content), None, text.splitlines(keepends=True), str(path))
    module = ModuleType(name)
    module.__dict__.update({"__file__": str(path), SOURCE_TEXT: text, "__cashup_digest__": digest})
    sys.modules[name] = module
    try:
        exec(compile(text, str(path), "exec"), module.__dict__)  # noqa: S102 (running the user's file is the purpose)
    except SyntaxError as e:
        del sys.modules[name]
        raise InputError(
            explain(f"not Python: {e.msg}", where=f"{e.filename}:{e.lineno}"), field="strategy"
        ) from e
    except BaseException as e:
        del sys.modules[name]
        if isinstance(e, Exception):
            raise _failed(e, path) from e
        raise
    return module


def _failed(error: Exception, path: Path) -> Exception:
    from cashup.engine.callbacks import deepest_line

    file, line = deepest_line(error, {str(path)})
    if isinstance(error, InputError):
        error.args = (f"{file or path}:{line}: {error}",)
        return error
    return StrategyFailed.of(error, strategy=path.stem, callback="import", file=file or path, line=line)


def _chosen(module: ModuleType, path: Path, name: str) -> type[Strategy]:
    found = {
        key: value
        for key, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Strategy) and value.__module__ == module.__name__
    }
    if name:
        if name not in found:
            raise UnknownNameError(f"strategy class in {path}", name, found, field="strategy")
        return _marked(found[name], path, module)
    if not found:
        raise InputError(
            explain(
                "there is no strategy", where=str(path), expected="a class that inherits cashup.Strategy"
            ),
            field="strategy",
        )
    leaves = [
        each for each in found.values() if not any(each in other.__mro__[1:] for other in found.values())
    ]
    if len(leaves) > 1:
        names = ", ".join(each.__name__ for each in leaves)
        raise InputError(
            explain(
                f"there are several strategies: {names}", where=str(path), hint=f"write {path}:ClassName"
            ),
            field="strategy",
        )
    return _marked(leaves[0], path, module)


def _marked(strategy: type[Strategy], path: Path, module: ModuleType) -> type[Strategy]:
    source = StrategySource(str(path), strategy.__name__, vars(module)["__cashup_digest__"])
    strategy.__cashup_source__ = source  # type: ignore[attr-defined]  # read by __reduce__ and by reports
    return strategy
