"""What a run leaves behind, whichever path made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cashup.backtest.market import MarketData

Value = int | float | bool | str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunOutcome:
    """Everything a finished run can tell, as plain arrays in the kernel's units.

    Attributes:
        market: The market it ran on.
        strategy: Name of the strategy's class.
        parameters: Value of every parameter.
        mode: "compiled", "python" or "event".
        obstacle: Why it could not be compiled, with file and line; None when it was, or need not be.
        equity: Equity at the close of each decision bar, settlement currency, float64[n_decision].
        orders: All orders, `cashup.kernel.types.ORDER`.
        fills: All fills, `cashup.kernel.types.FILL`.
        payments: All funding payments, `cashup.kernel.types.PAYMENT`.
        counters: Totals of the run, by the names of `cashup.kernel.types.RUN`.
        first_decision: First decision bar the strategy was asked at.
        log: The strategy's own lines: (ns UTC, text).
        timings: Seconds spent, by phase.
    """

    market: MarketData
    strategy: str
    parameters: Mapping[str, Value]
    mode: str
    obstacle: str | None = None
    equity: NDArray[np.float64]
    orders: NDArray[np.void]
    fills: NDArray[np.void]
    payments: NDArray[np.void]
    counters: Mapping[str, int | float]
    first_decision: int = 0
    log: tuple[tuple[int, str], ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)

    @property
    def close_ts(self) -> NDArray[np.int64]:
        """Close times of the decision bars, ns UTC."""
        return self.market.view.decision_close

    @property
    def cash(self) -> float:
        """Money at the start."""
        return self.market.cash
