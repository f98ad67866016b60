"""What a strategy or a person asks for. A command may be refused; an event has happened."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cashup.model.ids import AccountId, ClientOrderId, InstrumentId, StrategyId
from cashup.model.instrument import MarginMode
from cashup.model.order_terms import OrderRequest, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Base of all commands.

    Attributes:
        account_id: Where it is to act.
        strategy_id: Who asks; None for a person.
        ts_init: When it was asked for, ns UTC.
    """

    account_id: AccountId
    strategy_id: StrategyId | None = None
    ts_init: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitOrder(Command):
    """Ask to send one order, or several that belong together (a bracket, one-cancels-other).

    Attributes:
        requests: At least one; parents before their children.
    """

    requests: tuple[OrderRequest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder(Command):
    """Ask to cancel one order."""

    instrument_id: InstrumentId
    client_order_id: ClientOrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendOrder(Command):
    """Ask to change a working order; None leaves a term as it is.

    Attributes:
        quantity: New total quantity, fills included.
    """

    instrument_id: InstrumentId
    client_order_id: ClientOrderId
    quantity: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAll(Command):
    """Ask to cancel all working orders, or those of one instrument, side or both."""

    instrument_id: InstrumentId | None = None
    side: Side | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePosition(Command):
    """Ask to bring one position to zero at the market, or all of them when no instrument is named."""

    instrument_id: InstrumentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLeverage(Command):
    """Ask to change the leverage and margin mode of an instrument at the venue."""

    instrument_id: InstrumentId
    leverage: Decimal
    margin_mode: MarginMode


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltTrading(Command):
    """Ask to stop at once: nothing new is sent until `ResumeTrading`.

    Attributes:
        cancel_orders: Also cancel what works.
        close_positions: Also close what is held.
        message: Why, for the record.
    """

    cancel_orders: bool = True
    close_positions: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeTrading(Command):
    """Ask to allow new orders again."""


TradingCommand = (
    SubmitOrder
    | CancelOrder
    | AmendOrder
    | CancelAll
    | ClosePosition
    | SetLeverage
    | HaltTrading
    | ResumeTrading
)
"""Everything that can be asked of a trading node."""
