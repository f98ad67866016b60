from __future__ import annotations

import gzip
import json
import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cashup.model.errors import InputError
from cashup.model.ids import InstrumentId
from cashup.model.instrument import Instrument, InstrumentKind, LeverageTier, with_maintenance_amounts
from cashup.model.orders import OrderReason, OrderType, Side
from unit.model.builders import INVERSE, LINEAR, SPOT, request

D = Decimal

BTC = Instrument(
    id=SPOT.id,
    kind=InstrumentKind.SPOT,
    tick_size=D("0.01"),
    lot_size=D("0.001"),
    min_quantity=D("0.002"),
    max_quantity=D(100),
    min_notional=D(10),
    maker_fee=D("0.0002"),
    taker_fee=D("0.001"),
)

#: Binance USD-M BTCUSDT as published: floor, cap, leverage, maintenance rate, maintenance amount.
BRACKETS = [
    ("0", "50000", "125", "0.004", "0"),
    ("50000", "600000", "100", "0.005", "50"),
    ("600000", "3000000", "75", "0.0065", "950"),
    ("3000000", "12000000", "50", "0.01", "11450"),
    ("12000000", None, "25", "0.02", "131450"),
]


def tiers(*, amounts: bool) -> tuple[LeverageTier, ...]:
    return tuple(
        LeverageTier(
            notional_floor=D(floor),
            notional_cap=None if cap is None else D(cap),
            max_leverage=D(leverage),
            maintenance_rate=D(rate),
            maintenance_amount=D(amount) if amounts else D(0),
        )
        for floor, cap, leverage, rate, amount in BRACKETS
    )


TIERED = replace(LINEAR, tiers=tiers(amounts=True))


def test_an_instrument_knows_its_currencies() -> None:
    assert (SPOT.venue, SPOT.base, SPOT.quote, SPOT.settle) == ("binance", "BTC", "USDT", "USDT")
    assert (LINEAR.settle, INVERSE.settle) == ("USDT", "BTC")


def test_notional_is_in_the_settlement_currency() -> None:
    assert SPOT.notional(D("0.5"), D(40_000)) == 20_000
    assert LINEAR.notional(D("-0.5"), D(40_000)) == -20_000
    assert INVERSE.notional(D(8), D(40_000)) == D("0.02")
    assert INVERSE.quote_value(D(8), D(40_000)) == 800
    hundredth = replace(LINEAR, contract_size=D("0.01"))
    assert hundredth.notional(D(50), D(40_000)) == 20_000


def test_fees() -> None:
    assert BTC.fee(D("-0.5"), D(40_000), is_maker=False) == 20
    assert BTC.fee(D("0.5"), D(40_000), is_maker=True) == 4
    assert replace(BTC, maker_fee=D("-0.0001")).fee(D(1), D(10_000), is_maker=True) == -1


def test_prices_round_passively_and_quantities_down() -> None:
    assert BTC.round_price(D("100.019"), Side.BUY) == D("100.01")
    assert BTC.round_price(D("100.011"), Side.SELL) == D("100.02")
    assert BTC.round_price(D("100.015")) == D("100.02")
    assert BTC.round_quantity(D("0.0029")) == D("0.002")


LIMIT: dict[str, Any] = {"type": OrderType.LIMIT, "price": D("100.00")}


@pytest.mark.parametrize(
    ("terms", "reason", "said"),
    [
        (LIMIT | {"price": D("100.005")}, OrderReason.PRICE_OFF_TICK, "a multiple of 0.01, such as 100"),
        ({"type": OrderType.STOP, "stop_price": D("99.999")}, OrderReason.PRICE_OFF_TICK, "such as 100"),
        ({"quantity": D("0.0025")}, OrderReason.QUANTITY_OFF_LOT, "a multiple of 0.001, such as 0.002"),
        ({"quantity": D("0.001")}, OrderReason.MIN_QUANTITY, "at least 0.002"),
        ({"quantity": D(101)}, OrderReason.MAX_QUANTITY, "at most 100"),
        (LIMIT | {"quantity": D("0.099")}, OrderReason.MIN_NOTIONAL, "worth 9.9 USDT"),
        ({"quantity": D("0.002")}, OrderReason.MIN_NOTIONAL, "worth 0.1 USDT"),
        ({"quantity": None, "value": D(5)}, OrderReason.MIN_NOTIONAL, "worth 5 USDT"),
        ({"instrument_id": LINEAR.id}, OrderReason.UNKNOWN_INSTRUMENT, "binance:BTC/USDT:USDT"),
        ({"quantity": D("NaN")}, OrderReason.BAD_QUANTITY, "positive"),
    ],
)
def test_the_venues_rules_name_what_would_be_right(
    terms: dict[str, Any], reason: OrderReason, said: str
) -> None:
    refused = BTC.validate_order(request(**terms), reference_price=D(50))
    assert refused is not None
    assert refused.reason is reason
    assert said in str(refused)


