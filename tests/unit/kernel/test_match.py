"""What happens to orders on bars: open, gaps, triggers, time in force, volume, latency. Numbers by hand."""

from __future__ import annotations

import pytest

from cashup.kernel import entry
from cashup.kernel import types as kt
from cashup.kernel.memory import InstrumentSpec, Rules
from unit.kernel.runs import NAN, at_close, ends, flat, memory, order, play, trades

PERP = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.CROSS, leverage=10.0)
WAITS = (100.0, 101.0, 99.0, 100.0)


def one(bars, place, spec=None, **more):
    """Run with one order placed at the first close."""
    made = memory([*flat(100.0), *bars], spec, **more)
    return at_close(made, {0: place})


def test_market_order_fills_at_the_next_open() -> None:
    made = one([(103.0, 105.0, 102.0, 104.0)], lambda run: order(run, 1))
    assert trades(made) == [(1, 103.0, 1.0, 60)]
    assert made.run["cash"] == 1000.0 - 103.0
    assert list(made.equity) == [1000.0, 1001.0]


@pytest.mark.parametrize(
    ("side", "price", "bar", "filled_at"),
    [
        (1, 98.0, (100.0, 101.0, 98.0, 99.0), 98.0),  # touched
        (1, 98.0, (96.0, 97.0, 95.0, 96.0), 96.0),  # gap through: better than the limit
        (1, 98.0, (100.0, 101.0, 98.1, 99.0), None),
        (-1, 102.0, (100.0, 102.0, 99.0, 100.0), 102.0),
        (-1, 102.0, (104.0, 105.0, 103.0, 104.0), 104.0),
        (-1, 102.0, (100.0, 101.9, 99.0, 100.0), None),
    ],
)
def test_limit_order(side: int, price: float, bar: tuple, filled_at: float | None) -> None:
    made = one([WAITS, bar], lambda run: order(run, side, kt.LIMIT, price=price), PERP)
    assert [t[1] for t in trades(made)] == ([] if filled_at is None else [filled_at])


@pytest.mark.parametrize(
    ("side", "stop", "bar", "filled_at"),
    [
        (1, 102.0, (100.0, 103.0, 99.0, 100.0), 102.0),
        (1, 102.0, (105.0, 106.0, 104.0, 105.0), 105.0),  # gap: the open, worse than the trigger
        (1, 102.0, (100.0, 101.9, 99.0, 100.0), None),
        (-1, 98.0, (100.0, 101.0, 97.0, 99.0), 98.0),
        (-1, 98.0, (95.0, 96.0, 94.0, 95.0), 95.0),
    ],
)
def test_stop_order(side: int, stop: float, bar: tuple, filled_at: float | None) -> None:
    made = one([WAITS, bar], lambda run: order(run, side, kt.STOP, stop=stop), PERP)
    assert [t[1] for t in trades(made)] == ([] if filled_at is None else [filled_at])


def test_take_profit_triggers_on_the_good_side_and_fills_at_market() -> None:
    rules = Rules(slippage_model=kt.SLIP_SPREAD, slippage=0.5)
    made = one(
        [(100.0, 104.0, 99.0, 100.0)],
        lambda run: order(run, -1, kt.TAKE_PROFIT, stop=103.0),
        PERP,
        rules=rules,
    )
    assert trades(made) == [(-1, 102.5, 1.0, 120)]


def test_limit_cross_rule_wants_a_price_beyond_the_limit() -> None:
    rules = Rules(limit_rule=kt.LIMIT_CROSS)
    bars = [WAITS, (100.0, 101.0, 98.0, 99.0), (99.0, 99.0, 97.9, 98.0)]
    made = one(bars, lambda run: order(run, 1, kt.LIMIT, price=98.0), rules=rules)
    assert trades(made) == [(1, 98.0, 1.0, 240)]


