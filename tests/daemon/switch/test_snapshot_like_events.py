"""Whoever comes late and asks finds the calls as those know them who have heard every event."""

from __future__ import annotations

import os

import pytest

from daemon.calls.links import LinkState, LinkStatus
from daemon.calls.registry import Registry
from tests.daemon.switch.following import Following
from tests.daemon.switch.history import History
from tests.daemon.switch.replay import Replay
from tests.daemon.switch.scenarios import HISTORIES, history_of, many
from tests.daemon.switch.standing import differences, is_ambiguous, merged, told

PROVE = os.environ.get("PARLEY_PROVE") == "1"


@pytest.mark.parametrize("name", HISTORIES)
async def test_a_snapshot_is_like_the_events(name: str) -> None:
    """Asked whenever the switch is done with what it was doing."""
    history = await history_of(name)
    quiet = [number for number, moment in enumerate(history) if moment.event is None]
    asked = [number for number in quiet if not is_ambiguous(history[number], told(history, number))]
    assert asked
    async with Replay(history) as switch:
        for number in asked:
            switch.stands = number
            following = Following(switch.port, clock=switch.now)
            following.start()
            await following.ready()
            await following.stop()
            assert differences(history[number], told(history, number), following.registry) == [], f"at {number}"


@pytest.mark.parametrize("name", HISTORIES)
async def test_a_snapshot_amid_events_is_set_right_by_them(name: str) -> None:
    """Asked while the switch is in the midst of something, and told the rest of it: nobody sees a call that is none."""
    history = await history_of(name)

    async def at(number: int) -> None:
        if is_ambiguous(history[number], told(history, number)):
            return
        done = next(later for later in range(number, len(history)) if history[later].event is None)
        registry = await asked_and_told(history, number, done)
        known = told(history, done)
        assert differences(history[done], known, registry) == [], f"at {number}"
        assert merged(registry) <= merged(known), f"at {number}"

    await many(at, range(len(history)), at_most=None if PROVE else 25)


async def asked_and_told(history: History, asked: int, done: int) -> Registry:
    """What is known to somebody who has asked at one moment and hears all until another."""
    async with Replay(history) as switch:

        def goes_on(status: LinkStatus) -> None:
            if status.state is LinkState.READY:
                switch.stands = done

        switch.stands = asked
        following = Following(switch.port, clock=switch.now, reconcile_interval=0.01)
        following.hub.tap((LinkStatus,), goes_on)
        following.start()
        await following.ready()
        await switch.tell(asked + 1, done)
        await switch.end()
        await following.last_heard()
        await switch.compared()
        await following.stop()
    return following.registry
