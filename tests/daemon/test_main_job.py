"""The main job on real input: recordings of a real switch, over a real socket, through all of Parley.

What was on each recording is written down here by hand, from reading it. REST, the live view and the database must all
say exactly that, and the same as each other.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from daemon.calls.links import LinkState, LinkStatus
from daemon.demo.recording import RecordingPlayer
from daemon.stores.database import Database
from daemon.transcripts.spool import MAGIC
from tests.daemon.live_watcher import LiveWatcher
from tests.daemon.running_service import PASSWORD, RunningService
from tests.wire import recordings

LONG = os.environ.get("PARLEY_PROVE") == "1"
PACES = ["fast", 20.0, 1.0] if LONG else ["fast", 20.0]

Leg = tuple[str, str, str, str]
"""Direction, callee, code, hangup cause."""

Said = tuple[str, str, str]
"""Speaker, vendor, text."""

PROMPT: Said = ("app", "playback", "hello.wav")
FRIDAY: Said = ("caller", "mindslab", "금요일")


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A call on a recording. ``answered`` and ``lasted`` are seconds since it began.

    ``answered`` is None where it was not, ``lasted`` while it goes on. ``caller`` is None where the switch itself says
    different things about it as the call goes on.
    """

    caller: str | None
    did: str
    callee: str
    code: str = ""
    state: str = "ended"
    cause: str = ""
    disposition: str | None = None
    answered: float | None = None
    lasted: float | None = None
    slack: float = 0.03
    """Seconds by which ``answered`` and ``lasted`` may differ: the switch stamps its events in steps of 20 ms."""
    legs: list[Leg]
    said: list[Said] = []
    snapshot_code: str = ""
    """The code of its outbound leg, where a snapshot meets it: events that carry another leg's headers do not tell."""


def whole_call() -> Recorded:
    """Parked with a code, answered, prompted, three finals, three digits, prompted, transferred, hung up.

    Of its recogniser's events one names no leg and one has no body; the tone at the end is nobody's speech.
    """
    return Recorded(
        caller="01012341",
        did="07000001004",
        callee="9664",
        code="dev-app",
        cause="NORMAL_CLEARING",
        disposition="answered",
        answered=0.52,
        lasted=6.02,
        legs=[("inbound", "9664", "dev-app", "NORMAL_CLEARING")],
        said=[PROMPT, FRIDAY, FRIDAY, FRIDAY, PROMPT],
    )


def loopback_call(caller: str, did: str, code: str) -> Recorded:
    """Placed by the switch over its loopback; the recording's client had not asked for answers."""
    return Recorded(
        caller=caller,
        did=did,
        callee=did,
        code=code,
        cause="MANAGER_REQUEST",
        disposition="failed",
        lasted=3.02,
        legs=[("outbound", did, "", "MANAGER_REQUEST"), ("inbound", did, code, "MANAGER_REQUEST")],
    )


def burst_call(number: int) -> Recorded:
    return Recorded(
        caller=f"0101234{number}",
        did="07000001004",
        callee="07000001004",
        code="dev-app",
        cause="NORMAL_CLEARING",
        disposition="answered",
        answered=0.1,
        lasted=2.8,
        slack=0.2,
        legs=[("inbound", "07000001004", "dev-app", "NORMAL_CLEARING")],
        said=[PROMPT, FRIDAY, FRIDAY, FRIDAY],
    )


def echo_call(*, cause: str, parked: bool) -> Recorded:
    """Placed by the switch over its loopback: one side echoes, the other is parked."""
    return Recorded(
        caller=None,
        did="9196",
        callee="9196",
        state="parked" if parked else "ended",
        cause=cause,
        disposition=None if parked else "answered",
        answered=0.0,
        lasted=None if parked else 1.02,
        legs=[("outbound", "9196", "", cause), ("inbound", "9196", "", cause)],
    )


