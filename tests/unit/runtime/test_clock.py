import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashup.runtime.clock import NEVER, LiveClock, SimClock


def names(fired):
    return [timer.name for timer in fired]


def test_timers_fire_in_order_of_time_then_of_setting():
    clock = SimClock(100)
    clock.set_timer("late", 130)
    clock.set_timer("first", 110)
    clock.set_timer("second", 110)
    assert names(clock.advance(129)) == ["first", "second"]
    assert clock.now() == 129
    assert names(clock.advance(130)) == ["late"]
    assert clock.next_deadline() == NEVER


def test_the_clock_shows_the_timers_own_time_while_it_is_handled():
    clock = SimClock()
    clock.set_timer("a", 10)
    clock.set_timer("b", 20)
    assert [(timer.name, clock.now(), timer.ts_event) for timer in clock.advance(50)] == [
        ("a", 10, 10),
        ("b", 20, 20),
    ]
    assert clock.now() == 50


def test_a_timer_set_by_a_handler_fires_in_the_same_walk():
    clock = SimClock()
    clock.set_timer("a", 10)
    seen = []
    for timer in clock.advance(30):
        seen.append((timer.name, timer.ts_event))
        if timer.name == "a":
            clock.set_timer("now", 10)
            clock.set_timer("later", 25)
    assert seen == [("a", 10), ("now", 10), ("later", 25)]


def test_a_repeating_timer_keeps_its_grid_and_can_be_cancelled():
    clock = SimClock()
    clock.set_timer("tick", 5, interval=10)
    assert [timer.ts_event for timer in clock.advance(30)] == [5, 15, 25]
    assert clock.next_deadline() == 35
    assert clock.cancel_timer("tick")
    assert not clock.cancel_timer("tick")
    assert list(clock.advance(100)) == []


def test_setting_a_timer_again_replaces_it():
    clock = SimClock()
    clock.set_timer("a", 10)
    clock.set_timer("a", 40)
    assert clock.next_deadline() == 40
    assert list(clock.advance(39)) == []
    assert names(clock.advance(40)) == ["a"]


def test_time_cannot_go_back_and_intervals_cannot_be_negative():
    clock = SimClock(10)
    with pytest.raises(ValueError, match="cannot go back"):
        list(clock.advance(9))
    with pytest.raises(ValueError, match="interval"):
        clock.set_timer("a", 20, interval=-1)


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 30)), max_size=12),
    st.lists(st.integers(0, 40), max_size=6),
)
def test_steps_do_not_change_which_timers_fire(timers, steps):
    def fired(stops):
        clock = SimClock()
        for index, (at, interval) in enumerate(timers):
            clock.set_timer(str(index), at, interval=interval)
        return [(timer.name, timer.ts_event) for stop in stops for timer in clock.advance(stop)]

    stops = [sum(steps[: k + 1]) for k in range(len(steps))]
    end = (stops[-1] if stops else 0) + 50
    assert fired([*stops, end]) == fired([end])


def test_the_live_clock_never_goes_backwards():
    readings = iter([100, 90, 101])
    clock = LiveClock(lambda: next(readings))
    assert [clock.now(), clock.now(), clock.now()] == [100, 100, 101]


def test_a_live_timer_that_fell_behind_fires_once_and_returns_to_its_grid():
    now = [0]
    clock = LiveClock(lambda: now[0])
    clock.set_timer("tick", 10, interval=10)
    clock.set_timer("once", 12)
    now[0] = 57
    fired = list(clock.due())
    assert [(timer.name, timer.ts_event, timer.ts_init) for timer in fired] == [
        ("tick", 10, 57),
        ("once", 12, 57),
    ]
    assert clock.next_deadline() == 60
    assert list(clock.due()) == []


def test_the_live_clock_reads_the_machines_time_by_default():
    assert LiveClock().now() > 1_700_000_000_000_000_000