@pytest.mark.parametrize(
    "terms",
    [
        LIMIT | {"quantity": D("0.1")},
        {"quantity": D("0.002"), "reduce_only": True},  # what is left of a position may always be closed
        {"quantity": None, "close_position": True},
        {"quantity": None, "value": D(10)},
        {"type": OrderType.STOP, "stop_price": D(5000), "quantity": D("0.002")},  # judged at its own trigger
    ],
)
def test_orders_within_the_rules_pass(terms: dict[str, Any]) -> None:
    assert BTC.validate_order(request(**terms), reference_price=D(50)) is None


def test_without_a_price_the_value_is_not_judged() -> None:
    assert BTC.validate_order(request(quantity=D("0.002"))) is None


def test_inverse_minimums_need_no_price_for_contracts() -> None:
    inverse = replace(INVERSE, min_notional=D(500))
    small = inverse.validate_order(request(instrument_id=INVERSE.id, quantity=D(4)))
    assert small is not None
    assert "worth 400 USD;" in str(small)
    by_value = request(instrument_id=INVERSE.id, quantity=None, value=D("0.01"))
    assert inverse.validate_order(by_value) is None
    assert inverse.validate_order(by_value, reference_price=D(60_000)) is None
    assert inverse.validate_order(by_value, reference_price=D(40_000)) is not None


@pytest.mark.parametrize(
    ("notional", "leverage", "margin"),
    [
        ("0", "125", "0"),
        ("49999.99", "125", "199.99996"),
        ("50000", "100", "200"),  # the same from both tiers: 50000 x 0.4 % = 50000 x 0.5 % - 50
        ("-1000000", "75", "5550"),
        ("20000000", "25", "268550"),
    ],
)
def test_tiers(notional: str, leverage: str, margin: str) -> None:
    assert TIERED.max_leverage_for(D(notional)) == D(leverage)
    assert TIERED.maintenance_margin(D(notional)) == D(margin)


def test_an_instrument_without_tiers_has_its_own_maximum_leverage() -> None:
    assert LINEAR.tier_for(D(1000)) is None
    assert LINEAR.max_leverage_for(D(1000)) == 125
    assert LINEAR.maintenance_margin(D(1000)) == 0


def test_maintenance_amounts_follow_from_the_rates() -> None:
    assert with_maintenance_amounts(tiers(amounts=False)) == tiers(amounts=True)
    assert with_maintenance_amounts([]) == ()


def test_published_maintenance_amounts_of_binance() -> None:
    shared = Path(os.environ.get("CASHUP_SHARED_DATA") or Path(__file__).parents[4] / "shared" / "data")
    path = shared / "specs" / "binance_usdm_leverage_tiers.json.gz"
    if not path.is_file():
        pytest.skip("needs the shared data: set CASHUP_SHARED_DATA")
    tables = json.loads(gzip.decompress(path.read_bytes()))
    assert len(tables) > 100
    assert [symbol for symbol, table in tables.items() if not _matches(table)] == []


def _matches(table: list[dict[str, Any]]) -> bool:
    published = [bracket["info"] for bracket in table]
    computed = with_maintenance_amounts(
        [
            LeverageTier(
                notional_floor=D(info["notionalFloor"]),
                notional_cap=D(info["notionalCap"]),
                max_leverage=D(info["initialLeverage"]),
                maintenance_rate=D(info["maintMarginRatio"]),
            )
            for info in published
        ]
    )
    return all(
        abs(tier.maintenance_amount - D(info["cum"])) <= D("0.01")
        for tier, info in zip(computed, published, strict=True)
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tick_size": D(-1)}, "tick_size"),
        ({"lot_size": D("NaN")}, "lot_size"),
        ({"contract_size": D(0)}, "contract_size"),
        ({"taker_fee": D(1)}, "taker_fee"),
        ({"maker_fee": D("Infinity")}, "maker_fee"),
        ({"max_leverage": D("0.5")}, "max_leverage"),
        ({"max_quantity": D("0.001")}, "max_quantity"),
        ({"kind": InstrumentKind.LINEAR_PERPETUAL}, "kind"),
        ({"id": InstrumentId("binance:BTC/USDT:USDT")}, "kind"),
        ({"tiers": tiers(amounts=True)[1:]}, "tiers"),
        ({"tiers": tiers(amounts=True)[::2]}, "tiers"),
    ],
)
def test_an_instrument_that_makes_no_sense_is_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        replace(BTC, **changes)
    assert caught.value.field == field
