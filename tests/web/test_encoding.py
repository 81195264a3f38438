"""Payloads as JSON, whatever text came over the wire."""

from __future__ import annotations

import msgspec
import pytest

from daemon.transcripts.utterance import Speaker
from tests.web.conftest import Connect
from tests.web.house import House
from web.encoding import encode
from web.payloads import Problem


@pytest.mark.parametrize(
    ("text", "encoded"),
    [("여보세요 👋", "여보세요 👋"), ("a\ud83db", "a\ufffdb"), ("\udc4b", "\ufffd"), ("\ud83d\udc4b", "👋")],
)
def test_every_text_can_be_sent(text: str, encoded: str) -> None:
    assert msgspec.json.decode(encode(Problem(text, 400)))["title"] == encoded
    assert msgspec.json.decode(encode({"a": [text, 1.5, None]})) == {"a": [encoded, 1.5, None]}


def test_enumerations_are_their_words() -> None:
    assert encode([Speaker.APP]) == b'["app"]'


async def test_half_a_character_loses_no_utterance(house: House, connect: Connect) -> None:
    house.ring()
    browser = await connect()
    await browser.watch("*")
    house.say("반쪽 \ud83d")
    await browser.until_texts("반쪽 \ufffd")