def test_stop_limit_rests_at_its_limit_after_the_trigger() -> None:
    # Flat with a buy waiting: high first. Triggered at 102, limit 101 is reached on the way down.
    made = one(
        [(100.0, 103.0, 99.0, 100.0)], lambda run: order(run, 1, kt.STOP_LIMIT, stop=102.0, price=101.0)
    )
    assert trades(made) == [(1, 101.0, 1.0, 120)]
    assert made.fills["maker"][0] == 1


def test_stop_limit_marketable_at_its_trigger_takes_at_the_trigger() -> None:
    made = one(
        [(100.0, 103.0, 99.0, 100.0)], lambda run: order(run, 1, kt.STOP_LIMIT, stop=102.0, price=102.5)
    )
    assert trades(made) == [(1, 102.0, 1.0, 120)]
    assert made.fills["maker"][0] == 0


def test_stop_limit_gapped_over_does_not_chase() -> None:
    made = one(
        [(105.0, 106.0, 104.0, 105.0)], lambda run: order(run, 1, kt.STOP_LIMIT, stop=102.0, price=103.0)
    )
    assert trades(made) == []


def test_trailing_stop_follows_the_high_and_never_back() -> None:
    def enter(run: int) -> None:
        order(run, 1)
        order(run, -1, kt.TRAILING_STOP, trail=5.0, flags=kt.REDUCE_ONLY)

    bars = [(100.0, 110.0, 100.0, 108.0), (108.0, 109.0, 106.0, 107.0), (107.0, 107.0, 104.0, 106.0)]
    made = one(bars, enter)
    # Low first while long: 100 -> 100 -> 110, trigger 105; touched in the last bar.
    assert trades(made) == [(1, 100.0, 1.0, 60), (-1, 105.0, 1.0, 240)]


def test_trailing_fraction_is_rounded_to_the_tick() -> None:
    spec = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.CROSS, leverage=10.0, tick=0.5)
    made = one(
        [(100.0, 100.0, 90.0, 95.0)],
        lambda run: order(run, -1, kt.TRAILING_STOP, trail=0.031, flags=kt.TRAIL_FRACTION),
        spec,
    )
    assert trades(made) == [(-1, 97.0, 1.0, 120)]  # 96.9 to the nearest half


def test_ioc_takes_what_it_gets_and_ends() -> None:
    made = one(
        [(99.0, 101.0, 95.0, 100.0, 6.0)],
        lambda run: [
            order(run, 1, kt.LIMIT, 4.0, price=100.0, tif=kt.IOC),
            order(run, 1, kt.LIMIT, 1.0, price=98.0, tif=kt.IOC),
        ],
        rules=Rules(volume_limit=0.5),
    )
    assert trades(made) == [(1, 99.0, 3.0, 60)]
    assert ends(made) == [(kt.CANCELLED, kt.REASON_IOC), (kt.CANCELLED, kt.REASON_IOC)]


def test_fok_fills_whole_or_not_at_all() -> None:
    made = one(
        [(99.0, 101.0, 95.0, 100.0, 6.0)],
        lambda run: [order(run, 1, quantity=4.0, tif=kt.FOK), order(run, 1, quantity=3.0, tif=kt.FOK)],
        rules=Rules(volume_limit=0.5),
    )
    assert trades(made) == [(1, 99.0, 3.0, 60)]
    assert ends(made) == [(kt.CANCELLED, kt.REASON_FOK), (kt.FILLED, kt.REASON_NONE)]


def test_gtd_ends_at_its_time() -> None:
    made = one(
        [WAITS, (97.0, 97.0, 97.0, 97.0)],
        lambda run: order(run, 1, kt.LIMIT, price=98.0, tif=kt.GTD, expire=120),
    )
    assert trades(made) == []
    assert ends(made) == [(kt.EXPIRED, kt.REASON_GTD)]
    assert made.orders["done_ts"][0] == 120


