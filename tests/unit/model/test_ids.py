from __future__ import annotations

import pytest

from cashup.model.errors import InputError
from cashup.model.ids import UnifiedSymbol, instrument_id, parse_instrument_id, split_instrument_id


@pytest.mark.parametrize(
    ("text", "base", "quote", "settle", "delivery"),
    [
        ("BTC/USDT", "BTC", "USDT", None, ""),
        ("BTC/USDT:USDT", "BTC", "USDT", "USDT", ""),
        ("BTC/USD:BTC", "BTC", "USD", "BTC", ""),
        ("BTC/USDT:USDT-260327", "BTC", "USDT", "USDT", "260327"),
        ("BTC/USDT:USDT-260327-60000-C", "BTC", "USDT", "USDT", "260327-60000-C"),
        ("1000PEPE/USDT:USDT", "1000PEPE", "USDT", "USDT", ""),
        ("币安人生/USDT", "币安人生", "USDT", None, ""),
        ("BRK.B/USD", "BRK.B", "USD", None, ""),
        ("kPEPE/USDC:USDC", "kPEPE", "USDC", "USDC", ""),
    ],
)
def test_a_symbol_is_taken_apart(text: str, base: str, quote: str, settle: str | None, delivery: str) -> None:
    symbol = UnifiedSymbol.parse(text)
    assert (symbol.base, symbol.quote, symbol.settle, symbol.delivery) == (base, quote, settle, delivery)
    assert str(symbol) == text


def test_spot_and_perpetual_are_told_apart() -> None:
    assert UnifiedSymbol.parse("BTC/USDT").is_spot
    assert UnifiedSymbol.parse("BTC/USDT:USDT").is_perpetual
    future = UnifiedSymbol.parse("BTC/USDT:USDT-260327")
    assert not future.is_spot
    assert not future.is_perpetual


@pytest.mark.parametrize(
    "text",
    ["", "BTC", "/USDT", "BTC/", "BTC/USDT:", "BTC/USDT:USDT-", "../USDT", "BTC/..", "A\\B/C", "BTC /USDT"],
)
def test_what_is_not_a_symbol_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a symbol"):
        UnifiedSymbol.parse(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("BTCUSDT", "BTC/USDT"), ("btc_usdt", "BTC/USDT"), ("BTC-USD", "BTC/USD"), ("ethbtc", "ETH/BTC")],
)
def test_a_venues_own_spelling_gets_the_near_miss(text: str, meant: str) -> None:
    with pytest.raises(InputError, match=f"Did you mean '{meant}'"):
        UnifiedSymbol.parse(text)


def test_an_instrument_id_is_parsed_and_split() -> None:
    name = parse_instrument_id("gate:BTC/USDT:USDT")
    venue, symbol = split_instrument_id(name)
    assert venue == "gate"
    assert str(symbol) == "BTC/USDT:USDT"
    assert instrument_id("gate", "BTC/USDT:USDT") == name


@pytest.mark.parametrize("text", ["BTC/USDT", "BTC/USDT:USDT", "binance", "Binance:BTC/USDT", "a b:BTC/USDT"])
def test_what_is_not_an_instrument_id_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_instrument_id(text)


def test_a_wrongly_cased_venue_gets_the_near_miss() -> None:
    with pytest.raises(InputError, match="Did you mean 'binance'"):
        instrument_id("Binance", "BTC/USDT")
