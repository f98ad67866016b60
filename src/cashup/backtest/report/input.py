"""What the report page is built from: plain data, independent of how a run keeps its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Columns = Mapping[str, Sequence[Any] | npt.NDArray[Any]]

Unit = Literal["fraction", "number", "ratio", "money", "count", "duration", "time", "text"]
"""How a figure is written: fraction 0.12 as 12 %; durations and times are nanoseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """One row of the statistics table.

    Attributes:
        key: Stable name; also the key of its translation.
        group: Stable name of the group it is shown in.
        unit: How `value` is written.
        value: The figure; `None` and NaN show as a dash.
        benchmark: The same figure of buy-and-hold where it makes sense.
        label: English name.
        definition: English sentence with the formula.
        label_zh: Chinese name; the English one stands in when empty.
        definition_zh: Chinese definition; the English one stands in when empty.
    """

    key: str
    group: str
    unit: Unit
    value: float | int | str | None
    benchmark: float | None = None
    label: str = ""
    definition: str = ""
    label_zh: str = ""
    definition_zh: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Bars of the primary instrument, in time order; `ts` is the open time in nanoseconds UTC."""

    ts: Int
    open: Float
    high: Float
    low: Float
    close: Float
    volume: Float

    def __len__(self) -> int:
        return len(self.ts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Where the gross profit went, in the account's currency.

    Attributes:
        net: Final equity minus initial cash.
        fees: Paid; rebates are negative.
        funding: Received minus paid.
        slippage: Lost against the price without slippage.
        turnover: Sum of notional traded.
    """

    net: float
    fees: float = 0.0
    funding: float = 0.0
    slippage: float = 0.0
    turnover: float = 0.0

    @property
    def gross(self) -> float:
        """Profit had trading cost nothing: net + fees - funding + slippage."""
        return self.net + self.fees - self.funding + self.slippage


#: Columns of `ReportInput.trades`; the rest of a frame is not shown. Times are nanoseconds UTC.
TRADE_COLUMNS = (
    "entry_ts", "exit_ts", "side", "quantity", "entry_price", "exit_price",
    "pnl", "return", "fees", "funding", "mae", "mfe", "bars", "exit_reason", "tag", "instrument", "open",
)  # fmt: skip

#: Columns of `ReportInput.orders`. Times are nanoseconds UTC; type, status and reason are lower-case names.
ORDER_COLUMNS = (
    "id", "created_ts", "done_ts", "side", "type", "quantity", "price", "stop_price",
    "filled", "average_price", "fee", "status", "reason", "tag", "instrument",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInput:
    """Everything a report shows.

    Attributes:
        strategy: Name of the strategy.
        description: First paragraph of its docstring.
        instruments: Traded instruments; the first is the one whose `bars` are drawn.
        timeframe: Decision timeframe, such as `"1h"`.
        mode: `"compiled"`, `"python"` or `"event"`.
        currency: Settlement currency, shown beside money.
        initial_cash: Money at the start.
        bars: Bars of the primary instrument.
        equity: Account value at the close of every bar; same length as `bars`.
        periods_per_year: Days that count as a year (365 for crypto, 252 for exchanges that close).
        exposure: Signed position value / equity at every bar's close, or `None`.
        benchmark: Buy-and-hold equity, or `None` to derive it from `bars.close`.
        trades: Columns named in `TRADE_COLUMNS`; missing ones are not shown.
        orders: Columns named in `ORDER_COLUMNS`; missing ones are not shown.
        statistics: Rows of the table, in order.
        costs: The costs.
        counters: What the run counted: `ambiguous`, `rejected`, `liquidations`, `bankrupt`, `bars`.
        parameters: The strategy's parameters.
        configuration: Everything else that decides the result (cash, fees, slippage, rules).
        provenance: Data fingerprint, versions, timings.
        command: The command that reproduces the run.
        log: Log lines as (nanoseconds UTC, text).
        error: Why the run ended early, or `None`.
    """

    strategy: str
    instruments: Sequence[str]
    timeframe: str
    mode: str
    currency: str
    initial_cash: float
    bars: Bars
    equity: Float
    costs: Costs
    description: str = ""
    periods_per_year: float = 365.0
    exposure: Float | None = None
    benchmark: Float | None = None
    trades: Columns = field(default_factory=dict)
    orders: Columns = field(default_factory=dict)
    statistics: Sequence[Statistic] = ()
    counters: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    configuration: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    log: Sequence[tuple[int, str]] = ()
    error: str | None = None
