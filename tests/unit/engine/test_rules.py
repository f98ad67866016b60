from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from cashup.engine.risk import RiskEngine
from cashup.engine.rules import RiskLimits, live_rules, order_value, simulated_rules
from cashup.model.errors import ConfigError
from cashup.model.ids import AccountId, ClientOrderId, InstrumentId, StrategyId
from cashup.model.instrument import Instrument, InstrumentKind
from cashup.model.orders import OrderRequest, OrderType, Side
from cashup.model.reasons import OrderReason

BTC = InstrumentId("binance:BTC/USDT")
SPOT = Instrument(
    id=BTC,
    kind=InstrumentKind.SPOT,
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    max_quantity=Decimal(10),
    min_notional=Decimal(10),
)


@dataclass
class View:
    """An account in one instrument."""

    last: Decimal | None = Decimal(100)
    held: Decimal = Decimal(0)
    waiting: dict[Side, Decimal] = field(default_factory=dict)
    instruments: tuple[Instrument, ...] = (SPOT,)

    def instrument(self, instrument_id):
        return next((one for one in self.instruments if one.id == instrument_id), None)

    def price(self, instrument_id):
        return self.last

    def position(self, instrument_id):
        return self.held

    def working(self, instrument_id, side):
        return self.waiting.get(side, Decimal(0))


def request(**terms):
    defaults = {"side": Side.BUY, "type": OrderType.MARKET, "quantity": Decimal(1), "instrument_id": BTC}
    if {"value", "close_position"} & set(terms):
        del defaults["quantity"]
    return OrderRequest(
        client_order_id=ClientOrderId("1"),
        account_id=AccountId("paper"),
        strategy_id=StrategyId("test"),
        ts_init=0,
        **(defaults | terms),
    )


def reason(rules, order, view=None):
    refusal = RiskEngine(rules, view or View()).check(order)
    return None if refusal is None else refusal.reason


def test_a_sound_order_passes_both_sets_of_rules():
    assert reason(simulated_rules(), request()) is None
    assert reason(live_rules(), request()) is None


def test_an_unknown_instrument_is_refused_before_anything_else():
    order = request(instrument_id=InstrumentId("binance:DOGE/USDT"), quantity=Decimal(-1))
    assert reason(simulated_rules(), order) is OrderReason.UNKNOWN_INSTRUMENT
    assert reason(live_rules(), order) is OrderReason.UNKNOWN_INSTRUMENT


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({"quantity": Decimal(0)}, OrderReason.BAD_QUANTITY),
        ({"quantity": Decimal("NaN")}, OrderReason.BAD_QUANTITY),
        ({"type": OrderType.LIMIT}, OrderReason.BAD_PRICE),
        ({"type": OrderType.LIMIT, "price": Decimal(-5)}, OrderReason.BAD_PRICE),
    ],
)
def test_an_order_that_contradicts_itself_is_refused(terms, expected):
    assert reason(simulated_rules(), request(**terms)) is expected


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({"quantity": Decimal("0.0005")}, OrderReason.QUANTITY_OFF_LOT),
        ({"quantity": Decimal(11)}, OrderReason.MAX_QUANTITY),
        ({"quantity": Decimal("0.05")}, OrderReason.MIN_NOTIONAL),
        ({"type": OrderType.LIMIT, "price": Decimal("99.95")}, OrderReason.PRICE_OFF_TICK),
    ],
)
def test_what_the_venue_would_reject_is_judged_here_only_before_a_real_venue(terms, expected):
    assert reason(live_rules(), request(**terms)) is expected
    assert reason(simulated_rules(), request(**terms)) is None


