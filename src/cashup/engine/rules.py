"""Risk rules: each looks at one order and at the account, and refuses or lets pass. They hold no state.

Rules run in the order they are listed, from what makes an order nonsense to what makes it too much; the first
refusal stands. A rule that cannot judge (no price known yet) refuses: what cannot be judged is not sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Protocol

from cashup.model.errors import ConfigError, OrderRefused, explain
from cashup.model.ids import InstrumentId
from cashup.model.instrument import Instrument
from cashup.model.money import MONEY_CONTEXT, ZERO, plain
from cashup.model.orders import OrderRequest, Side
from cashup.model.reasons import OrderReason


class RiskView(Protocol):
    """The state of the account as rules see it, what was already allowed included."""

    def instrument(self, instrument_id: InstrumentId) -> Instrument | None:
        """Return the instrument, or None when the node does not trade it."""
        ...

    def price(self, instrument_id: InstrumentId) -> Decimal | None:
        """Return the last known price, quote currency, or None before the first."""
        ...

    def position(self, instrument_id: InstrumentId) -> Decimal:
        """Return the signed quantity held."""
        ...

    def working(self, instrument_id: InstrumentId, side: Side) -> Decimal:
        """Return the quantity that orders of one side may still add to the position (not reduce-only)."""
        ...


class Rule(Protocol):
    """One risk rule."""

    def check(self, request: OrderRequest, view: RiskView) -> OrderRefused | None:
        """Return why the order must not be sent, or None."""
        ...


@dataclass(frozen=True, slots=True)
class KnownInstrument:
    """Refuse orders on instruments the node does not trade."""

    def check(self, request: OrderRequest, view: RiskView) -> OrderRefused | None:
        """Return why the order must not be sent, or None."""
        if view.instrument(request.instrument_id) is not None:
            return None
        return refuse(
            request,
            OrderReason.UNKNOWN_INSTRUMENT,
            "instrument_id",
            f"the node does not trade {request.instrument_id}",
            "an instrument of the session",
        )


@dataclass(frozen=True, slots=True)
class SoundTerms:
    """Refuse orders that contradict themselves: no size, no price, a quantity that is not a number."""

    def check(self, request: OrderRequest, view: RiskView) -> OrderRefused | None:  # noqa: ARG002
        """Return why the order must not be sent, or None."""
        return request.problem()


@dataclass(frozen=True, slots=True)
class VenueRules:
    """Refuse what the venue would reject: off the tick or lot, below a minimum, above a maximum."""

    def check(self, request: OrderRequest, view: RiskView) -> OrderRefused | None:
        """Return why the order must not be sent, or None."""
        instrument = view.instrument(request.instrument_id)
        if instrument is None:
            return KnownInstrument().check(request, view)
        return instrument.validate_order(request, view.price(request.instrument_id))


@dataclass(frozen=True, slots=True)
class MaxOrderNotional:
    """Refuse single orders worth more than `limit`, in the quote currency."""

    limit: Decimal

    def check(self, request: OrderRequest, view: RiskView) -> OrderRefused | None:
        """Return why the order must not be sent, or None."""
        value = order_value(request, view)
        if value is None:
            return _unpriced(request)
        if value <= self.limit:
            return None
        return refuse(
            request,
            OrderReason.RISK_LIMIT,
            "quantity",
            f"the order is worth {plain(value)}",
            f"at most {plain(self.limit)} (max_order_notional)",
        )


@dataclass(frozen=True, slots=True)
class MaxPosition:
    """Refuse orders after which a position could be worth more than `limit`, in the quote currency.

    Orders already working on the same side count as if they were filled. What reduces the position passes.
    """

    limit: Decimal

    def check(self, request: OrderRequest, view: RiskView) -> OrderRefused | None:
        """Return why the order must not be sent, or None."""
        if request.reduce_only or request.close_position:
            return None
        name = request.instrument_id
        instrument, price = view.instrument(name), view.price(name)
        value = order_value(request, view)
        if instrument is None or price is None or value is None:
            return _unpriced(request)
        with localcontext(MONEY_CONTEXT):
            held = instrument.quote_value(view.position(name) * request.side.sign, price)
            waiting = instrument.quote_value(view.working(name, request.side), price)
            after = held + waiting + value
        if after <= self.limit:
            return None
        return refuse(
            request,
            OrderReason.RISK_LIMIT,
            "quantity",
            f"the position could grow to {plain(after)}",
            f"at most {plain(self.limit)} (max_position_notional)",
        )


@dataclass(frozen=True, slots=True)
class PriceBand:
    """Refuse limit prices further than `fraction` from the last price on the losing side of it.

    A buy far above the market, or a sell far below, is a slip of the finger; the other side only waits.
    """

    fraction: Decimal

    def check(self, request: OrderRequest, view: RiskView) -> OrderRefused | None:
        """Return why the order must not be sent, or None."""
        if request.price is None:
            return None
        last = view.price(request.instrument_id)
        reference = request.stop_price or last
        if reference is None:
            return _unpriced(request)
        with localcontext(MONEY_CONTEXT):
            excess = (request.price - reference) * request.side.sign
            allowed = reference * self.fraction
            edge = reference + allowed * request.side.sign
        if excess <= allowed:
            return None
        word = "at most" if request.side is Side.BUY else "at least"
        return refuse(
            request,
            OrderReason.RISK_LIMIT,
            "price",
            f"the {request.side} limit is {plain(request.price)} with the market at {plain(reference)}",
            f"{word} {plain(edge)} (price_band)",
        )


@dataclass(frozen=True, slots=True)
class ReduceOnly:
    """Refuse reduce-only orders with nothing to reduce; one that waits for its parent is judged later."""

    def check(self, request: OrderRequest, view: RiskView) -> OrderRefused | None:
        """Return why the order must not be sent, or None."""
        if not request.reduce_only or request.parent_id is not None:
            return None
        if view.position(request.instrument_id) * request.side.sign < 0:
            return None
        return refuse(
            request,
            OrderReason.REDUCE_ONLY,
            "reduce_only",
            f"the position is {plain(view.position(request.instrument_id))}",
            f"a position that a {request.side} reduces",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits:
    """The limits a person sets for one account; None sets none.

    Attributes:
        max_order_notional: Largest value of one order, quote currency.
        max_position_notional: Largest value of one position with its working orders, quote currency.
        price_band: Largest distance of a limit price on the losing side of the market, as a fraction.
    """

    max_order_notional: Decimal | None = None
    max_position_notional: Decimal | None = None
    price_band: Decimal | None = None

    def __post_init__(self) -> None:
        for name in ("max_order_notional", "max_position_notional", "price_band"):
            value = getattr(self, name)
            if value is not None and not (value.is_finite() and value > 0):
                raise ConfigError(
                    explain(f"{name} is {value}", expected="a positive number, or nothing for no limit"),
                    key=f"risk.{name}",
                )

    def rules(self) -> tuple[Rule, ...]:
        """Return the rules of these limits alone."""
        chosen: list[Rule] = []
        if self.max_order_notional is not None:
            chosen.append(MaxOrderNotional(self.max_order_notional))
        if self.max_position_notional is not None:
            chosen.append(MaxPosition(self.max_position_notional))
        if self.price_band is not None:
            chosen.append(PriceBand(self.price_band))
        return tuple(chosen)


def simulated_rules(limits: RiskLimits | None = None) -> tuple[Rule, ...]:
    """Return the rules before a simulated venue, which judges its own minimums when an order reaches it."""
    return (KnownInstrument(), SoundTerms(), *(limits or RiskLimits()).rules())


def live_rules(limits: RiskLimits | None = None) -> tuple[Rule, ...]:
    """Return the rules before a real venue: nothing leaves that it would send back."""
    return (
        KnownInstrument(),
        SoundTerms(),
        VenueRules(),
        *(limits or RiskLimits()).rules(),
        ReduceOnly(),
    )


def order_value(request: OrderRequest, view: RiskView) -> Decimal | None:
    """Return what an order is worth in the quote currency, or None while no price is known.

    An order without a limit is valued at its trigger, or at the last price. An order that closes the position
    is worth what is left of it.
    """
    instrument = view.instrument(request.instrument_id)
    if request.value is not None and instrument is not None and not instrument.is_inverse:
        return request.value
    price = request.price or request.stop_price or view.price(request.instrument_id)
    if price is None or instrument is None:
        return None
    if request.value is not None:
        return MONEY_CONTEXT.multiply(request.value, price)
    quantity = abs(view.position(request.instrument_id)) if request.quantity is None else request.quantity
    return instrument.quote_value(quantity, price) if quantity else ZERO


def refuse(request: OrderRequest, reason: OrderReason, field: str, found: str, expected: str) -> OrderRefused:
    """Write one refusal: what was found on which order, and what would be allowed."""
    where = f"order {request.client_order_id} on {request.instrument_id}"
    return OrderRefused(explain(found, where=where, expected=expected), reason=reason, field=field)


def _unpriced(request: OrderRequest) -> OrderRefused:
    return refuse(
        request, OrderReason.RISK_LIMIT, "price", "no price is known to value the order by", "a first bar"
    )
