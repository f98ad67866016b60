"""The base class of every strategy, and how an instance is made ready for a run."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import numpy as np

from cashup.engine.bars import Bars, BarsView, MarketView
from cashup.engine.host import StrategyHost
from cashup.engine.parameters import Parameter, Value, checked_overrides, param, parameters_of
from cashup.engine.series import Column, Frame, Series, first_known, series_of
from cashup.engine.trading import Trading
from cashup.model.errors import InputError, UnknownNameError, explain

__all__ = ["CALLBACKS", "Parameter", "Strategy", "attach", "param", "parameters_of", "warm_up"]

#: Callbacks a strategy may define; those it leaves out cost nothing.
CALLBACKS: Final = ("on_start", "on_bar", "on_fill", "on_order", "on_funding", "on_stop")


class Strategy(Trading):
    """Base of every strategy: declare parameters, compute columns in `prepare`, decide in `on_bar`.

    Attributes:
        timeframe: Length of the bars it decides on, such as "1h"; None takes the data's own.
        instruments: Names of the instruments it trades; empty takes what the run is given.
        warmup: Number of bars before the first `on_bar`; None waits until every Series on `self` has a value.
        bars: In callbacks, the first instrument's bars as series (`self.bars.close[0]`).
    """

    timeframe: ClassVar[str | None] = None
    instruments: ClassVar[tuple[str, ...]] = ()
    warmup: int | None = None
    bars: BarsView

    def __init__(self, **parameters: Value) -> None:
        """Make an instance with these parameter values, the defaults for all others.

        Raises:
            UnknownNameError: A name is no parameter of the strategy; the message offers the near miss.
            InputError: A value is not allowed.
        """
        self.__dict__.update(checked_overrides(type(self), parameters))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for parameter in parameters_of(cls).values():
            parameter.check_declaration(cls)
        for name, value in vars(cls).items():
            if name.startswith("on_") and callable(value) and name not in CALLBACKS:
                raise UnknownNameError(f"callback of {cls.__name__}", name, CALLBACKS, field=name)
            if name in _RESERVED:
                raise InputError(
                    explain(
                        f"{cls.__name__} defines {name!r}, which every strategy already has",
                        hint="choose another name",
                    ),
                    field=name,
                )

    @property
    def parameters(self) -> dict[str, Value]:
        """Value of every parameter of this instance."""
        return {name: getattr(self, name) for name in parameters_of(type(self))}

    def prepare(self, bars: Bars) -> None:
        """Compute columns from all bars before the run; what is assigned to `self` becomes a Series."""

    def on_start(self) -> None:
        """Set up state before the first bar."""

    def on_bar(self) -> None:
        """Decide, once a closed bar."""

    def on_fill(self, fill: Any) -> None:
        """Hear of a fill (attributes as in `cashup.kernel.types.FILL`)."""

    def on_order(self, order: Any) -> None:
        """Hear of an order whose status changed (attributes as in `cashup.kernel.types.ORDER`)."""

    def on_funding(self, payment: Any) -> None:
        """Hear of a funding payment (attributes as in `cashup.kernel.types.PAYMENT`)."""

    def on_stop(self) -> None:
        """Finish after the last bar."""

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"{type(self).__name__}({values})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Strategy:
        # Not by way of __reduce__, which would load a class anew from its file.
        return _restore(type(self), copy.deepcopy(_state_of(self), memo))

    def __reduce__(self) -> Any:
        source = getattr(type(self), "__cashup_source__", None)
        if source is None:
            return _restore, (type(self), _state_of(self))
        from cashup.engine.loader import restore  # the loader imports this module

        return restore, (source, _state_of(self))


#: Names a strategy may not redefine: what it is given by `Trading`.
_RESERVED: Final = frozenset(name for name in vars(Trading) if not name.startswith("__")) | {"parameters"}


def _state_of(strategy: Strategy) -> dict[str, Any]:
    return {name: value for name, value in vars(strategy).items() if name != "_host"}


def _restore(strategy: type[Strategy], state: Mapping[str, Any]) -> Strategy:
    instance = strategy.__new__(strategy)
    instance.__dict__.update(state)
    return instance


def defines(strategy: Strategy, callback: str) -> bool:
    """Tell whether a strategy's class defines a callback itself or inherits it from another strategy."""
    return getattr(type(strategy), callback) is not getattr(Strategy, callback)


def attach(strategy: Strategy, market: MarketView, host: StrategyHost) -> None:
    """Make an instance ready: run `prepare` on read-only bars and turn its columns into series.

    Raises:
        InputError: A column does not belong to the bars of this run.
    """
    strategy.prepare(market.primary)
    strategy._host = host
    for name, value in list(vars(strategy).items()):
        if not name.startswith("_host"):
            strategy.__dict__[name] = _as_series(value, market.primary.frame, host, name)
    strategy.bars = BarsView(market.primary, host.cursor)


def unroll(strategy: Strategy) -> None:
    """Convert every series an instance holds to Python numbers, which callbacks in Python read fast."""
    for series in all_series(strategy):
        series.unroll()


def all_series(strategy: Strategy) -> list[Series]:
    """Return the series on an instance, those inside tuples included."""
    found: list[Series] = []
    for value in vars(strategy).values():
        found += [
            part for part in (value if isinstance(value, tuple) else (value,)) if isinstance(part, Series)
        ]
    return found


def warm_up(strategy: Strategy) -> int:
    """Return the first decision bar `on_bar` is called for.

    Raises:
        InputError: `warmup` is not a number of bars.
    """
    if strategy.warmup is None:
        return max((first_known(series) for series in all_series(strategy)), default=0)
    if not isinstance(strategy.warmup, int) or strategy.warmup < 0:
        raise InputError(
            explain(f"warmup is {strategy.warmup!r}", expected="a number of bars, or None to find it"),
            field="warmup",
        )
    return strategy.warmup


def _as_series(value: Any, frame: Frame, host: StrategyHost, name: str) -> Any:
    if isinstance(value, Column):
        if value.frame is None:
            raise InputError(
                explain(
                    f"self.{name} is a part of a column", expected="one value per bar", hint="assign it whole"
                ),
                field=name,
            )
        return series_of(value, value.frame, host.cursor)
    if isinstance(value, np.ndarray) and value.shape == (len(frame),) and value.dtype.kind in "fiub":
        return series_of(value, frame, host.cursor)
    if isinstance(value, Bars):
        return BarsView(value, host.cursor)
    if isinstance(value, tuple) and any(isinstance(part, Column) for part in value):
        parts = [_as_series(part, frame, host, name) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value