def test_an_order_is_limited_in_value():
    rules = simulated_rules(RiskLimits(max_order_notional=Decimal(500)))
    assert reason(rules, request(quantity=Decimal(5))) is None
    assert reason(rules, request(quantity=Decimal("5.001"))) is OrderReason.RISK_LIMIT
    assert reason(rules, request(value=Decimal(501))) is OrderReason.RISK_LIMIT
    limit = request(quantity=Decimal(10), type=OrderType.LIMIT, price=Decimal(50))
    assert reason(rules, limit) is None
    assert reason(rules, request(), View(last=None)) is OrderReason.RISK_LIMIT


def test_a_position_is_limited_with_what_already_works():
    rules = simulated_rules(RiskLimits(max_position_notional=Decimal(500)))
    view = View(held=Decimal(3), waiting={Side.BUY: Decimal(1)})
    assert reason(rules, request(quantity=Decimal(1)), view) is None
    assert reason(rules, request(quantity=Decimal("1.001")), view) is OrderReason.RISK_LIMIT
    assert reason(rules, request(side=Side.SELL, quantity=Decimal(8)), view) is None
    assert reason(rules, request(side=Side.SELL, quantity=Decimal("8.001")), view) is OrderReason.RISK_LIMIT
    closing = request(side=Side.SELL, quantity=Decimal(9), reduce_only=True)
    assert reason(rules, closing, view) is None


@pytest.mark.parametrize(
    ("side", "price", "allowed"),
    [
        (Side.BUY, "105", True),
        (Side.BUY, "105.1", False),
        (Side.BUY, "1", True),
        (Side.SELL, "95", True),
        (Side.SELL, "94.9", False),
        (Side.SELL, "1000", True),
    ],
)
def test_a_limit_far_through_the_market_is_a_slip(side, price, allowed):
    rules = simulated_rules(RiskLimits(price_band=Decimal("0.05")))
    order = request(side=side, type=OrderType.LIMIT, price=Decimal(price))
    assert (reason(rules, order) is None) is allowed


def test_reduce_only_needs_something_to_reduce():
    order = request(side=Side.SELL, reduce_only=True)
    assert reason(live_rules(), order, View(held=Decimal(2))) is None
    assert reason(live_rules(), order, View(held=Decimal(-2))) is OrderReason.REDUCE_ONLY
    assert reason(live_rules(), order) is OrderReason.REDUCE_ONLY
    child = request(side=Side.SELL, reduce_only=True, parent_id=ClientOrderId("0"))
    assert reason(live_rules(), child) is None


def test_a_halt_stops_everything_that_does_not_reduce():
    engine = RiskEngine(simulated_rules(), View(held=Decimal(1)))
    engine.halt("drawdown of 20 %")
    refusal = engine.check(request())
    assert refusal.reason is OrderReason.KILL_SWITCH
    assert "drawdown of 20 %" in refusal.message
    assert engine.check(request(side=Side.SELL, reduce_only=True)) is None
    assert engine.check(request(side=Side.SELL, close_position=True)) is None
    engine.resume()
    assert engine.check(request()) is None
    assert engine.halted is None


def test_orders_are_valued_by_what_they_would_trade_at():
    view = View(held=Decimal(-3))
    assert order_value(request(quantity=Decimal(2)), view) == 200
    stop = request(quantity=Decimal(2), type=OrderType.STOP, stop_price=Decimal(120))
    assert order_value(stop, view) == 240
    assert order_value(request(close_position=True), view) == 300
    inverse = Instrument(
        id=InstrumentId("binance:BTC/USD:BTC"),
        kind=InstrumentKind.INVERSE_PERPETUAL,
        contract_size=Decimal(100),
    )
    coins = View(instruments=(inverse,))
    assert order_value(request(instrument_id=inverse.id, quantity=Decimal(3)), coins) == 300
    assert order_value(request(instrument_id=inverse.id, value=Decimal("0.5")), coins) == 50


@pytest.mark.parametrize("value", ["0", "-1", "NaN"])
def test_limits_are_positive(value):
    with pytest.raises(ConfigError, match="max_order_notional"):
        RiskLimits(max_order_notional=Decimal(value))
