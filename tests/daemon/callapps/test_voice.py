"""How texts are said: in which pieces, and which of them from a recording."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daemon.callapps.contract import AppCall
from daemon.callapps.voice import one_line, pieces
from tests.daemon.callapps.conftest import Answer
from tests.daemon.callapps.phone import apps, ended


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
    call = await phone.ring()
    played: list[str] = []
    phone.switch.core.listen(
        lambda event: played.append(event.text("Application-Data")) if event.name == "CHANNEL_EXECUTE" else None
    )
    await ended(call)
    assert [data for data in played if data] == ["/srv/sounds/welcome.wav", "tts|ko|무엇을 도와드릴까요?"]
    await phone.until_said(call, "무엇을 도와드릴까요?")
    assert phone.said(call) == ["어서 오세요. 반갑습니다.", "무엇을 도와드릴까요?"]
