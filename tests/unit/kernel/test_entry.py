"""Order entry: rounding, minimums, rejections, targets, closing, sizes in money."""

from __future__ import annotations

import math

import pytest

from cashup.kernel import entry
from cashup.kernel import types as kt
from cashup.kernel.memory import ORDER_RESERVE, InstrumentSpec
from unit.kernel.runs import INF, NAN, at_close, ends, flat, memory, order, play, trades

GRID = InstrumentSpec(tick=0.1, lot=0.01, min_quantity=0.05, max_quantity=50.0, min_notional=10.0)
PERP = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.CROSS, leverage=5.0)


def rejected(place, spec=GRID, cash=1000.0) -> int:
    made = memory(flat(100.0, 3), spec, cash=cash)
    at_close(made, {0: place})
    status, reason = ends(made)[0]
    assert status == kt.REJECTED
    assert made.counters()["n_rejected"] == 1
    return reason


@pytest.mark.parametrize(
    ("reason", "place"),
    [
        (kt.REASON_BAD_QUANTITY, lambda run: order(run, 1, quantity=NAN)),
        (kt.REASON_BAD_QUANTITY, lambda run: order(run, 1, quantity=0.0)),
        (kt.REASON_BAD_QUANTITY, lambda run: order(run, 1, quantity=INF)),
        (kt.REASON_BAD_QUANTITY, lambda run: order(run, 0)),
        (kt.REASON_BAD_QUANTITY, lambda run: order(run, 1, value=NAN, flags=kt.VALUE_SIZED)),
        (kt.REASON_BAD_PRICE, lambda run: order(run, 1, kt.LIMIT)),
        (kt.REASON_BAD_PRICE, lambda run: order(run, 1, kt.LIMIT, price=-3.0)),
        (kt.REASON_BAD_PRICE, lambda run: order(run, 1, kt.LIMIT, price=0.04)),
        (kt.REASON_BAD_PRICE, lambda run: order(run, 1, kt.STOP)),
        (kt.REASON_BAD_PRICE, lambda run: order(run, 1, kt.TRAILING_STOP, trail=0.0)),
        (
            kt.REASON_BAD_PRICE,
            lambda run: order(run, -1, kt.TRAILING_STOP, trail=1.0, flags=kt.TRAIL_FRACTION),
        ),
        (kt.REASON_BAD_PRICE, lambda run: order(run, 1, 99)),
        (kt.REASON_MIN_QUANTITY, lambda run: order(run, 1, quantity=0.049)),
        (kt.REASON_MAX_QUANTITY, lambda run: order(run, 1, quantity=51.0)),
        (kt.REASON_MIN_NOTIONAL, lambda run: order(run, 1, quantity=0.09)),
        (kt.REASON_MIN_NOTIONAL, lambda run: order(run, 1, kt.LIMIT, quantity=0.1, price=90.0)),
        (kt.REASON_POST_ONLY, lambda run: order(run, 1, flags=kt.POST_ONLY)),
        (kt.REASON_GTD, lambda run: order(run, 1, tif=kt.GTD, expire=60)),
        (kt.REASON_UNKNOWN_INSTRUMENT, lambda run: order(run, 1, k=1)),
        (kt.REASON_INSUFFICIENT_BALANCE, lambda run: order(run, 1, quantity=10.01)),
        (kt.REASON_SHORT_NOT_ALLOWED, lambda run: order(run, -1)),
    ],
)
def test_rejections(reason: int, place) -> None:
    assert rejected(place) == reason


def test_leverage_above_the_instruments_maximum() -> None:
    spec = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.CROSS, leverage=30.0, max_leverage=20.0)
    assert rejected(lambda run: order(run, 1), spec) == kt.REASON_LEVERAGE


