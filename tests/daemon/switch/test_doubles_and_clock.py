"""Which events are doubles, and when things happened by our clock."""

from __future__ import annotations

from daemon.switch.clock import SwitchClock
from daemon.switch.doubles import Doubles


def test_the_same_sequence_of_the_same_core_is_a_double() -> None:
    doubles = Doubles()
    assert [doubles.seen("core", sequence) for sequence in (7, 9, 8, 9, 7, 10)] == [
        False,
        False,
        False,
        True,
        True,
        False,
    ]
    assert doubles.dropped == 2


def test_another_core_counts_anew() -> None:
    doubles = Doubles()
    assert not doubles.seen("one", 7)
    assert not doubles.seen("two", 7)
    assert doubles.seen("two", 7)


def test_events_without_a_sequence_are_never_doubles() -> None:
    doubles = Doubles()
    assert not doubles.seen("core", 0)
    assert not doubles.seen("core", 0)
    assert not doubles.seen("", 1)


def test_a_double_is_known_for_as_long_as_was_asked_and_memory_stays_bounded() -> None:
    doubles = Doubles(remember=100)
    for sequence in range(1, 10_001):
        assert not doubles.seen("core", sequence)
    assert all(doubles.seen("core", sequence) for sequence in range(9_901, 10_001))
    assert len(doubles._seen) == 128


def test_a_clock_that_agrees_is_taken_as_it_is() -> None:
    clock = SwitchClock("main", lambda: 1000.0)
    clock.settle("core", 998.5)
    assert clock.offset == 0.0
    assert clock.ours(990.0) == 990.0
    assert clock.ours(None) is None


def test_a_clock_set_otherwise_keeps_distances() -> None:
    clock = SwitchClock("main", lambda: 5000.0)
    clock.settle("core", 1000.0)
    assert clock.ours(1000.0) == 5000.0
    assert clock.ours(1003.5) == 5003.5


def test_a_first_event_without_a_time_settles_nothing() -> None:
    clock = SwitchClock("main", lambda: 5000.0)
    clock.settle("core", 0.0)
    assert clock.offset == 0.0


def test_what_was_held_before_it_is_told_of_does_not_count() -> None:
    now = 5000.0
    clock = SwitchClock("main", lambda: now)
    clock.note_arrival("core", 5000.0)
    clock.note_arrival("core", 5003.0)
    now = 5004.0
    clock.settle("core", 5000.0)
    assert clock.offset == 0.0
    # Another life of the switch, whose clock was set meanwhile.
    clock.note_arrival("other", 1000.0)
    now = 5008.0
    clock.settle("other", 1000.0)
    assert clock.ours(1004.0) == 5008.0
