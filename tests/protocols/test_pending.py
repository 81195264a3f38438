"""The table of waiters: each leaves exactly once, whatever happens in whatever order."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from protocols.errors import LocalError
from protocols.pending import Pending


def test_a_waiter_is_resolved_once() -> None:
    pending: Pending[str, str] = Pending()
    pending.add("job", "waiter", 10.0)
    assert "job" in pending
    assert pending.resolve("job") == "waiter"
    assert pending.resolve("job") is None
    assert (len(pending), pending.unmatched, pending.expire(99.0), pending.drain()) == (0, 1, [], [])


def test_a_late_answer_finds_nobody_and_is_counted() -> None:
    pending: Pending[str, str] = Pending()
    pending.add("job", "waiter", 10.0)
    assert pending.expire(9.999) == []
    assert pending.expire(10.0) == [("job", "waiter")]
    assert pending.resolve("job") is None
    assert pending.unmatched == 1


def test_a_waiter_that_is_none_can_wait() -> None:
    pending: Pending[str, None] = Pending()
    pending.add("job", None, 1.0)
    pending.resolve("job")
    assert pending.unmatched == 0


def test_the_earliest_deadline_expires_first() -> None:
    pending: Pending[int, str] = Pending()
    for key, deadline in ((1, 3.0), (2, 1.0), (3, 2.0), (4, 1.0)):
        pending.add(key, str(key), deadline)
    assert pending.next_deadline() == 1.0
    assert pending.expire(2.5) == [(2, "2"), (4, "4"), (3, "3")]
    assert pending.next_deadline() == 3.0
    assert pending.resolve(1) == "1"
    assert pending.next_deadline() is None


def test_an_old_deadline_does_not_end_a_new_wait_for_the_same_key() -> None:
    pending: Pending[str, str] = Pending()
    pending.add("job", "first", 1.0)
    pending.resolve("job")
    pending.add("job", "second", 5.0)
    assert pending.expire(1.0) == []
    assert pending.next_deadline() == 5.0
    assert pending.expire(5.0) == [("job", "second")]


def test_draining_gives_everyone_in_the_order_they_came() -> None:
    pending: Pending[int, str] = Pending()
    for key in (3, 1, 2):
        pending.add(key, str(key), float(key))
    assert pending.drain() == [(3, "3"), (1, "1"), (2, "2")]
    assert (len(pending), pending.next_deadline()) == (0, None)


def test_keys_are_waited_for_once_and_waiters_are_bounded() -> None:
    pending: Pending[str, str] = Pending(limit=2)
    pending.add("a", "1", 1.0)
    with pytest.raises(LocalError, match="already"):
        pending.add("a", "2", 1.0)
    pending.add("b", "2", 1.0)
    with pytest.raises(LocalError, match="limit=2"):
        pending.add("c", "3", 1.0)
    assert pending.drain() == [("a", "1"), ("b", "2")]


def test_waiters_need_no_order_among_themselves() -> None:
    pending: Pending[object, object] = Pending()
    keys = [object(), object()]
    for key in keys:
        pending.add(key, key, 1.0)
    assert [key for key, _ in pending.expire(1.0)] == keys


def test_resolved_waiters_leave_nothing_behind() -> None:
    pending: Pending[int, int] = Pending()
    for key in range(100_000):
        pending.add(key, key, 1e9 + key)
        assert pending.resolve(key) == key
    assert len(pending._deadlines) <= 65


class EachEndsOnce(RuleBasedStateMachine):
    """A table against a plain dict of who waits."""

    def __init__(self) -> None:
        super().__init__()
        self.pending: Pending[int, int] = Pending(limit=20)
        self.waiting: dict[int, tuple[int, float]] = {}
        self.now = 0.0
        self.made = 0
        self.ended: list[int] = []

    @rule(key=st.integers(0, 30), wait=st.sampled_from([0.0, 1.0, 2.0, 50.0]))
    def add(self, key: int, wait: float) -> None:
        self.made += 1
        try:
            self.pending.add(key, self.made, self.now + wait)
        except LocalError:
            assert key in self.waiting or len(self.waiting) == 20
            self.ended.append(self.made)
            return
        assert key not in self.waiting
        self.waiting[key] = self.made, self.now + wait

    @rule(key=st.integers(0, 30))
    def resolve(self, key: int) -> None:
        unmatched = self.pending.unmatched
        waiter = self.pending.resolve(key)
        expected = self.waiting.pop(key, None)
        assert waiter == (expected[0] if expected else None)
        assert self.pending.unmatched == unmatched + (expected is None)
        self.ended += [waiter] if waiter is not None else []

    @rule(step=st.sampled_from([0.0, 1.0, 3.0]))
    def expire(self, step: float) -> None:
        self.now += step
        expired = self.pending.expire(self.now)
        due = {key: waiter for key, (waiter, deadline) in self.waiting.items() if deadline <= self.now}
        assert dict(expired) == due
        assert len(expired) == len(due)
        assert [self.waiting[key][1] for key, _ in expired] == sorted(self.waiting[key][1] for key in due)
        for key in due:
            self.ended.append(self.waiting.pop(key)[0])

    @rule()
    def drain(self) -> None:
        assert self.pending.drain() == [(key, waiter) for key, (waiter, _) in self.waiting.items()]
        self.ended += [waiter for waiter, _ in self.waiting.values()]
        self.waiting.clear()

    @invariant()
    def agrees(self) -> None:
        assert len(self.pending) == len(self.waiting)
        assert self.pending.next_deadline() == min((deadline for _, deadline in self.waiting.values()), default=None)
        assert sorted(self.ended + [waiter for waiter, _ in self.waiting.values()]) == list(range(1, self.made + 1))


TestEachEndsOnce = EachEndsOnce.TestCase
