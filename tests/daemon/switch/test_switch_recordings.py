"""Recordings of a real switch, played over real sockets to a whole :class:`Switch`, and what stands there after."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from daemon.calls.call import Call, CallState, Disposition
from daemon.calls.events import AppSpoke, SpeechRecognised
from daemon.calls.links import LinkState
from daemon.demo.recording import RecordingPlayer
from protocols.esl.parser import FrameParser
from tests.daemon.switch.following import Following
from tests.daemon.switch.script import Conversation, reply, response
from tests.daemon.switch.translation import Translation, recorded
from tests.wire import recordings

Follow = Callable[..., Following]
Scripted = Callable[..., Any]


def event_frames(name: str) -> bytes:
    """The event frames of a recording, unchanged and without what answered the client of then."""
    frames = FrameParser().feed(recordings.read(name))
    return b"".join(
        b"%b\n\n%b" % (frame.headers, frame.body) for frame in frames if frame.content_type.startswith(b"text/event-")
    )


class Player:
    """Answers commands itself and plays ``name`` to whoever subscribes first, in pieces of random sizes."""

    def __init__(self, name: str, *, stay: bool = True) -> None:
        self._data = event_frames(name)
        self._stay = stay
        self._played = False
        self.done = asyncio.Event()

    async def __call__(self, client: Conversation) -> None:
        await client.sign_in()
        while command := await client.command():
            if command.startswith("api show"):
                await client.send(response('{"row_count": 0}'))
            elif command.startswith("api uuid_exists"):
                await client.send(response("true"))
            elif command.startswith("api"):
                await client.send(response("-ERR no reply\n"))
            elif command.startswith("event json") and not self._played:
                self._played = True
                # A reply that nobody awaits, as a recording of another client's session is full of.
                await client.send(reply("+OK event listener enabled json") + reply("+OK not yours"))
                await self._play(client)
                if not self._stay:
                    return
            else:
                await client.send(reply("+OK"))

    async def _play(self, client: Conversation) -> None:
        sizes = random.Random(len(self._data))
        at = 0
        while at < len(self._data):
            size = sizes.choice((1, 10, 1_000, 100_000))
            await client.send(self._data[at : at + size])
            at += size
        self.done.set()


async def played(scripted: Scripted, follow: Follow, name: str, **options: Any) -> Following:
    """Follow the player of ``name`` until all that happens in it has been told."""
    expected = len(Translation().take(recorded(name)).events)
    player = await scripted(Player(name))
    following = follow(player.port, **options)
    await following.until(lambda: len(following.events) >= expected)
    await following.ready()
    return following


def calls(following: Following) -> list[Call]:
    return [call for call in following.registry.calls() if not call.merged_into]


@pytest.mark.parametrize("name", recordings.esl())
async def test_what_is_told_is_what_happened(name: str, scripted: Scripted, follow: Follow) -> None:
    following = await played(scripted, follow, name)
    expected = Translation().take(recorded(name)).events
    assert [(type(event), event.leg_id) for event in following.events] == [
        (type(event), event.leg_id) for event in expected
    ]
    assert following.became(LinkState.AWAY) == []


@pytest.mark.parametrize("name", ["01_plain_full_call.esl", "02_json_full_call.esl"])
async def test_a_whole_call(name: str, scripted: Scripted, follow: Follow) -> None:
    following = await played(scripted, follow, name)
    (call,) = calls(following)
    assert (call.caller, call.caller_name, call.did, call.callee, call.code) == (
        "01012341",
        "홍길동",
        "07000001004",
        "9664",
        "dev-app",
    )
    assert (call.state, call.disposition, call.hangup_cause) == (
        CallState.ENDED,
        Disposition.ANSWERED,
        "NORMAL_CLEARING",
    )
    finals = following.transcripts.finals(call.call_id)
    assert [(one.seq, one.speaker.value, one.text) for one in finals] == [
        (1, "app", "hello.wav"),
        (2, "caller", "금요일"),
        (3, "caller", "금요일"),
        (4, "caller", "금요일"),
        (5, "app", "hello.wav"),
    ]


async def test_four_loopback_calls_are_four(scripted: Scripted, follow: Follow) -> None:
    following = await played(scripted, follow, "04j_json_bgapi.esl")
    assert [(call.did, call.code, len(call.legs), call.state) for call in calls(following)] == [
        ("07000001003", "qa-app", 2, CallState.ENDED),
        ("07000001004", "dev-app", 2, CallState.ENDED),
        ("07000001005", "uat-app", 2, CallState.ENDED),
        ("nosuchnumber", "", 2, CallState.ENDED),
    ]


async def test_a_bridged_call_is_one_with_its_own_code(scripted: Scripted, follow: Follow) -> None:
    following = await played(scripted, follow, "04k_bridge_code.esl")
    (call,) = calls(following)
    assert (call.code, call.did, call.state, len(call.legs)) == ("dev-app", "07000001004", CallState.ENDED, 3)
    assert [leg.code for leg in call.legs] == ["dev-app", "", "other-app"]


async def test_twenty_calls_at_once(scripted: Scripted, follow: Follow) -> None:
    following = await played(scripted, follow, "06b_burst20_json.esl")
    assert len(calls(following)) == 20
    for call in calls(following):
        texts = [one.text for one in following.transcripts.finals(call.call_id)]
        assert sorted(texts) == ["hello.wav", "금요일", "금요일", "금요일"]
        assert call.state is CallState.ENDED


async def test_a_switch_that_shuts_down(scripted: Scripted, follow: Follow) -> None:
    following = await played(scripted, follow, "07a_shutdown_sigterm.esl")
    assert [(call.state, call.hangup_cause) for call in calls(following)] == [(CallState.ENDED, "SYSTEM_SHUTDOWN")]


async def test_a_killed_switch_leaves_a_call_that_the_next_core_ends(scripted: Scripted, follow: Follow) -> None:
    """First the recording of a switch that is killed, then on the same address that of another run of it."""
    script: dict[str, Player] = {"now": Player("07c_killed_SIGKILL.esl", stay=False)}

    async def server(client: Conversation) -> None:
        await script["now"](client)

    port = (await scripted(server)).port
    following = follow(port)
    await script["now"].done.wait()
    await following.until(lambda: len(following.events) >= 5)
    (first,) = calls(following)
    script["now"] = Player("04l_caller_hangs_up.esl")
    await following.until(lambda: len(calls(following)) == 2)
    assert (first.state, first.disposition) == (CallState.ENDED, Disposition.LOST)
    assert calls(following)[1].caller == "01012341"


@pytest.mark.parametrize(
    ("name", "count"), [("02_json_full_call.esl", 1), ("04k_bridge_code.esl", 1), ("06b_burst20_json.esl", 20)]
)
async def test_a_snapshot_in_the_middle_of_a_recording(name: str, count: int, tmp_path: Path, follow: Follow) -> None:
    """The player lists and dumps the legs that are up by then, while their events race in as fast as they go."""
    player = RecordingPlayer(recordings.unpack(name, tmp_path), fast=True)
    await player.start()
    following = follow(player.port)
    await following.ready()
    await following.until(
        lambda: len(calls(following)) == count and all(call.state is CallState.ENDED for call in calls(following))
    )
    told = Translation().take(recorded(name))
    said = [event for event in told.events if isinstance(event, SpeechRecognised | AppSpoke)]
    finals = [one for call in calls(following) for one in following.transcripts.finals(call.call_id)]
    assert len(finals) == len(said)
    assert {call.code for call in calls(following)} == {"dev-app"}
    assert {call.did for call in calls(following)} == {"07000001004"}
    await player.stop()
