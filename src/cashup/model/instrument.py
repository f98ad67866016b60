"""What is traded: the kinds of instruments, their grids, limits, fees and leverage tiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from enum import StrEnum

from cashup.model.errors import InputError, OrderRefused, explain
from cashup.model.ids import Currency, InstrumentId, UnifiedSymbol, Venue, split_instrument_id
from cashup.model.money import MONEY_CONTEXT, ONE, ZERO, Rounding, divide, is_multiple, plain, quantise
from cashup.model.order_terms import OrderRequest, OrderType, Side
from cashup.model.reasons import OrderReason


class InstrumentKind(StrEnum):
    """What owning one unit means."""

    SPOT = "spot"
    """The base currency itself."""
    LINEAR_PERPETUAL = "linear_perpetual"
    """A contract on `contract_size` base units, profit and margin in the quote currency."""
    INVERSE_PERPETUAL = "inverse_perpetual"
    """A contract worth `contract_size` quote units, profit and margin in the base currency."""

    @property
    def is_perpetual(self) -> bool:
        """Whether it is margined, pays funding and can be liquidated."""
        return self is not InstrumentKind.SPOT


class MarginMode(StrEnum):
    """What a losing position may consume."""

    NONE = "none"
    """Spot: everything is paid for."""
    ISOLATED = "isolated"
    """The margin set aside for it."""
    CROSS = "cross"
    """The whole balance of the settlement currency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverageTier:
    """One step of a venue's risk limits, valid for ``notional_floor <= notional < notional_cap``.

    Attributes:
        notional_floor: Smallest position value of the tier, settlement currency.
        notional_cap: Position value where the next tier starts; None in the last tier.
        max_leverage: Largest leverage allowed.
        maintenance_rate: Maintenance margin as a fraction of the position value.
        maintenance_amount: Deducted from it, so that the margin does not jump between tiers.
    """

    notional_floor: Decimal
    notional_cap: Decimal | None = None
    max_leverage: Decimal
    maintenance_rate: Decimal
    maintenance_amount: Decimal = ZERO


