"""Ready-made model objects; every builder takes only what the test is about."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cashup.model.ids import AccountId, ClientOrderId, Currency, FillId, InstrumentId, StrategyId
from cashup.model.instrument import Instrument, InstrumentKind
from cashup.model.orders import Fill, OrderRequest, OrderType, Side

SPOT = Instrument(id=InstrumentId("binance:BTC/USDT"), kind=InstrumentKind.SPOT)
LINEAR = Instrument(
    id=InstrumentId("binance:BTC/USDT:USDT"), kind=InstrumentKind.LINEAR_PERPETUAL, max_leverage=Decimal(125)
)
INVERSE = Instrument(
    id=InstrumentId("binance:BTC/USD:BTC"),
    kind=InstrumentKind.INVERSE_PERPETUAL,
    contract_size=Decimal(100),
    max_leverage=Decimal(125),
)
ACCOUNT = AccountId("paper")
STRATEGY = StrategyId("sma-1")
ORDER = ClientOrderId("o-1")


def request(**changes: Any) -> OrderRequest:
    terms: dict[str, Any] = {
        "client_order_id": ORDER,
        "instrument_id": SPOT.id,
        "account_id": ACCOUNT,
        "strategy_id": STRATEGY,
        "side": Side.BUY,
        "type": OrderType.MARKET,
        "quantity": Decimal(10),
        "ts_init": 1,
    }
    return OrderRequest(**(terms | changes))


def fill(
    quantity: str | Decimal,
    price: str | Decimal,
    *,
    side: Side = Side.BUY,
    instrument: Instrument = SPOT,
    fee: str | Decimal = "0",
    fee_currency: str | None = None,
    fill_id: str = "f-1",
    **changes: Any,
) -> Fill:
    facts: dict[str, Any] = {
        "fill_id": FillId(fill_id),
        "client_order_id": ORDER,
        "instrument_id": instrument.id,
        "account_id": ACCOUNT,
        "strategy_id": STRATEGY,
        "side": side,
        "quantity": Decimal(quantity),
        "price": Decimal(price),
        "fee": Decimal(fee),
        "fee_currency": Currency(fee_currency or instrument.settle),
        "ts_event": 5,
        "ts_init": 6,
    }
    return Fill(**(facts | changes))