ON = {
    "01_plain_full_call": [whole_call()],
    "02_json_full_call": [whole_call()],
    "04h_log": [
        Recorded(
            caller="0000000000",
            did="07000001004",
            callee="07000001004",
            code="dev-app",
            cause="MANAGER_REQUEST",
            disposition="failed",
            lasted=1.02,
            legs=[
                ("outbound", "07000001004", "", "MANAGER_REQUEST"),
                ("inbound", "07000001004", "dev-app", "MANAGER_REQUEST"),
            ],
        )
    ],
    "04j_json_bgapi": [
        loopback_call("01098765483", "07000001003", "qa-app"),
        loopback_call("01098765484", "07000001004", "dev-app"),
        loopback_call("01098765485", "07000001005", "uat-app"),
        Recorded(
            caller="0000000000",
            did="nosuchnumber",
            callee="nosuchnumber",
            cause="NO_ROUTE_DESTINATION",
            disposition="failed",
            lasted=0.0,
            legs=[
                ("outbound", "nosuchnumber", "", "NO_ROUTE_DESTINATION"),
                ("inbound", "nosuchnumber", "", "NO_ROUTE_DESTINATION"),
            ],
        ),
    ],
    "04k_bridge_code": [
        Recorded(
            caller="01012341",
            did="07000001004",
            callee="7001",
            code="dev-app",
            cause="NORMAL_CLEARING",
            disposition="answered",
            answered=0.04,
            lasted=1.54,
            legs=[
                ("inbound", "7001", "dev-app", "NORMAL_CLEARING"),
                ("outbound", "9197", "", "NORMAL_CLEARING"),
                ("inbound", "9197", "other-app", "NORMAL_CLEARING"),
            ],
            snapshot_code="dev-app",
        )
    ],
    "04l_caller_hangs_up": [
        Recorded(
            caller="01012341",
            did="07000001003",
            callee="07000001003",
            code="qa-app",
            cause="NORMAL_CLEARING",
            disposition="answered",
            answered=0.0,
            lasted=3.02,
            legs=[("inbound", "07000001003", "qa-app", "NORMAL_CLEARING")],
        )
    ],
    # Of these two the beginning was not recorded.
    "04n_myevents_inbound": [
        Recorded(
            caller="01012341",
            did="07000001004",
            callee="07000001004",
            code="dev-app",
            cause="USER_BUSY",
            disposition="answered",
            answered=0.6,
            lasted=3.1,
            legs=[("inbound", "07000001004", "dev-app", "USER_BUSY")],
            said=[PROMPT],
        )
    ],
    "05a_outbound_async_full": [
        Recorded(
            caller="01012341",
            did="8084",
            callee="8084",
            code="dev-app",
            cause="DESTINATION_OUT_OF_ORDER",
            disposition="answered",
            answered=0.02,
            lasted=2.58,
            legs=[("inbound", "8084", "dev-app", "DESTINATION_OUT_OF_ORDER")],
            said=[PROMPT, FRIDAY, PROMPT],
        )
    ],
    "06b_burst20_json": [burst_call(number) for number in range(1, 21)],
    "07a_shutdown_sigterm": [echo_call(cause="SYSTEM_SHUTDOWN", parked=False)],
    "07c_killed_SIGKILL": [echo_call(cause="", parked=True)],
}


@pytest.fixture
def switch_port() -> Iterator[int]:
    """A port on which nobody listens until the recording does."""
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


class Playing:
    """A recording on its way into a service that is watched from before its first event."""

    def __init__(self, service: RunningService, watcher: LiveWatcher, folder: Path) -> None:
        self.service = service
        self.watcher = watcher
        self._folder = folder

    async def play(self, name: str, pace: float | str, *, stay: bool = True) -> RecordingPlayer:
        """Play it to its end; returns when Parley has heard all of it. The switch stays up after it, or is killed."""
        player = RecordingPlayer(
            recordings.unpack(f"{name}.esl", self._folder),
            port=self.service.config.switch[0].port,
            password=PASSWORD,
            fast=pace == "fast",
            speed=1.0 if pace == "fast" else float(pace),
            heartbeat=0.05,
            stay=stay,
        )
        await player.start()
        async with asyncio.timeout(60):
            await player.finished.wait()
        if stay:
            # What is heard in order cannot be heard later than the heartbeat after it, once nothing is held back.
            await self.service.until(LinkStatus, lambda: self.link.state is LinkState.READY)
            heard = self.link.last_event_at
            await self.service.until(LinkStatus, lambda: self.link.last_event_at != heard)
        else:
            await self.service.until(LinkStatus, lambda: self.link.state is LinkState.AWAY)
            await player.stop()
        return player

    @property
    def link(self) -> LinkStatus:
        return self.service.rooms.links()[0]

    async def calls(self) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """Every call and its transcript as REST tells them, once all is stored, after comparing the live view's."""
        await self.service.stored()
        listed = (await self.service.get("/calls", limit="100"))["calls"]
        told = []
        for call in listed:
            assert await self.service.get(f"/calls/{call['call_id']}") == call | {"agent": None}
            transcript = await self.service.get(f"/calls/{call['call_id']}/transcript")
            assert transcript["epoch"] == self.watcher.epoch
            said = transcript["utterances"]
            assert [one["seq"] for one in said] == list(range(1, len(said) + 1))
            assert len({one["utterance_id"] for one in said}) == len(said)
            told.append((call, said))
        count = sum(len(said) for _, said in told)
        await self.watcher.until(lambda: sum(map(len, self.watcher.held.values())) >= count)
        await self.watcher.until(lambda: all(self.watcher.calls[call["call_id"]] == call for call in listed))
        assert self.watcher.held == {call["call_id"]: said for call, said in told if said}
        assert self.watcher.doubles == self.watcher.holes == self.watcher.refused == []
        return told


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "state"


