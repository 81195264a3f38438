"""``kill -9`` in the middle of speech, and what is known afterwards: every call by its id, every final once."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from daemon.demo.call import SimulatedCall
from daemon.demo.switch import SimulatedSwitch
from daemon.stores.database import Database
from tests.daemon.live_watcher import EVERYTHING, LiveWatcher
from tests.daemon.parley_process import SWITCH_PASSWORD, ParleyProcess
from tests.daemon.talk import Talk
from tests.services.postgres import PostgresServer

LONG = os.environ.get("PARLEY_PROVE") == "1"
ROUNDS = 25 if LONG else 3
MAY_BE_LOST = 0.05
"""Seconds before a kill of which finals may be missing."""


@pytest.fixture
async def switch() -> AsyncIterator[SimulatedSwitch]:
    simulated = SimulatedSwitch(password=SWITCH_PASSWORD, speed=50.0)
    await simulated.start()
    yield simulated
    await simulated.stop()


@pytest.fixture
async def watcher() -> AsyncIterator[LiveWatcher]:
    watching = LiveWatcher()
    yield watching
    await watching.close()


@pytest.fixture
async def parley(tmp_path: Path, switch: SimulatedSwitch) -> AsyncIterator[ParleyProcess]:
    process = ParleyProcess(tmp_path, switch.port)
    yield process
    await process.close()


@pytest.fixture
async def parley_on_postgres(
    tmp_path: Path, switch: SimulatedSwitch, postgres_server: PostgresServer
) -> AsyncIterator[ParleyProcess]:
    process = ParleyProcess(tmp_path, switch.port, database=postgres_server.url())
    yield process
    await process.close()


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Ask another process, which gives no event to wait for, until it says so."""
    async with asyncio.timeout(60):
        while not await true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def answered(switch: SimulatedSwitch, count: int) -> list[SimulatedCall]:
    """Callers who are listened to."""
    calls = [await switch.call(caller=f"010000000{number:02}", code="dev-app") for number in range(count)]
    for call in calls:
        await call.answer()
        await call.listen()
    return calls


async def call_ids(parley: ParleyProcess) -> dict[str, str]:
    """The live calls: the caller's leg → our call id."""
    listed = (await parley.get("/calls", state="live", limit="100"))["calls"]
    return {call["legs"][0]["leg_id"]: call["call_id"] for call in listed}


