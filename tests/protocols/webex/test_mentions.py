from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.webex.mentions import without_mention

UUID = "6f1e2d3c-0000-4000-8000-123456789abc"
BOT = base64.b64encode(f"ciscospark://us/PEOPLE/{UUID}".encode()).decode().rstrip("=")


def mention(name: str, person_id: str = BOT) -> str:
    return f'<spark-mention data-object-type="person" data-object-id="{person_id}">{name}</spark-mention>'


@pytest.mark.parametrize(
    ("text", "html", "left"),
    [
        ("Parley 도움말", f"<p>{mention('Parley')} 도움말</p>", "도움말"),
        ("Parley 도움말", f"<p>{mention('Parley', UUID)} 도움말</p>", "도움말"),
        ("Parley, 도움말", f"<p>{mention('Parley')}, 도움말</p>", "도움말"),
        ("오늘 통화 Parley", f"<p>오늘 통화 {mention('Parley')}</p>", "오늘 통화"),
        ("오늘 Parley 통화", f"<p>오늘 {mention('Parley')} 통화</p>", "오늘 통화"),
        ("R&D Bot 도움말", f"<p>{mention('R&amp;D <b>Bot</b>')} 도움말</p>", "도움말"),
        ("Parley", f"<p>{mention('Parley')}</p>", ""),
        ("Parley Parley 누구", f"<p>{mention('Parley')} {mention('Parley')} 누구</p>", "누구"),
        # The name stands elsewhere too, on its own or in a word.
        ("로봇 봇 상태", f"<p>로봇 {mention('봇')} 상태</p>", "로봇 상태"),
        ("봇 봇 꺼", f"<p>{mention('봇')} 봇 꺼</p>", "봇 꺼"),
        ("R&D 봇 &봇 꺼", f"<p>R&amp;D 봇 &amp;{mention('봇')} 꺼</p>", "R&D 봇 & 꺼"),
        # Somebody else is mentioned: that name is a part of what was said.
        ("Parley 민아 전화", f"<p>{mention('Parley')} {mention('민아', 'someone')} 전화</p>", "민아 전화"),
        ("민아 전화", f"<p>{mention('민아', 'someone')} 전화</p>", "민아 전화"),
        # Without HTML, and as some clients write it.
        ("Parley Bot 도움말", "", "도움말"),
        ("parley bot: 도움말", "", "도움말"),
        ("@Parley Bot 도움말", "", "도움말"),
        ("Parley\u00a0도움말", "", "도움말"),
        ("Parley\u00a0: 도움말", f"<p>{mention('Parley')}\u00a0: 도움말</p>", "도움말"),
        ("Parleys 도움말", "", "Parleys 도움말"),
        ("  도움말  ", "", "도움말"),
        ("Parley Bot", "<p>broken <spark-mention data-object-id=>", ""),
    ],
)
def test_the_mention_goes_and_the_rest_stays(text: str, html: str, left: str) -> None:
    assert without_mention(text, html, person_id=BOT, names=["Parley Bot", "Parley"]) == left


@given(st.text(), st.text() | st.text(st.sampled_from("</spark-mention data-object-id='x'>\n")), st.text())
def test_whatever_comes_there_is_a_text_that_is_no_longer(text: str, html: str, name: str) -> None:
    left = without_mention(text, html, person_id=name, names=[name, "Parley"])
    assert len(left) <= len(text)
    assert left == left.strip()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<>&\r")))
def test_all_that_was_said_beside_the_mention_is_left(said: str) -> None:
    text = f"Parley {said}".strip()
    left = without_mention(text, f"<p>{mention('Parley')} {said}</p>", person_id=BOT, names=["Parley"])
    assert left == re.sub(r"\A[\s,:]+", "", said).rstrip()
