"""CashUp: write a trading strategy once; backtest it, run it on paper, run it live.

This is the users' door. Everything here is imported on first use, so that ``import cashup`` is cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cashup.version import __version__

if TYPE_CHECKING:
    import cashup.engine.indicators as ta
    from cashup.app.workbench import Backtest as Backtest
    from cashup.engine.strategy import Strategy as Strategy
    from cashup.engine.strategy import param as param

_DOOR = {
    "Strategy": ("cashup.engine.strategy", "Strategy"),
    "param": ("cashup.engine.strategy", "param"),
    "Backtest": ("cashup.app.workbench", "Backtest"),
    "ta": ("cashup.engine.indicators", None),
}

__all__ = ["Backtest", "Strategy", "__version__", "param", "ta"]


def __getattr__(name: str) -> Any:  # a lazy module attribute may be anything
    """Import a public name on first use.

    Raises:
        AttributeError: the name is not part of the public face.
    """
    try:
        module, attribute = _DOOR[name]
    except KeyError:
        raise AttributeError(
            f"module 'cashup' has no attribute {name!r}; it offers {', '.join(sorted(_DOOR))}"
        ) from None
    loaded = import_module(module)
    value = loaded if attribute is None else getattr(loaded, attribute)
    globals()[name] = value
    return value
