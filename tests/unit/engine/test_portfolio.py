from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashup.engine.grid import FREE, InstrumentGrid
from cashup.engine.portfolio import Portfolio
from cashup.model.errors import InvariantBroken
from cashup.model.events import FundingPaid
from cashup.model.ids import AccountId, ClientOrderId, Currency, FillId, InstrumentId, StrategyId
from cashup.model.instrument import Instrument, InstrumentKind
from cashup.model.money import MONEY_CONTEXT
from cashup.model.orders import Fill, Side

USDT = Currency("USDT")
ACCOUNT = AccountId("paper")
SPOT = Instrument(
    id=InstrumentId("binance:BTC/USDT"),
    kind=InstrumentKind.SPOT,
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.00001"),
)
PERPETUAL = Instrument(
    id=InstrumentId("binance:ETH/USDT:USDT"),
    kind=InstrumentKind.LINEAR_PERPETUAL,
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.001"),
    contract_size=Decimal("0.1"),
    max_leverage=Decimal(20),
)


def portfolio(cash="10000"):
    return Portfolio(ACCOUNT, [SPOT, PERPETUAL], currency=USDT, cash=Decimal(cash))


def fill(instrument, side, quantity, price, fee="0", number=1, ts=1):
    return Fill(
        fill_id=FillId(str(number)),
        client_order_id=ClientOrderId("1"),
        instrument_id=instrument.id,
        account_id=ACCOUNT,
        strategy_id=StrategyId("test"),
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        fee=Decimal(fee),
        fee_currency=USDT,
        ts_event=ts,
        ts_init=ts,
    )


def funding(amount, ts=2):
    return FundingPaid(
        account_id=ACCOUNT,
        ts_event=ts,
        ts_init=ts,
        instrument_id=PERPETUAL.id,
        quantity=Decimal(1),
        rate=Decimal("0.0001"),
        mark_price=Decimal(100),
        amount=Decimal(amount),
        currency=USDT,
    )


def test_spot_pays_for_what_it_buys_and_is_paid_for_what_it_sells():
    books = portfolio("1000")
    books.add(fill(SPOT, Side.BUY, "2", "100", "0.2", 1))
    books.add(fill(SPOT, Side.SELL, "0.5", "120", "0.06", 2))
    assert books.cash == Decimal("859.74")
    assert books.position(SPOT.id).quantity == Decimal("1.5")
    assert books.position(SPOT.id).entry_price == 100
    assert (books.fees, books.realised, books.funding) == (Decimal("0.26"), 10, 0)
    assert books.equity({SPOT.id: Decimal(120)}) == Decimal("1039.74")


def test_a_perpetual_moves_only_profit_fees_and_funding():
    books = portfolio("1000")
    books.add(fill(PERPETUAL, Side.SELL, "10", "100", "0.05", 1))
    books.add(funding("0.01"))
    books.add(fill(PERPETUAL, Side.BUY, "4", "90", "0.02", 2))
    assert books.cash == Decimal("1003.94")
    assert books.position(PERPETUAL.id).quantity == -6
    assert (books.fees, books.realised, books.funding) == (Decimal("0.07"), 4, Decimal("0.01"))
    assert books.equity({PERPETUAL.id: Decimal(80)}) == Decimal("1015.94")


def test_a_change_tells_what_it_did_to_position_and_balance():
    books = portfolio("1000")
    books.add(fill(SPOT, Side.BUY, "1", "100", "0.1", 1))
    position, balance = books.enter(fill(SPOT, Side.SELL, "1", "130", "0.13", 2, ts=7))
    assert (position.position.is_flat, position.realised, position.fill_id) == (True, 30, "2")
    assert (balance.change, balance.balance.total) == (Decimal("129.87"), Decimal("1029.77"))
    assert (position.ts_event, balance.ts_event) == (7, 7)


def test_funding_changes_the_balance_without_a_trade():
    books = portfolio("1000")
    position, balance = books.enter(funding("-3.5"))
    assert position.fill_id is None
    assert position.position.funding == balance.change == Decimal("-3.5")


def test_an_instrument_that_is_not_traded_is_a_fault():
    books = Portfolio(ACCOUNT, [SPOT], currency=USDT, cash=Decimal(1))
    with pytest.raises(InvariantBroken, match="binance:ETH/USDT:USDT"):
        books.enter(fill(PERPETUAL, Side.BUY, "1", "1"))


amounts = st.builds(lambda whole, part: whole + part, st.integers(0, 10**6), st.floats(0.0001, 1))
trades = st.lists(
    st.tuples(st.sampled_from([SPOT, PERPETUAL]), st.sampled_from(list(Side)), amounts, amounts, amounts),
    max_size=25,
)


@given(trades, st.lists(amounts, max_size=5))
def test_cash_is_conserved_to_the_last_digit(given_trades, payments):
    books, expected = portfolio(), Decimal(10000)
    moved = {SPOT.id: Decimal(0), PERPETUAL.id: Decimal(0)}
    with localcontext(MONEY_CONTEXT):
        for number, (instrument, side, quantity, price, fee) in enumerate(given_trades):
            grid = InstrumentGrid.of(instrument)
            one = fill(
                instrument,
                side,
                grid.quantity.to_decimal(quantity),
                grid.price.to_decimal(price),
                FREE.to_decimal(fee),
                number,
            )
            books.add(one)
            expected -= one.fee
            moved[instrument.id] -= instrument.notional(one.signed_quantity, one.price)
        for amount in payments:
            books.add(funding(FREE.to_decimal(-amount)))
            expected -= FREE.to_decimal(amount)
        # What left cash for spot, and the perpetual's profit: its trades' money plus what it holds.
        expected += moved[SPOT.id] + moved[PERPETUAL.id] + books.position(PERPETUAL.id).cost
        assert books.cash == expected
        for instrument in (SPOT, PERPETUAL):
            position = books.position(instrument.id)
            assert position.realised - position.cost == moved[instrument.id]
