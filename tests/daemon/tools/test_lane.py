"""The bound on somebody else's function, whatever that does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from daemon.tools.lane import BusyError, Lane
from tests.daemon.tools.example_tools import Waiting, cancel, cling, leave, wait

PATIENT = 60.0


async def until_begun(waiting: Waiting, count: int) -> None:
    async with asyncio.timeout(30):
        while waiting.begun < count:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


def lane_of(function: Any, waiting: Waiting, *, deadline: float = PATIENT, at_once: int = 2) -> Lane:
    async def work() -> Any:
        return await function(waiting=waiting)

    return Lane(work, deadline=deadline, at_once=at_once)


async def test_no_more_than_so_many_run_at_once_and_the_others_follow() -> None:
    waiting = Waiting()
    lane = lane_of(wait, waiting)
    asked = [asyncio.create_task(lane.run()) for _ in range(5)]
    await until_begun(waiting, 2)
    await asyncio.sleep(0)
    assert waiting.begun == 2
    waiting.may_end.set()
    assert await asyncio.gather(*asked) == [{"done": True}] * 5
    assert (waiting.begun, waiting.ended) == (5, 5)


async def test_a_late_call_is_cancelled_and_its_place_is_free_again() -> None:
    waiting = Waiting()
    lane = lane_of(wait, waiting, deadline=0.02, at_once=1)
    with pytest.raises(TimeoutError):
        await lane.run()
    with pytest.raises(TimeoutError):
        await lane.run()
    assert waiting.begun == 2
    waiting.may_end.set()
    assert await lane.run() == {"done": True}


async def test_a_call_that_will_not_end_is_late_all_the_same_and_keeps_its_place() -> None:
    waiting = Waiting()
    lane = lane_of(cling, waiting, deadline=0.02, at_once=1)
    with pytest.raises(TimeoutError):
        await lane.run()
    with pytest.raises(BusyError):
        await lane.run()
    assert waiting.begun == 1
    waiting.may_end.set()
    async with asyncio.timeout(30):
        while not waiting.ended:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
    assert await lane.run() == {}


async def test_more_than_may_wait_are_turned_away_at_once() -> None:
    waiting = Waiting()
    lane = lane_of(wait, waiting, at_once=1)
    asked = [asyncio.create_task(lane.run()) for _ in range(101)]
    await until_begun(waiting, 1)
    with pytest.raises(BusyError):
        await lane.run()
    waiting.may_end.set()
    assert len(await asyncio.gather(*asked)) == 101


async def test_a_function_cannot_end_the_process_or_its_caller() -> None:
    with pytest.raises(RuntimeError, match="it raised SystemExit"):
        await Lane(leave, deadline=PATIENT, at_once=1).run()
    with pytest.raises(RuntimeError, match="it was cancelled from within"):
        await Lane(cancel, deadline=PATIENT, at_once=1).run()


async def test_who_asked_and_goes_away_takes_the_call_along() -> None:
    waiting = Waiting()
    lane = lane_of(wait, waiting)
    asked = asyncio.create_task(lane.run())
    await until_begun(waiting, 1)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await asyncio.sleep(0)
    assert waiting.ended == 1


async def test_closing_ends_what_runs() -> None:
    waiting = Waiting()
    lane = lane_of(wait, waiting)
    asked = asyncio.create_task(lane.run())
    await until_begun(waiting, 1)
    await lane.close()
    assert waiting.ended == 1
    with pytest.raises(asyncio.CancelledError):
        await asked
