"""When switches were last heard of outlives the process that heard them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from daemon.switch.last_heard import LastHeard


async def test_a_note_outlives_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "last-heard.json"
    heard = LastHeard(path)
    assert heard.of("main") is None
    await heard.note({"main": 1000.19, "busan": None})
    later = LastHeard(path)
    assert (later.of("main"), later.of("busan")) == (1000.1, None)
    # A switch that has not been heard of in this life keeps the note of the one before.
    await later.note({"main": None, "busan": 2000.0})
    assert (LastHeard(path).of("main"), LastHeard(path).of("busan")) == (1000.1, 2000.0)


async def test_the_last_moment_is_noted_when_it_is_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "last-heard.json"
    keeping = asyncio.create_task(LastHeard(path).keep(lambda: {"main": 1000.0}))
    await asyncio.sleep(0)
    keeping.cancel()
    await asyncio.wait({keeping})
    assert keeping.cancelled()
    assert LastHeard(path).of("main") == 1000.0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"main": "soon"}', b"\xff"])
def test_a_file_that_is_no_note_says_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "last-heard.json"
    path.write_bytes(content)
    assert LastHeard(path).of("main") is None


async def test_a_folder_that_takes_nothing_stops_nobody(tmp_path: Path) -> None:
    heard = LastHeard(tmp_path / "nowhere" / "last-heard.json")
    for at in (1000.0, 1001.0):
        await heard.note({"main": at})
    assert heard.of("main") == 1001.0
