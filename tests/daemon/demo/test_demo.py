"""What the service gets: an address that answers, with callers or with a recording behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.demo.demo import Demo
from tests.daemon.demo.conftest import Connect, Run
from tests.daemon.demo.plain_client import PlainClient, is_event, split
from tests.wire import recordings


async def test_callers_are_heard_at_the_address_it_gives(connect: Connect, run: Run) -> None:
    demo = await run(Demo(speed=200.0))
    config = demo.config
    assert (config.host, config.name, demo.password) == ("127.0.0.1", "demo", "ClueCon")
    client = await connect(config.port, "json CHANNEL_CREATE CHANNEL_HANGUP_COMPLETE CUSTOM brain_stt::transcription")
    said = await client.event(Event_Subclass="brain_stt::transcription")
    assert said["Caller-Username"].startswith("0101234")
    await client.event(Event_Name="CHANNEL_HANGUP_COMPLETE")
    await demo.stop()
    with pytest.raises(ConnectionRefusedError):
        await PlainClient.connect(config.port)


async def test_a_recording_is_heard_at_the_address_it_gives(tmp_path: Path, connect: Connect, run: Run) -> None:
    path = recordings.unpack("02_json_full_call.esl", tmp_path)
    demo = await run(Demo(recording=path, fast=True))
    client = await connect(demo.config.port, "json ALL")
    expected = [frame for frame in split(recordings.read("02_json_full_call.esl")) if is_event(frame)]
    await client.seen(lambda: len(client.events) == len(expected))
    assert client.events == expected


def test_a_file_that_is_no_recording_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        Demo(recording=tmp_path / "nowhere.esl")
    (tmp_path / "notes.txt").write_text("no recording")
    with pytest.raises(ValueError, match="no event"):
        Demo(recording=tmp_path / "notes.txt")
