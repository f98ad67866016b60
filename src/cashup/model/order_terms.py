"""What an order asks for, and what a trade of it was. Import these from `cashup.model.orders`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from cashup.model.errors import OrderRefused, explain
from cashup.model.ids import (
    AccountId,
    ClientOrderId,
    Currency,
    FillId,
    GroupId,
    InstrumentId,
    StrategyId,
    VenueOrderId,
)
from cashup.model.reasons import OrderReason


class Side(StrEnum):
    """Direction of an order or trade."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """How an order finds its price, and when it becomes active."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"
    TAKE_PROFIT = "take_profit"
    TAKE_PROFIT_LIMIT = "take_profit_limit"

    @property
    def has_limit(self) -> bool:
        """Whether it never trades at a price worse than `OrderRequest.price`."""
        return self in (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT)

    @property
    def has_trigger(self) -> bool:
        """Whether it sleeps until the market reaches a trigger price."""
        return self not in (OrderType.MARKET, OrderType.LIMIT)

    @property
    def needs_stop_price(self) -> bool:
        """Whether the trigger price must be given; a trailing stop works out its own."""
        return self.has_trigger and self is not OrderType.TRAILING_STOP


class TimeInForce(StrEnum):
    """How long an order may work."""

    GTC = "gtc"
    """Good till cancelled."""
    IOC = "ioc"
    """Immediate or cancel: what does not fill on arrival is cancelled."""
    FOK = "fok"
    """Fill or kill: all of it on arrival, or nothing."""
    GTD = "gtd"
    """Good till date: until `OrderRequest.expire_ts`."""


class Liquidity(StrEnum):
    """Which side of the book a trade was on."""

    MAKER = "maker"
    TAKER = "taker"