def check(told: tuple[dict[str, Any], list[dict[str, Any]]], recorded: Recorded) -> None:
    """REST told of ``recorded``, and of nothing else."""
    call, said = told
    if recorded.caller is not None:
        assert call["caller"] == recorded.caller
    assert (call["did"], call["callee"], call["code"]) == (recorded.did, recorded.callee, recorded.code)
    assert (call["state"], call["hangup_cause"]) == (recorded.state, recorded.cause)
    assert (call["disposition"], call["merged_into"]) == (recorded.disposition, None)
    for moment, seconds in (("answered_at", recorded.answered), ("ended_at", recorded.lasted)):
        since = None if call[moment] is None else call[moment] - call["created_at"]
        assert since == (None if seconds is None else pytest.approx(seconds, abs=recorded.slack)), moment
    legs = []
    for leg in call["legs"]:
        met_by_snapshot = leg["direction"] == "outbound" and leg["code"] == recorded.snapshot_code
        legs.append((leg["direction"], leg["callee"], "" if met_by_snapshot else leg["code"], leg["hangup_cause"]))
    assert legs == recorded.legs
    assert [(one["speaker"], one["vendor"], one["text"]) for one in said] == recorded.said
    for one in said:
        assert (one["start"], one["end"]) == ((5.14, 6.56) if one["speaker"] == "caller" else (None, None))
        assert one["leg_id"] == call["legs"][0]["leg_id"]


def check_all(told: list[tuple[dict[str, Any], list[dict[str, Any]]]], recorded: list[Recorded]) -> None:
    """Every call was told, each once. Calls of one recording differ by whom they are from, or by their DID."""
    assert len(told) == len(recorded)

    def by_caller(of: dict[str, Any] | Recorded) -> tuple[str, str]:
        caller, did = (of["caller"], of["did"]) if isinstance(of, dict) else (of.caller, of.did)
        return (caller or "", did)

    for one, expected in zip(
        sorted(told, key=lambda one: by_caller(one[0])), sorted(recorded, key=by_caller), strict=True
    ):
        check(one, expected)


async def stored_rows(url: str, table: str, order: str) -> list[dict[str, Any]]:
    """A table's rows as they stand, by a connection of our own."""
    database = Database.of(url)
    try:
        async with database.read() as connection:
            found = await connection.execute(text(f"SELECT * FROM {table} ORDER BY {order}"))
            return [dict(row) for row in found.mappings()]
    finally:
        await database.close()