def stored(parley: ParleyProcess, query: str) -> list[tuple[Any, ...]]:
    """What stands in the database file."""
    connection = sqlite3.connect(parley.state_dir / "parley.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def check_order(said: list[str], told: list[str]) -> None:
    """Of what was said some may not have been heard; what was, was heard once and in order."""
    places = [said.index(text) for text in told]
    assert places == sorted(set(places))


async def has_all(parley: ParleyProcess, call_id: str, texts: list[str]) -> bool:
    """Whether the transcript holds those, whatever else."""
    return set(texts) <= {one["text"] for one in await parley.transcript(call_id)}


async def kill(parley: ParleyProcess, watcher: LiveWatcher) -> set[str]:
    """``kill -9``; returns what was heard in this life and must be known in the next."""
    killed_at = time.monotonic()
    await parley.kill()
    await watcher.away()
    safe = {text for text, at in watcher.heard_at.items() if at < killed_at - MAY_BE_LOST}
    watcher.heard_at.clear()
    watcher.links.clear()
    return safe


async def start_again(parley: ParleyProcess, watcher: LiveWatcher) -> None:
    """Start it, and wait until it follows the switch and tells the watcher so."""
    await parley.start()
    await watcher.watching()
    await watcher.until(lambda: watcher.links[-1]["state"] == "ready")


def hears(watcher: LiveWatcher, said: list[str], after: int) -> Callable[[], bool]:
    """Whether it heard any of ``said`` after the first so many."""
    return lambda: not watcher.heard_at.keys().isdisjoint(said[after:])


async def test_killed_while_people_speak(parley: ParleyProcess, switch: SimulatedSwitch, watcher: LiveWatcher) -> None:
    """Again and again at any moment: in the middle of speech, and every third time once more before it may be up."""
    chance = random.Random()
    safe: set[str] = set()
    await parley.start()
    await watcher.connect(parley.port, await parley.token())
    await switch.subscribers()
    calls = await answered(switch, 3)
    talk = Talk(switch, calls)
    async with talk.going_on():
        await watcher.until(lambda: len(watcher.held) == 3)
        ids = await call_ids(parley)
        await asyncio.sleep(2 * MAY_BE_LOST)  # the calls themselves are safe now

        for number in range(ROUNDS):
            await asyncio.sleep(chance.uniform(0.0, 0.6))  # any moment
            safe |= await kill(parley, watcher)
            if number % 3 == 2:
                await parley.launch()
                await asyncio.sleep(chance.uniform(0.0, 1.5))  # any moment
                safe |= await kill(parley, watcher)
            told_before = {leg_id: len(said) for leg_id, said in talk.said.items()}
            await parley.start()
            for leg_id, said in talk.said.items():
                await watcher.until(hears(watcher, said, told_before[leg_id]))
            assert await call_ids(parley) == ids
            for leg_id, call_id in ids.items():
                told = [one["text"] for one in await parley.transcript(call_id)]
                check_order(talk.said[leg_id], told)
                assert safe & set(talk.said[leg_id]) <= set(told)
    last = {call.leg_id: await talk.say(call) for call in calls}
    await watcher.until(lambda: all(watcher.texts(ids[leg_id])[-1] == text for leg_id, text in last.items()))
    assert watcher.held == {call_id: await parley.transcript(call_id) for call_id in ids.values()}
    assert watcher.doubles == watcher.holes == watcher.refused == []
    # A life that was killed early may have told nobody of its epoch.
    assert ROUNDS < len(watcher.epochs) == len(set(watcher.epochs))
    assert set(watcher.resets) <= {EVERYTHING, *ids.values()}
    for call in calls:
        await call.hang_up()
    await watcher.until(lambda: all(watcher.calls[call_id]["state"] == "ended" for call_id in ids.values()))
    await parley.stop()
    for call_id, held in watcher.held.items():
        rows = stored(parley, f"SELECT seq, text FROM utterances WHERE call_id = '{call_id}' ORDER BY seq")
        assert rows == [(seq, one["text"]) for seq, one in enumerate(held, 1)]
    ended = stored(parley, "SELECT call_id, state, disposition FROM calls")
    assert sorted(ended) == sorted((call_id, "ended", "answered") for call_id in ids.values())
    assert "utterance_resequenced" not in parley.log
    assert "call_found_again" not in parley.log
    assert "Traceback" not in parley.log


async def say_and_hear(talk: Talk, watcher: LiveWatcher, times: int) -> None:
    """Everybody says so many more things, and the watcher hears them."""
    said = await talk.say_all(times)
    await watcher.until(lambda: said <= watcher.heard_at.keys())


def live_ids(watcher: LiveWatcher) -> dict[str, str]:
    """The live calls as the watcher was told of them: the caller's leg → our call id."""
    live = [call for call in watcher.calls.values() if call["state"] != "ended"]
    return {call["legs"][0]["leg_id"]: call["call_id"] for call in live}


async def until_stored(server: PostgresServer, said: dict[str, list[str]], ids: dict[str, str]) -> None:
    """Wait until what was said, and nothing else, stands in the database: in order and under these call ids."""
    expected = {ids[leg_id]: list(enumerate(texts, 1)) for leg_id, texts in said.items()}

    async def is_stored() -> bool:
        database = Database.of(server.url())
        try:
            async with database.read() as connection:
                found = await connection.execute(text("SELECT call_id, seq, text FROM utterances ORDER BY seq"))
                rows: dict[str, list[tuple[int, str]]] = {}
                for row in found:
                    rows.setdefault(row.call_id, []).append((row.seq, row.text))
                return rows == expected
        finally:
            await database.close()

    await until(is_stored)


async def check_transcripts(parley: ParleyProcess, watcher: LiveWatcher, talk: Talk, ids: dict[str, str]) -> None:
    """REST and the watcher know all that was said, once and in order, and nothing else."""
    assert await call_ids(parley) == ids
    for leg_id, call_id in ids.items():
        transcript = await parley.transcript(call_id)
        assert [(one["seq"], one["text"]) for one in transcript] == list(enumerate(talk.said[leg_id], 1))
        assert watcher.held[call_id] == transcript
    assert watcher.held.keys() == set(ids.values())
    assert watcher.doubles == watcher.holes == watcher.refused == []


async def test_killed_while_the_database_hangs_and_started_when_it_is_back(
    parley_on_postgres: ParleyProcess, switch: SimulatedSwitch, watcher: LiveWatcher, postgres_server: PostgresServer
) -> None:
    """What was said last is only in the spool at the restart: no call is continued before that is stored."""
    parley = parley_on_postgres
    await parley.start()
    await watcher.connect(parley.port, await parley.token())
    await switch.subscribers()
    calls = await answered(switch, 3)
    talk = Talk(switch, calls)
    await say_and_hear(talk, watcher, 5)
    await until_stored(postgres_server, talk.said, live_ids(watcher))
    postgres_server.pause()
    # Of one call the database knows nothing at all.
    late = await switch.call(caller="01000000099", code="dev-app")
    await late.answer()
    talk.join(late)
    await say_and_hear(talk, watcher, 2000 if LONG else 40)
    ids = live_ids(watcher)
    await asyncio.sleep(2 * MAY_BE_LOST)  # older than this is safe
    await kill(parley, watcher)
    postgres_server.resume()

    await start_again(parley, watcher)
    await say_and_hear(talk, watcher, 5)
    await check_transcripts(parley, watcher, talk, ids)
    await until_stored(postgres_server, talk.said, ids)
    await parley.stop()
    assert "utterance_resequenced" not in parley.log
    assert "Traceback" not in parley.log


@pytest.mark.parametrize("away", ["stopped", "hanging"] if LONG else ["stopped"])
async def test_started_while_the_database_is_away(
    parley_on_postgres: ParleyProcess,
    switch: SimulatedSwitch,
    watcher: LiveWatcher,
    postgres_server: PostgresServer,
    away: str,
) -> None:
    """Calls are followed under fresh ids, and get back their own, with all that was said, when the database is back."""
    parley = parley_on_postgres
    await parley.start()
    # With the database away nobody can be looked up; over the command line's socket the system says who we are.
    await watcher.connect_unix(parley.state_dir / "parley.sock")
    await parley.token()
    await switch.subscribers()
    calls = await answered(switch, 2)
    talk = Talk(switch, calls)
    await say_and_hear(talk, watcher, 5)
    ids = live_ids(watcher)
    await until_stored(postgres_server, talk.said, ids)
    if away == "stopped":
        postgres_server.stop()
    else:
        postgres_server.pause()
    await say_and_hear(talk, watcher, 20)
    await asyncio.sleep(2 * MAY_BE_LOST)  # older than this is safe
    await kill(parley, watcher)

    await start_again(parley, watcher)
    said_before = {leg_id: len(said) for leg_id, said in talk.said.items()}
    await say_and_hear(talk, watcher, 20)
    fresh = live_ids(watcher)
    assert fresh.keys() == ids.keys()
    assert set(fresh.values()).isdisjoint(ids.values())
    for leg_id, call_id in fresh.items():
        assert watcher.texts(call_id) == talk.said[leg_id][said_before[leg_id] :]
    assert watcher.doubles == watcher.holes == []
    resets, epochs = len(watcher.resets), len(watcher.epochs)

    async with talk.going_on():
        if away == "stopped":
            await asyncio.to_thread(postgres_server.start)
        else:
            postgres_server.resume()
        await watcher.until(lambda: {*fresh.values(), *ids.values()} <= set(watcher.resets[resets:]))
    await say_and_hear(talk, watcher, 1)
    assert len(watcher.epochs) > epochs
    assert live_ids(watcher) == ids
    await check_transcripts(parley, watcher, talk, ids)
    for leg_id, call_id in fresh.items():
        # Who still holds an address with the fresh id is led to the call.
        assert (await parley.get(f"/calls/{call_id}"))["call_id"] == ids[leg_id]
        assert watcher.calls[call_id]["merged_into"] == ids[leg_id]
    await until_stored(postgres_server, talk.said, ids)
    await parley.stop()
    assert "utterance_resequenced" not in parley.log
    assert "Traceback" not in parley.log


async def ended_unseen(switch: SimulatedSwitch, parley: ParleyProcess, watcher: LiveWatcher) -> tuple[str, str]:
    """Two calls are up, Parley is killed, one of them ends meanwhile; returns the ids of that one and of the other."""
    await parley.start()
    await watcher.connect_unix(parley.state_dir / "parley.sock")
    await parley.token()
    await switch.subscribers()
    leaving, staying = calls = await answered(switch, 2)
    talk = Talk(switch, calls)
    await say_and_hear(talk, watcher, 1)
    ids = live_ids(watcher)
    await asyncio.sleep(2 * MAY_BE_LOST)  # older than this is safe
    await kill(parley, watcher)
    await leaving.hang_up()
    return ids[leaving.leg_id], ids[staying.leg_id]


async def test_the_time_in_which_nobody_listened_is_a_gap(
    parley: ParleyProcess, switch: SimulatedSwitch, watcher: LiveWatcher
) -> None:
    """Killed, and stopped in order: what is told of the switch first is for how long nothing is known of it."""
    await parley.start()
    await watcher.connect(parley.port, await parley.token())
    await watcher.until(lambda: watcher.links[-1]["state"] == "ready")
    assert [link["gap"] for link in watcher.links if link["gap"] is not None] == []

    async def is_noted() -> bool:
        return (parley.state_dir / "last-heard.json").exists()

    await until(is_noted)
    first_heard = watcher.links[-1]["since"]
    for end in (parley.kill, parley.stop):
        watcher.links.clear()
        await end()
        ended_at = time.time()
        await start_again(parley, watcher)
        ready = next(link for link in watcher.links if link["state"] == "ready")
        assert ready["since"] >= ended_at
        assert first_heard - 1.0 <= ready["since"] - ready["gap"] <= ended_at


async def test_a_call_that_ended_unseen_is_ended(
    parley: ParleyProcess, switch: SimulatedSwitch, watcher: LiveWatcher
) -> None:
    """However young it was: how it ended is not known, and that is what is said of it."""
    gone, staying = await ended_unseen(switch, parley, watcher)
    await start_again(parley, watcher)
    assert set(live_ids(watcher).values()) == {staying}
    lost = await parley.get(f"/calls/{gone}")
    assert (lost["state"], lost["disposition"]) == ("ended", "lost")
    assert {leg["state"] for leg in lost["legs"]} == {"ended"}
    assert lost["created_at"] <= lost["answered_at"] <= lost["ended_at"]
    assert (await parley.get(f"/calls/{staying}"))["state"] == "active"
    assert len(await parley.transcript(gone)) == len(await parley.transcript(staying)) == 1


async def test_a_call_that_ended_unseen_is_ended_when_the_database_is_back(
    parley_on_postgres: ParleyProcess, switch: SimulatedSwitch, watcher: LiveWatcher, postgres_server: PostgresServer
) -> None:
    """The same where the database could not be asked at the restart."""
    parley = parley_on_postgres
    gone, staying = await ended_unseen(switch, parley, watcher)
    postgres_server.stop()
    await start_again(parley, watcher)
    (fresh,) = live_ids(watcher).values()
    assert fresh not in (gone, staying)
    await asyncio.to_thread(postgres_server.start)
    await watcher.until(lambda: set(live_ids(watcher).values()) == {staying})

    async def is_lost() -> bool:
        call = await parley.get(f"/calls/{gone}")
        return (call["state"], call["disposition"]) == ("ended", "lost")

    await until(is_lost)
    assert (await parley.get(f"/calls/{staying}"))["state"] == "active"
    [live] = (await parley.get("/calls", state="live"))["calls"]
    assert live | {"agent": None} == await parley.get(f"/calls/{staying}")
