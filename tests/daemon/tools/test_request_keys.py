"""Keys of requests that may be repeated."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daemon.tools.request_keys import RecentKeys


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@given(st.floats(1e9, 2e9), st.floats(0, 59.9), st.floats(60.1, 1e6))
def test_the_same_within_a_minute_is_the_same_and_later_is_not(start: float, soon: float, late: float) -> None:
    clock = Clock(start)
    keys = RecentKeys(clock)
    first = keys.key("call", "1010", "01012345678")
    clock.now = start + soon
    assert keys.key("call", "1010", "01012345678") == first
    assert keys.key("other", "1010", "01012345678") != first
    assert keys.key("call1", "010", "01012345678") != first
    clock.now = start + late
    assert keys.key("call", "1010", "01012345678") != first


def test_a_restart_within_the_minute_makes_the_same_key() -> None:
    assert RecentKeys(Clock(1_700_000_040.0)).key("a") == RecentKeys(Clock(1_700_000_099.0)).key("a")


def test_only_so_many_are_remembered() -> None:
    clock = Clock(1_700_000_030.0)
    keys = RecentKeys(clock)
    first, last = keys.key("first"), ""
    for number in range(10_000):
        last = keys.key(str(number))
    clock.now += 40  # in the next minute
    assert keys.key("9999") == last
    assert keys.key("first") != first
