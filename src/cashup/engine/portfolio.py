"""The books of one account, exact to the last digit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, localcontext

from cashup.model.errors import InvariantBroken, explain
from cashup.model.events import BalanceChanged, FundingPaid, PositionChanged
from cashup.model.ids import AccountId, Currency, InstrumentId
from cashup.model.instrument import Instrument
from cashup.model.money import MONEY_CONTEXT, ZERO
from cashup.model.orders import Fill
from cashup.model.position import Account, Position

Change = Fill | FundingPaid


class Portfolio:
    """Cash, positions, fees and funding of one account in `Decimal`, changed by fills and funding only.

    Changes are kept in order and entered into the books when somebody looks at them, or at once while
    somebody listens for `PositionChanged` and `BalanceChanged`.

    Attributes:
        currency: What cash, fees and funding are counted in.
    """

    __slots__ = ("_account", "_instruments", "_pending", "currency")

    def __init__(
        self,
        account_id: AccountId,
        instruments: Sequence[Instrument],
        *,
        currency: Currency,
        cash: Decimal,
    ) -> None:
        self.currency = currency
        self._instruments = {instrument.id: instrument for instrument in instruments}
        self._account = Account(id=account_id).deposit(currency, cash)
        self._pending: list[Change | Callable[[], Change]] = []

    @property
    def account_id(self) -> AccountId:
        """The account's name."""
        return self._account.id

    @property
    def instruments(self) -> Mapping[InstrumentId, Instrument]:
        """What the account trades, by name."""
        return self._instruments

    @property
    def account(self) -> Account:
        """Balances and positions after every change so far."""
        if self._pending:
            pending, self._pending = self._pending, []
            for change in pending:
                self._account = self._after(change() if callable(change) else change)
        return self._account

    @property
    def cash(self) -> Decimal:
        """Money in `currency`: free cash of a spot account, wallet balance of a margined one."""
        return self.account.balance(self.currency).total

    @property
    def fees(self) -> Decimal:
        """Fees paid on all instruments so far, rebates negative."""
        return self._sum(lambda position: position.fees)

    @property
    def funding(self) -> Decimal:
        """Funding received minus paid on all instruments so far."""
        return self._sum(lambda position: position.funding)

    @property
    def realised(self) -> Decimal:
        """Profit of what was closed on all instruments, before fees and funding."""
        return self._sum(lambda position: position.realised)

    def position(self, instrument_id: InstrumentId) -> Position:
        """Return the position in an instrument, its fees and funding included; flat when there was none.

        Raises:
            InvariantBroken: The account does not trade this instrument.
        """
        return self.account.position(self._instrument(instrument_id))

    def equity(self, marks: Mapping[InstrumentId, Decimal]) -> Decimal:
        """Return what everything is worth in `currency` at the given prices."""
        return self.account.equity(self.currency, marks)

    def add(self, change: Change | Callable[[], Change]) -> None:
        """Enter a fill or a funding payment, or what a function makes of one, when next looked at."""
        self._pending.append(change)

    def enter(self, change: Change) -> tuple[PositionChanged, BalanceChanged]:
        """Enter a fill or a funding payment now, and return what it changed."""
        before = self.account
        self._account = self._after(change)
        return self._position_changed(change, before), self._balance_changed(change, before)

    def _after(self, change: Change) -> Account:
        instrument = self._instrument(change.instrument_id)
        if isinstance(change, Fill):
            return self._account.apply(change, instrument)
        return self._account.apply_funding(instrument, change.amount, change.ts_event)

    def _position_changed(self, change: Change, before: Account) -> PositionChanged:
        instrument = self._instrument(change.instrument_id)
        position = self._account.position(instrument)
        fill = change if isinstance(change, Fill) else None
        return PositionChanged(
            account_id=before.id,
            ts_event=change.ts_event,
            ts_init=change.ts_init,
            position=position,
            realised=MONEY_CONTEXT.subtract(position.realised, before.position(instrument).realised),
            fill_id=None if fill is None else fill.fill_id,
            strategy_id=None if fill is None else fill.strategy_id,
        )

    def _balance_changed(self, change: Change, before: Account) -> BalanceChanged:
        balance = self._account.balance(self.currency)
        return BalanceChanged(
            account_id=before.id,
            ts_event=change.ts_event,
            ts_init=change.ts_init,
            balance=balance,
            change=MONEY_CONTEXT.subtract(balance.total, before.balance(self.currency).total),
        )

    def _sum(self, part: Callable[[Position], Decimal]) -> Decimal:
        with localcontext(MONEY_CONTEXT):
            return sum((part(position) for position in self.account.positions.values()), ZERO)

    def _instrument(self, instrument_id: InstrumentId) -> Instrument:
        found = self._instruments.get(instrument_id)
        if found is None:
            where = f"account {self._account.id}"
            expected = ", ".join(self._instruments)
            raise InvariantBroken(explain(f"got a change of {instrument_id}", where=where, expected=expected))
        return found
