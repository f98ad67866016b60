"""The memory of a run: what it refuses, and that it is laid out as said."""

from __future__ import annotations

import numpy as np
import pytest

from cashup.kernel import types as kt
from cashup.kernel.memory import ORDER_RESERVE, Columns, InstrumentSpec, RunMemory, Tier

ONE = [1.0]


def columns(**changes):
    return Columns(**({"open": ONE, "high": ONE, "low": ONE, "close": ONE} | changes))


def build(spec=None, column=None, **changes):
    plain = {"open_ts": [0], "close_ts": [60], "cash": 5.0}
    return RunMemory(
        instruments=[spec or InstrumentSpec()], columns=[column or columns()], **(plain | changes)
    )


def test_every_field_is_eight_bytes_wide() -> None:
    for layout in (kt.RUN, kt.INSTRUMENT, kt.POSITION, kt.TIER, kt.ORDER, kt.FILL, kt.PAYMENT):
        assert layout.itemsize == 8 * len(layout.names)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"column": columns(high=[1.0, 2.0])}, "column high has 2 rows, expected 1"),
        ({"close_ts": [1, 2]}, "1 open times and 2 close times"),
        ({"decision": [0, 1]}, "1 match bars and 2 decision marks"),
        ({"column": columns(funding_ts=[1])}, "funding_ts without funding_rate"),
        ({"column": columns(open=[[1.0]])}, "one dimension"),
    ],
)
def test_columns_that_do_not_fit_are_refused(changes: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        build(**changes)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": kt.LINEAR},
        {"margin_mode": kt.CROSS},
        {"leverage": 2.0},
        {"contract_size": 0.0},
        {"kind": kt.LINEAR, "margin_mode": kt.CROSS, "leverage": 0.0},
        {
            "kind": kt.LINEAR,
            "margin_mode": kt.CROSS,
            "tiers": tuple(
                Tier(notional_floor=floor, max_leverage=0.0, maintenance_rate=0.1) for floor in (5.0, 0.0)
            ),
        },
    ],
)
def test_impossible_instruments_are_refused(fields: dict) -> None:
    with pytest.raises(ValueError):
        InstrumentSpec(**fields)


def test_no_instrument_is_refused() -> None:
    with pytest.raises(ValueError, match="0 instruments"):
        RunMemory(instruments=[], columns=[], open_ts=[], close_ts=[], cash=1.0)


def test_the_run_points_at_the_arrays_python_sees() -> None:
    made = build()
    assert made.run["positions"] == made.positions.ctypes.data
    assert made.run["equity"] == made.equity.ctypes.data
    made.positions[0]["quantity"] = 3.0
    assert made.positions[0]["quantity"] == 3.0


def test_growing_keeps_rows_and_the_address_of_the_run() -> None:
    made = build(order_capacity=0)
    address = made.address
    made.run["n_orders"] = made.run["n_open"] = 2 * ORDER_RESERVE - 1
    made.orders["id"] = np.arange(len(made.orders)) + 1
    made.open_orders[:] = made.orders["id"]
    before = made.orders.copy()
    made.grow()
    assert made.address == address
    assert made.run["cap_orders"] == 4 * ORDER_RESERVE
    assert made.run["orders"] == made.orders.ctypes.data
    assert (made.orders == before).all()
    assert (made.open_orders == before["id"]).all()
    assert made.run["cap_fills"] >= made.run["n_open"] + ORDER_RESERVE


def test_columns_are_copied_only_when_they_must_be() -> None:
    price = np.ones(4)
    times = np.arange(4)
    made = RunMemory(
        instruments=[InstrumentSpec()],
        columns=[Columns(open=price, high=price, low=price.astype("f4"), close=price)],
        open_ts=times,
        close_ts=times + 1,
        cash=1.0,
    )
    assert made.instruments[0]["open"] == price.ctypes.data
    assert made.instruments[0]["low"] != price.ctypes.data
