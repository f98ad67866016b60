"""The float64 side of the books: what decisions are made on, kept by the kernel's own arithmetic.

Fills, payments and changes of orders are entered as they become known. After the same fills it holds the
same bits as the memory of a compiled run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cashup.engine.cache import BarsClosed, BarValues
from cashup.engine.codes import SIDE_CODES
from cashup.engine.grid import FREE, InstrumentGrid
from cashup.engine.order_rows import Row
from cashup.engine.words import floats, integers, slot
from cashup.kernel import entry, replica
from cashup.kernel import types as k
from cashup.kernel.memory import RunMemory
from cashup.model.events import FundingPaid
from cashup.model.ids import InstrumentId
from cashup.model.instrument import Instrument
from cashup.model.orders import Fill, FillKind, Liquidity

_I: Final = slot(k.RUN, "i")
_D: Final = slot(k.RUN, "d")
_NOW: Final = slot(k.RUN, "now")
_CASH: Final = slot(k.RUN, "cash")
_INITIAL: Final = slot(k.RUN, "initial_cash")
_N_CROSS: Final = slot(k.RUN, "n_cross")
_QUANTITY: Final = slot(k.POSITION, "quantity")
_LAST: Final = slot(k.POSITION, "last_price")
_MARK: Final = slot(k.POSITION, "mark_price")
_CLOSE: Final = BarValues._fields.index("close")
_MARK_VALUE: Final = BarValues._fields.index("mark")
#: What is left of the initial cash when an account counts as empty, as in the kernel's loop.
NOTHING_LEFT: Final = 1e-12


class DecisionBook:
    """Orders, money and positions of one node in the kernel's tables.

    Attributes:
        memory: The tables.
        is_empty: Whether the account has nothing left: no decision is asked for any more.
    """

    __slots__ = (
        "_address",
        "_equity",
        "_floats",
        "_grids",
        "_integers",
        "_places",
        "_positions",
        "_views",
        "is_empty",
        "memory",
    )

    def __init__(self, memory: RunMemory, instruments: Sequence[Instrument]) -> None:
        self.memory = memory
        self.is_empty = False
        self._address = memory.address
        words = k.RUN.itemsize // 8
        self._integers = integers(memory.address, words)
        self._floats = floats(memory.address, words)
        base, width = int(memory.positions.ctypes.data), k.POSITION.itemsize
        self._positions = tuple(
            floats(base + row * width, width // 8) for row in range(len(memory.positions))
        )
        # Each position with the place, in a bar's values, of the price it is valued at.
        valued = [_MARK_VALUE if row["mark"] else _CLOSE for row in memory.instruments]
        self._views = tuple(zip(self._positions, valued, strict=True))
        self._equity: Any = memory.equity.data
        self._places = {instrument.id: place for place, instrument in enumerate(instruments)}
        self._grids = tuple(InstrumentGrid.of(instrument) for instrument in instruments)

    def advance(self, index: int, step: BarsClosed) -> None:
        """Take over the closes of one step of time, the `index`-th ever."""
        run = self._integers
        run[_I] = index
        run[_NOW] = step.ts_event
        for (words, price), values in zip(self._views, step.bars, strict=True):
            if values is not None:
                words[_LAST] = values[_CLOSE]
                mark = values[price]
                if mark == mark:
                    words[_MARK] = mark
        if run[_N_CROSS] > 1:
            replica.revalue(self._address)

    def decide(self) -> int:
        """Close a decision bar: write its equity and return its index."""
        index: int = self._integers[_D] + 1
        self._integers[_D] = index
        worth = self.equity()
        self._equity[index] = worth
        if worth <= NOTHING_LEFT * self._floats[_INITIAL]:
            self.memory.equity[index:] = worth
            self.is_empty = True
        return index

    def equity(self) -> float:
        """Return cash and positions at their last price."""
        for words in self._positions:
            if words[_QUANTITY] != 0.0:
                return float(entry.equity(self._address))
        return self._floats[_CASH]  # type: ignore[no-any-return]  # a view of float64

    def expect(self, index: int) -> None:
        """Enter what comes next under a step of time whose bars the node has not seen yet."""
        self._integers[_I] = index

    def price(self, place: int) -> float:
        """Return the last known price of an instrument, NaN before the first."""
        return float(self._positions[place][_LAST])

    def place_of(self, instrument_id: InstrumentId) -> int:
        """Return the place of an instrument in the node's order. Raise KeyError when it has none."""
        return self._places[instrument_id]

    def grid_of(self, place: int) -> InstrumentGrid:
        """Return the grids of an instrument."""
        return self._grids[place]

    def fill(self, number: int, fill: Fill, *, total: float, is_last: bool) -> None:
        """Enter a trade of order `number` (0: of the venue's own) whose whole quantity is `total`."""
        place = self._places[fill.instrument_id]
        grid = self._grids[place]
        replica.enter_fill(
            self._address,
            number,
            place,
            SIDE_CODES[fill.side],
            grid.quantity.to_float(fill.quantity),
            grid.price.to_float(fill.price),
            FREE.to_float(fill.fee),
            k.FILL_LIQUIDATION if fill.kind is FillKind.LIQUIDATION else k.FILL_TRADE,
            1 if fill.liquidity is Liquidity.MAKER else 0,
            fill.ts_event,
            total,
            1 if is_last else 0,
        )

    def fill_row(self, number: int, row: Row, *, total: float, is_last: bool) -> None:
        """Enter a trade that came as a row of the kernel's fill table."""
        replica.enter_fill(
            self._address,
            number,
            row.instrument,
            row.side,
            row.quantity,
            row.price,
            row.fee,
            row.kind,
            row.maker,
            row.ts,
            total,
            1 if is_last else 0,
        )

    def funding_row(self, row: Row) -> None:
        """Enter a funding payment that came as a row of the kernel's payment table."""
        replica.enter_funding(
            self._address, row.instrument, row.ts, row.rate, row.price, row.quantity, row.amount
        )

    def status(self, number: int, status: int, reason: int, ts: int) -> None:
        """Move an order to a status (`cashup.kernel.types`), unless it is that far already."""
        replica.enter_status(self._address, number, status, reason, ts)

    def quantity(self, number: int, quantity: float) -> None:
        """Give an order its whole quantity."""
        replica.enter_quantity(self._address, number, quantity)

    def updates(self, count: int) -> list[int]:
        """Return the first `count` orders that changed since the strategy was told, in order of change."""
        changed: list[int] = integers(int(self.memory.run["updates"]), count).tolist() if count else []
        return changed

    def forget_updates(self, count: int) -> None:
        """Take the first `count` changed orders off the list, because the strategy was told of them."""
        run = self.memory.run
        total = int(run["n_updates"])
        if count:
            words = integers(int(run["updates"]), total)
            for place, number in enumerate(words[count:total].tolist()):
                words[place] = number
            run["n_updates"] = total - count

    def funding(self, payment: FundingPaid) -> None:
        """Enter a funding payment."""
        place = self._places[payment.instrument_id]
        replica.enter_funding(
            self._address,
            place,
            payment.ts_event,
            FREE.to_float(payment.rate),
            FREE.to_float(payment.mark_price),
            self._grids[place].quantity.to_float(payment.quantity),
            FREE.to_float(payment.amount),
        )