class FillKind(StrEnum):
    """What made a trade happen."""

    TRADE = "trade"
    LIQUIDATION = "liquidation"
    DELEVERAGING = "deleveraging"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """The terms of one order. Nothing is checked on construction: `problem` and the instrument judge it.

    Exactly one of `quantity`, `value` and `close_position` says how much.

    Attributes:
        quantity: How much, in base units (spot, linear: multiplied by the contract size) or contracts.
        value: Instead of a quantity: money to spend or raise, fees included, in the settlement currency.
        close_position: Instead of a quantity: whatever the position is when the order executes.
        price: Limit price, in quote currency per base unit.
        stop_price: Trigger price of stops and take-profits; the activation price of a trailing stop, if any.
        trail: Distance of a trailing stop from the best price seen, in quote currency.
        trail_fraction: The same as a fraction of the best price (0.02 = 2 %).
        clip: Shrink to what the account can afford instead of being refused.
        post_only: Never take liquidity: be rejected instead.
        reduce_only: Never open or increase a position.
        expire_ts: End of a GTD order, ns UTC.
        group_id: Orders of one group cancel each other when one of them fills.
        parent_id: The order whose fill activates this one (bracket child).
        tag: The user's own number.
        ts_init: When the request was made, ns UTC.
    """

    client_order_id: ClientOrderId
    instrument_id: InstrumentId
    account_id: AccountId
    strategy_id: StrategyId
    side: Side
    type: OrderType
    quantity: Decimal | None = None
    value: Decimal | None = None
    close_position: bool = False
    price: Decimal | None = None
    stop_price: Decimal | None = None
    trail: Decimal | None = None
    trail_fraction: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expire_ts: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    clip: bool = False
    group_id: GroupId | None = None
    parent_id: ClientOrderId | None = None
    tag: int = 0
    ts_init: int

    def problem(self) -> OrderRefused | None:
        """Return why no venue could take this order, or None when it makes sense in itself."""
        return self._size_problem() or self._price_problem() or self._flag_problem()

    def _size_problem(self) -> OrderRefused | None:
        sizes = [size for size in (self.quantity, self.value) if size is not None]
        if len(sizes) + self.close_position != 1:
            return self._refuse(
                OrderReason.BAD_QUANTITY,
                "quantity",
                f"the order gives {len(sizes) + self.close_position} sizes",
                "exactly one of quantity, value and close_position",
            )
        if sizes and not _is_positive(sizes[0]):
            name = "value" if self.quantity is None else "quantity"
            return self._refuse(
                OrderReason.BAD_QUANTITY, name, f"the {name} is {sizes[0]}", "a positive number"
            )
        return None

    def _price_problem(self) -> OrderRefused | None:
        rules = (
            ("price", self.price, self.type.has_limit, self.type.has_limit),
            ("stop_price", self.stop_price, self.type.needs_stop_price, self.type.has_trigger),
        )
        for name, given, needed, allowed in rules:
            if given is None and needed:
                return self._refuse(
                    OrderReason.BAD_PRICE, name, f"a {self.type} order has no {name}", "a price"
                )
            if given is not None and not allowed:
                return self._refuse(OrderReason.BAD_PRICE, name, f"a {self.type} order has a {name}", "none")
            if given is not None and not _is_positive(given):
                return self._refuse(
                    OrderReason.BAD_PRICE, name, f"the {name} is {given}", "a positive number"
                )
        return self._trail_problem()

    def _trail_problem(self) -> OrderRefused | None:
        trails = [trail for trail in (self.trail, self.trail_fraction) if trail is not None]
        if self.type is not OrderType.TRAILING_STOP:
            if trails:
                return self._refuse(
                    OrderReason.BAD_PRICE, "trail", f"a {self.type} order has a trail", "none"
                )
            return None
        if len(trails) != 1 or not _is_positive(trails[0]):
            return self._refuse(
                OrderReason.BAD_PRICE,
                "trail",
                f"the trail is {self.trail} and the trail fraction {self.trail_fraction}",
                "exactly one of them, and positive",
            )
        if self.trail_fraction is not None and self.trail_fraction >= 1:
            return self._refuse(
                OrderReason.BAD_PRICE,
                "trail_fraction",
                f"the trail fraction is {self.trail_fraction}",
                "less than 1, such as 0.02 for 2 %",
            )
        return None

    def _flag_problem(self) -> OrderRefused | None:
        if (self.time_in_force is TimeInForce.GTD) != (self.expire_ts is not None):
            return self._refuse(
                OrderReason.UNSUPPORTED,
                "expire_ts",
                f"time in force is {self.time_in_force} and expire_ts {self.expire_ts}",
                "an expiry with gtd, and with gtd only",
            )
        if not self.post_only:
            return None
        if not self.type.has_limit or self.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
            return self._refuse(
                OrderReason.UNSUPPORTED,
                "post_only",
                f"a {self.type} {self.time_in_force} order cannot be post-only",
                "a limit order that may rest",
            )
        return None

    def _refuse(self, reason: OrderReason, field: str, found: str, expected: str) -> OrderRefused:
        where = f"order {self.client_order_id} on {self.instrument_id}"
        return OrderRefused(explain(found, where=where, expected=expected), reason=reason, field=field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One trade of ours.

    Attributes:
        quantity: Positive; the side gives the direction. Base units or contracts, as in the order.
        price: Quote currency per base unit.
        fee: Paid, in `fee_currency`; negative is a rebate.
        ts_event: When it traded at the venue, ns UTC.
        ts_init: When we learnt of it, ns UTC.
    """

    fill_id: FillId
    client_order_id: ClientOrderId
    venue_order_id: VenueOrderId | None = None
    instrument_id: InstrumentId
    account_id: AccountId
    strategy_id: StrategyId
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: Currency
    liquidity: Liquidity = Liquidity.TAKER
    kind: FillKind = FillKind.TRADE
    ts_event: int
    ts_init: int

    @property
    def signed_quantity(self) -> Decimal:
        """Quantity, negative for a sell."""
        return self.quantity if self.side is Side.BUY else -self.quantity


def _is_positive(value: Decimal) -> bool:
    return value.is_finite() and value > 0