@pytest.mark.parametrize(
    ("side", "type_", "price", "stop", "rounded"),
    [
        (1, kt.LIMIT, 99.19, NAN, (99.1, NAN)),
        (-1, kt.LIMIT, 99.11, NAN, (99.2, NAN)),
        (1, kt.LIMIT, 0.3 + 1e-15, NAN, (0.3, NAN)),
        (1, kt.STOP, NAN, 101.05, (NAN, 101.1)),
        (-1, kt.STOP, NAN, 98.94, (NAN, 98.9)),
    ],
)
def test_prices_are_rounded_to_the_tick(side: int, type_: int, price: float, stop: float, rounded) -> None:
    made = memory(flat(100.0, 2), InstrumentSpec(tick=0.1))
    at_close(made, {0: lambda run: order(run, side, type_, price=price, stop=stop)})
    got = (made.orders["price"][0], made.orders["stop_price"][0])
    assert all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(got, rounded, strict=True))


@pytest.mark.parametrize(
    ("asked", "lot", "kept"), [(0.29, 0.01, 0.29), (0.2999, 0.01, 0.29), (3.0, 0.0, 3.0), (7.9, 2.0, 6.0)]
)
def test_quantities_are_rounded_down_to_the_lot(asked: float, lot: float, kept: float) -> None:
    made = memory(flat(100.0, 2), InstrumentSpec(lot=lot))
    at_close(made, {0: lambda run: order(run, 1, quantity=asked)})
    assert made.orders["quantity"][0] == kept


def test_target_buys_a_fraction_of_equity_and_reverses() -> None:
    made = memory(flat(100.0, 5), PERP)
    fractions = (0.5, -0.5, 0.0)
    at_close(made, {i: (lambda run, f=f: entry.target(run, 0, f, 0.0)) for i, f in enumerate(fractions)})
    assert [t[:3] for t in trades(made)] == [(1, 100.0, 5.0), (-1, 100.0, 10.0), (1, 100.0, 5.0)]
    assert made.positions[0]["quantity"] == 0.0


def test_target_of_everything_is_clipped_to_what_the_next_open_allows() -> None:
    spec = InstrumentSpec(taker_fee=0.001, lot=0.001)
    made = memory([*flat(100.0), (110.0, 110.0, 110.0, 110.0)], spec)
    at_close(made, {0: lambda run: entry.target(run, 0, 1.0, 0.0)})
    quantity = math.floor(1000.0 / (110.0 * 1.001) * 1000) / 1000
    assert trades(made) == [(1, 110.0, quantity, 60)]
    assert made.run["cash"] >= 0.0


def test_target_does_nothing_when_it_is_met_or_nearly() -> None:
    made = memory(flat(100.0, 4), PERP)
    answers: list[int] = []
    wishes = ((0.5, 0.0), (0.5, 0.0), (0.52, 0.1))
    at_close(
        made, {i: (lambda run, w=w: answers.append(entry.target(run, 0, *w))) for i, w in enumerate(wishes)}
    )
    assert answers == [1, 0, 0]
    assert len(made.orders) == 1


def test_negative_target_on_spot_is_rejected() -> None:
    assert rejected(lambda run: entry.target(run, 0, -0.5, 0.0)) == kt.REASON_SHORT_NOT_ALLOWED


def test_a_new_target_replaces_a_market_order_still_working() -> None:
    from cashup.kernel.memory import Rules

    bars = [*flat(100.0), (100.0, 100.0, 100.0, 100.0, 2.0), *flat(100.0, 2)]
    made = memory(bars, PERP, rules=Rules(volume_limit=1.0))
    at_close(
        made, {0: lambda run: entry.target_size(run, 0, 5.0), 1: lambda run: entry.target_size(run, 0, 3.0)}
    )
    assert [t[2] for t in trades(made)] == [2.0, 1.0]
    assert made.positions[0]["quantity"] == 3.0


def test_close_position_takes_whatever_is_there_and_is_sent_once() -> None:
    made = memory(flat(100.0, 4), PERP)
    ids: list[int] = []

    def twice(run: int) -> None:
        order(run, 1, quantity=2.0)  # fills before the close arrives
        ids.extend([entry.close_position(run, 0), entry.close_position(run, 0)])

    at_close(made, {0: lambda run: ids.append(entry.close_position(run, 0)) or order(run, 1), 1: twice})
    assert ids[0] == 0
    assert ids[1] == ids[2] > 0
    assert trades(made)[-1][:3] == (-1, 100.0, 3.0)


