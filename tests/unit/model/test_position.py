"""Worked examples. The figures are those the exchanges publish, or follow by hand from their formulas:

* Bybit, help centre, "P&L calculations (USDT Contract)" and "Profit & Loss calculations (Inverse Contracts)"
* BitMEX, "Inverse Perpetuals Guide": contracts x multiplier x (1 / entry - 1 / exit)
* Binance, "A Beginner's Guide to Futures Trading": size x multiplier x direction x (1 / entry - 1 / mark)
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from cashup.model.errors import InvariantBroken
from cashup.model.ids import AccountId, Currency
from cashup.model.instrument import Instrument, LeverageTier
from cashup.model.orders import Side
from cashup.model.position import Account, Balance, Position
from unit.model.builders import ACCOUNT, INVERSE, LINEAR, SPOT, fill

D = Decimal
DOLLAR_CONTRACT = replace(INVERSE, contract_size=D(1))  # Bybit's and BitMEX's inverse contract: 1 USD
BTC, USDT, BNB = Currency("BTC"), Currency("USDT"), Currency("BNB")


def held(instrument: Instrument, *trades: tuple[str, str]) -> Position:
    """Return the position after trades of signed quantity and price."""
    position = Position(instrument=instrument, account_id=ACCOUNT)
    for number, (quantity, price) in enumerate(trades):
        side = Side.SELL if quantity.startswith("-") else Side.BUY
        trade = fill(
            quantity.lstrip("-"),
            price,
            side=side,
            instrument=instrument,
            fill_id=str(number),
            ts_event=number + 1,
        )
        position = position.apply(trade)
    return position


def near(value: Decimal | None, expected: str, digits: str) -> bool:
    assert value is not None
    return abs(value - D(expected)) <= D(digits)


def test_bybit_linear_average_entry() -> None:
    assert held(LINEAR, ("0.5", "5000"), ("0.3", "6000")).entry_price == 5375


def test_bybit_linear_long_and_short() -> None:
    assert held(LINEAR, ("0.2", "7000")).unrealised(D(7500)) == 100
    assert held(LINEAR, ("-0.4", "6000")).unrealised(D(5000)) == 400


def test_bybit_linear_closed_profit_after_fees_and_funding() -> None:
    # Short 0.4 BTC from 6000 to 5000; taker fees of 0.055 % each way; 2.1 USDT of funding paid.
    position = Position(instrument=LINEAR, account_id=ACCOUNT)
    position = position.apply(fill("0.4", "6000", side=Side.SELL, instrument=LINEAR, fee="1.32"))
    position = position.with_funding(D("-2.1"), 7)
    position = position.apply(fill("0.4", "5000", instrument=LINEAR, fee="1.10", fill_id="f-2"))
    assert position.realised == 400
    assert position.net_realised == D("395.48")
    assert position.is_flat
    assert position.closing_side is None


def test_bybit_inverse_average_entry_is_harmonic() -> None:
    assert near(held(DOLLAR_CONTRACT, ("1000", "5000"), ("2000", "6000")).entry_price, "5625", "1e-9")


def test_bybit_inverse_long() -> None:
    # 1000 x (1/5000 - 1/5500); Bybit prints 0.01819 after rounding inside.
    assert near(held(DOLLAR_CONTRACT, ("1000", "5000")).unrealised(D(5500)), "0.018181818181", "1e-11")


@pytest.mark.parametrize(("price", "profit"), [("11000", "0.454545454545"), ("9000", "-0.555555555556")])
def test_bitmex_inverse_gains_less_than_it_loses(price: str, profit: str) -> None:
    long = held(DOLLAR_CONTRACT, ("50000", "10000"))
    assert near(long.unrealised(D(price)), profit, "1e-11")
    short = held(DOLLAR_CONTRACT, ("-50000", "10000"))
    assert short.unrealised(D(price)) == -long.unrealised(D(price))
    closed = held(DOLLAR_CONTRACT, ("50000", "10000"), ("-50000", price))
    assert closed.realised == long.unrealised(D(price))


def test_bitmex_inverse_future_example() -> None:
    # Long 100,000 contracts at 10,000 (10 XBT), sold at 10,500: 100,000 x (1/10,000 - 1/10,500).
    assert near(
        held(DOLLAR_CONTRACT, ("100000", "10000"), ("-100000", "10500")).realised, "0.476190476190", "1e-11"
    )


def test_binance_coin_margined_contract_of_100_dollars() -> None:
    # 10 contracts x 100 USD x (1/40000 - 1/50000)
    assert held(INVERSE, ("10", "40000")).unrealised(D(50_000)) == D("0.005")
    assert held(INVERSE, ("10", "40000")).notional(D(50_000)) == D("0.02")


def test_reductions_realise_their_share() -> None:
    position = held(LINEAR, ("2", "100"), ("2", "200"), ("-1", "180"))
    assert (position.quantity, position.entry_price, position.realised) == (3, 150, 30)


def test_a_flip_closes_at_the_old_entry_and_opens_at_the_price() -> None:
    position = held(LINEAR, ("2", "100"), ("-5", "110"))
    assert (position.quantity, position.entry_price, position.realised) == (-3, 110, 20)
    assert position.is_short
    assert position.closing_side is Side.BUY
    assert position.ts_opened == 2
    back = position.apply(fill("4", "100", instrument=LINEAR))
    assert (back.quantity, back.entry_price, back.realised) == (1, 100, 50)


def test_a_contract_size_scales_profit() -> None:
    tenth = replace(LINEAR, contract_size=D("0.1"))
    assert held(tenth, ("50", "100"), ("-20", "110")).realised == 20


def test_funding_follows_the_sign_of_the_rate() -> None:
    # Binance: funding amount = nominal value of positions x funding rate; positive rates are paid by longs.
    assert held(LINEAR, ("0.5", "100")).funding_amount(D("0.0001"), D(40_000)) == -2
    assert held(LINEAR, ("-0.5", "100")).funding_amount(D("0.0001"), D(40_000)) == 2
    assert held(INVERSE, ("4", "100")).funding_amount(D("-0.0001"), D(40_000)) == D("0.000001")


def test_margins() -> None:
    tier = LeverageTier(notional_floor=D(0), max_leverage=D(50), maintenance_rate=D("0.004"))
    position = replace(held(replace(LINEAR, tiers=(tier,)), ("-2", "100")), leverage=D(10))
    assert position.initial_margin(D(150)) == 30
    assert position.maintenance_margin(D(150)) == D("1.2")


def test_a_trade_of_another_instrument_or_account_is_refused() -> None:
    position = held(LINEAR, ("1", "100"))
    for wrong in (
        fill("1", "100", instrument=SPOT),
        fill("1", "100", instrument=LINEAR, account_id=AccountId("other")),
        fill("0", "100", instrument=LINEAR),
        fill("1", "-1", instrument=LINEAR),
    ):
        with pytest.raises(InvariantBroken, match="fill f-1"):
            position.apply(wrong)


def test_a_spot_trade_exchanges_base_for_quote() -> None:
    account = Account(id=ACCOUNT).deposit(USDT, D(1000))
    account = account.apply(fill("2", "100", fee="0.2"), SPOT)
    assert account.balance(USDT).total == D("799.8")
    assert account.balance(BTC).total == 2
    account = account.apply(fill("1", "150", side=Side.SELL, fee="0.15", fill_id="f-2"), SPOT)
    assert account.balance(USDT).total == D("949.65")
    assert account.position(SPOT).realised == 50
    assert account.equity(USDT, {SPOT.id: D(150)}) == D("1099.65")


def test_a_fee_in_the_coin_bought_leaves_less_of_it() -> None:
    account = Account(id=ACCOUNT).deposit(USDT, D(1000))
    account = account.apply(fill("2", "100", fee="0.002", fee_currency="BTC"), SPOT)
    assert account.balance(BTC).total == D("1.998")
    position = account.position(SPOT)
    assert (position.quantity, position.entry_price, position.fees) == (D("1.998"), 100, D("0.2"))


def test_a_fee_in_a_third_currency_is_taken_from_its_balance() -> None:
    account = (
        Account(id=ACCOUNT).deposit(BNB, D(1)).apply(fill("2", "100", fee="0.01", fee_currency="BNB"), SPOT)
    )
    assert account.balance(BNB).total == D("0.99")
    assert account.position(SPOT).fees == 0


def test_a_perpetual_moves_only_profit_fees_and_funding() -> None:
    account = Account(id=ACCOUNT).deposit(USDT, D(1000))
    account = account.apply(fill("2", "100", instrument=LINEAR, fee="0.1"), LINEAR)
    assert account.balance(USDT).total == D("999.9")
    assert account.equity(USDT, {LINEAR.id: D(90)}) == D("979.9")
    account = account.apply_funding(LINEAR, D("-0.5"), 9)
    account = account.apply(fill("2", "90", side=Side.SELL, instrument=LINEAR, fill_id="f-2"), LINEAR)
    assert account.balance(USDT).total == D("979.4")
    assert account.position(LINEAR).net_realised == D("-20.6")
    assert account.equity(USDT, {}) == D("979.4")


def test_equity_counts_only_what_settles_in_the_currency() -> None:
    account = Account(id=ACCOUNT).deposit(USDT, D(100)).deposit(BTC, D(1))
    account = account.apply(fill("10", "40000", instrument=INVERSE), INVERSE)
    assert account.equity(USDT, {}) == 100
    assert account.equity(BTC, {INVERSE.id: D(50_000)}) == D("1.005")
    with pytest.raises(InvariantBroken, match="no mark price"):
        account.equity(BTC, {})


def test_what_is_locked_is_not_free() -> None:
    assert Balance(currency=USDT, total=D(10), locked=D(4)).free == 6


def test_applying_changes_nothing_in_place() -> None:
    account = Account(id=ACCOUNT).deposit(USDT, D(1000))
    account.apply(fill("2", "100"), SPOT)
    assert account.balance(USDT).total == 1000
    assert account.positions == {}
