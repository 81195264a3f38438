"""Turns to write: nobody is alone with somebody, nobody is passed by, nobody who left is waited for."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.stores.turns import Turns


class Room:
    """Who has a turn just now, and in which order they got it."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.alone: set[int] = set()
        self.together: set[int] = set()
        self.order: list[int] = []

    async def stay(self, number: int, alone: bool, leave: asyncio.Event) -> None:
        here = self.alone if alone else self.together
        async with self.turns.alone() if alone else self.turns.together():
            here.add(number)
            self.order.append(number)
            assert len(self.alone) + bool(self.together) == 1
            try:
                await leave.wait()
            finally:
                here.remove(number)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("come"), st.booleans()),
        st.tuples(st.just("leave"), st.integers(0, 5)),
        st.tuples(st.just("cancel"), st.integers(0, 5)),
        st.tuples(st.just("pass"), st.integers(1, 3)),
    ),
    max_size=30,
)


@given(STEPS)
def test_turns(steps: list[tuple[str, int]]) -> None:
    async def go() -> None:
        room = Room()
        people: list[tuple[asyncio.Task[None], asyncio.Event]] = []
        for kind, value in steps:
            present = [one for one in people if not one[0].done()]
            if kind == "come":
                leave = asyncio.Event()
                people.append((asyncio.create_task(room.stay(len(people), bool(value), leave)), leave))
            elif kind == "pass":
                for _ in range(value):
                    await asyncio.sleep(0)
            elif present:
                task, leave = present[value % len(present)]
                task.cancel() if kind == "cancel" else leave.set()
        for _, leave in people:
            leave.set()
        async with asyncio.timeout(10):
            ended = await asyncio.gather(*(task for task, _ in people), return_exceptions=True)
        assert all(error is None or isinstance(error, asyncio.CancelledError) for error in ended)
        assert room.order == sorted(room.order), "in the order in which they came"
        async with asyncio.timeout(10), room.turns.alone():
            assert not room.alone
            assert not room.together

    asyncio.run(go())


async def test_who_comes_while_somebody_waits_waits_too() -> None:
    room = Room()
    leave = [asyncio.Event() for _ in range(3)]
    first = asyncio.create_task(room.stay(0, False, leave[0]))
    alone = asyncio.create_task(room.stay(1, True, leave[1]))
    second = asyncio.create_task(room.stay(2, False, leave[2]))
    for _ in range(5):
        await asyncio.sleep(0)
    assert room.order == [0]
    leave[0].set()
    await first
    await asyncio.sleep(0)
    assert room.order == [0, 1]
    leave[1].set()
    leave[2].set()
    await asyncio.gather(alone, second)
    assert room.order == [0, 1, 2]


@pytest.mark.parametrize("alone", [True, False])
async def test_a_turn_that_raises_is_over(alone: bool) -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="x"):
        async with turns.alone() if alone else turns.together():
            raise ValueError("x")
    async with asyncio.timeout(10), turns.alone():
        pass
