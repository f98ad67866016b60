import uuid

from cashup.runtime.ids import CounterIds, Uuid7Ids


def test_counted_identifiers_sort_in_order_of_making():
    ids = CounterIds("O", width=3)
    made = [ids.next_id() for _ in range(12)]
    assert made[:2] == ["O001", "O002"]
    assert made == sorted(made)


def test_a_uuid7_carries_its_millisecond_version_and_variant():
    made = Uuid7Ids(now=lambda: 1_700_000_000_123_456_789).next_uuid()
    assert made.int >> 80 == 1_700_000_000_123
    assert made.int >> 76 & 0xF == 7
    assert made.variant == uuid.RFC_4122


def test_identifiers_stay_ordered_within_a_millisecond_and_when_the_clock_goes_back():
    times = iter([5_000_000] * 500 + [1_000_000] * 500)
    ids = Uuid7Ids(now=lambda: next(times))
    made = [ids.next_id() for _ in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000


def test_identifiers_stay_ordered_when_the_random_part_runs_over():
    ids = Uuid7Ids(now=lambda: 9_000_000, random=lambda count: b"\xff" * count)
    ids.next_uuid()
    ids._noise = (1 << 74) - 2
    before, after = ids.next_uuid(), ids.next_uuid()
    assert before.int < after.int


def test_text_identifiers_fit_every_venue():
    made = Uuid7Ids().next_id()
    assert len(made) == 26
    assert made.isalnum()
    assert made.isupper() or made.isdigit()
