"""The slow twin's money: positions, margin, funding and liquidation in exact decimals.

Written for reading, from docs/concepts/accounting.md, and sharing nothing with the compiled ledger; tests
hold the two to each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

ZERO = Decimal(0)
ONE = Decimal(1)
TIE = Decimal("1e-12")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceTier:
    """A maintenance bracket."""

    floor: Decimal
    max_leverage: Decimal
    rate: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceInstrument:
    """Constants: `kind` is "spot", "linear" or "inverse"; `margin` is "none", "isolated" or "cross"."""

    kind: str = "spot"
    margin: str = "none"
    leverage: Decimal = ONE
    tick: Decimal = ZERO
    lot: Decimal = ZERO
    min_quantity: Decimal = ZERO
    max_quantity: Decimal = ZERO
    min_notional: Decimal = ZERO
    contract_size: Decimal = ONE
    maker_fee: Decimal = ZERO
    taker_fee: Decimal = ZERO
    tiers: tuple[ReferenceTier, ...] = ()

    def worth(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Return the notional of a quantity at a price, in settlement currency."""
        size = quantity * self.contract_size
        return size / price if self.kind == "inverse" else size * price

    def profit(self, quantity: Decimal, entry: Decimal, price: Decimal) -> Decimal:
        """Return the profit of a signed quantity between two prices."""
        if quantity == 0:
            return ZERO
        size = quantity * self.contract_size
        if self.kind == "inverse":
            return size / entry - size / price
        return size * (price - entry)

    def maintenance(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Return the maintenance margin of a position at a mark price."""
        worth = self.worth(abs(quantity), price)
        reached = [tier for tier in self.tiers if worth >= tier.floor]
        if not reached:
            return ZERO
        return max(ZERO, worth * reached[-1].rate - reached[-1].amount)

    def most_notional(self) -> Decimal | None:
        """Return the notional above which the leverage is no longer allowed, None if there is none."""
        for tier in self.tiers:
            if ZERO < tier.max_leverage < self.leverage:
                return tier.floor
        return None


@dataclass(slots=True)
class ReferencePosition:
    """State of one instrument."""

    quantity: Decimal = ZERO
    entry: Decimal = ZERO
    margin: Decimal = ZERO
    last: Decimal | None = None
    mark: Decimal | None = None
    next_funding: int = 0


@dataclass(slots=True)
class Account:
    """Cash and positions over all instruments."""

    instruments: tuple[ReferenceInstrument, ...]
    cash: Decimal
    dust: Decimal = ZERO
    positions: list[ReferencePosition] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start flat; money below a millionth of a millionth of the start is rounding error."""
        self.dust = self.cash * Decimal("1e-12")
        self.positions = [ReferencePosition() for _ in self.instruments]

    def unrealized(self, k: int) -> Decimal:
        """Return a perpetual position's profit at its mark price."""
        position = self.positions[k]
        if position.quantity == 0 or position.mark is None:
            return ZERO
        return self.instruments[k].profit(position.quantity, position.entry, position.mark)

    def equity(self) -> Decimal:
        """Return cash plus the worth of spot holdings and the profit of perpetuals."""
        total = self.cash
        for k, (instrument, position) in enumerate(zip(self.instruments, self.positions, strict=True)):
            if position.quantity == 0:
                continue
            if instrument.kind == "spot":
                assert position.last is not None
                total += position.quantity * instrument.contract_size * position.last
            else:
                total += self.unrealized(k)
        return total

    def locked(self) -> Decimal:
        """Return the margin of all isolated positions."""
        return sum((position.margin for position in self.positions), ZERO)

    def initial_margin(self, k: int) -> Decimal:
        """Return the initial margin of a position at its mark price."""
        position, instrument = self.positions[k], self.instruments[k]
        if position.quantity == 0 or position.mark is None:
            return ZERO
        return instrument.worth(abs(position.quantity), position.mark) / instrument.leverage

    def available(self) -> Decimal:
        """Return the money new orders may use."""
        free = self.cash - self.locked()
        for k, instrument in enumerate(self.instruments):
            if instrument.margin == "cross":
                free += self.unrealized(k) - self.initial_margin(k)
        return free

    def affordable(self, k: int, side: int, price: Decimal, fee: Decimal) -> Decimal:
        """Return the largest quantity that can be traded at a price: closing first, then opening."""
        instrument, position = self.instruments[k], self.positions[k]
        unit = instrument.worth(ONE, price)
        if instrument.kind == "spot":
            if side < 0:
                return position.quantity
            free = self.available()
            return free / (unit * (1 + fee)) if free > self.dust else ZERO
        closing = abs(position.quantity) if position.quantity * side < 0 else ZERO
        free = self.available()
        if closing:
            free += instrument.profit(position.quantity, position.entry, price) - closing * unit * fee
            if instrument.margin == "isolated":
                free += position.margin
            else:
                free += self.initial_margin(k) - self.unrealized(k)
        return closing if free <= self.dust else closing + free / (unit / instrument.leverage + unit * fee)

    def apply(self, k: int, side: int, quantity: Decimal, price: Decimal, fee: Decimal) -> Decimal:
        """Enter a fill and return the profit it realised."""
        instrument, position = self.instruments[k], self.positions[k]
        old = position.quantity
        closing = min(quantity, abs(old)) if old * side < 0 else ZERO
        opening = quantity - closing
        realized = instrument.profit(-side * closing, position.entry, price)
        if instrument.kind == "spot":
            self.cash -= side * instrument.worth(quantity, price) + fee
        else:
            self.cash += realized - fee
        if closing:
            position.margin -= position.margin * closing / abs(old)
        if opening and instrument.margin == "isolated":
            position.margin += instrument.worth(opening, price) / instrument.leverage
        position.quantity = old + side * quantity
        if position.quantity == 0:
            position.entry = position.margin = ZERO
        elif opening:
            kept = abs(old) - closing
            if instrument.kind == "inverse" and kept:
                position.entry = (kept + opening) / (kept / position.entry + opening / price)
            else:
                position.entry = (kept * position.entry + opening * price) / (kept + opening)
        return realized

    def wallet_of(self, k: int) -> Decimal:
        """Return what answers for position k: its own margin, or in cross margin all that others leave."""
        if self.instruments[k].margin == "isolated":
            return self.positions[k].margin
        wallet = self.cash - self.locked()
        for j, instrument in enumerate(self.instruments):
            if j != k and instrument.margin == "cross":
                wallet += self.unrealized(j)
        return wallet

    def liquidation_price(self, k: int) -> Decimal | None:
        """Return the mark price at which what answers for position k has shrunk to its maintenance margin.

        The maintenance margin is the largest of the brackets' lines, so of the prices at which each line is
        reached, the first one met on the way to ruin counts.
        """
        instrument, position = self.instruments[k], self.positions[k]
        if position.quantity == 0 or instrument.margin == "none":
            return None
        wallet = self.wallet_of(k)
        if instrument.margin == "cross":
            for j, other in enumerate(self.instruments):
                mark = self.positions[j].mark
                if j != k and other.margin == "cross" and mark is not None:
                    wallet -= other.maintenance(self.positions[j].quantity, mark)
        size = position.quantity * instrument.contract_size
        prices = []
        for rate, amount in [(tier.rate, tier.amount) for tier in instrument.tiers] or [(ZERO, ZERO)]:
            if instrument.kind == "inverse":
                # wallet + size/entry - size/p = |size|/p x rate - amount
                top, bottom = size + abs(size) * rate, wallet + size / position.entry + amount
            else:
                # wallet + size x (p - entry) = |size| x p x rate - amount
                top, bottom = size * position.entry - wallet - amount, size - abs(size) * rate
            if bottom != 0:
                prices.append(top / bottom)
        # A line that is reached at or below zero is never reached.
        positive = [price for price in prices if price > 0]
        if not positive:
            return None
        # A touch within rounding error is a touch.
        return max(positive) * (1 + TIE) if position.quantity > 0 else min(positive) * (1 - TIE)
