"""Money is neither made nor lost by the books, whatever the trades: exact equality, no tolerance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashup.model.ids import Currency
from cashup.model.instrument import Instrument
from cashup.model.money import MONEY_CONTEXT, divide
from cashup.model.orders import Fill, Side
from cashup.model.position import Account, Position
from unit.model.builders import ACCOUNT, INVERSE, LINEAR, SPOT, fill

D = Decimal
KINDS = [SPOT, LINEAR, replace(LINEAR, contract_size=D("0.01")), INVERSE]
kinds = pytest.mark.parametrize("instrument", KINDS, ids=["spot", "linear", "linear_hundredth", "inverse"])

quantities = st.decimals("0.001", "1000", places=3)
prices = st.decimals("0.01", "100000", places=2)
fees = st.decimals("-1", "5", places=8)


@dataclass(frozen=True)
class Deal:
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal


deals = st.lists(st.builds(Deal, st.sampled_from(Side), quantities, prices, fees), min_size=1, max_size=25)


def fills_of(instrument: Instrument, made: list[Deal]) -> list[Fill]:
    return [
        fill(
            deal.quantity,
            deal.price,
            side=deal.side,
            fee=deal.fee,
            instrument=instrument,
            fill_id=str(number),
            ts_event=number + 1,
        )
        for number, deal in enumerate(made)
    ]


def value_sum(instrument: Instrument, made: list[Fill]) -> Decimal:
    with localcontext(MONEY_CONTEXT):
        return sum((instrument.notional(f.signed_quantity, f.price) for f in made), D(0))


@kinds
@given(made=deals)
def test_realised_and_cost_are_exactly_the_money_the_trades_moved(
    instrument: Instrument, made: list[Deal]
) -> None:
    trades = fills_of(instrument, made)
    position = Position(instrument=instrument, account_id=ACCOUNT)
    for trade in trades:
        position = position.apply(trade)
    with localcontext(MONEY_CONTEXT):
        assert position.quantity == sum((trade.signed_quantity for trade in trades), D(0))
        assert position.fees == sum((trade.fee for trade in trades), D(0))
        paid = value_sum(instrument, trades)
        if instrument.is_inverse:
            # The value of a trade is cut to 18 places; a flip cuts it in two parts instead of one.
            assert abs(position.realised + position.cost - paid) <= len(trades) * D("1e-18")
        else:
            assert position.cost - position.realised == paid


@kinds
@given(made=deals, mark=prices)
def test_equity_is_what_was_put_in_plus_every_profit(
    instrument: Instrument, made: list[Deal], mark: Decimal
) -> None:
    currency = instrument.settle
    account = Account(id=ACCOUNT).deposit(currency, D(1_000_000))
    for trade in fills_of(instrument, made):
        account = account.apply(trade, instrument)
    position = account.position(instrument)
    with localcontext(MONEY_CONTEXT):
        profit = position.net_realised + position.unrealised(mark)
        assert account.equity(currency, {instrument.id: mark}) == 1_000_000 + profit


@kinds
@given(made=deals)
def test_a_position_has_the_sign_of_its_cost_and_an_entry_between_the_prices_paid(
    instrument: Instrument, made: list[Deal]
) -> None:
    position = Position(instrument=instrument, account_id=ACCOUNT)
    seen: list[Decimal] = []
    for trade in fills_of(instrument, made):
        before, position = position, position.apply(trade)
        if position.is_flat:
            assert position.cost == 0
            assert position.entry_price is None
            seen = []
            continue
        if before.quantity * position.quantity <= 0:
            seen = []  # a new position, opened by this trade alone
            assert position.ts_opened == trade.ts_event
        if trade.side is (Side.BUY if position.is_long else Side.SELL):
            seen.append(trade.price)
        assert position.cost * position.quantity > 0
        assert position.entry_price is not None
        slack = D("1e-6")
        assert min(seen) * (1 - slack) <= position.entry_price <= max(seen) * (1 + slack)


@kinds
@given(made=deals)
def test_a_reduction_leaves_the_entry_price_alone(instrument: Instrument, made: list[Deal]) -> None:
    position = Position(instrument=instrument, account_id=ACCOUNT)
    for trade in fills_of(instrument, made):
        before, position = position, position.apply(trade)
        if abs(position.quantity) < abs(before.quantity) and before.quantity * position.quantity > 0:
            assert before.entry_price is not None
            assert position.entry_price is not None
            assert abs(position.entry_price / before.entry_price - 1) < D("1e-6")
            assert position.ts_opened == before.ts_opened


@kinds
@given(made=deals, price=prices)
def test_closing_at_the_mark_realises_what_was_unrealised(
    instrument: Instrument, made: list[Deal], price: Decimal
) -> None:
    position = Position(instrument=instrument, account_id=ACCOUNT)
    for trade in fills_of(instrument, made):
        position = position.apply(trade)
    expected = MONEY_CONTEXT.add(position.realised, position.unrealised(price))
    side = position.closing_side
    if side is not None:
        position = position.apply(fill(abs(position.quantity), price, side=side, instrument=instrument))
    assert position.is_flat
    assert position.realised == expected


@kinds
@given(first=quantities, second=quantities, price=prices, later=prices)
def test_a_flip_equals_closing_and_opening(
    instrument: Instrument, first: Decimal, second: Decimal, price: Decimal, later: Decimal
) -> None:
    opened = Position(instrument=instrument, account_id=ACCOUNT).apply(
        fill(first, price, instrument=instrument)
    )
    flipped = opened.apply(fill(first + second, later, side=Side.SELL, instrument=instrument))
    closed = opened.apply(fill(first, later, side=Side.SELL, instrument=instrument))
    again = closed.apply(fill(second, later, side=Side.SELL, instrument=instrument))
    assert flipped == again


@given(made=deals, fee_share=st.decimals("0", "0.01", places=4))
def test_fees_charged_in_the_coin_bought_are_counted_once(made: list[Deal], fee_share: Decimal) -> None:
    account = Account(id=ACCOUNT).deposit(Currency("USDT"), D(1_000_000))
    for trade in fills_of(SPOT, [deal for deal in made if deal.side is Side.BUY]):
        paid = replace(trade, fee=trade.quantity * fee_share, fee_currency=Currency("BTC"))
        account = account.apply(paid, SPOT)
    position = account.position(SPOT)
    mark = D("123.45")
    with localcontext(MONEY_CONTEXT):
        assert account.balance(Currency("BTC")).total == position.quantity
        worth = account.balance(Currency("USDT")).total + position.quantity * mark
        assert worth == 1_000_000 + position.net_realised + position.unrealised(mark)


@kinds
@given(quantity=quantities, price=prices, mark=prices, rate=st.decimals("-0.01", "0.01", places=6))
def test_funding_is_a_transfer_between_long_and_short(
    instrument: Instrument, quantity: Decimal, price: Decimal, mark: Decimal, rate: Decimal
) -> None:
    flat = Position(instrument=instrument, account_id=ACCOUNT)
    long = flat.apply(fill(quantity, price, instrument=instrument))
    short = flat.apply(fill(quantity, price, side=Side.SELL, instrument=instrument))
    paid = long.funding_amount(rate, mark)
    assert paid == -short.funding_amount(rate, mark)
    assert paid * rate <= 0
    assert long.with_funding(paid, 9).net_realised == paid


def test_division_keeps_what_it_cuts() -> None:
    position = Position(instrument=LINEAR, account_id=ACCOUNT).apply(fill("3", "0.1", instrument=LINEAR))
    thirds = position.apply(fill("1", "0.1", side=Side.SELL, instrument=LINEAR))
    assert thirds.cost + divide(position.cost, D(3)) == position.cost
