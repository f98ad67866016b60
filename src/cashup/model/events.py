"""What has happened: to orders, to positions and balances, to trading as a whole.

A market message (`cashup.model.market.MarketEvent`) is an event as it is; a closed `Bar` needs no wrapper.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cashup.model.ids import AccountId, Currency, FillId, InstrumentId, StrategyId
from cashup.model.market import MarketEvent
from cashup.model.order_events import (
    OrderAccepted,
    OrderAmended,
    OrderAmendPending,
    OrderAmendRejected,
    OrderCancelled,
    OrderCancelPending,
    OrderCancelRejected,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderHeld,
    OrderInitialized,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderSubmitted,
    OrderTriggered,
)
from cashup.model.position import Balance, Position

__all__ = [
    "AccountEvent",
    "BalanceChanged",
    "FundingPaid",
    "Liquidated",
    "MarketEvent",
    "OrderAccepted",
    "OrderAmendPending",
    "OrderAmendRejected",
    "OrderAmended",
    "OrderCancelPending",
    "OrderCancelRejected",
    "OrderCancelled",
    "OrderDenied",
    "OrderEvent",
    "OrderExpired",
    "OrderFilled",
    "OrderHeld",
    "OrderInitialized",
    "OrderOutcomeUnknown",
    "OrderRejected",
    "OrderSubmitted",
    "OrderTriggered",
    "PositionChanged",
    "TradingHalted",
    "TradingResumed",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEvent:
    """Base of everything that happens to an account.

    Attributes:
        ts_event: When it happened (at the venue, if it happened there), ns UTC.
        ts_init: When we learnt of it, ns UTC.
    """

    account_id: AccountId
    ts_event: int
    ts_init: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingPaid(AccountEvent):
    """Report one funding settlement of one position.

    Attributes:
        quantity: Signed position it was computed on.
        rate: Fraction of the position value.
        mark_price: Price the position was valued at, quote currency.
        amount: Received; negative is paid. In `currency`.
    """

    instrument_id: InstrumentId
    quantity: Decimal
    rate: Decimal
    mark_price: Decimal
    amount: Decimal
    currency: Currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidated(AccountEvent):
    """Report that the venue closed a position for lack of margin. Its trade arrives as a fill, too.

    Attributes:
        quantity: Signed quantity that was taken away.
        price: Price it was closed at, quote currency.
        fee: Margin the venue kept, in `currency`.
    """

    instrument_id: InstrumentId
    quantity: Decimal
    price: Decimal
    fee: Decimal
    currency: Currency


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionChanged(AccountEvent):
    """Report a position's new state.

    Attributes:
        position: The state after the change.
        realised: Profit this change realised, before fees, settlement currency.
        fill_id: The trade that changed it; None for funding or a correction by the venue.
        strategy_id: Whose trade it was; None when not known.
    """

    position: Position
    realised: Decimal
    fill_id: FillId | None = None
    strategy_id: StrategyId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceChanged(AccountEvent):
    """Report a balance's new state.

    Attributes:
        balance: The state after the change.
        change: Difference of the total; 0 when only the locked part moved.
    """

    balance: Balance
    change: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingHalted(AccountEvent):
    """Report that nothing new is sent until trading resumes.

    Attributes:
        message: Who or what stopped it, and why.
    """

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingResumed(AccountEvent):
    """Report that new orders are allowed again."""
