"""Why an order was refused, rejected, cancelled or expired: one list for backtest, paper and live."""

from __future__ import annotations

from enum import StrEnum


class OrderReason(StrEnum):
    """A stable machine-readable reason. `description` says it in one sentence for people."""

    # Asked for
    USER = "user"
    OCO = "oco"
    PARENT = "parent"
    AMENDED = "amended"
    SHUTDOWN = "shutdown"
    KILL_SWITCH = "kill_switch"
    # The order itself
    BAD_QUANTITY = "bad_quantity"
    BAD_PRICE = "bad_price"
    PRICE_OFF_TICK = "price_off_tick"
    QUANTITY_OFF_LOT = "quantity_off_lot"
    MIN_QUANTITY = "min_quantity"
    MAX_QUANTITY = "max_quantity"
    MIN_NOTIONAL = "min_notional"
    LEVERAGE = "leverage"
    UNSUPPORTED = "unsupported"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    UNKNOWN_ORDER = "unknown_order"
    DUPLICATE_ORDER_ID = "duplicate_order_id"
    # The account
    INSUFFICIENT_BALANCE = "insufficient_balance"
    SHORT_NOT_ALLOWED = "short_not_allowed"
    REDUCE_ONLY = "reduce_only"
    POSITION_CLOSED = "position_closed"
    LIQUIDATION = "liquidation"
    # How it was to be executed
    POST_ONLY = "post_only"
    IOC = "ioc"
    FOK = "fok"
    GTD = "gtd"
    # Limits and circumstances
    RISK_LIMIT = "risk_limit"
    TOO_MANY = "too_many"
    MARKET_CLOSED = "market_closed"
    END_OF_RUN = "end_of_run"
    VENUE = "venue"

    @property
    def description(self) -> str:
        """Return one sentence that tells a person what happened."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS: dict[OrderReason, str] = {
    OrderReason.USER: "cancelled on request",
    OrderReason.OCO: "another order of its one-cancels-other group filled",
    OrderReason.PARENT: "its parent order ended without a fill",
    OrderReason.AMENDED: "replaced by an amended order",
    OrderReason.SHUTDOWN: "cancelled because trading is stopping",
    OrderReason.KILL_SWITCH: "trading is halted by the kill switch",
    OrderReason.BAD_QUANTITY: "the quantity is not a positive finite number",
    OrderReason.BAD_PRICE: "a price it needs is missing, or not a positive finite number",
    OrderReason.PRICE_OFF_TICK: "the price is not a multiple of the tick size",
    OrderReason.QUANTITY_OFF_LOT: "the quantity is not a multiple of the lot size",
    OrderReason.MIN_QUANTITY: "the quantity is below the instrument's minimum",
    OrderReason.MAX_QUANTITY: "the quantity is above the instrument's maximum",
    OrderReason.MIN_NOTIONAL: "the value of the order is below the instrument's minimum",
    OrderReason.LEVERAGE: "the leverage is above the instrument's or the tier's maximum",
    OrderReason.UNSUPPORTED: "the venue or instrument does not support this kind of order",
    OrderReason.UNKNOWN_INSTRUMENT: "the instrument is not known",
    OrderReason.UNKNOWN_ORDER: "the order is not known, or has already ended",
    OrderReason.DUPLICATE_ORDER_ID: "an order with this id was already sent",
    OrderReason.INSUFFICIENT_BALANCE: "the account cannot pay for it",
    OrderReason.SHORT_NOT_ALLOWED: "it would sell more than is held, and spot cannot go short",
    OrderReason.REDUCE_ONLY: "it is reduce-only and would open or increase a position",
    OrderReason.POSITION_CLOSED: "it is reduce-only and nothing is left to reduce",
    OrderReason.LIQUIDATION: "the position was liquidated",
    OrderReason.POST_ONLY: "it is post-only and would have taken liquidity",
    OrderReason.IOC: "the part that could not fill immediately was cancelled",
    OrderReason.FOK: "it could not be filled whole at once",
    OrderReason.GTD: "its time ran out",
    OrderReason.RISK_LIMIT: "a risk rule does not allow it",
    OrderReason.TOO_MANY: "too many orders at once",
    OrderReason.MARKET_CLOSED: "the market does not trade now",
    OrderReason.END_OF_RUN: "the run ended",
    OrderReason.VENUE: "the venue gave a reason of its own",
}
