"""The limiter of wrong passwords keeps its own bounds."""

from __future__ import annotations

import pytest

from daemon.accounts.attempts import Attempts
from daemon.accounts.errors import TooManyAttempts
from tests.daemon.accounts.conftest import Clock


def test_a_refused_attempt_counts_for_no_key(clock: Clock) -> None:
    attempts = Attempts(2, 60.0, clock)
    for _ in range(2):
        attempts.begin("name:a", "address:1")
    for _ in range(5):
        with pytest.raises(TooManyAttempts):
            attempts.begin("name:a", "address:2")
    attempts.begin("name:b", "address:2")
    attempts.begin("name:b", "address:2")


def test_the_window_slides(clock: Clock) -> None:
    attempts = Attempts(2, 60.0, clock)
    attempts.begin("a")
    clock.pass_by(30)
    attempts.begin("a")
    with pytest.raises(TooManyAttempts) as refused:
        attempts.begin("a")
    assert refused.value.retry_after == 30.0
    clock.pass_by(30)
    attempts.begin("a")
    with pytest.raises(TooManyAttempts, match="again in 30 s"):
        attempts.begin("a")


def test_memory_stays_bounded_however_many_names_are_tried(clock: Clock) -> None:
    attempts = Attempts(5, 60.0, clock)
    for number in range(30_000):
        attempts.begin(f"name:{number}", "address:1") if number < 5 else attempts.begin(f"name:{number}")
    assert len(attempts._begun) == 10_000
