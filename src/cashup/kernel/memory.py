"""The memory of one run: it owns the arrays, and gives compiled code their addresses.

A `RunMemory` is built from plain data (instrument constants, columns, times, rules, cash). Compiled code gets
one number, `RunMemory.address`, and reaches everything else through it; Python looks at the same bytes
through the views `orders`, `fills`, `payments`, `equity`, `positions`, `run`.

Views of the tables are made anew at every access, because `grow` moves the tables: do not keep one across a
callback.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cashup.kernel import types as kt

#: Free order rows guaranteed before each bar: what one bar's callbacks may place.
ORDER_RESERVE: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One maintenance bracket of a margined instrument, from `notional_floor` up.

    Attributes:
        notional_floor: lower bound of the position's notional, in settlement currency.
        max_leverage: highest leverage allowed inside the bracket; 0 = no limit.
        maintenance_rate: maintenance margin as a fraction of notional.
        maintenance_amount: deduction, so that maintenance margin = notional x rate - amount.
    """

    notional_floor: float
    max_leverage: float
    maintenance_rate: float
    maintenance_amount: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentSpec:
    """Constants of one instrument, in the units of `kernel.types.INSTRUMENT`."""

    kind: int = kt.SPOT
    margin_mode: int = kt.NO_MARGIN
    leverage: float = 1.0
    tick: float = 0.0
    lot: float = 0.0
    min_quantity: float = 0.0
    max_quantity: float = 0.0
    min_notional: float = 0.0
    contract_size: float = 1.0
    maker_fee: float = 0.0
    taker_fee: float = 0.0
    max_leverage: float = 0.0
    tiers: tuple[Tier, ...] = ()

    def __post_init__(self) -> None:
        """Refuse constants that no instrument can have.

        Raises:
            ValueError: a margin mode that does not fit the kind, or a number outside its range.
        """
        if (self.kind == kt.SPOT) != (self.margin_mode == kt.NO_MARGIN):
            raise ValueError(
                f"kind {self.kind} with margin mode {self.margin_mode}: spot has NO_MARGIN, perpetuals have "
                "ISOLATED or CROSS"
            )
        if not (self.leverage > 0 and self.contract_size > 0):
            raise ValueError(
                f"leverage {self.leverage} and contract_size {self.contract_size} must be positive"
            )
        if self.kind == kt.SPOT and self.leverage != 1.0:
            raise ValueError(f"spot is bought with cash: leverage {self.leverage} must be 1")
        floors = [tier.notional_floor for tier in self.tiers]
        if floors != sorted(floors):
            raise ValueError(f"tiers must be ordered by notional_floor, found {floors}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """The columns of one instrument over the match bars; NaN in a row where it has no bar.

    Attributes:
        open, high, low, close: prices, float64[n_match].
        volume: base quantity traded in the bar, float64[n_match]; None when unknown (then nothing is limited
            by it).
        mark: mark price at each bar's close, float64[n_match]; None = the close itself.
        funding_ts: settlement times, int64 nanoseconds, ascending; None = no funding.
        funding_rate: rate at each settlement; longs pay when positive.
        funding_mark: mark price at each settlement (NaN = last known price); None = none recorded.
    """

    open: ArrayLike
    high: ArrayLike
    low: ArrayLike
    close: ArrayLike
    volume: ArrayLike | None = None
    mark: ArrayLike | None = None
    funding_ts: ArrayLike | None = None
    funding_rate: ArrayLike | None = None
    funding_mark: ArrayLike | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How orders meet bars: slippage, the limit rule, volume share and latency (see `kernel.types`)."""

    slippage_model: int = kt.SLIP_NONE
    slippage: float = 0.0
    limit_rule: int = kt.LIMIT_TOUCH
    volume_limit: float = 0.0
    latency: int = 0


class RunMemory:
    """Everything one run reads and writes, kept alive in one place.

    Args:
        instruments: constants, one per instrument.
        columns: bars and funding, one per instrument, all over the same match bars.
        open_ts: open time of each match bar, int64 nanoseconds.
        close_ts: close time of each match bar, int64 nanoseconds.
        decision: for each match bar the decision bar that closes with it, else -1; None = every match bar is
            a decision bar.
        cash: money at the start, in the settlement currency.
        rules: how orders meet bars.
        first_decision: warm-up; `ON_BAR` is sent from this decision bar on.
        wants: WANTS_* bits, the callbacks besides `ON_BAR`.
        seed: handed to strategies that need a random stream.
        strategy: address of the strategy's own block, given back to its callback.
        order_capacity: rows of the order table at the start; it grows on demand.
        fill_capacity: rows of the fill table at the start; it grows on demand.

    Raises:
        ValueError: columns of different lengths, or no instrument.
    """

    def __init__(
        self,
        *,
        instruments: Sequence[InstrumentSpec],
        columns: Sequence[Columns],
        open_ts: ArrayLike,
        close_ts: ArrayLike,
        cash: float,
        decision: ArrayLike | None = None,
        rules: Rules | None = None,
        first_decision: int = 0,
        wants: int = 0,
        seed: int = 0,
        strategy: int = 0,
        order_capacity: int = 4 * ORDER_RESERVE,
        fill_capacity: int = 4 * ORDER_RESERVE,
    ) -> None:
        if not instruments or len(instruments) != len(columns):
            raise ValueError(f"{len(instruments)} instruments and {len(columns)} sets of columns")
        self._kept: list[NDArray[Any]] = []
        self._run = np.zeros(1, kt.RUN)
        self._instruments = np.zeros(len(instruments), kt.INSTRUMENT)
        self._positions = np.zeros(len(instruments), kt.POSITION)
        self._open_ts = self._keep(open_ts, np.int64)
        self._close_ts = self._keep(close_ts, np.int64)
        n_match = len(self._open_ts)
        if len(self._close_ts) != n_match:
            raise ValueError(f"{n_match} open times and {len(self._close_ts)} close times")
        n_decision = n_match
        run = self._run[0]
        if decision is not None:
            steps = self._keep(decision, np.int64)
            if len(steps) != n_match:
                raise ValueError(f"{n_match} match bars and {len(steps)} decision marks")
            n_decision = int(steps.max(initial=-1)) + 1
            run["decision"] = _address(steps)
        self._equity = np.full(n_decision, np.nan)
        self._place_instruments(instruments, columns, n_match)
        n_payments = 1 + int(self._instruments["n_funding"].sum())
        self._payments = np.zeros(n_payments, kt.PAYMENT)
        order_capacity = max(order_capacity, 2 * ORDER_RESERVE)
        self._allocate_orders(order_capacity)
        self._fills = np.zeros(max(fill_capacity, 2 * ORDER_RESERVE), kt.FILL)
        rules = rules or Rules()
        constants: dict[str, float] = {
            "n_match": n_match,
            "n_decision": n_decision,
            "first_decision": first_decision,
            "n_instruments": len(instruments),
            "wants": wants,
            "seed": seed,
            "slippage_model": rules.slippage_model,
            "slippage": rules.slippage,
            "limit_rule": rules.limit_rule,
            "volume_limit": rules.volume_limit,
            "latency": rules.latency,
            "initial_cash": cash,
            "strategy": strategy,
            "cap_payments": n_payments,
        }
        for name, value in constants.items():
            run[name] = value
        self._write_addresses()
        self.reset()

    def _keep(self, values: ArrayLike, dtype: type) -> NDArray[Any]:
        array: NDArray[Any] = np.ascontiguousarray(values, dtype=dtype)
        if array.ndim != 1:
            raise ValueError(f"a column has one dimension, found {array.ndim}")
        self._kept.append(array)
        return array

    def _place_instruments(
        self, specs: Sequence[InstrumentSpec], columns: Sequence[Columns], n_match: int
    ) -> None:
        tiers: list[tuple[float, float, float, float]] = []
        for row, spec, column in zip(self._instruments, specs, columns, strict=True):
            for name in _CONSTANTS:
                row[name] = getattr(spec, name)
            row["tier_start"], row["tier_count"] = len(tiers), len(spec.tiers)
            tiers += [
                (t.notional_floor, t.max_leverage, t.maintenance_rate, t.maintenance_amount)
                for t in spec.tiers
            ]
            for name in ("open", "high", "low", "close", "volume", "mark"):
                values = getattr(column, name)
                if values is not None:
                    row[name] = _address(self._column(values, n_match, name))
            self._place_funding(row, column)
        self._tiers = np.array(tiers or [(0.0, 0.0, 0.0, 0.0)], dtype=kt.TIER)

    def _column(self, values: ArrayLike, expected: int, name: str) -> NDArray[Any]:
        array = self._keep(values, np.float64)
        if len(array) != expected:
            raise ValueError(f"column {name} has {len(array)} rows, expected {expected}")
        return array

    def _place_funding(self, row: np.void, column: Columns) -> None:
        if column.funding_ts is None:
            return
        if column.funding_rate is None:
            raise ValueError("funding_ts without funding_rate")
        times = self._keep(column.funding_ts, np.int64)
        row["n_funding"] = len(times)
        row["funding_ts"] = _address(times)
        row["funding_rate"] = _address(self._column(column.funding_rate, len(times), "funding_rate"))
        if column.funding_mark is not None:
            row["funding_mark"] = _address(self._column(column.funding_mark, len(times), "funding_mark"))

    def _allocate_orders(self, capacity: int) -> None:
        self._orders = np.zeros(capacity, kt.ORDER)
        self._open_orders = np.zeros(capacity, np.int64)
        self._updates = np.zeros(capacity, np.int64)

    def _write_addresses(self) -> None:
        run = self._run[0]
        tables: dict[str, NDArray[Any]] = {
            "instruments": self._instruments,
            "positions": self._positions,
            "tiers": self._tiers,
            "orders": self._orders,
            "open_orders": self._open_orders,
            "fills": self._fills,
            "payments": self._payments,
            "updates": self._updates,
            "open_ts": self._open_ts,
            "close_ts": self._close_ts,
            "equity": self._equity,
        }
        for name, array in tables.items():
            run[name] = _address(array)
        run["cap_orders"] = run["cap_updates"] = len(self._orders)
        run["cap_fills"] = len(self._fills)

    def reset(self) -> None:
        """Put the run back to its start; the same tables are used again."""
        run = self._run[0]
        for name in _STATE:
            run[name] = 0
        run["i"] = run["d"] = -1
        run["now"] = self._open_ts[0] if len(self._open_ts) else 0
        run["cash"] = run["initial_cash"]
        self._positions[:] = np.zeros(1, kt.POSITION)
        self._positions["last_price"] = self._positions["mark_price"] = math.nan
        self._positions["liquidation_price"] = math.nan
        self._positions["ambiguous_ts"] = -1
        self._equity[:] = math.nan

    def grow(self) -> None:
        """Enlarge the nearly full tables after `RUN_GROW`; contents and addresses in `run` are kept right."""
        run = self._run[0]
        if run["n_orders"] + ORDER_RESERVE > run["cap_orders"]:
            orders, open_orders, updates = self._orders, self._open_orders, self._updates
            self._allocate_orders(2 * len(orders))
            self._orders[: len(orders)] = orders
            self._open_orders[: len(open_orders)] = open_orders
            self._updates[: len(updates)] = updates
        needed = int(run["n_fills"] + run["n_open"]) + ORDER_RESERVE
        if needed > len(self._fills):
            fills = self._fills
            self._fills = np.zeros(max(2 * len(fills), 2 * needed), kt.FILL)
            self._fills[: len(fills)] = fills
        self._write_addresses()

    @property
    def address(self) -> int:
        """Address of the RUN record: what compiled functions take. Fixed for the life of this object."""
        return _address(self._run)

    @property
    def run(self) -> np.void:
        """The RUN record, live; fields by name, e.g. `memory.run["cash"]`."""
        record: np.void = self._run[0]
        return record

    @property
    def instruments(self) -> NDArray[np.void]:
        """Constants of the instruments (INSTRUMENT)."""
        return self._instruments

    @property
    def positions(self) -> NDArray[np.void]:
        """Positions, one row per instrument (POSITION)."""
        return self._positions

    @property
    def orders(self) -> NDArray[np.void]:
        """All orders so far (ORDER); row = id - 1."""
        return self._orders[: self._run["n_orders"][0]]

    @property
    def open_orders(self) -> NDArray[np.int64]:
        """Ids of orders that have not ended, in order of arrival."""
        return self._open_orders[: self._run["n_open"][0]]

    @property
    def fills(self) -> NDArray[np.void]:
        """All fills so far (FILL), in order of time."""
        return self._fills[: self._run["n_fills"][0]]

    @property
    def payments(self) -> NDArray[np.void]:
        """All funding payments so far (PAYMENT)."""
        return self._payments[: self._run["n_payments"][0]]

    @property
    def equity(self) -> NDArray[np.float64]:
        """Equity at the close of each decision bar, in settlement currency; NaN where not yet reached."""
        return self._equity

    def counters(self) -> dict[str, int | float]:
        """Return totals of the run: money sums and event counts, by the names of `kernel.types.RUN`."""
        run = self._run[0]
        return {name: run[name].item() for name in COUNTERS}


#: Totals a finished run reports.
COUNTERS: Final = (
    "cash",
    "fees",
    "funding",
    "slippage_cost",
    "turnover",
    "n_liquidations",
    "n_ambiguous",
    "n_rejected",
    "n_orders",
    "n_fills",
    "n_payments",
)
_CONSTANTS: Final = (
    "kind",
    "margin_mode",
    "leverage",
    "tick",
    "lot",
    "min_quantity",
    "max_quantity",
    "min_notional",
    "contract_size",
    "maker_fee",
    "taker_fee",
    "max_leverage",
)
_STATE: Final = (
    "next_i",
    "started",
    "status",
    "fees",
    "funding",
    "slippage_cost",
    "turnover",
    "locked",
    "n_liquidations",
    "n_ambiguous",
    "n_rejected",
    "n_margined",
    "n_cross",
    "n_orders",
    "n_open",
    "n_ended",
    "n_fills",
    "n_payments",
    "n_updates",
    "n_groups",
    "seen_fills",
    "seen_payments",
)


def _address(array: NDArray[Any]) -> int:
    return int(array.ctypes.data)