def test_post_only_is_rejected_when_it_would_take_and_rests_otherwise() -> None:
    made = one(
        [WAITS, (100.0, 100.0, 98.0, 99.0)],
        lambda run: [
            order(run, 1, kt.LIMIT, price=100.5, flags=kt.POST_ONLY),
            order(run, 1, kt.LIMIT, price=98.5, flags=kt.POST_ONLY),
        ],
    )
    assert ends(made) == [(kt.REJECTED, kt.REASON_POST_ONLY), (kt.FILLED, kt.REASON_NONE)]
    assert trades(made) == [(1, 98.5, 1.0, 180)]


def test_marketable_limit_pays_taker_a_resting_one_maker() -> None:
    spec = InstrumentSpec(maker_fee=0.001, taker_fee=0.01)
    made = one(
        [(99.0, 101.0, 99.0, 100.0), (99.0, 99.0, 90.0, 95.0)],
        lambda run: [order(run, 1, kt.LIMIT, price=100.0), order(run, 1, kt.LIMIT, price=95.0)],
        spec,
    )
    assert list(made.fills["maker"]) == [0, 1]
    assert list(made.fills["fee"]) == pytest.approx([0.99, 0.095], rel=1e-15)


def test_volume_share_spreads_a_market_order_over_opens() -> None:
    bars = [
        (100.0, 100.0, 100.0, 100.0, 4.0),
        (101.0, 101.0, 101.0, 101.0, 0.0),
        (102.0, 102.0, 102.0, 102.0, 9.0),
    ]
    made = one(bars, lambda run: order(run, 1, quantity=3.0), rules=Rules(volume_limit=0.5))
    assert trades(made) == [(1, 100.0, 2.0, 60), (1, 102.0, 1.0, 180)]
    assert made.orders["average_price"][0] == pytest.approx((200.0 + 102.0) / 3)


def test_all_fills_of_a_bar_share_its_volume() -> None:
    made = one(
        [(100.0, 100.0, 100.0, 100.0, 4.0)],
        lambda run: [order(run, 1, quantity=1.5), order(run, 1, quantity=1.5)],
        rules=Rules(volume_limit=0.5),
    )
    assert [t[2] for t in trades(made)] == [1.5, 0.5]


def test_latency_delays_arrival_and_cancel() -> None:
    made = memory(flat(100.0, 4), rules=Rules(latency=61))
    at_close(made, {0: lambda run: order(run, 1)})
    assert trades(made) == [(1, 100.0, 1.0, 180)]  # sent at 60, there at 121, first open after: 180

    made = memory([*flat(100.0, 3), *flat(97.0, 2)], rules=Rules(latency=61))
    at_close(made, {0: lambda run: order(run, 1, kt.LIMIT, price=98.0), 1: lambda run: entry.cancel(run, 1)})
    assert trades(made) == [(1, 97.0, 1.0, 180)]  # the cancel, sent at 120, would be there at 181


def test_cancel_without_latency_is_immediate() -> None:
    made = one(flat(90.0), lambda run: [order(run, 1, kt.LIMIT, price=95.0), entry.cancel(run, 1)])
    assert trades(made) == []
    assert ends(made) == [(kt.CANCELLED, kt.REASON_USER)]


@pytest.mark.parametrize(
    ("model", "coefficient", "price"),
    [
        (kt.SLIP_NONE, 0.0, 100.0),
        (kt.SLIP_RATE, 0.001, 100.1),
        (kt.SLIP_SPREAD, 0.03, 100.1),  # up to the next tick
        (kt.SLIP_VOLUME_SHARE, 0.1, 100.1),  # 0.1 x (2/20)^2 = 0.001
        (kt.SLIP_SQRT_IMPACT, 0.1, 100.4),  # 0.1 x (110-98)/100 x sqrt(2/20) = 0.00379 -> 100.379
    ],
)
def test_slippage_moves_a_taker_away_from_the_open(model: int, coefficient: float, price: float) -> None:
    spec = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.CROSS, leverage=10.0, tick=0.1)
    rules = Rules(slippage_model=model, slippage=coefficient)
    bar = (100.0, 110.0, 98.0, 105.0, 20.0)
    bought = one([bar], lambda run: order(run, 1, quantity=2.0), spec, rules=rules)
    sold = one([bar], lambda run: order(run, -1, quantity=2.0), spec, rules=rules)
    assert trades(bought)[0][1] == price
    assert trades(sold)[0][1] == pytest.approx(200.0 - price)
    assert bought.run["slippage_cost"] == pytest.approx(2.0 * (price - 100.0))


