"""A program that makes sound files of texts, run for real."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from daemon.callapps.rendering import Rendering, RenderingFailedError
from daemon.config import RenderingConfig

WRITES = 'printf \'RIFF\\0\\0\\0\\0WAVEfmt of %s\' "$2" > "$1"; cat >> "$1"'

Make = Callable[..., Rendering]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    """``make(script)``: a rendering by a program that notes in ``runs`` whenever it is run."""
    made: list[Rendering] = []

    def one(script: str = WRITES, **fields: Any) -> Rendering:
        program = tmp_path / "speaker"
        program.write_text(f'#!/bin/sh\necho run >> "{tmp_path}/runs"\n{script}\n')
        program.chmod(0o755)
        usual: dict[str, Any] = {"command": [str(program), "{output}", "{voice}"], "folder": str(tmp_path / "voice")}
        made.append(Rendering(RenderingConfig(**{**usual, **fields})))
        return made[-1]

    yield one
    for rendering in made:
        await rendering.close()


def runs(tmp_path: Path) -> int:
    noted = tmp_path / "runs"
    return len(noted.read_text().splitlines()) if noted.exists() else 0


def there(path: str) -> bytes:
    return Path(path).read_bytes()


def beside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def path_of(rendering: Rendering, text: str) -> str:
    async with rendering.sound(text) as path:
        return path


async def why_not(rendering: Rendering, text: str = "비밀입니다") -> str:
    with pytest.raises(RenderingFailedError) as caught:
        await path_of(rendering, text)
    return str(caught.value)


async def test_a_text_is_rendered_once_however_many_want_it(make: Make, tmp_path: Path) -> None:
    rendering = make()
    paths = await asyncio.gather(*(path_of(rendering, "어서 오세요") for _ in range(20)))
    assert len(set(paths)) == 1
    assert there(paths[0]).endswith("어서 오세요".encode())
    assert rendering.prepare("어서 오세요") is None
    assert await path_of(make(), "어서 오세요") == paths[0]
    assert runs(tmp_path) == 1
    assert await path_of(make(voice="other"), "어서 오세요") != paths[0]
    assert await path_of(rendering, "안녕히 가세요") != paths[0]
    assert runs(tmp_path) == 3


@pytest.mark.parametrize("text", ["$(touch x) `touch y`; --help '\" \\ ../../x", "-w /etc/passwd", "가" * 300])
async def test_a_text_is_nothing_but_a_text(make: Make, tmp_path: Path, text: str) -> None:
    path = await path_of(make(voice="$(touch z)"), text)
    assert there(path).endswith(f"of $(touch z){text}".encode())
    assert f"{tmp_path}/voice/{beside(tmp_path / 'voice')[0]}" == path
    assert beside(tmp_path) == ["runs", "speaker", "voice"]


async def test_a_switch_that_sees_the_folder_elsewhere(make: Make, tmp_path: Path) -> None:
    path = await path_of(make(switch_folder="/srv/voice"), "어서 오세요")
    assert path.startswith("/srv/voice/")
    assert (tmp_path / "voice" / Path(path).name).exists()


@pytest.mark.parametrize(
    ("script", "fields", "why"),
    [
        ("exit 3", {}, "ended with code 3"),
        ("true", {}, "wrote no WAV file"),
        ('echo "no sound at all" > "$1"', {}, "wrote no WAV file"),
        ("exec sleep 60", {"deadline": 0.1}, "took longer than 0.1 seconds"),
        ("true", {"command": ["/nowhere/speaker", "{output}"]}, "cannot be used: No such file"),
        ("true", {"folder": "/dev/null/voice"}, "cannot be used: Not a directory"),
    ],
)
async def test_what_cannot_be_rendered_is_said_and_not_tried_again_at_once(
    make: Make, tmp_path: Path, script: str, fields: dict[str, Any], why: str
) -> None:
    rendering = make(script, **fields)
    with capture_logs() as logs:
        assert why in await why_not(rendering)
        before = runs(tmp_path)
        assert why in await why_not(rendering)
    assert runs(tmp_path) == before
    assert [line["event"] for line in logs] == ["text_not_rendered"]
    assert "비밀" not in str(logs)
    folder = tmp_path / "voice"
    assert not folder.exists() or list(folder.iterdir()) == []


async def test_a_program_that_ends_before_it_is_told_the_text(make: Make) -> None:
    """Whether its end comes before the text or after it is a matter of luck: all fail alike."""
    rendering = make("", command=["/bin/false", "{output}"], at_once=8, deadline=60.0)
    with capture_logs() as logs:
        making = [task for number in range(300) if (task := rendering.prepare(f"{number}번")) is not None]
        await asyncio.wait(making)
    assert [task.exception() for task in making] == [None] * 300
    assert {line["why"] for line in logs} == {"the program ended with code 1"}


async def test_a_folder_that_cannot_be_used_is_said_at_once(make: Make) -> None:
    with capture_logs() as logs:
        make(folder="/dev/null/voice").open()
    assert [line["why"] for line in logs] == ["the folder cannot be used: Not a directory"]


async def test_a_program_that_hangs_keeps_no_other_text_waiting(make: Make, tmp_path: Path) -> None:
    rendering = make("exec sleep 60", deadline=2.0, at_once=1)
    await why_not(rendering)
    assert "took longer" in await why_not(rendering, "다른 말")
    assert runs(tmp_path) == 1


async def test_a_program_that_is_too_slow_leaves_nothing_running(make: Make, tmp_path: Path) -> None:
    children = tmp_path / "children"
    os.mkfifo(children)
    rendering = make(f'sleep 60 > "{children}" & sleep 60', deadline=0.5)
    preparing = rendering.prepare("어서 오세요")
    assert preparing is not None
    reader = await asyncio.to_thread(children.open, "rb")  # opened once the child has
    with reader:
        await asyncio.wait({preparing})
        assert await asyncio.to_thread(reader.read) == b"", "its end is closed only when the child has ended"


async def test_the_program_gets_none_of_our_secrets(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_SWITCH_MAIN_PASSWORD", "example-secret")
    monkeypatch.setenv("LANG", "C.UTF-8")
    await path_of(make(f'env > "{tmp_path}/environment"; {WRITES}'), "어서 오세요")
    environment = (tmp_path / "environment").read_text()
    assert "example-secret" not in environment
    assert "LANG=C.UTF-8" in environment


async def test_no_more_programs_run_at_once_than_may(make: Make, tmp_path: Path) -> None:
    one_at_a_time = f'mkdir "{tmp_path}/busy" || exit 9; {WRITES}; rmdir "{tmp_path}/busy"'
    rendering = make(one_at_a_time, at_once=1)
    paths = await asyncio.gather(*(path_of(rendering, f"말 {number}") for number in range(10)))
    assert len(set(paths)) == 10


async def test_who_no_longer_wants_it_ends_it_for_nobody(make: Make, tmp_path: Path) -> None:
    go = tmp_path / "go"
    os.mkfifo(go)
    rendering = make(f'read line < "{go}"; {WRITES}')
    first = asyncio.create_task(path_of(rendering, "어서 오세요"))
    second = asyncio.create_task(path_of(rendering, "어서 오세요"))
    writer = await asyncio.to_thread(go.open, "w")  # opened once the program reads
    first.cancel()
    await asyncio.wait({first})
    with writer:
        writer.write("go\n")
    assert there(await second)
    assert runs(tmp_path) == 1
