"""Delays grow, are jittered, and never pass their cap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.backoff import Backoff


@given(first=st.floats(0.01, 5), growth=st.floats(1, 4), cap=st.floats(5, 60), tries=st.integers(1, 40))
def test_each_delay_lies_between_half_its_step_and_the_cap(first: float, growth: float, cap: float, tries: int) -> None:
    backoff = Backoff(first, cap, growth)
    step = first
    for _ in range(tries):
        delay = backoff.next()
        assert step / 2 <= delay <= step <= cap
        step = min(step * growth, cap)


def test_a_success_starts_over() -> None:
    backoff = Backoff(1.0, 60.0)
    for _ in range(5):
        backoff.next()
    backoff.reset()
    assert backoff.next() <= 1.0


@pytest.mark.parametrize(("first", "cap", "factor"), [(0, 1, 2), (2, 1, 2), (1, 2, 0.5)])
def test_senseless_settings_are_refused(first: float, cap: float, factor: float) -> None:
    with pytest.raises(ValueError, match="backoff needs"):
        Backoff(first, cap, factor)