@pytest.mark.parametrize(
    ("spec", "value", "quantity"),
    [
        (InstrumentSpec(taker_fee=0.01), 505.0, 5.0),  # 5 x 100 + 1 %
        (InstrumentSpec(taker_fee=0.01), INF, 1000.0 / 101.0),
        (
            InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.ISOLATED, leverage=10.0, taker_fee=0.01),
            INF,
            1000.0 / 11.0,
        ),
    ],
)
def test_sizes_in_money_include_the_fee(spec: InstrumentSpec, value: float, quantity: float) -> None:
    made = memory(flat(100.0, 2), spec)
    at_close(made, {0: lambda run: order(run, 1, quantity=0.0, value=value, flags=kt.VALUE_SIZED)})
    assert trades(made)[0][2] == pytest.approx(quantity, rel=1e-14)


def test_clip_shrinks_instead_of_refusing() -> None:
    made = memory(flat(100.0, 2), InstrumentSpec(lot=0.5))
    at_close(made, {0: lambda run: order(run, 1, quantity=50.0, flags=kt.CLIP)})
    assert trades(made) == [(1, 100.0, 10.0, 60)]
    assert ends(made) == [(kt.FILLED, kt.REASON_NONE)]


def test_callbacks_are_told_once_per_order_before_the_bar() -> None:
    made = memory([*flat(100.0, 2), (94.0, 94.0, 94.0, 94.0), *flat(94.0)], PERP,
                  wants=kt.WANTS_FILL | kt.WANTS_ORDER)  # fmt: skip
    told: list[tuple[int, int]] = []

    def decide(event: int, argument: int) -> None:
        told.append((event, argument))
        if event == kt.ON_BAR and argument == 0:
            entry.bracket(made.address, order(made.address, 1), 95.0, 110.0, NAN)
            order(made.address, 1, quantity=-1.0)

    play(made, decide)
    fill, changed, bar = kt.ON_FILL, kt.ON_ORDER, kt.ON_BAR
    assert told == [
        (kt.ON_START, 0), (bar, 0),
        (fill, 0), (changed, 4), (changed, 1), (changed, 2), (changed, 3), (bar, 1),
        (fill, 1), (changed, 2), (changed, 3), (bar, 2),
        (bar, 3), (kt.ON_STOP, 0),
    ]  # fmt: skip


def test_tables_grow_without_a_trace() -> None:
    def go(capacity: int):
        made = memory(flat(100.0, 60), PERP, order_capacity=capacity, fill_capacity=capacity)
        at_close(made, {i: (lambda run: [order(run, 1, kt.LIMIT, 0.01, price=100.0 - j) for j in range(100)])
                        for i in range(50)})  # fmt: skip
        return made.orders.tobytes(), made.fills.tobytes(), made.equity.tobytes()

    assert go(0) == go(1 << 16)


def test_more_orders_in_a_bar_than_reserved_are_rejected_not_lost() -> None:
    made = memory(flat(100.0, 3), PERP, order_capacity=0)
    at_close(
        made, {0: lambda run: [order(run, 1, kt.LIMIT, price=1.0) for _ in range(2 * ORDER_RESERVE + 5)]}
    )
    assert len(made.orders) == 2 * ORDER_RESERVE
    assert ends(made)[-1] == (kt.REJECTED, kt.REASON_TOO_MANY)
    assert made.counters()["n_rejected"] == 6


def test_warm_up_and_a_stop_by_the_strategy() -> None:
    made = memory(flat(100.0, 5), first_decision=2)
    seen: list[int] = []

    def decide(event: int, argument: int) -> None:
        if event == kt.ON_BAR:
            seen.append(argument)
            if argument == 3:
                raise KeyError("stop here")

    with pytest.raises(KeyError):
        play(made, decide)
    assert seen == [2, 3]
    assert made.run["status"] == kt.RUN_STOPPED
