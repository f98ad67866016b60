"""From rows of the kernel's fill and payment tables to changes of the exact books."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from cashup.engine.codes import SIDES
from cashup.engine.grid import FREE, InstrumentGrid
from cashup.engine.order_rows import Row
from cashup.kernel import types as k
from cashup.model.events import FundingPaid
from cashup.model.ids import AccountId, ClientOrderId, Currency, FillId, StrategyId, VenueOrderId
from cashup.model.instrument import Instrument
from cashup.model.orders import Fill, FillKind, Liquidity


class ChangeWriter:
    """Write fills and payments of one account with exact numbers, fills numbered as they come.

    Attributes:
        grids: Tick and lot of each instrument, in the order of the tables.
    """

    def __init__(self, instruments: Sequence[Instrument], account_id: AccountId, currency: Currency) -> None:
        self.grids = tuple(InstrumentGrid.of(instrument) for instrument in instruments)
        self._names = tuple(instrument.id for instrument in instruments)
        self._account_id = account_id
        self._currency = currency
        self._count = 0

    def fill(
        self,
        row: Row,
        now: int,
        *,
        name: ClientOrderId | None = None,
        strategy_id: StrategyId = StrategyId(""),  # noqa: B008 (a plain string to the machine)
        quantity: Decimal | None = None,
    ) -> Fill:
        """Write a fill; one without an order's name is the venue's own."""
        grid = self.grids[row.instrument]
        self._count += 1
        return Fill(
            fill_id=FillId(str(self._count)),
            client_order_id=name or ClientOrderId(f"liquidation-{self._count}"),
            venue_order_id=VenueOrderId(str(row.order)) if row.order else None,
            instrument_id=self._names[row.instrument],
            account_id=self._account_id,
            strategy_id=strategy_id,
            side=SIDES[row.side],
            quantity=grid.quantity.to_decimal(row.quantity) if quantity is None else quantity,
            price=grid.price.to_decimal(row.price),
            fee=FREE.to_decimal(row.fee),
            fee_currency=self._currency,
            liquidity=Liquidity.MAKER if row.maker else Liquidity.TAKER,
            kind=FillKind.LIQUIDATION if row.kind == k.FILL_LIQUIDATION else FillKind.TRADE,
            ts_event=row.ts,
            ts_init=now,
        )

    def payment(self, row: Row, now: int) -> FundingPaid:
        """Write a funding payment."""
        return FundingPaid(
            account_id=self._account_id,
            ts_event=row.ts,
            ts_init=now,
            instrument_id=self._names[row.instrument],
            quantity=self.grids[row.instrument].quantity.to_decimal(row.quantity),
            rate=FREE.to_decimal(row.rate),
            mark_price=FREE.to_decimal(row.price),
            amount=FREE.to_decimal(row.amount),
            currency=self._currency,
        )
