"""How texts are said: in which pieces, and which of them from a recording."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.callapps.contract import AppCall, BargeIn, CommandFailedError, Heard, Listening, Prompt
from daemon.callapps.voice import one_line, pieces
from daemon.config import RenderingConfig
from daemon.demo.event import Event
from tests.daemon.callapps.conftest import Answer
from tests.daemon.callapps.phone import Phone, apps, ended


@given(st.lists(st.text(alphabet="가나다라 .?!\n\x00a", max_size=120), max_size=12))
def test_pieces_are_lines_that_can_be_said_and_lose_nothing(parts: list[str]) -> None:
    text = "".join(parts)
    said = list(pieces(text))
    assert all(piece and len(piece) <= 300 and piece == one_line(piece) for piece in said)
    assert "".join(said).replace(" ", "") == one_line(text).replace(" ", "")


def test_a_long_text_is_cut_after_a_sentence() -> None:
    sentence = "가나다라 마바사아." * 10
    assert list(pieces(f"{sentence} {sentence} {sentence} 끝입니다.")) == [
        f"{sentence} {sentence}",
        f"{sentence} 끝입니다.",
    ]
    assert [len(piece) for piece in pieces("가" * 700)] == [300, 300, 100]


async def test_a_recording_is_played_where_there_is_one(answer: Answer) -> None:
    async def app(call: AppCall) -> None:
        await call.say("어서 오세요.\n반갑습니다.")
        await call.say("무엇을 도와드릴까요?")

    phone = await answer(app, apps(recordings={"어서 오세요. 반갑습니다.": "/srv/sounds/welcome.wav"}))
    said = executed(phone)
    call = await phone.ring()
    await ended(call)
    assert said == ["/srv/sounds/welcome.wav", "tts|ko|무엇을 도와드릴까요?"]
    await phone.until_said(call, "무엇을 도와드릴까요?")
    assert phone.said(call) == ["어서 오세요. 반갑습니다.", "무엇을 도와드릴까요?"]


def executed(phone: Phone) -> list[str]:
    """What the switch is told to play and speak from now on."""
    said: list[str] = []

    def note(event: Event) -> None:
        if event.name == "CHANNEL_EXECUTE" and event.text("Application") in ("playback", "speak"):
            said.append(event.text("Application-Data"))

    phone.switch.core.listen(note)
    return said


@pytest.fixture
def speaker(tmp_path: Path) -> RenderingConfig:
    """A program that renders what does not begin with 틀린. What begins with 늦은 it is asked for, and never makes."""
    program = tmp_path / "speaker"
    os.mkfifo(tmp_path / "asked")
    cases = f'틀린*) exit 1;; 늦은*) echo asked > "{tmp_path}/asked"; sleep 60'
    program.write_text(f"#!/bin/sh\nread text\ncase $text in {cases};; esac\nprintf 'RIFF1234WAVEfmt ' > \"$1\"\n")
    program.chmod(0o755)
    return RenderingConfig(
        command=[str(program), "{output}"], folder=str(tmp_path / "voice"), switch_folder="/srv/voice", deadline=60.0
    )


async def test_what_is_rendered_is_played_and_what_cannot_be_is_spoken(
    answer: Answer, speaker: RenderingConfig, tmp_path: Path
) -> None:
    async def app(call: AppCall) -> None:
        for text in ("어서 오세요.", "틀린 말입니다.", "어서 오세요."):
            assert (await call.say(text)).heard == text

    phone = await answer(app, apps(rendering=speaker))
    said = executed(phone)
    call = await phone.ring()
    await ended(call)
    [file] = [path.name for path in (tmp_path / "voice").iterdir()]
    assert said == [f"/srv/voice/{file}", "tts|ko|틀린 말입니다.", f"/srv/voice/{file}"]
    assert phone.said(call) == ["어서 오세요.", "틀린 말입니다.", "어서 오세요."]


async def test_an_app_may_be_told_what_cannot_be_rendered(
    answer: Answer, speaker: RenderingConfig, tmp_path: Path
) -> None:
    failed: list[CommandFailedError] = []

    async def app(call: AppCall) -> None:
        try:
            await call.say("틀린 말입니다.")
        except CommandFailedError as error:
            failed.append(error)

    speaker.otherwise = "fail"
    phone = await answer(app, apps(rendering=speaker))
    said = executed(phone)
    await ended(await phone.ring())
    assert [str(error) for error in failed] == ["say: the program ended with code 1"]
    assert said == []


async def test_who_breaks_in_before_anything_was_heard_hears_nothing(
    answer: Answer, speaker: RenderingConfig, tmp_path: Path
) -> None:
    heard: list[Heard] = []

    async def app(call: AppCall) -> None:
        await call.answer()
        heard.append(await call.listen("늦은 안내입니다."))

    phone = await answer(app, apps(rendering=speaker))
    said = executed(phone)
    call = await phone.ring()
    assert await asyncio.to_thread((tmp_path / "asked").read_text) == "asked\n"
    await call.say("상담원이요")
    await ended(call)
    assert heard == [
        Heard(Listening.SPEECH, "상담원이요", prompt=Prompt("", "늦은 안내입니다.", BargeIn.SPEECH)),
    ]
    assert said == []
    assert phone.said(call) == ["상담원이요"]


async def test_what_comes_next_is_rendered_while_something_else_is_heard(
    answer: Answer, speaker: RenderingConfig, tmp_path: Path
) -> None:
    async def sentences() -> AsyncIterator[str]:
        yield "첫째입니다."
        yield "늦은 둘째입니다."

    async def app(call: AppCall) -> None:
        await call.say(sentences())

    phone = await answer(app, apps(rendering=speaker))
    phone.switch.core.speed = 0.01
    call = await phone.ring()
    await phone.until_saying(call, "첫째입니다.")
    assert await asyncio.to_thread((tmp_path / "asked").read_text) == "asked\n"
    assert phone.saying(call) == ["첫째입니다."]
    await call.hang_up()
