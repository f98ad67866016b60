"""The templates, found in this package: one file each."""

from __future__ import annotations

import pkgutil
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

from cashup.engine.strategy import Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One strategy that comes with CashUp.

    Attributes:
        name: How it is called on the command line.
        style: What kind of strategy it is.
        timeframe: Bars it decides on.
        instruments: How many it trades.
        summary: One sentence.
    """

    name: str
    style: str
    timeframe: str
    instruments: int
    summary: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def template_class(name: str) -> type[Strategy]:
    """Return the strategy of a template.

    Raises:
        KeyError: there is no such template.
    """
    if name not in template_names():
        raise KeyError(name)
    module = import_module(f"cashup.strategies.{name}")
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Strategy) and value.__module__ == module.__name__:
            return value
    raise KeyError(name)


def template_names() -> list[str]:
    """Return the names of all templates."""
    package = import_module("cashup.strategies")
    return sorted(item.name for item in pkgutil.iter_modules(package.__path__) if item.name != "gallery")


def templates() -> list[Template]:
    """Return all templates in order of their names."""
    found = []
    for name in template_names():
        strategy = template_class(name)
        summary = (strategy.__doc__ or "").strip().splitlines()[0]
        found.append(
            Template(
                name=name,
                style=str(getattr(strategy, "style", "")),
                timeframe=strategy.timeframe or "",
                instruments=int(getattr(strategy, "legs", 1)),
                summary=summary,
            )
        )
    return found