def with_maintenance_amounts(tiers: Sequence[LeverageTier]) -> tuple[LeverageTier, ...]:
    """Work out each tier's deduction from the rates: the margin is continuous where tiers meet.

    The deduction grows by ``floor x (rate - previous rate)``, the formula Binance publishes for its
    "maintenance amount"; venues that publish rates only (Gate) mean the same progressive table.
    """
    result: list[LeverageTier] = []
    amount = rate = ZERO
    with localcontext(MONEY_CONTEXT):
        for tier in tiers:
            amount += tier.notional_floor * (tier.maintenance_rate - rate) if result else ZERO
            rate = tier.maintenance_rate
            result.append(replace(tier, maintenance_amount=amount))
    return tuple(result)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One instrument at one venue, as its rules stand now.

    Attributes:
        tick_size: Prices are multiples of it, quote currency; 0 allows any price.
        lot_size: Quantities are multiples of it, base units or contracts; 0 allows any quantity.
        min_quantity: Smallest order, in the unit of quantities.
        max_quantity: Largest order; None for no limit.
        min_notional: Smallest order value in the quote currency.
        contract_size: Base units (linear) or quote units (inverse) one contract stands for; 1 for spot.
        maker_fee: Fraction of the notional paid when resting; negative is a rebate.
        taker_fee: Fraction of the notional paid when taking.
        max_leverage: Largest leverage at the smallest position; 1 for spot.
        tiers: Leverage tiers by rising notional; empty when the venue has none.
    """

    id: InstrumentId
    kind: InstrumentKind
    tick_size: Decimal = ZERO
    lot_size: Decimal = ZERO
    min_quantity: Decimal = ZERO
    max_quantity: Decimal | None = None
    min_notional: Decimal = ZERO
    contract_size: Decimal = ONE
    maker_fee: Decimal = ZERO
    taker_fee: Decimal = ZERO
    max_leverage: Decimal = ONE
    tiers: tuple[LeverageTier, ...] = ()

    def __post_init__(self) -> None:
        for name in ("tick_size", "lot_size", "min_quantity", "min_notional"):
            if not _at_least(getattr(self, name), ZERO):
                raise self._wrong(name, "zero or a positive number")
        if not _at_least(self.contract_size, ZERO) or self.contract_size == 0:
            raise self._wrong("contract_size", "a positive number")
        if not _at_least(self.max_leverage, ONE):
            raise self._wrong("max_leverage", "1 or more")
        for name in ("maker_fee", "taker_fee"):
            fee = getattr(self, name)
            if not fee.is_finite() or abs(fee) >= 1:
                raise self._wrong(name, "a fraction between -1 and 1, such as 0.001 for 0.1 %")
        if self.max_quantity is not None and not _at_least(self.max_quantity, self.min_quantity):
            raise self._wrong("max_quantity", f"at least min_quantity, {self.min_quantity}")
        self._check_settlement()
        self._check_tiers()

    @property
    def venue(self) -> Venue:
        """The exchange it trades at."""
        return split_instrument_id(self.id)[0]

    @property
    def symbol(self) -> UnifiedSymbol:
        """Its unified symbol, taken apart."""
        return split_instrument_id(self.id)[1]

    @property
    def base(self) -> Currency:
        """What is bought and sold."""
        return self.symbol.base

    @property
    def quote(self) -> Currency:
        """What prices are expressed in."""
        return self.symbol.quote

    @property
    def settle(self) -> Currency:
        """What profit, margin and funding are paid in; for spot the quote currency."""
        symbol = self.symbol
        return symbol.settle or symbol.quote

    @property
    def is_inverse(self) -> bool:
        """Whether profit is paid in the base currency."""
        return self.kind is InstrumentKind.INVERSE_PERPETUAL

    def notional(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Return the value of `quantity` at `price` in the settlement currency, with the sign of `quantity`.

        Spot and linear: quantity x size x price. Inverse: quantity x size / price.
        """
        # Once a trade and once a mark: entering a context would cost more than the products themselves.
        size = MONEY_CONTEXT.multiply(quantity, self.contract_size)
        return divide(size, price) if self.is_inverse else MONEY_CONTEXT.multiply(size, price)

    def quote_value(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Return the value of `quantity` in the quote currency, the unit of `min_notional`."""
        value = MONEY_CONTEXT.multiply(quantity, self.contract_size)
        return value if self.is_inverse else MONEY_CONTEXT.multiply(value, price)

    def fee(self, quantity: Decimal, price: Decimal, *, is_maker: bool) -> Decimal:
        """Return the fee of a trade in the settlement currency; negative is a rebate."""
        rate = self.maker_fee if is_maker else self.taker_fee
        return MONEY_CONTEXT.multiply(abs(self.notional(quantity, price)), rate)

    def round_quantity(self, quantity: Decimal) -> Decimal:
        """Bring a quantity to the lot grid, never beyond what was asked for."""
        return quantise(quantity, self.lot_size, Rounding.DOWN)

    def round_price(self, price: Decimal, side: Side | None = None) -> Decimal:
        """Bring a price to the tick grid: passively for a side (buy down, sell up), else to the nearest."""
        if side is None:
            return quantise(price, self.tick_size, Rounding.NEAREST)
        return quantise(price, self.tick_size, Rounding.FLOOR if side is Side.BUY else Rounding.CEILING)

    def tier_for(self, notional: Decimal) -> LeverageTier | None:
        """Return the tier of a position worth `notional` (settlement currency), or None without tiers."""
        size = abs(notional)
        found = None
        for tier in self.tiers:
            if found is not None and size < tier.notional_floor:
                break
            found = tier
        return found

    def max_leverage_for(self, notional: Decimal) -> Decimal:
        """Return the largest leverage a position worth `notional` may have."""
        tier = self.tier_for(notional)
        return self.max_leverage if tier is None else min(self.max_leverage, tier.max_leverage)

    def maintenance_margin(self, notional: Decimal) -> Decimal:
        """Return the margin below which a position worth `notional` is liquidated, settlement currency."""
        tier = self.tier_for(notional)
        if tier is None:
            return ZERO
        with localcontext(MONEY_CONTEXT):
            return max(ZERO, abs(notional) * tier.maintenance_rate - tier.maintenance_amount)

    def validate_order(
        self, request: OrderRequest, reference_price: Decimal | None = None
    ) -> OrderRefused | None:
        """Return why the venue would reject `request` by its trading rules, or None.

        Args:
            request: The order.
            reference_price: Last or mark price, for the value of orders without a limit price; without it
                their value is not judged.
        """
        if request.instrument_id != self.id:
            return self._refuse(
                OrderReason.UNKNOWN_INSTRUMENT,
                "instrument_id",
                f"got an order on {request.instrument_id}",
                self.id,
            )
        return (
            request.problem()
            or self._price_problem(request)
            or self._quantity_problem(request)
            or self._value_problem(request, reference_price)
        )

    def _price_problem(self, request: OrderRequest) -> OrderRefused | None:
        for name, price, side in (
            ("price", request.price, request.side),
            ("stop_price", request.stop_price, None),
        ):
            if price is not None and not is_multiple(price, self.tick_size):
                return self._refuse(
                    OrderReason.PRICE_OFF_TICK,
                    name,
                    f"the {name} is {plain(price)}",
                    f"a multiple of {plain(self.tick_size)}, such as {plain(self.round_price(price, side))}",
                )
        return None

    def _quantity_problem(self, request: OrderRequest) -> OrderRefused | None:
        quantity = request.quantity
        if quantity is None:
            return None
        found = f"the quantity is {plain(quantity)}"
        if not is_multiple(quantity, self.lot_size):
            expected = f"a multiple of {plain(self.lot_size)}, such as {plain(self.round_quantity(quantity))}"
            return self._refuse(OrderReason.QUANTITY_OFF_LOT, "quantity", found, expected)
        if quantity < self.min_quantity:
            expected = f"at least {plain(self.min_quantity)}"
            return self._refuse(OrderReason.MIN_QUANTITY, "quantity", found, expected)
        if self.max_quantity is not None and quantity > self.max_quantity:
            expected = f"at most {plain(self.max_quantity)}"
            return self._refuse(OrderReason.MAX_QUANTITY, "quantity", found, expected)
        return None

    def _value_problem(self, request: OrderRequest, reference_price: Decimal | None) -> OrderRefused | None:
        if request.reduce_only or request.close_position:
            return None  # what is left of a position may always be closed
        value = self._value_of(request, reference_price)
        if value is None or value >= self.min_notional:
            return None
        return self._refuse(
            OrderReason.MIN_NOTIONAL,
            "quantity",
            f"the order is worth {plain(value)} {self.quote}",
            f"at least {plain(self.min_notional)} {self.quote}",
        )

    def _value_of(self, request: OrderRequest, reference_price: Decimal | None) -> Decimal | None:
        """Return the value of an order in the quote currency, or None when no price is known."""
        price = request.price
        if price is None:
            price = (
                reference_price if request.type is OrderType.MARKET else request.stop_price or reference_price
            )
        if request.quantity is not None:
            return (
                None
                if price is None and not self.is_inverse
                else self.quote_value(request.quantity, price or ONE)
            )
        if request.value is None or not self.is_inverse:
            return request.value
        return None if price is None else MONEY_CONTEXT.multiply(request.value, price)

    def _check_settlement(self) -> None:
        symbol = self.symbol
        fits = {
            InstrumentKind.SPOT: symbol.is_spot,
            InstrumentKind.LINEAR_PERPETUAL: symbol.is_perpetual and symbol.settle == symbol.quote,
            InstrumentKind.INVERSE_PERPETUAL: symbol.is_perpetual and symbol.settle == symbol.base,
        }
        if not fits[self.kind]:
            raise self._wrong(
                "kind", "spot BTC/USDT, linear_perpetual BTC/USDT:USDT, inverse_perpetual BTC/USD:BTC"
            )

    def _check_tiers(self) -> None:
        previous: LeverageTier | None = None
        for tier in self.tiers:
            starts_right = tier.notional_floor == (ZERO if previous is None else previous.notional_cap)
            grows = tier.notional_cap is None or tier.notional_cap > tier.notional_floor
            if not (starts_right and grows and tier.max_leverage >= 1 and 0 < tier.maintenance_rate < 1):
                raise self._wrong("tiers", f"tiers that start at 0 and follow on each other; see {tier}")
            previous = tier

    def _wrong(self, name: str, expected: str) -> InputError:
        value = getattr(self, name)
        shown = f"{name} is {value}" if not isinstance(value, tuple) else f"{name} do not fit together"
        return InputError(explain(shown, where=f"instrument {self.id}", expected=expected), field=name)

    def _refuse(self, reason: OrderReason, field: str, found: str, expected: str) -> OrderRefused:
        return OrderRefused(explain(found, where=str(self.id), expected=expected), reason=reason, field=field)


def _at_least(value: Decimal, least: Decimal) -> bool:
    return value.is_finite() and value >= least
