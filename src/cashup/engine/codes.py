"""The kernel's integer codes and the model's names for the same things, in both directions."""

from __future__ import annotations

from typing import Final, TypeVar

from cashup.kernel import types as k
from cashup.model.instrument import InstrumentKind, MarginMode
from cashup.model.orders import OrderType, Side, TimeInForce
from cashup.model.reasons import OrderReason

_Name = TypeVar("_Name")


def _inverse(table: dict[int, _Name]) -> dict[_Name, int]:
    return {name: code for code, name in table.items()}


SIDES: Final = {k.BUY: Side.BUY, k.SELL: Side.SELL}

ORDER_TYPES: Final = {
    k.MARKET: OrderType.MARKET,
    k.LIMIT: OrderType.LIMIT,
    k.STOP: OrderType.STOP,
    k.STOP_LIMIT: OrderType.STOP_LIMIT,
    k.TRAILING_STOP: OrderType.TRAILING_STOP,
    k.TAKE_PROFIT: OrderType.TAKE_PROFIT,
    k.TAKE_PROFIT_LIMIT: OrderType.TAKE_PROFIT_LIMIT,
}

TIMES_IN_FORCE: Final = {
    k.GTC: TimeInForce.GTC,
    k.IOC: TimeInForce.IOC,
    k.FOK: TimeInForce.FOK,
    k.GTD: TimeInForce.GTD,
}

INSTRUMENT_KINDS: Final = {
    k.SPOT: InstrumentKind.SPOT,
    k.LINEAR: InstrumentKind.LINEAR_PERPETUAL,
    k.INVERSE: InstrumentKind.INVERSE_PERPETUAL,
}

MARGIN_MODES: Final = {
    k.NO_MARGIN: MarginMode.NONE,
    k.ISOLATED: MarginMode.ISOLATED,
    k.CROSS: MarginMode.CROSS,
}

REASONS: Final = {
    k.REASON_USER: OrderReason.USER,
    k.REASON_OCO: OrderReason.OCO,
    k.REASON_PARENT: OrderReason.PARENT,
    k.REASON_POSITION_CLOSED: OrderReason.POSITION_CLOSED,
    k.REASON_INSUFFICIENT_BALANCE: OrderReason.INSUFFICIENT_BALANCE,
    k.REASON_MIN_QUANTITY: OrderReason.MIN_QUANTITY,
    k.REASON_MIN_NOTIONAL: OrderReason.MIN_NOTIONAL,
    k.REASON_MAX_QUANTITY: OrderReason.MAX_QUANTITY,
    k.REASON_BAD_QUANTITY: OrderReason.BAD_QUANTITY,
    k.REASON_BAD_PRICE: OrderReason.BAD_PRICE,
    k.REASON_SHORT_NOT_ALLOWED: OrderReason.SHORT_NOT_ALLOWED,
    k.REASON_POST_ONLY: OrderReason.POST_ONLY,
    k.REASON_REDUCE_ONLY: OrderReason.REDUCE_ONLY,
    k.REASON_IOC: OrderReason.IOC,
    k.REASON_FOK: OrderReason.FOK,
    k.REASON_GTD: OrderReason.GTD,
    k.REASON_LIQUIDATION: OrderReason.LIQUIDATION,
    k.REASON_LEVERAGE: OrderReason.LEVERAGE,
    k.REASON_UNKNOWN_INSTRUMENT: OrderReason.UNKNOWN_INSTRUMENT,
    k.REASON_END_OF_RUN: OrderReason.END_OF_RUN,
    k.REASON_TOO_MANY: OrderReason.TOO_MANY,
    k.REASON_RISK_LIMIT: OrderReason.RISK_LIMIT,
}

SIDE_CODES: Final = _inverse(SIDES)
ORDER_TYPE_CODES: Final = _inverse(ORDER_TYPES)
TIME_IN_FORCE_CODES: Final = _inverse(TIMES_IN_FORCE)
INSTRUMENT_KIND_CODES: Final = _inverse(INSTRUMENT_KINDS)
MARGIN_MODE_CODES: Final = _inverse(MARGIN_MODES)
REASON_CODES: Final = _inverse(REASONS)


def reason_code(reason: OrderReason) -> int:
    """Return the kernel's code of a reason; what it has no code for was a rule of ours, or of the venue."""
    return REASON_CODES.get(reason, k.REASON_RISK_LIMIT)
