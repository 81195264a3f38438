"""Letters by chat: to registered people alone, read over before they go, and not too many."""

from __future__ import annotations

import pytest

from daemon.chatbot.services.mail import UnknownRecipientError, recipients
from daemon.chatbot.trying import MINA
from daemon.config import ChatbotServiceConfig
from daemon.demo.webex import PEOPLE
from daemon.mail.contract import Letter
from tests.daemon.chatbot.house import ADA, JUN, House, renamed

OTHER_JUN = renamed(JUN, name="jun2", email="jun2@example.com", webex_person_id=None)


async def test_a_letter_is_written_read_over_and_sent(house: House) -> None:
    chat = house.chat()
    assert "메일을 써 주십시오" in await chat.says("메일 보내줘")
    said = await chat.fills(to="박준, ADA@example.com", subject="회의", text="내일 10시\n*3층*")
    assert "jun@example\\.com, ada@example\\.com" in said
    assert "내일 10시\n\\*3층\\*" in said
    assert said.endswith("이대로 보낼까요?")
    assert house.letters.taken == {}
    assert await chat.presses("네") == "jun@example\\.com, ada@example\\.com 앞으로 보낼 메일을 접수했습니다."
    [letter] = house.letters.taken.values()
    assert letter == Letter(
        to=("jun@example.com", "ada@example.com"),
        subject="회의",
        text="내일 10시\n*3층*\n\n-- \n김미나 <mina@example.com>",
    )
    assert await house.audit() == [("mina", "chat", "chat_mail_sent", "jun@example.com, ada@example.com")]


async def test_to_whom_is_said_in_one_go(house: House) -> None:
    chat = house.chat()
    assert "메일을 써 주십시오" in await chat.says("박준한테 메일 보내 줘")
    assert chat.card is not None
    assert [field.value for field in chat.card.fields] == ["박준", "", ""]


async def test_the_form_names_people_of_the_demo(house: House) -> None:
    chat = house.chat()
    await chat.says("메일")
    assert chat.card is not None
    names = {name for person in PEOPLE for name in (person.full_name, person.email)}
    assert set(chat.card.fields[0].hint.split(", ")) <= names


async def test_a_service_that_is_asked_for_at_the_form_is_begun(house: House) -> None:
    chat = house.chat()
    await chat.says("메일")
    assert (await chat.says("메일")).startswith("처음부터 다시 합니다.")
    assert (await chat.says("박준한테 메일 보내줘")).startswith("처음부터 다시 합니다.")
    assert chat.card is not None
    assert [field.value for field in chat.card.fields] == ["박준", "", ""]
    assert "양식을 채워" in await chat.says("박준, 내일 뵙겠습니다")
    assert (await chat.says("통화 중")).startswith("하던 일(**메일 보내기**)은 그만두었습니다.")


async def test_the_same_yes_again_sends_nothing_more(house: House) -> None:
    chat = house.chat()
    await chat.says("mail 박준")
    await chat.fills(subject="회의", text="내일")
    await chat.says("네")
    assert chat.last is not None
    await chat.send(chat.last)
    assert len(house.letters.taken) == 1
    assert len(await house.audit()) == 1


async def test_a_no_sends_nothing(house: House) -> None:
    chat = house.chat()
    await chat.says("메일")
    await chat.fills(to="박준", subject="회의", text="내일")
    assert await chat.says("아니요") == "보내지 않았습니다."
    assert house.letters.taken == {}
    assert await house.audit() == []


async def test_a_form_that_does_not_do_comes_back_as_it_was_filled_in(house: House) -> None:
    chat = house.chat()
    await chat.says("메일")
    said = await chat.fills(to="somebody@example.org", subject="회의", text="내일")
    assert said.endswith("주소가 없는 분이 있습니다: **somebody@example\\.org**")
    assert chat.card is not None
    assert [field.value for field in chat.card.fields] == ["somebody@example.org", "회의", "내일"]
    assert "이대로 보낼까요?" in await chat.fills(to="박준")


async def test_a_subject_is_one_line_of_what_can_be_seen(house: House) -> None:
    chat = house.chat()
    await chat.says("mail 박준")
    said = await chat.fills(subject="축하\u200b 👩\u200d👧\r\nBcc: x@example.com", text="내일")
    assert "축하 👩👧 Bcc: x@example\\.com" in said
    assert "접수했습니다" in await chat.says("네")
    [letter] = house.letters.taken.values()
    assert letter.subject == "축하 👩👧 Bcc: x@example.com"


@pytest.mark.parametrize("subject", ["가" * 501, "\u200b"])
async def test_a_subject_that_nobody_can_send_is_asked_for_again(house: House, subject: str) -> None:
    chat = house.chat()
    await chat.says("mail 박준")
    assert "제목은 500자까지" in await chat.fills(subject=subject, text="내일")
    assert "이대로 보낼까요?" in await chat.fills(subject="가" * 500)


async def test_a_letter_that_is_refused_is_said(house: House) -> None:
    house.config.chatbot.service = [ChatbotServiceConfig(name="mail", options={"addresses": ["desk"]})]
    chat = house.chat()
    await chat.says("mail desk")
    await chat.fills(subject="회의", text="내일")
    assert (await chat.says("네")).startswith("이 메일은 보낼 수 없습니다")
    assert house.letters.taken == {}


@pytest.mark.parametrize("text", ["mail 김미나", "메일", "김미나한테 메일 보내줘", "이메일 한 통 보내기"])
async def test_viewers_send_no_letters_and_are_told_why(house: House, text: str) -> None:
    chat = house.chat(JUN)
    said = await chat.says(text)
    assert said.startswith("**메일 보내기**: 지금 권한으로는 할 수 없습니다.")
    assert chat.card is not None
    assert "메일 보내기" not in [choice.title for choice in chat.card.choices]
    assert "메일" not in await chat.says("도움말")


async def test_so_many_in_an_hour(house: House) -> None:
    house.config.chatbot.service = [ChatbotServiceConfig(name="mail", options={"per_hour": 2})]
    chat = house.chat()

    async def send() -> str:
        await chat.says("mail 박준")
        await chat.fills(subject="회의", text="내일")
        return await chat.says("네")

    assert ["접수했습니다" in await send() for _ in range(3)] == [True, True, False]
    assert len(house.letters.taken) == 2
    house.now += 3600.5
    assert "접수했습니다" in await send()


def test_who_is_meant() -> None:
    people = [MINA, JUN, ADA, renamed(MINA, name="dumb", full_name="무명", email=None)]
    assert recipients("김미나; mina\nMINA@example.com", people, []) == ["mina@example.com"]
    assert recipients("desk@example.com", people, ["Desk@example.com"]) == ["Desk@example.com"]
    for text in ("", " , ", "desk@example.com", "무명", "세종"):
        with pytest.raises(UnknownRecipientError):
            recipients(text, people, [])
    with pytest.raises(UnknownRecipientError, match="여럿"):
        recipients("박준", [*people, OTHER_JUN], [])
    assert recipients("jun2@example.com", [*people, OTHER_JUN], []) == ["jun2@example.com"]
    many = [renamed(MINA, name=f"n{number}", email=f"n{number}@example.com") for number in range(11)]
    with pytest.raises(UnknownRecipientError, match="10명"):
        recipients(",".join(f"n{number}" for number in range(11)), many, [])