def test_slippage_never_worsens_a_limit() -> None:
    rules = Rules(slippage_model=kt.SLIP_RATE, slippage=0.01)
    made = one([(100.0, 101.0, 99.0, 100.0)], lambda run: order(run, 1, kt.LIMIT, price=100.4), rules=rules)
    assert trades(made) == [(1, 100.4, 1.0, 60)]


def test_an_instrument_without_a_bar_is_not_matched() -> None:
    gap = (NAN, NAN, NAN, NAN)
    made = memory(
        [[*flat(100.0, 3)], [(50.0, 50.0, 50.0, 50.0), gap, (52.0, 52.0, 52.0, 52.0)]],
        [InstrumentSpec(), InstrumentSpec()],
    )
    at_close(made, {0: lambda run: order(run, 1, k=1)})
    assert trades(made) == [(1, 52.0, 1.0, 120)]
    assert list(made.equity) == [1000.0, 1000.0, 1000.0]


def test_orders_act_on_the_open_in_order_of_arrival_over_instruments() -> None:
    made = memory([flat(100.0, 4), flat(50.0, 4)], [InstrumentSpec(), InstrumentSpec()], cash=100.0)

    def rotate(run: int) -> None:
        entry.close_position(run, 1)
        order(run, 1, k=0)  # paid with what the sale of instrument 1 brought

    at_close(made, {0: lambda run: order(run, 1, quantity=2.0, k=1), 1: rotate})
    assert [t[:2] for t in trades(made)] == [(1, 50.0), (-1, 50.0), (1, 100.0)]


def test_decision_bars_coarser_than_match_bars() -> None:
    bars = [*flat(100.0, 2), (100.0, 100.0, 100.0, 100.0), (98.0, 99.0, 97.0, 98.0)]
    made = memory(bars, decision=[-1, 0, -1, 1])
    seen: list[tuple[int, int]] = []

    def decide(event: int, argument: int) -> None:
        if event == kt.ON_BAR:
            seen.append((argument, int(made.run["now"])))
            if argument == 0:
                order(made.address, 1)

    play(made, decide)
    assert seen == [(0, 120), (1, 240)]
    assert trades(made) == [(1, 100.0, 1.0, 120)]
    assert len(made.equity) == 2


def test_same_run_twice_is_the_same_to_the_bit() -> None:
    def go() -> bytes:
        made = memory([(100.0 + i % 7, 109.0, 91.0, 100.0 + i % 5, 50.0) for i in range(60)], PERP)
        at_close(
            made,
            {i: (lambda run, i=i: entry.target(run, 0, (i % 5 - 2) / 3, 0.0)) for i in range(60)},
        )
        return made.fills.tobytes() + made.equity.tobytes() + made.orders.tobytes()

    assert go() == go()


def test_reset_starts_over_in_the_same_memory() -> None:
    made = one([(103.0, 105.0, 102.0, 104.0)], lambda run: order(run, 1))
    first = made.fills.tobytes()
    made.reset()
    assert len(made.orders) == 0
    at_close(made, {0: lambda run: order(run, 1)})
    assert made.fills.tobytes() == first


def test_rounding_error_leaves_no_order_working() -> None:
    # 3.2 - 0.9 is not 2.3 in binary; what the second bar allows is the rest of the order all the same.
    bars = [(100.0, 100.0, 100.0, 100.0, 1.8), (100.0, 100.0, 100.0, 100.0, 4.6), *flat(100.0)]
    made = one(bars, lambda run: order(run, 1, quantity=3.2), rules=Rules(volume_limit=0.5))
    assert [t[2] for t in trades(made)] == [0.9, pytest.approx(2.3)]
    assert ends(made) == [(kt.FILLED, kt.REASON_NONE)]
