from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.chatbot.contract import Card, Choice, Field, Message, MessageRefusedError, MessengerAwayError
from daemon.chatbot.webex.api import WebexApi
from daemon.chatbot.webex.messenger import WebexMessenger, parts_of
from daemon.demo.webex_cloud import SimulatedWebex
from daemon.demo.webex_world import Room
from protocols.webex.splitting import MOST_BYTES

CHOICES = Card(choices=(Choice("휴가 신청", "leave"), Choice("출장 신청", "trip")), marks={"turn": "7"})
FORM = Card(
    fields=(
        Field(name="who", label="이름", value="홍길동", hint="성과 이름"),
        Field(name="why", label="까닭", kind="lines", is_required=False),
        Field(name="days", label="며칠", kind="number", value="3"),
        Field(name="from", label="언제부터", kind="date", value="2026-03-02"),
        Field(name="kind", label="종류", kind="choice", choices=(Choice("연차", "full"), Choice("반차", "half"))),
    ),
    submit="보내기",
    marks={"turn": "8"},
)


def content(message: Message) -> list[dict[str, Any]]:
    *_, last = parts_of(message)
    assert last.card is not None
    body = last.card["content"]["body"]
    assert isinstance(body, list)
    return body


def test_a_card_says_the_text_and_offers_its_buttons() -> None:
    [part] = parts_of(Message("무엇을 찾으세요?", CHOICES))
    assert part.markdown == "무엇을 찾으세요?"
    text, actions = content(Message("무엇을 찾으세요?", CHOICES))
    assert text["text"] == "무엇을 찾으세요?"
    assert [(one["title"], one["data"]) for one in actions["actions"]] == [
        ("휴가 신청", {"turn": "7", "choice": "leave"}),
        ("출장 신청", {"turn": "7", "choice": "trip"}),
    ]


def test_a_form_asks_for_each_field_and_is_sent_with_its_marks() -> None:
    *inputs, actions = content(Message("", FORM))
    assert [(one["type"], one["id"], one.get("value")) for one in inputs] == [
        ("Input.Text", "who", "홍길동"),
        ("Input.Text", "why", None),
        ("Input.Number", "days", 3),
        ("Input.Date", "from", "2026-03-02"),
        ("Input.ChoiceSet", "kind", None),
    ]
    assert [one["id"] for one in inputs if one.get("isRequired")] == ["who", "days", "from", "kind"]
    assert inputs[1]["isMultiline"]
    assert [(one["title"], one["data"]) for one in actions["actions"]] == [("보내기", {"turn": "8"})]


@given(st.text(st.sampled_from("가a \n*"), max_size=30), st.integers(0, 600), st.sampled_from([None, CHOICES, FORM]))
def test_each_part_fits_and_the_card_is_in_the_last(text: str, times: int, card: Card | None) -> None:
    parts = parts_of(Message(text * times, card))
    assert all(part.markdown.strip() and len(part.markdown.encode()) <= MOST_BYTES for part in parts)
    assert [part.card is not None for part in parts[:-1]] == [False] * len(parts[:-1])
    if card is not None:
        assert parts[-1].card is not None


def test_a_card_of_which_nothing_can_be_said_is_posted_all_the_same() -> None:
    [part] = parts_of(Message(" ", Card(choices=(Choice(" ", "1"),))))
    assert part.markdown.strip()


async def test_a_long_message_comes_in_order_with_its_card_and_the_first_id(
    cloud: SimulatedWebex, api: WebexApi
) -> None:
    mina = cloud.world.add_person("민아", "mina@example.com")
    text = "\n".join(f"{number}. 가나다라마바사" for number in range(700))
    posted = await WebexMessenger(api).post(Message(text, CHOICES), person_email="mina@example.com")
    messages = list(cloud.world.messages.values())
    assert messages[0].id == posted
    assert "".join(one.markdown for one in messages) == text
    assert [bool(one.attachments) for one in messages] == [False, False, True]
    assert messages[0].room is cloud.world.direct_room(mina)


async def test_where_a_message_goes_is_named_once(cloud: SimulatedWebex, api: WebexApi) -> None:
    messenger = WebexMessenger(api)
    for target in ({}, {"room_id": "R", "person_email": "mina@example.com"}):
        with pytest.raises(ValueError, match="name a room or a person"):
            await messenger.post(Message("안녕하세요"), **target)
    with pytest.raises(ValueError, match="says nothing"):
        await messenger.post(Message(" "), room_id="R")
    with pytest.raises(MessageRefusedError, match="Could not find a space"):
        await messenger.post(Message("안녕하세요"), room_id="R")
    assert cloud.world.messages == {}


async def test_a_thread_is_kept(cloud: SimulatedWebex, api: WebexApi) -> None:
    mina = cloud.world.add_person("민아", "mina@example.com")
    said = cloud.world.say(mina, cloud.world.direct_room(mina), "도움말")
    posted = await WebexMessenger(api).post(Message("안녕하세요"), room_id=said.room.id, parent_id=said.id)
    assert cloud.world.messages[posted].parent_id == said.id


async def test_of_a_message_that_broke_off_halfway_nobody_knows_whether_it_is_posted(
    cloud: SimulatedWebex, api: WebexApi
) -> None:
    room = cloud.world.direct_room(cloud.world.add_person("민아", "mina@example.com"))

    def trouble(_: Room) -> None:
        cloud.faults.add(429, headers={"Retry-After": "60"})

    cloud.world.changed = trouble
    with pytest.raises(MessengerAwayError) as raised:
        await WebexMessenger(api).post(Message("가" * 3_000), room_id=room.id)
    assert (raised.value.is_posted_unknown, raised.value.after) == (True, 60.0)
    assert len(cloud.world.messages) == 1
