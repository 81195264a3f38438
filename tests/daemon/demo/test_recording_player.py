"""A recording is played byte for byte, to whoever listens, and answers for the legs that are up in it."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path

import pytest

from daemon.demo.recording import RecordingPlayer
from tests.daemon.demo.conftest import Connect, Run
from tests.daemon.demo.plain_client import WireFrame, is_event, split
from tests.wire import recordings

WITH_EVENTS = [name for name in recordings.esl() if b"text/event-" in recordings.read(name)]


def recorded(name: str) -> list[WireFrame]:
    return [frame for frame in split(recordings.read(name)) if is_event(frame)]


@pytest.mark.parametrize("name", WITH_EVENTS)
async def test_exactly_the_recorded_event_frames_are_sent(
    name: str, tmp_path: Path, connect: Connect, run: Run
) -> None:
    player = await run(RecordingPlayer(recordings.unpack(name, tmp_path), fast=True, stay=False))
    client = await connect(player.port, "json HEARTBEAT")
    await client.eof()
    assert client.events == recorded(name)
    assert player.finished.is_set()


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress)])
async def test_packed_recordings_are_unpacked(suffix: str, pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    path = tmp_path / f"call.esl{suffix}"
    path.write_bytes(pack(recordings.read("02_json_full_call.esl")))
    assert len(RecordingPlayer(path).events) == len(recorded("02_json_full_call.esl"))


@pytest.mark.parametrize("data", [b"", b"Content-Type: auth/request\n\n", b"no recording at all"])
def test_what_is_no_recording_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "odd.esl"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"odd\.esl"):
        RecordingPlayer(path)


def test_what_cannot_be_unpacked_or_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.esl.xz"
    path.write_bytes(b"not packed")
    with pytest.raises(ValueError, match="unpacked"):
        RecordingPlayer(path)
    with pytest.raises(OSError, match="nowhere"):
        RecordingPlayer(tmp_path / "nowhere.esl")
    path = tmp_path / "odd.esl.gz"
    path.write_bytes(b"not packed")
    with pytest.raises(OSError, match="gzip"):
        RecordingPlayer(path)


async def test_the_legs_that_are_up_are_listed_and_dumped(tmp_path: Path, connect: Connect, run: Run) -> None:
    """At the point where the recording client listed the channels, the player lists the same legs."""
    name = "04k_bridge_code.esl"
    at_list = next(sent.offset for sent in recordings.sent(name) if b"show channels" in sent.data)
    part = tmp_path / "part.esl"
    part.write_bytes(recordings.read(name)[:at_list])
    answers = [frame for frame in split(recordings.read(name)) if frame.kind == "api/response"]
    theirs = json.loads(answers[0].body)["rows"]

    player = await run(RecordingPlayer(part, fast=True))
    client = await connect(player.port, "json ALL")
    await player.finished.wait()
    ours = json.loads(await client.ask("api show channels as json"))["rows"]
    assert [list(row) for row in ours] == [list(row) for row in theirs]
    same = ("uuid", "direction", "created_epoch", "name", "state", "cid_name", "cid_num", "dest", "callstate")
    assert [[row[key] for key in same] for row in ours] == [[row[key] for key in same] for row in theirs]
    assert ours[0]["initial_dest"] == theirs[0]["initial_dest"] == "07000001004"

    caller = ours[0]["uuid"]
    dump = json.loads(await client.ask(f"api uuid_dump {caller} json"))
    assert dump["Event-Name"] == "CHANNEL_DATA"
    assert dump["Core-UUID"] == player.core_uuid == recorded(name)[0].event["Core-UUID"]
    assert dump["variable_DP_MATCH"] == ["07000001004", "07000001004"]
    assert dump["Channel-Call-State"] == "ACTIVE"
    assert await client.ask(f"api uuid_exists {caller}") == "true"
    assert await client.ask(f"api uuid_getvar {caller} sip_from_user") == "01012341"
    assert (await client.ask(f"api uuid_kill {caller}")).startswith("-ERR")
    await client.ask(f"bgapi uuid_exists {caller}\nJob-UUID: job")
    job = await client.event(Job_UUID="job")
    assert job["_body"] == "true"
    assert int(job["Event-Sequence"]) > max(int(frame.event["Event-Sequence"]) for frame in recorded(name)[:50])


async def test_ended_legs_are_gone_and_stay_gone(tmp_path: Path, connect: Connect, run: Run) -> None:
    player = await run(RecordingPlayer(recordings.unpack("02_json_full_call.esl", tmp_path), fast=True))
    client = await connect(player.port, "json ALL")
    await player.finished.wait()
    leg = recorded("02_json_full_call.esl")[0].event["Unique-ID"]
    assert await client.ask("api show channels as json") == '{"row_count": 0}\n'
    assert await client.ask(f"api uuid_exists {leg}") == "false"
    assert await client.ask(f"api uuid_dump {leg} json") == "-ERR No such channel!\n"


async def test_a_client_that_comes_again_gets_the_rest(tmp_path: Path, connect: Connect, run: Run) -> None:
    """The recording waits while nobody listens: two connections one after another see all of it, once."""
    player = await run(RecordingPlayer(recordings.unpack("01_plain_full_call.esl", tmp_path), speed=20.0, stay=False))
    first = await connect(player.port, "plain ALL")
    await first.seen(lambda: len(first.events) > 5)
    await first.ask("noevents")
    seen = len(first.events)
    asking = await connect(player.port)
    await asking.ask("api status")
    assert len(first.events) == seen
    second = await connect(player.port, "plain ALL")
    await second.eof()
    assert first.events + second.events == recorded("01_plain_full_call.esl")


async def test_who_joins_late_hears_what_the_others_hear_from_then_on(
    tmp_path: Path, connect: Connect, run: Run
) -> None:
    player = await run(RecordingPlayer(recordings.unpack("01_plain_full_call.esl", tmp_path), speed=20.0, stay=False))
    first = await connect(player.port, "plain ALL")
    await first.seen(lambda: len(first.events) > 5)
    second = await connect(player.port, "plain ALL")
    await first.eof()
    await second.eof()
    assert first.events == recorded("01_plain_full_call.esl")
    assert 0 < len(second.events) < len(first.events)
    assert second.events == first.events[-len(second.events) :]


async def test_the_heart_beats_after_the_end(tmp_path: Path, connect: Connect, run: Run) -> None:
    player = await run(
        RecordingPlayer(recordings.unpack("04l_caller_hangs_up.esl", tmp_path), fast=True, heartbeat=0.01)
    )
    client = await connect(player.port, "plain HEARTBEAT")
    events = recorded("04l_caller_hangs_up.esl")
    await client.seen(lambda: len(client.events) >= len(events) + 2)
    own = [frame.event for frame in client.events[len(events) :]]
    sequences = [int(event["Event-Sequence"]) for event in own]
    assert {event["Event-Name"] for event in own} == {"HEARTBEAT"}
    assert {event["Core-UUID"] for event in own} == {player.core_uuid}
    assert min(sequences) > max(int(frame.event["Event-Sequence"]) for frame in events)
    assert own[0]["Event-Date-Timestamp"] > events[-1].event["Event-Date-Timestamp"]


async def test_the_recorded_pace_is_kept(tmp_path: Path, connect: Connect, run: Run) -> None:
    """What is waited for are the recorded seconds, divided by the speed."""
    waited: list[float] = []

    async def note(seconds: float) -> None:
        waited.append(seconds)

    player = await run(RecordingPlayer(recordings.unpack("02_json_full_call.esl", tmp_path), speed=100.0, sleep=note))
    await connect(player.port, "json ALL")
    await player.finished.wait()
    stamps = [int(frame.event["Event-Date-Timestamp"]) for frame in recorded("02_json_full_call.esl")]
    assert sum(waited) == pytest.approx((max(stamps) - stamps[0]) / 1e6 / 100.0)
    assert all(seconds >= 0 for seconds in waited)
