"""What people write to the bot, and what it answers: by webhook, inbox and REST, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp
import pytest

from daemon.chatbot.contract import Card, Choice, MemoryAwayError, Message, Said
from daemon.demo.webex_faults import DROPPED
from daemon.demo.webex_world import Room
from daemon.stores.database import DatabaseAwayError
from protocols.webhooks import webex
from tests.daemon.chatbot.webex.chat import Chat


async def test_what_somebody_writes_is_answered_in_the_room_they_write_in(chat: Chat) -> None:
    said_id = chat.say("  휴가 신청  ")
    await chat.settled()
    [said] = chat.echo.heard
    assert (said.id, said.text, said.room_id, said.room_type) == (said_id, "휴가 신청", chat.direct.id, "direct")
    assert (said.person_id, said.person_email) == (chat.mina.id, "mina@example.com")
    assert said.created_at == pytest.approx(chat.cloud.world.messages[said_id].created, abs=0.001)
    assert (said.parent_id, said.inputs) == ("", None)
    assert chat.answers == ["들었습니다: 휴가 신청"]
    assert chat.cloud.world.said_by_bot(chat.direct) == chat.answers
    assert chat.room.condition().numbers["answered"] == 1.0


async def test_in_a_group_it_hears_what_mentions_it_and_answers_in_the_thread(chat: Chat) -> None:
    world = chat.cloud.world
    jun = world.add_person("준", "jun@example.com")
    group = world.group_room("상담팀", chat.mina, jun)
    world.say(chat.mina, group, "우리끼리 하는 말")
    asked = world.say(jun, group, "오늘 통화", mention=True)
    await chat.settled()
    world.say(jun, group, "더 자세히", mention=True, parent_id=asked.id)
    await chat.settled()
    assert chat.echo.texts == ["오늘 통화", "더 자세히"]
    assert [said.parent_id for said in chat.echo.heard] == ["", asked.id]
    assert {said.room_type for said in chat.echo.heard} == {"group"}
    answers = [one for one in world.messages.values() if one.author is world.bot]
    assert [one.parent_id for one in answers] == [asked.id, asked.id]


async def test_a_thread_between_two_is_kept(chat: Chat) -> None:
    first = chat.cloud.world.say(chat.mina, chat.direct, "도움말")
    chat.cloud.world.say(chat.mina, chat.direct, "더", parent_id=first.id)
    await chat.settled()
    answers = {one.markdown: one.parent_id for one in chat.cloud.world.messages.values() if one.markdown}
    assert answers == {"들었습니다: 도움말": "", "들었습니다: 더": first.id}


async def test_what_is_done_with_a_card_comes_with_who_did_it_and_where(chat: Chat) -> None:
    card = Card(choices=(Choice("휴가 신청", "leave"),), marks={"turn": "1"})
    chat.echo.say = lambda said: [Message("무엇을 찾으세요?", card)] if said.inputs is None else [Message("네")]
    chat.say("휴가")
    await chat.settled()
    [posted] = [one for one in chat.cloud.world.messages.values() if one.attachments]
    pressed = posted.attachments[0]["content"]["body"][-1]["actions"][0]["data"]
    action = chat.cloud.world.act(chat.mina, posted, pressed)
    await chat.settled()
    said = chat.echo.heard[-1]
    assert said.inputs == {"choice": "leave", "turn": "1"}
    assert (said.id, said.parent_id, said.text) == (action.id, posted.id, "")
    assert (said.person_email, said.room_type, said.room_id) == ("mina@example.com", "direct", chat.direct.id)
    assert chat.answers == ["무엇을 찾으세요?", "네"]


async def test_the_card_of_a_thread_is_answered_there(chat: Chat) -> None:
    chat.echo.say = lambda said: [Message("고르세요", Card(choices=(Choice("하나", "1"),)))]
    world = chat.cloud.world
    asked = world.say(chat.mina, world.group_room("상담팀", chat.mina), "도움말", mention=True)
    await chat.settled()
    [card] = [one for one in world.messages.values() if one.attachments]
    world.act(chat.mina, card, {"choice": "1"})
    await chat.settled()
    answers = [one.parent_id for one in world.messages.values() if one.author is world.bot]
    assert answers == [asked.id, asked.id]


async def test_bots_are_not_answered_itself_included(chat: Chat) -> None:
    world = chat.cloud.world
    for number, email in enumerate(("other@webex.bot", "old@sparkbot.io", "bot@example.com")):
        other = world.add_person(f"봇 {number}", email, is_bot=True)
        world.say(other, world.group_room("봇끼리", other), "나도 봇", mention=True)
    world.post(world.bot, chat.direct, markdown="나 혼자 하는 말")
    await chat.settled()
    assert chat.echo.heard == []
    assert chat.answers == ["나 혼자 하는 말"]
    assert {row.state for row in await chat.deliveries()} == {"done"}


async def test_what_was_taken_back_is_not_answered(chat: Chat) -> None:
    chat.cloud.faults.add(503, method="GET", path="/messages/", times=4)
    said = chat.cloud.world.say(chat.mina, chat.direct, "아, 아닙니다")
    chat.cloud.world.delete(said)
    await chat.settled()
    assert chat.echo.heard == []
    assert [row.state for row in await chat.deliveries()] == ["done"]


async def test_what_is_gone_is_not_answered(chat: Chat) -> None:
    chat.cloud.faults.add(410, method="GET", path="/messages/")
    chat.say("아, 아닙니다")
    await chat.settled()
    assert [row.state for row in await chat.deliveries()] == ["done"]


@pytest.mark.parametrize("error", [DatabaseAwayError("away"), MemoryAwayError("away"), RuntimeError("a mistake")])
async def test_what_cannot_be_answered_now_is_answered_later(chat: Chat, error: Exception) -> None:
    chat.echo.error = error
    chat.say("도움말")
    await chat.failed(str(error))
    assert chat.answers == []
    chat.echo.error = None
    await chat.settled()
    assert chat.answers == ["들었습니다: 도움말"]


async def test_a_memory_that_is_away_delays_an_answer(chat: Chat) -> None:
    chat.memory.is_away = True
    chat.say("도움말")
    await chat.failed("taken away")
    chat.memory.is_away = False
    await chat.settled()
    assert chat.answers == ["들었습니다: 도움말"]


async def test_a_webex_that_answers_badly_for_a_while_loses_nothing(chat: Chat) -> None:
    chat.cloud.faults.add(503, method="GET", path="/messages", times=6)
    chat.cloud.faults.add(429, method="POST", times=3, headers={"Retry-After": "later"})
    chat.say("도움말")
    await chat.settled()
    assert chat.answers == ["들었습니다: 도움말"]


@pytest.mark.parametrize("is_done", [True, False])
@pytest.mark.parametrize("status", [502, DROPPED])
async def test_an_answer_of_which_webex_did_not_say_whether_it_took_it_is_there_once(
    chat: Chat, status: int, is_done: bool
) -> None:
    chat.echo.say = lambda said: [Message("하나"), Message("둘"), Message("셋")]
    chat.cloud.faults.add(status, method="POST", times=1, is_done=is_done)
    chat.say("도움말")
    await chat.settled()
    chat.cloud.faults.add(status, method="POST", times=2, is_done=is_done)
    chat.say("도움말")
    await chat.settled()
    assert chat.answers == ["하나", "둘", "셋"] * 2


async def test_an_answer_in_doubt_is_not_taken_for_the_same_answer_to_something_else(chat: Chat) -> None:
    chat.echo.say = lambda said: [Message("네")]
    gate = asyncio.Event()
    echo_answer = chat.echo.answer

    async def held(said: Said) -> Sequence[Message]:
        await gate.wait()
        return await echo_answer(said)

    chat.echo.answer = held  # type: ignore[method-assign]
    chat.say("하나")
    chat.say("둘")
    await chat.cloud.deliveries.settled()

    def trouble(_: Room) -> None:
        # The answer to "하나" came after "둘" was said, and says the same as the one to that, which is not posted.
        if len(chat.answers) == 1:
            chat.cloud.faults.add(502, method="POST")
            chat.cloud.world.changed = lambda _: None

    chat.cloud.world.changed = trouble
    gate.set()
    await chat.settled()
    assert chat.answers == ["네", "네"]


async def test_in_a_group_an_answer_in_doubt_comes_rather_twice_than_never(chat: Chat) -> None:
    world = chat.cloud.world
    group = world.group_room("상담팀", chat.mina)
    chat.cloud.faults.add(502, method="POST", is_done=True)
    world.say(chat.mina, group, "하나", mention=True)
    await chat.settled()
    chat.cloud.faults.add(502, method="POST")
    world.say(chat.mina, group, "둘", mention=True)
    await chat.settled()
    assert chat.answers == ["들었습니다: 하나", "들었습니다: 하나", "들었습니다: 둘"]


async def test_what_webex_refuses_dies_with_its_words(chat: Chat) -> None:
    chat.echo.say = lambda said: [Message("안녕하세요")]
    chat.cloud.faults.add(403, method="POST")
    chat.say("도움말")
    await chat.settled()
    [row] = await chat.deliveries()
    assert row.state == "dead"
    assert "Webex answers HTTP 403: answered 403 on demand" in row.error
    assert chat.answers == []


async def test_a_long_answer_comes_in_parts_each_once(chat: Chat) -> None:
    text = "\n".join(f"{number}. 가나다라마바사" for number in range(700))
    chat.echo.say = lambda said: [Message(text)]
    chat.say("모두")
    await chat.settled()
    assert len(chat.answers) == 3
    assert "".join(chat.answers) == text


async def test_a_message_that_two_webhooks_tell_of_is_answered_once(chat: Chat) -> None:
    ours = next(hook for hook in chat.cloud.world.hooks.values() if hook.resource == "messages")
    chat.cloud.world.add_hook("old", ours.target_url, "messages", "created", secret=ours.secret)
    for number in range(5):
        chat.say(f"말 {number}")
    await chat.settled()
    rows = await chat.deliveries()
    assert len(rows) == 20, "of five messages and five answers each by two webhooks"
    assert sorted(chat.answers) == [f"들었습니다: 말 {number}" for number in range(5)]


async def test_two_messages_at_once_from_one_person_are_answered_one_after_the_other(chat: Chat) -> None:
    at_once = most = 0
    gate = asyncio.Event()
    echo_answer = chat.echo.answer

    async def slowly(said: Said) -> Sequence[Message]:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await gate.wait()
        at_once -= 1
        return await echo_answer(said)

    chat.echo.answer = slowly  # type: ignore[method-assign]
    for number in range(4):
        chat.say(f"말 {number}")
        await chat.cloud.deliveries.settled()
    jun = chat.cloud.world.add_person("준", "jun@example.com")
    chat.say("나도", jun)
    await chat.until(lambda: at_once == 2)
    gate.set()
    await chat.settled()
    assert most == 2, "one of each of two people"
    assert [said.text for said in chat.echo.heard if said.person_id == chat.mina.id] == [
        "말 0",
        "말 1",
        "말 2",
        "말 3",
    ]


async def test_what_says_nothing_of_webex_is_refused_or_dies(chat: Chat) -> None:
    url = f"http://127.0.0.1:{chat.port}/webhooks/webex"
    hook = next(iter(chat.cloud.world.hooks.values()))
    body = b'{"resource":"messages","event":"created","data":{}}'
    async with aiohttp.ClientSession() as stranger:
        async with stranger.post(url, data=body, headers=webex.sign("another", body)) as response:
            assert response.status == 401
        async with stranger.post(url, data=body, headers=webex.sign(hook.secret, body)) as response:
            assert response.status == 202
    await chat.settled()
    [row] = await chat.deliveries()
    assert (row.state, "does not say what was done" in row.error) == ("dead", True)
