"""Whose turn it is to write into SQLite's file."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager

from hypothesis import given
from hypothesis import strategies as st

from daemon.stores.sqlite_writer import WriteTurn


class Writers:
    """Who had the turn, in that order."""

    def __init__(self) -> None:
        self.turn = WriteTurn()
        self.had: list[str] = []
        self.inside = 0

    async def write(self, name: str, *, urgent: bool = False) -> None:
        held: AbstractAsyncContextManager[object] = self.turn.urgent() if urgent else self.turn
        async with held:
            self.inside += 1
            try:
                assert self.inside == 1, "one at a time"
                self.had.append(name)
                await asyncio.sleep(0)
            finally:
                self.inside -= 1


async def test_who_is_urgent_waits_for_one_other_at_most() -> None:
    writers = Writers()
    others = [asyncio.create_task(writers.write(f"other {number}")) for number in range(100)]
    await asyncio.sleep(0)
    for number in range(3):
        await writers.write(f"group {number}", urgent=True)
        # Each of the others' turns is one of the loop.
        assert writers.had[-1] == f"group {number}"
        assert len(writers.had) <= 2 * (number + 1) + 1
    await asyncio.gather(*others)
    assert not writers.turn.is_wanted
    assert [name for name in writers.had if name.startswith("other")] == [f"other {number}" for number in range(100)]


async def test_others_have_every_second_turn() -> None:
    writers = Writers()
    together = [writers.write("group", urgent=True) for _ in range(10)] + [writers.write("other") for _ in range(10)]
    await asyncio.gather(*together)
    assert writers.had == ["group", "other"] * 10


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["stays", "goes", "goes later"])), max_size=12))
def test_whoever_goes_away_the_turn_is_passed_on(comers: list[tuple[bool, str]]) -> None:
    async def play() -> None:
        writers = Writers()
        asked = [
            asyncio.create_task(writers.write(str(number), urgent=urgent)) for number, (urgent, _) in enumerate(comers)
        ]
        for moment in ("goes", "goes later"):
            await asyncio.sleep(0)
            for task, (_, when) in zip(asked, comers, strict=True):
                if when == moment:
                    task.cancel()
        ended = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(one) for one in ended} <= {type(None), asyncio.CancelledError}
        assert {str(number) for number, (_, when) in enumerate(comers) if when == "stays"} <= set(writers.had)
        assert not writers.turn.is_wanted
        async with asyncio.timeout(30):
            await writers.write("the last")

    asyncio.run(play())
