"""Inside the bar: the path, brackets, one-cancels-the-other, and what is counted as ambiguous."""

from __future__ import annotations

import pytest

from cashup.kernel import entry
from cashup.kernel import types as kt
from cashup.kernel.memory import InstrumentSpec
from unit.kernel.runs import NAN, at_close, ends, flat, memory, order, trades

PERP = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.CROSS, leverage=10.0)
BOTH_INSIDE = (100.0, 106.0, 94.0, 100.0)


def bracketed(side: int, bars, stop: float, target: float, trailing: float = NAN, spec=PERP):
    made = memory([*flat(100.0), *bars], spec)
    return at_close(made, {0: lambda run: entry.bracket(run, order(run, side), stop, target, trailing)})


@pytest.mark.parametrize(("side", "stop", "target"), [(1, 95.0, 105.0), (-1, 105.0, 95.0)])
def test_stop_and_target_in_one_bar_the_worse_first_and_counted(
    side: int, stop: float, target: float
) -> None:
    made = bracketed(side, [BOTH_INSIDE], stop, target)
    assert trades(made) == [(side, 100.0, 1.0, 60), (-side, stop, 1.0, 120)]
    assert ends(made) == [
        (kt.FILLED, kt.REASON_NONE),
        (kt.FILLED, kt.REASON_NONE),
        (kt.CANCELLED, kt.REASON_OCO),
    ]
    assert made.counters()["n_ambiguous"] == 1


def test_target_alone_is_not_ambiguous() -> None:
    made = bracketed(1, [(100.0, 106.0, 96.0, 100.0)], 95.0, 105.0)
    assert trades(made)[1] == (-1, 105.0, 1.0, 120)
    assert made.fills["maker"][1] == 1
    assert made.counters()["n_ambiguous"] == 0


def test_gap_through_the_stop_fills_at_the_open_and_is_not_ambiguous() -> None:
    made = bracketed(1, [flat(100.0)[0], (92.0, 106.0, 91.0, 95.0)], 95.0, 105.0)
    assert trades(made)[1] == (-1, 92.0, 1.0, 120)
    assert made.counters()["n_ambiguous"] == 0


def test_children_start_on_the_rest_of_the_path_after_the_parent() -> None:
    # Flat, a buy waiting: high first, so 105 is seen before the entry at 97 and does not count as a target.
    made = memory([*flat(100.0), (100.0, 106.0, 96.0, 101.0)], PERP)
    at_close(
        made,
        {0: lambda run: entry.bracket(run, order(run, 1, kt.LIMIT, price=97.0), 90.0, 105.0, NAN)},
    )
    assert trades(made) == [(1, 97.0, 1.0, 120)]


def test_a_child_met_where_the_parent_fills_acts_at_once_and_takes() -> None:
    spec = InstrumentSpec(kind=kt.LINEAR, margin_mode=kt.CROSS, leverage=10.0, maker_fee=0.0, taker_fee=0.01)
    made = memory([*flat(100.0), (100.0, 101.0, 96.0, 101.0)], spec)
    at_close(
        made,
        {0: lambda run: entry.bracket(run, order(run, 1, kt.LIMIT, price=97.0), NAN, 96.5, NAN)},
    )
    assert [t[:2] for t in trades(made)] == [(1, 97.0), (-1, 97.0)]
    assert list(made.fills["fee"]) == [0.0, pytest.approx(0.97)]


def test_parent_ending_unfilled_takes_its_children_with_it() -> None:
    made = memory(flat(100.0, 3), PERP)
    at_close(
        made,
        {
            0: lambda run: entry.bracket(run, order(run, 1, kt.LIMIT, price=90.0), 80.0, 110.0, 0.1),
            1: lambda run: entry.cancel(run, 1),
        },
    )
    assert ends(made) == [(kt.CANCELLED, kt.REASON_USER), *[(kt.CANCELLED, kt.REASON_PARENT)] * 3]


def test_no_children_for_a_rejected_parent() -> None:
    made = memory(flat(100.0, 2), PERP)
    answers = []
    at_close(
        made,
        {0: lambda run: answers.append(entry.bracket(run, order(run, 1, quantity=-1.0), 90.0, 110.0, NAN))},
    )
    assert answers == [0]
    assert len(made.orders) == 1


def test_children_take_the_quantity_the_parent_filled() -> None:
    from cashup.kernel.memory import Rules

    made = memory([*flat(100.0), (100.0, 100.0, 100.0, 100.0, 4.0), (100.0, 100.0, 94.0, 95.0, 400.0)], PERP,
                  rules=Rules(volume_limit=0.5))  # fmt: skip
    at_close(
        made,
        {
            0: lambda run: entry.bracket(run, order(run, 1, quantity=3.0, tif=kt.IOC), 95.0, NAN, NAN),
        },
    )
    assert [t[:3] for t in trades(made)] == [(1, 100.0, 2.0), (-1, 95.0, 2.0)]


def test_closing_the_position_ends_its_reduce_only_orders() -> None:
    made = memory(flat(100.0, 4), PERP)
    at_close(
        made,
        {
            0: lambda run: entry.bracket(run, order(run, 1), 90.0, 110.0, NAN),
            1: lambda run: entry.close_position(run, 0),
        },
    )
    assert ends(made)[1:3] == [(kt.CANCELLED, kt.REASON_POSITION_CLOSED)] * 2


def test_a_reduce_only_order_never_turns_a_position() -> None:
    made = memory(flat(100.0, 4), PERP)
    at_close(
        made,
        {0: lambda run: order(run, 1), 1: lambda run: order(run, -1, quantity=5.0, flags=kt.REDUCE_ONLY)},
    )
    assert [t[:3] for t in trades(made)] == [(1, 100.0, 1.0), (-1, 100.0, 1.0)]
    made = memory(flat(100.0, 3), PERP)
    at_close(made, {0: lambda run: order(run, -1, flags=kt.REDUCE_ONLY)})
    assert ends(made) == [(kt.REJECTED, kt.REASON_REDUCE_ONLY)]


def test_oco_of_two_entries() -> None:
    made = memory([*flat(100.0), (100.0, 104.0, 99.0, 103.0)], PERP)

    def straddle(run: int) -> None:
        entry.oco(run, order(run, 1, kt.STOP, stop=103.0), order(run, -1, kt.STOP, stop=97.0))

    at_close(made, {0: straddle})
    assert trades(made) == [(1, 103.0, 1.0, 120)]
    assert ends(made) == [(kt.FILLED, kt.REASON_NONE), (kt.CANCELLED, kt.REASON_OCO)]


@pytest.mark.parametrize(
    ("bar", "first"),
    [
        ((100.0, 108.0, 95.0, 100.0), -1),  # the low is nearer: the sell stop first
        ((100.0, 105.0, 92.0, 100.0), 1),
        ((100.0, 106.0, 94.0, 100.0), -1),  # tie: low first
    ],
)
def test_flat_with_entries_on_both_sides_the_nearer_extreme_comes_first(bar: tuple, first: int) -> None:
    made = memory([*flat(100.0), bar], PERP)
    at_close(made, {0: lambda run: [order(run, 1, kt.STOP, stop=104.0), order(run, -1, kt.STOP, stop=96.0)]})
    assert [t[0] for t in trades(made)] == [first, -first]


def test_a_trailing_bracket_locks_in_profit() -> None:
    made = bracketed(1, [(100.0, 120.0, 100.0, 118.0), (118.0, 118.0, 100.0, 101.0)], NAN, NAN, 0.05)
    assert trades(made)[1] == (-1, 114.0, 1.0, 180)
