"""Books in exact decimals: positions, balances and accounts of spot, linear and inverse instruments.

A position keeps its *cost*, what its quantity was bought or sold for, and derives the average entry price.
A reduction takes its share of the cost away, rounded once; what the rounding cuts stays in the cost. So the
money its trades moved is ``realised - cost`` (inverse: ``realised + cost``) at any moment, to the last digit.

| | cost | realised on closing c at p | unrealised at mark m |
|---|---|---|---|
| spot, linear | sum q x size x p | c x size x p - its share of cost | q x size x m - cost |
| inverse | sum q x size / p | its share of cost - c x size / p | cost - q x size / m |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext

from cashup.model.errors import InvariantBroken, explain
from cashup.model.ids import AccountId, Currency, InstrumentId
from cashup.model.instrument import Instrument, InstrumentKind, MarginMode
from cashup.model.money import MONEY_CONTEXT, ONE, ZERO, divide
from cashup.model.order_terms import Fill, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What an account holds of one instrument. `apply` returns the next state.

    Attributes:
        quantity: Signed: positive long, negative short; base units or contracts.
        cost: What the quantity cost, with the sign of the quantity, in the settlement currency.
        realised: Profit of what was closed, before fees and funding, settlement currency.
        fees: Paid on its trades in the settlement currency; other currencies are in the account's balances.
        funding: Received minus paid, settlement currency.
        margin_mode: What a loss may consume.
        leverage: Position value over margin; 1 for spot.
        ts_opened: When it last left zero, ns UTC; 0 when it never did.
        ts_last: When it last changed, ns UTC.
    """

    instrument: Instrument
    account_id: AccountId
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    margin_mode: MarginMode = MarginMode.NONE
    leverage: Decimal = ONE
    ts_opened: int = 0
    ts_last: int = 0

    @property
    def instrument_id(self) -> InstrumentId:
        """The instrument's name."""
        return self.instrument.id

    @property
    def is_flat(self) -> bool:
        """Whether nothing is held."""
        return self.quantity == 0

    @property
    def is_long(self) -> bool:
        """Whether it gains when the price rises."""
        return self.quantity > 0

    @property
    def is_short(self) -> bool:
        """Whether it gains when the price falls."""
        return self.quantity < 0

    @property
    def closing_side(self) -> Side | None:
        """Side of the order that would close it, or None when flat."""
        if self.is_flat:
            return None
        return Side.SELL if self.is_long else Side.BUY

    @property
    def entry_price(self) -> Decimal | None:
        """Average entry price, or None when flat; of inverse contracts the harmonic average."""
        if self.is_flat:
            return None
        with localcontext(MONEY_CONTEXT):
            size = self.quantity * self.instrument.contract_size
            return divide(size, self.cost) if self.instrument.is_inverse else divide(self.cost, size)

    @property
    def net_realised(self) -> Decimal:
        """Realised profit after fees and funding, settlement currency."""
        with localcontext(MONEY_CONTEXT):
            return self.realised - self.fees + self.funding

    def notional(self, mark: Decimal) -> Decimal:
        """Return its absolute value at the mark price, settlement currency."""
        return abs(self.instrument.notional(self.quantity, mark))

    def unrealised(self, mark: Decimal) -> Decimal:
        """Return the profit closing it at `mark` would realise, before fees, settlement currency."""
        with localcontext(MONEY_CONTEXT):
            gain = self.instrument.notional(self.quantity, mark) - self.cost
            return -gain if self.instrument.is_inverse else gain

    def initial_margin(self, mark: Decimal) -> Decimal:
        """Return the margin its leverage asks for at `mark`, settlement currency."""
        return divide(self.notional(mark), self.leverage)

    def maintenance_margin(self, mark: Decimal) -> Decimal:
        """Return the margin below which it is liquidated at `mark`, settlement currency."""
        return self.instrument.maintenance_margin(self.notional(mark))

    def funding_amount(self, rate: Decimal, mark: Decimal) -> Decimal:
        """Return what one funding settlement pays it (negative: costs it), settlement currency.

        Longs pay ``rate x notional`` when the rate is positive, shorts receive it.
        """
        with localcontext(MONEY_CONTEXT):
            return -self.instrument.notional(self.quantity, mark) * rate

    def apply(self, fill: Fill) -> Position:
        """Return the position after a trade; a trade larger than the position flips it through zero.

        Raises:
            InvariantBroken: The trade is of another instrument or account, or has no positive size and price.
        """
        self._check(fill)
        with localcontext(MONEY_CONTEXT):
            signed = fill.signed_quantity
            fees = self.fees
            if fill.fee_currency == self.instrument.settle:
                fees += fill.fee
            elif self._is_fee_in_kind(fill):
                # Charged in the thing bought: that much less is held, given away at the trade's price.
                signed -= fill.fee
                fees += fill.fee * fill.price
            return self._trade(signed, fill.price, fill.ts_event, fees)

    def with_funding(self, amount: Decimal, ts: int) -> Position:
        """Return the position after receiving `amount` (negative: paying it) of funding."""
        return replace(self, funding=MONEY_CONTEXT.add(self.funding, amount), ts_last=ts)

    def _trade(self, signed: Decimal, price: Decimal, ts: int, fees: Decimal) -> Position:
        """Return the position after trading a signed quantity; runs in `MONEY_CONTEXT`."""
        quantity = self.quantity + signed
        if self.quantity * signed >= 0:
            return replace(
                self,
                quantity=quantity,
                cost=self.cost + self.instrument.notional(signed, price),
                fees=fees,
                ts_opened=ts if self.is_flat else self.ts_opened,
                ts_last=ts,
            )
        is_flip = quantity * signed > 0
        closed = self.quantity if is_flip else -signed
        share = self.cost if closed == self.quantity else divide(self.cost * closed, self.quantity)
        gain = self.instrument.notional(closed, price) - share
        rest = self.instrument.notional(quantity, price) if is_flip else self.cost - share
        return replace(
            self,
            quantity=quantity,
            cost=rest,
            realised=self.realised + (-gain if self.instrument.is_inverse else gain),
            fees=fees,
            ts_opened=ts if is_flip else self.ts_opened,
            ts_last=ts,
        )

    def _is_fee_in_kind(self, fill: Fill) -> bool:
        return self.instrument.kind is InstrumentKind.SPOT and fill.fee_currency == self.instrument.base

    def _check(self, fill: Fill) -> None:
        found = ""
        if fill.instrument_id != self.instrument_id or fill.account_id != self.account_id:
            found = f"is of {fill.instrument_id} in account {fill.account_id}"
        elif not (fill.quantity > 0 and fill.price > 0):
            found = f"has quantity {fill.quantity} and price {fill.price}"
        if found:
            where = f"position {self.instrument_id} of account {self.account_id}"
            raise InvariantBroken(explain(f"fill {fill.fill_id} {found}", where=where))


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What an account has of one currency.

    Attributes:
        total: Everything, free or not; of margined accounts without unrealised profit.
        locked: The part tied up by working orders and margin.
    """

    currency: Currency
    total: Decimal = ZERO
    locked: Decimal = ZERO

    @property
    def free(self) -> Decimal:
        """What can be spent or withdrawn."""
        return MONEY_CONTEXT.subtract(self.total, self.locked)

    def plus(self, amount: Decimal) -> Balance:
        """Return the balance after adding `amount`, which may be negative."""
        return replace(self, total=MONEY_CONTEXT.add(self.total, amount))


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Balances and positions that share one purse. Every method returns the next state."""

    id: AccountId
    balances: Mapping[Currency, Balance] = field(default_factory=dict)
    positions: Mapping[InstrumentId, Position] = field(default_factory=dict)

    def balance(self, currency: Currency) -> Balance:
        """Return the balance of a currency; zero when there never was any."""
        return self.balances.get(currency) or Balance(currency=currency)

    def position(self, instrument: Instrument) -> Position:
        """Return the position in an instrument; flat when there never was one."""
        known = self.positions.get(instrument.id)
        return known or Position(instrument=instrument, account_id=self.id)

    def deposit(self, currency: Currency, amount: Decimal) -> Account:
        """Return the account after adding `amount` (negative: a withdrawal)."""
        balances = {**self.balances, currency: self.balance(currency).plus(amount)}
        return replace(self, balances=balances)

    def with_position(self, position: Position) -> Account:
        """Return the account with `position` in place of the one it had."""
        return replace(self, positions={**self.positions, position.instrument_id: position})

    def apply(self, fill: Fill, instrument: Instrument) -> Account:
        """Return the account after a trade: money moved, fee paid, position changed.

        Spot exchanges base for quote at once; a perpetual moves only profit, when it is realised.
        """
        before = self.position(instrument)
        after = before.apply(fill)
        account = self.with_position(after).deposit(fill.fee_currency, -fill.fee)
        if instrument.kind is InstrumentKind.SPOT:
            value = instrument.notional(fill.signed_quantity, fill.price)
            account = account.deposit(instrument.quote, -value)
            return account.deposit(instrument.base, fill.signed_quantity)
        return account.deposit(instrument.settle, MONEY_CONTEXT.subtract(after.realised, before.realised))

    def apply_funding(self, instrument: Instrument, amount: Decimal, ts: int) -> Account:
        """Return the account after receiving `amount` (negative: paying it) of funding."""
        position = self.position(instrument).with_funding(amount, ts)
        return self.with_position(position).deposit(instrument.settle, amount)

    def equity(self, currency: Currency, marks: Mapping[InstrumentId, Decimal]) -> Decimal:
        """Return the worth of everything settled in `currency` at the mark prices.

        The balance, plus spot positions at their value, plus unrealised profit of perpetuals.

        Raises:
            InvariantBroken: An open position has no mark price.
        """
        with localcontext(MONEY_CONTEXT):
            total = self.balance(currency).total
            for position in self.positions.values():
                if position.instrument.settle == currency and not position.is_flat:
                    total += _worth(position, marks)
            return total


def _worth(position: Position, marks: Mapping[InstrumentId, Decimal]) -> Decimal:
    mark = marks.get(position.instrument_id)
    if mark is None:
        raise InvariantBroken(
            explain(f"no mark price of {position.instrument_id}", where=position.account_id)
        )
    if position.instrument.kind is InstrumentKind.SPOT:
        return position.instrument.notional(position.quantity, mark)
    return position.unrealised(mark)
