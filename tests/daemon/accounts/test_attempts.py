"""The limiter of wrong passwords keeps its own bounds."""

from __future__ import annotations

import pytest

from daemon.accounts.attempts import Attempts
from daemon.accounts.errors import TooManyAttempts
from tests.daemon.accounts.conftest import Clock


def test_a_refused_attempt_counts_for_no_key(clock: Clock) -> None:
    attempts = Attempts(60.0, clock)
    for _ in range(2):
        attempts.begin({"name:a": 2, "address:1": 2})
    for _ in range(5):
        with pytest.raises(TooManyAttempts):
            attempts.begin({"name:a": 2, "address:2": 2})
    attempts.begin({"name:b": 2, "address:2": 2})
    attempts.begin({"name:b": 2, "address:2": 2})


def test_each_key_has_its_own_bound(clock: Clock) -> None:
    attempts = Attempts(60.0, clock)
    for address in range(3):
        attempts.begin({"name:a": 3, f"address:{address}": 1})
    with pytest.raises(TooManyAttempts):
        attempts.begin({"name:a": 3, "address:9": 1})
    with pytest.raises(TooManyAttempts):
        attempts.begin({"name:b": 3, "address:0": 1})


def test_the_window_slides(clock: Clock) -> None:
    attempts = Attempts(60.0, clock)
    attempts.begin({"a": 2})
    clock.pass_by(30)
    attempts.begin({"a": 2})
    with pytest.raises(TooManyAttempts) as refused:
        attempts.begin({"a": 2})
    assert refused.value.retry_after == 30.0
    clock.pass_by(30)
    attempts.begin({"a": 2})
    with pytest.raises(TooManyAttempts, match="again in 30 s"):
        attempts.begin({"a": 2})


def test_memory_stays_bounded_however_many_names_are_tried(clock: Clock) -> None:
    attempts = Attempts(60.0, clock)
    for number in range(30_000):
        attempts.begin({f"name:{number}": 5} | ({"address:1": 5} if number < 5 else {}))
    assert len(attempts._begun) == 10_000