async def check_stored(url: str, told: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> None:
    """What stands in the database is what REST told, and nothing else.

    A snapshot taken in the moment in which the switch calls a leg may take that for a call of its own, until the
    events say whose it is: such a row says which call it became, and has no leg.
    """
    calls = {row.pop("call_id"): row for row in await stored_rows(url, "calls", "call_id")}
    merged = {call_id: row["merged_into"] for call_id, row in calls.items() if row["merged_into"]}
    assert set(merged.values()) <= {call["call_id"] for call, _ in told}
    calls = {call_id: row for call_id, row in calls.items() if call_id not in merged}
    legs = await stored_rows(url, "legs", "call_id, position")
    said = await stored_rows(url, "utterances", "call_id, seq")
    assert len(calls) == len(told)
    assert len(legs) == sum(len(call["legs"]) for call, _ in told)
    assert len(said) == sum(len(utterances) for _, utterances in told)
    for call, utterances in told:
        row = calls[call["call_id"]]
        assert row.pop("other_id") == call["legs"][0]["leg_id"]
        assert row == {name: value for name, value in call.items() if name in row} | {"merged_into": ""}
        of_call = [row for row in legs if row["call_id"] == call["call_id"]]
        assert [row["position"] for row in of_call] == list(range(len(call["legs"])))
        for row, leg in zip(of_call, call["legs"], strict=True):
            assert {name: row[name] for name in leg} == leg
        texts = [row for row in said if row["call_id"] == call["call_id"]]
        assert [row | {"final": True} for row in texts] == utterances
    assert await stored_rows(url, "call_aliases", "old_call_id") == []


def spooled(state_dir: Path) -> list[bytes]:
    """What waits on disk for the database."""
    return [path.read_bytes() for path in state_dir.glob("spool/*.spool")]


async def play(name: str, pace: float | str, state_dir: Path, port: int, *, database: str = "") -> None:
    """The whole way: from the recording into REST, the live view and the database."""
    running = RunningService(state_dir, port, database=database)
    async with running as service:
        playing = Playing(service, await service.watcher(), state_dir)
        player = await playing.play(name, pace)
        told = await playing.calls()
        await player.stop()
    check_all(told, ON[name])
    await check_stored(running.database_url, told)
    assert spooled(state_dir) in ([], [MAGIC])


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("name", ON)
async def test_a_recording_is_told_as_it_was(name: str, pace: float | str, state_dir: Path, switch_port: int) -> None:
    await play(name, pace, state_dir, switch_port)


@pytest.mark.parametrize("name", ["02_json_full_call", "06b_burst20_json"])
async def test_on_both_databases(name: str, database_url: str, state_dir: Path, switch_port: int) -> None:
    await play(name, 20.0, state_dir, switch_port, database=database_url)


async def test_a_burst_loses_no_final_and_merges_none(state_dir: Path, switch_port: int) -> None:
    """Sixty finals of the same words and times are sixty utterances: three on each of twenty calls."""
    async with RunningService(state_dir, switch_port) as service:
        playing = Playing(service, await service.watcher(), state_dir)
        player = await playing.play("06b_burst20_json", "fast")
        told = await playing.calls()
        await player.stop()
    finals = [one for _, said in told for one in said if one["speaker"] == "caller"]
    assert [one["text"] for one in finals] == ["금요일"] * 60
    assert len({one["utterance_id"] for one in finals}) == 60
    assert sorted(sum(one["call_id"] == call_id for one in finals) for call_id in playing.watcher.held) == [3] * 20


async def test_calls_of_a_switch_that_was_killed_end_when_it_is_back(state_dir: Path, switch_port: int) -> None:
    """Nobody can know while it is away; its next life has another Core-UUID, so they are over, and how is not known."""
    running = RunningService(state_dir, switch_port)
    async with running as service:
        playing = Playing(service, await service.watcher(), state_dir)
        await playing.play("07c_killed_SIGKILL", "fast", stay=False)
        told = await playing.calls()
        check_all(told, ON["07c_killed_SIGKILL"])
        killed = told[0][0]["call_id"]

        player = await playing.play("02_json_full_call", "fast")
        told = await playing.calls()
        await player.stop()
    lost = next(call for call, _ in told if call["call_id"] == killed)
    assert (lost["state"], lost["disposition"]) == ("ended", "lost")
    assert {leg["state"] for leg in lost["legs"]} == {"ended"}
    check_all([one for one in told if one[0] is not lost], ON["02_json_full_call"])
    (gap,) = {link["gap"] for link in playing.watcher.links if link["gap"] is not None}
    assert gap > 0
    await check_stored(running.database_url, told)


async def test_recordings_one_after_another_are_calls_of_one_history(state_dir: Path, switch_port: int) -> None:
    """All of them into one service, by two switches' lives: every call is there once, newest first, page by page."""
    names = list(ON)
    running = RunningService(state_dir, switch_port)
    async with running as service:
        playing = Playing(service, await service.watcher(), state_dir)
        for name in names:
            player = await playing.play(name, "fast")
            await player.stop()
        expected = sum(len(ON[name]) for name in names)
        await service.until(LinkStatus, lambda: playing.link.state is LinkState.AWAY)
        told = await playing.calls()
        paged: list[dict[str, Any]] = []
        cursor = None
        while cursor is not None or not paged:
            page = await service.get("/calls", limit="7", **({"cursor": cursor} if cursor else {}))
            paged += page["calls"]
            cursor = page["next"]
    assert paged == [call for call, _ in told]
    assert len(told) == expected
    assert [call["created_at"] for call in paged] == sorted((call["created_at"] for call in paged), reverse=True)
    said = [one["text"] for _, utterances in told for one in utterances]
    recorded = [text for name in names for call in ON[name] for _, _, text in call.said]
    assert sorted(said) == sorted(recorded)
