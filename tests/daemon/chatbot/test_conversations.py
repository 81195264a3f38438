"""Whole conversations, as they are written and answered, on both databases and both memories."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from daemon.chatbot.contract import MemoryAwayError
from daemon.chatbot.phrases import (
    CANCELLED,
    FAILED,
    GONE,
    NOTHING_TO_CANCEL,
    OLD_CARD,
    SAID_BEFORE,
    STRANGER,
    TIMED_OUT,
    WELCOME,
)
from daemon.chatbot.trying import MINA
from daemon.config import ChatbotConfig, ChatbotServiceConfig, Config
from daemon.directory.contract import Entry
from daemon.stores.database import Database, DatabaseAwayError
from daemon.stores.people import get_person, save_people
from tests.daemon.chatbot.conftest import AnyMemory
from tests.daemon.chatbot.example_services import Begun
from tests.daemon.chatbot.house import JUN, House, renamed

EXAMPLES = "tests.daemon.chatbot.example_services"
NAMES = ("Counter", "broken", "slow", "nothing", "homeless", "astray", "stubborn", "choosy", "picky")


def example(name: str, **fields: object) -> ChatbotServiceConfig:
    return ChatbotServiceConfig(name=name.lower(), use=f"{EXAMPLES}:{name}", **fields)  # type: ignore[arg-type]


def configured(**fields: object) -> Config:
    services = [
        example("echo", title="따라 하기"),
        example("order", title="꽃 주문", words=["꽃 배달", "화환"], code="F-7", role="operator"),
        example("note", title="메모"),
        *(example(name) for name in NAMES),
    ]
    return Config(chatbot=ChatbotConfig(built_in=[], service=services, **fields))  # type: ignore[arg-type]


FLOWERS = Entry(entry_id="s1", kind="service", name="축하 화분 보내기", keywords=("승진 축하",), code="f-7")
OTHER = Entry(entry_id="s2", kind="service", name="사내 도서관", code="nobody's")


@pytest.fixture
async def house(database: Database, memory: AnyMemory) -> House:
    """The services of the examples."""
    house = await House(database, memory, config=configured()).furnish(FLOWERS, OTHER)
    house.more[Begun] = Begun()
    return house


async def test_a_conversation_with_buttons_and_a_form(house: House) -> None:
    chat = house.chat()
    assert await chat.says("order") == "어떤 꽃인가요?"
    assert await chat.presses("국화") == "몇 송이인가요?"
    assert await chat.fills(count="1,000", day="2026-12-24") == "주문할까요?"
    assert await chat.presses("네") == "주문했습니다."
    assert await house.audit() == [("mina", "chat", "ordered", "mum 1000 2026-12-24")]
    assert chat.card is None


async def test_the_same_in_words(house: House) -> None:
    chat = house.chat()
    assert await chat.says("/Order") == "어떤 꽃인가요?"
    await chat.says("취소")
    assert await chat.says("메모  내일까지 답장") == "무엇을 적을까요?내일까지 답장"
    assert await chat.says("꽃 주문") == "적었습니다: 꽃 주문 (True)"
    await chat.says("꽃 주문")
    assert await chat.says("수국으로 주세요") == "몇 송이인가요?"
    assert "양식을 채워" in await chat.says("열 송이")
    await chat.fills(count="10", day="12/24")
    assert await chat.says("네, 그렇게 해 주세요") == "주문했습니다."
    assert await house.audit() == [("mina", "chat", "ordered", "수국 10 2026-12-24")]


async def test_a_no_is_an_answer_where_yes_is_one(house: House) -> None:
    chat = house.chat()
    await chat.says("order")
    await chat.says("1번")
    await chat.fills(count="1", day="내일")
    assert await chat.says("아니요") == "주문하지 않았습니다."
    await chat.says("order")
    assert await chat.says("아니요") == CANCELLED
    assert await chat.says("취소") == NOTHING_TO_CANCEL
    assert await house.audit() == []


@pytest.mark.parametrize("word", ["취소", " 취소. ", "cancel", "그만할게요", "no", "됐어요"])
async def test_whatever_is_asked_can_be_cancelled(house: House, word: str) -> None:
    chat = house.chat()
    await chat.says("note")
    assert await chat.says(word) == CANCELLED
    assert "찾지 못했습니다" in await chat.says("아무 말")


async def test_an_answer_that_is_none_is_asked_for_again(house: House) -> None:
    chat = house.chat()
    await chat.says("order")
    said = await chat.says("튤립")
    assert "장미, 수국, 국화" in said
    assert said.endswith("어떤 꽃인가요?")
    assert await chat.presses("장미") == "몇 송이인가요?"
    assert "숫자를" in await chat.fills(count="몇 개", day="내일")
    assert "비어 있습니다" in await chat.fills(count="1", day=" ")
    assert "날짜를 알 수 없습니다" in await chat.fills(count="1", day="아무 때나")
    assert await chat.fills(count="1", day="내일") == "주문할까요?"


async def test_back_asks_what_was_asked_before(house: House) -> None:
    chat = house.chat()
    assert await chat.says("뒤로") == NOTHING_TO_CANCEL
    await chat.says("order")
    assert (await chat.says("뒤로")).startswith("처음이라 더 뒤로 갈 수 없습니다.")
    await chat.presses("장미")
    first = chat.card
    await chat.fills(count="3", day="내일")
    assert await chat.says("뒤로") == "몇 송이인가요?"
    assert await chat.fills(on=first, count="3", day="내일") == OLD_CARD
    assert await chat.says("뒤로") == "어떤 꽃인가요?"
    await chat.presses("수국")
    await chat.fills(count="4", day="모레")
    await chat.says("네")
    assert await house.audit() == [("mina", "chat", "ordered", "수국 4 2026-12-11")]


async def test_help_says_what_it_is_about_and_asks_again(house: House) -> None:
    chat = house.chat()
    await chat.says("order")
    said = await chat.says("도움말")
    assert "꽃을 주문합니다" in said
    assert said.endswith("어떤 꽃인가요?")
    assert await chat.presses("장미") == "몇 송이인가요?"


async def test_what_can_be_asked_is_what_this_person_may(house: House) -> None:
    mina, jun = house.chat(), house.chat(JUN)
    assert "**꽃 주문** (order): 꽃을 주문합니다" in await mina.says("help")
    said = await jun.says("뭐가 되나요")
    assert "찾지 못했습니다" in said
    assert "**메모** (note)" in said
    assert "꽃" not in said
    assert await jun.presses("메모") == "무엇을 적을까요?"
    await jun.says("취소")
    for text in ("order", "꽃 주문", "꽃주믄"):
        assert (await jun.says(text)).startswith("**꽃 주문**: 지금 권한으로는 할 수 없습니다.")
    assert "꽃" not in await jun.says("도움말")


async def test_a_service_is_found_by_what_is_nearly_its_name(house: House) -> None:
    chat = house.chat()
    for text in ("꽃 주믄", "꽃주문이요", "꽃배달 부탁해요", "ㄲㅈㅁ"):
        assert await chat.says(text) == "어떤 꽃인가요?", text
        await chat.says("취소")


async def test_a_word_of_the_configuration_goes_before_a_built_in_ones(database: Database, memory: AnyMemory) -> None:
    chatbot = ChatbotConfig(service=[example("note", title="손편지", words=["이메일"])])
    house = await House(database, memory, config=Config(chatbot=chatbot)).furnish()
    assert await house.chat().says("이메일") == "무엇을 적을까요?"
    assert "메일을 써 주십시오" in await house.chat(room_id="R").says("메일")


async def test_a_greeting_and_thanks_are_answered_as_such(house: House) -> None:
    chat = house.chat()
    assert (await chat.says("안녕하세요!")).startswith("안녕하세요. 이런 일을 할 수 있습니다.")
    assert chat.card is not None
    assert await chat.says("감사합니다 ~") == WELCOME
    assert "무엇을 적을까요?" in await chat.says("메모")
    assert await chat.says("고마워요") == "적었습니다: 고마워요 (True)"


async def test_a_greeting_may_be_the_word_of_a_service(house: House) -> None:
    house.config.chatbot.service = [example("order", title="꽃 주문", words=["Hello"])]
    assert await house.chat().says("hello") == "어떤 꽃인가요?"


async def test_what_is_not_sure_is_offered_and_not_begun(house: House) -> None:
    chat = house.chat()
    assert await chat.says("꽃 시장") == "이 중에서 어떤 일인가요?"
    assert await chat.presses("꽃 주문") == "어떤 꽃인가요?"


async def test_a_service_is_found_by_the_directory(house: House) -> None:
    chat = house.chat()
    assert await chat.says("축하 화분") == "어떤 꽃인가요?"
    await chat.says("취소")
    assert "찾지 못했습니다" in await chat.says("사내 도서관")


async def test_several_that_fit_are_offered(database: Database, memory: AnyMemory) -> None:
    services = [example("order", title="꽃 주문"), example("note", title="책 주문")]
    config = Config(chatbot=ChatbotConfig(built_in=[], service=services))
    house = await House(database, memory, config=config).furnish()
    chat = house.chat()
    assert await chat.says("주문") == "이 중에서 어떤 일인가요?"
    assert chat.card is not None
    assert sorted(choice.title for choice in chat.card.choices) == ["꽃 주문", "책 주문"]
    assert await chat.presses("책 주문") == "무엇을 적을까요?"
    await chat.says("취소")
    await chat.says("주문")
    assert await chat.says("꽃 주문") == "어떤 꽃인가요?"
    await chat.says("취소")
    await chat.says("주문")
    assert await chat.says("note 내일까지") == "무엇을 적을까요?내일까지"


async def test_another_service_may_be_named_where_an_answer_was_asked(house: House) -> None:
    chat = house.chat()
    await chat.says("order")
    assert await chat.says("메모") == "하던 일(**꽃 주문**)은 그만두었습니다.\n\n무엇을 적을까요?"
    assert await chat.says("order") == "적었습니다: order (True)"
    await chat.says("order")
    assert (await chat.says("화환")).startswith("처음부터 다시 합니다.")
    await chat.presses("장미")
    assert await chat.says("메모 3시") == "하던 일(**꽃 주문**)은 그만두었습니다.\n\n무엇을 적을까요?3시"


async def test_what_a_service_takes_for_no_answer_may_name_another_one(house: House) -> None:
    chat = house.chat()
    await chat.says("picky")
    assert await chat.says("order") == "order호입니다."
    assert await chat.says("picky") == "어느 방인가요?"
    assert await chat.says("102") == "그런 방은 없습니다. 어느 방인가요?"
    assert await chat.fills(room="메모") == "그런 방은 없습니다. 어느 방인가요?"
    assert await chat.says("메모") == "하던 일(**picky**)은 그만두었습니다.\n\n무엇을 적을까요?"


async def test_a_service_hears_all_that_was_written(house: House) -> None:
    chat = house.chat()
    assert await chat.says("echo  내일 ") == "내일|echo  내일"
    assert await chat.says("따라하기 내일까지 부탁해요") == "|따라하기 내일까지 부탁해요"


async def test_a_service_that_is_chosen_hears_what_was_written_before(database: Database, memory: AnyMemory) -> None:
    services = [example("echo", title="책 주문"), example("note", title="꽃 주문")]
    house = await House(database, memory, config=Config(chatbot=ChatbotConfig(built_in=[], service=services))).furnish()
    chat = house.chat()
    assert await chat.says("내일 주문") == "이 중에서 어떤 일인가요?"
    assert await chat.presses("책 주문") == "|내일 주문"


async def test_who_is_silent_begins_anew_and_is_told_once(house: House) -> None:
    chat = house.chat()
    await chat.says("note")
    house.now += 180.0
    assert "적었습니다" in await chat.says("아직이에요")
    await chat.says("order")
    card = chat.card
    house.now += 180.5
    said = await chat.says("장미")
    assert said.startswith(TIMED_OUT)
    assert "찾지 못했습니다" in said
    assert TIMED_OUT not in await chat.says("장미")
    await chat.says("취소")
    await chat.says("order")
    house.now += 1000.0
    assert await chat.presses("장미", on=card) == f"{TIMED_OUT}\n\n{OLD_CARD}"
    await chat.says("도움말")
    house.now += 1000.0
    assert TIMED_OUT not in await chat.says("도움말"), "nothing was under way"


async def test_who_was_answered_late_was_not_silent_until_then(house: House) -> None:
    chat = house.chat()
    said = chat.said("order")
    house.now += 600.0
    assert await chat.send(said) == "어떤 꽃인가요?"
    house.now += 600.0
    assert await chat.send(said) == "어떤 꽃인가요?", "the messenger was away, and it is to be posted now"
    house.now += 179.0
    assert await chat.says("장미") == "몇 송이인가요?"
    house.now += 181.0
    assert (await chat.says("3")).startswith(TIMED_OUT)


async def test_what_was_written_while_nobody_answered_is_no_answer_to_what_was_not_seen(house: House) -> None:
    chat = house.chat()
    first = chat.said("note")
    house.now += 600.0
    second = chat.said("아무도 없나요")
    house.now += 600.0
    assert await chat.send(first) == "무엇을 적을까요?"
    assert (await chat.send(second)).startswith(TIMED_OUT)


async def test_what_was_said_before_the_question_is_no_answer_to_it(house: House) -> None:
    chat = house.chat()
    lost = [chat.said(word) for word in ("네", "취소", "메모")]
    house.now += 30.0
    await chat.says("order")
    await chat.presses("장미")
    await chat.fills(count="3", day="내일")
    for said in lost:
        assert await chat.send(said) == f"{SAID_BEFORE}\n\n주문할까요?"
    assert await house.audit() == []
    assert await chat.presses("네") == "주문했습니다."


async def test_a_day_is_counted_from_when_it_was_said(house: House) -> None:
    chat = house.chat()
    midnight = datetime.combine(date(2026, 12, 10), time(), ZoneInfo("Asia/Seoul")).timestamp()
    house.now = midnight - 10.0
    await chat.says("order")
    await chat.presses("장미")
    assert chat.card is not None
    said = chat.said(inputs={**chat.card.marks, "count": "3", "day": "내일"})
    house.now = midnight + 10.0
    await chat.send(said)
    await chat.says("네")
    assert await house.audit() == [("mina", "chat", "ordered", "장미 3 2026-12-10")]


async def test_a_word_that_is_one_of_the_choices_is_that_choice(house: House) -> None:
    chat = house.chat()
    for word, choice in (("아니요", "아니요"), ("뒤로", "before")):
        await chat.says("choosy")
        assert await chat.says(word) == f"{choice} ({word})"
    await chat.says("choosy")
    assert await chat.says("취소") == CANCELLED


@pytest.mark.parametrize("what", ["number", "object", "none", "blank", "surrogate", "cancelled", "exit"])
async def test_an_answer_that_cannot_be_kept_is_told_as_a_failure(house: House, what: str) -> None:
    chat = house.chat()
    assert await chat.says(f"astray {what}") == FAILED
    assert await chat.says("note") == "무엇을 적을까요?"


async def test_one_that_does_not_let_itself_be_cut_off_is_left_alone(database: Database, memory: AnyMemory) -> None:
    house = await House(database, memory, config=configured(deadline=0.05)).furnish()
    begun = house.more[Begun] = Begun()
    chat = house.chat()
    async with asyncio.timeout(30):
        assert await chat.says("stubborn") == FAILED
        assert await chat.says("note") == "무엇을 적을까요?"
    begun.set()


async def test_an_old_card_does_nothing(house: House) -> None:
    chat = house.chat()
    await chat.says("order")
    first = chat.card
    await chat.presses("장미")
    assert await chat.presses("수국", on=first) == OLD_CARD
    await chat.says("취소")
    assert await chat.presses("장미", on=first) == OLD_CARD
    await chat.says("order")
    assert await chat.presses("장미", on=first) == OLD_CARD
    assert await chat.says("장미") == "몇 송이인가요?"


async def test_what_no_card_can_send_chooses_nothing(house: House) -> None:
    chat = house.chat()
    await chat.says("order")
    assert chat.card is not None
    said = chat.said(inputs={**chat.card.marks, "choice": "방화"})
    assert "가운데 하나를" in await chat.send(said)
    assert await chat.send(chat.said(inputs={})) == OLD_CARD


async def test_the_same_thing_said_again_is_answered_the_same_and_does_nothing(house: House) -> None:
    chat = house.chat()
    await chat.says("counter")
    said = chat.said("다음")
    assert await chat.send(said) == "2"
    answers = chat.answers
    assert await chat.send(said) == "2"
    assert chat.answers == answers
    assert await chat.says("다음") == "3"
    assert await chat.send(said) == "2"
    assert await house.chat().send(said) == "2", "by another Parley too"


async def test_strangers_are_refused(house: House) -> None:
    stranger = renamed(MINA, webex_person_id="somebody", email="somebody@example.com")
    assert await house.chat(stranger).says("order") == STRANGER
    assert await house.chat(renamed(stranger, email=None)).says("도움말") == STRANGER
    assert await house.chat(renamed(stranger, webex_person_id="a\x00b", email=None)).says("도움말") == STRANGER


async def test_somebody_new_is_known_by_their_address_and_linked(house: House) -> None:
    capital = renamed(MINA, email="Mina@Example.com")
    await house.chat(capital, room_id="R-group", is_group=True).says("도움말")
    async with house.database.read() as connection:
        mina = await get_person(connection, "mina")
    assert mina is not None
    assert (mina.webex_person_id, mina.room_id) == ("mina-at-webex", "")
    await house.chat(renamed(MINA, email="new@example.com"), room_id="R1").says("도움말")
    async with house.database.read() as connection:
        mina = await get_person(connection, "mina")
    assert mina is not None
    assert (mina.email, mina.room_id) == ("mina@example.com", "R1")


async def test_each_person_in_each_room_has_a_conversation(house: House) -> None:
    here, there = house.chat(room_id="R1", is_group=True), house.chat(room_id="R2")
    other = house.chat(JUN, room_id="R1", is_group=True)
    await here.says("counter")
    assert await there.says("counter") == "1"
    assert await other.says("counter") == "1"
    assert await here.says("다음") == "2"
    assert here.card is None
    assert await other.says("다음") == "2"


async def test_a_card_of_somebody_else_is_none_of_ones_own(house: House) -> None:
    mina, jun = house.chat(room_id="R1", is_group=True), house.chat(renamed(JUN, role="viewer"), room_id="R1")
    await mina.says("order")
    assert await jun.presses("장미", on=mina.card) == OLD_CARD


async def test_two_things_said_at_once_are_handled_in_order(house: House) -> None:
    chat = house.chat()
    await chat.says("counter")
    said = [chat.said(f"{number}") for number in range(8)]
    conversations = house.conversations()
    answers = await asyncio.gather(*(conversations.answer(one) for one in said))
    assert [messages[0].text for messages in answers] == [str(number) for number in range(2, 10)]


async def test_a_role_that_was_taken_ends_what_is_under_way(house: House) -> None:
    chat = house.chat()
    await chat.says("order")
    async with house.database.transaction() as connection:
        await save_people(connection, [renamed(MINA, role="viewer")], now=0.0)
    assert await chat.says("장미") == GONE
    assert "찾지 못했습니다" in await chat.says("장미")


async def test_a_service_that_fails_is_told_and_can_be_tried_again(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    chat = house.chat()
    await chat.says("broken")
    assert await chat.says("비밀 이야기") == FAILED
    assert await chat.says("다시") == FAILED
    logged = capsys.readouterr().out
    assert "example_services.py" in logged
    assert "RuntimeError" in logged
    assert "비밀" not in logged
    await chat.says("취소")
    assert await chat.says("nothing") == FAILED


async def test_one_that_dawdles_is_cut_off(database: Database, memory: AnyMemory) -> None:
    house = await House(database, memory, config=configured(deadline=0.05)).furnish()
    house.more[Begun] = Begun()
    assert await house.chat().says("slow") == FAILED


async def test_where_the_store_is_away_nothing_is_answered(house: House) -> None:
    chat = house.chat()
    said = chat.said("homeless")
    for _ in range(2):
        with pytest.raises(DatabaseAwayError):
            await chat.send(said)
    assert await chat.says("note") == "무엇을 적을까요?"


async def test_where_a_process_dies_before_it_has_noted_the_step_is_done_again(
    house: House, remember: Callable[[], AnyMemory]
) -> None:
    first, second = house.conversations(), house.conversations(remember())
    chat = house.chat()
    begun = house.more[Begun]
    assert isinstance(begun, Begun)
    dying = asyncio.create_task(first.answer(chat.said("slow")))
    await begun.wait()
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    assert (await second.answer(chat.said("note")))[0].text == "무엇을 적을까요?"


async def test_what_another_version_has_written_is_begun_anew(house: House) -> None:
    chat = house.chat()
    await house.memory.set("conversation:room%20of%20mina:mina-at-webex", b'{"conversation": 5}')
    assert await chat.says("note") == "무엇을 적을까요?"


async def test_a_memory_that_is_away_answers_nothing(house: House) -> None:
    class Away:
        def lock(self, key: str, *, lease: float) -> object:
            raise MemoryAwayError("it is gone")

    with pytest.raises(MemoryAwayError):
        await house.conversations(Away()).answer(house.chat().said("note"))  # type: ignore[arg-type]
