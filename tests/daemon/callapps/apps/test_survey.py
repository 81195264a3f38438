"""The app ``survey``: callers of the simulated switch answer, and hang up halfway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from daemon.callapps.apps.survey.questions import SurveyOptions
from daemon.callapps.contract import AppCall
from daemon.callapps.understanding import korean
from daemon.demo.call import SimulatedCall
from daemon.stores.database import Database
from daemon.stores.survey_responses import SurveyResponse, survey_responses_of
from tests.daemon.callapps.conftest import Answer
from tests.daemon.callapps.phone import Phone, apps, ended
from tests.services.databases import SqliteDatabases

GREETING = "안녕하세요. 잠시 몇 가지만 여쭙겠습니다."
GOODBYE = "답해 주셔서 감사합니다. 안녕히 계세요."
WAY, MARK = "어떤 일로 이용하셨나요? 구매, 수리, 문의 중에서 말씀해 주세요.", "상담에 몇 점을 주시겠어요?"
AGAIN, WORDS = "다시 이용하시겠어요?", "더 하실 말씀을 자유롭게 해 주세요."
MARK_AGAIN = "일 점에서 오 점까지, 숫자로 말씀해 주시거나 눌러 주세요."
QUESTIONS: list[dict[str, Any]] = [
    {"name": "way", "text": WAY, "choices": ["구매", "수리", "문의"]},
    {"name": "mark", "text": MARK, "kind": "scale", "again": [MARK_AGAIN]},
    {"name": "again", "text": AGAIN, "kind": "yes_no"},
    {"name": "words", "text": WORDS, "kind": "words"},
]


async def unused(call: AppCall) -> None:
    raise AssertionError("this call is for the survey")


@pytest.fixture
def url(sqlite_databases: SqliteDatabases) -> str:
    return sqlite_databases.make()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = Database.of(url)
    yield opened
    await opened.close()


@pytest.fixture
def begin(answer: Answer, database: Database) -> Any:
    async def started(**options: Any) -> Phone:
        config = apps(use="survey", options={"question": QUESTIONS, **options})
        return await answer(unused, config, supplies={Database: database}, understand=korean)

    return started


async def responses(database: Database) -> list[SurveyResponse]:
    async with database.read() as connection:
        return await survey_responses_of(connection, "order")


async def talk(phone: Phone, call: SimulatedCall, *dialogue: tuple[str, str]) -> None:
    """Wait for each prompt to its end, and say, press or do nothing."""
    for prompt, says in dialogue:
        await phone.until_said(call, prompt)
        if says.isdecimal():
            await call.dtmf(says)
        elif says:
            await call.say(says)


async def test_every_kind_of_question(begin: Any, database: Database) -> None:
    phone = await begin()
    with capture_logs() as logs:
        call = await phone.ring(caller="01012345678")
        await talk(
            phone,
            call,
            (WAY, "수리 때문에요"),
            (MARK, "아주 좋아요"),
            (MARK_AGAIN, "사 점이요"),
            (AGAIN, "그럼요"),
            (WORDS, "친절하세요"),
        )
        assert await ended(call) == "NORMAL_CLEARING"
        await phone.until_outcome(call, "completed")
        await phone.idle()
    assert phone.said(call)[0] == GREETING
    assert phone.said(call)[-1] == GOODBYE
    (given,) = await responses(database)
    assert given.answers == {"way": "수리", "mark": "4", "again": "yes", "words": "친절하세요"}
    assert given.call_id == phone.call(call).call_id
    assert given.completed_at is not None
    assert given.completed_at >= given.begun_at
    assert "친절" not in str(logs)


async def test_keys_are_answers(begin: Any, database: Database) -> None:
    phone = await begin()
    call = await phone.ring()
    await talk(phone, call, (WAY, "1"), (MARK, "5"), (AGAIN, "2"), (WORDS, "7"))
    await ended(call)
    await phone.idle()
    (given,) = await responses(database)
    assert given.answers == {"way": "구매", "mark": "5", "again": "no", "words": "7"}


async def test_a_question_in_vain_is_passed_over(begin: Any, database: Database) -> None:
    phone = await begin()
    call = await phone.ring()
    sorry = f"죄송합니다. 잘 듣지 못했습니다. {WAY}"
    await talk(
        phone, call, (WAY, ""), (sorry, "글쎄요"), (MARK, "9"), (MARK_AGAIN, "0"), (AGAIN, "아니요"), (WORDS, "없어요")
    )
    await ended(call)
    await phone.idle()
    (given,) = await responses(database)
    assert given.answers == {"way": "", "mark": "", "again": "no", "words": "없어요"}
    assert given.completed_at is not None


@pytest.mark.parametrize("answered", [0, 1, 2, 3])
async def test_who_hangs_up_halfway_leaves_what_they_answered(begin: Any, database: Database, answered: int) -> None:
    phone = await begin()
    call = await phone.ring()
    dialogue = [(WAY, "문의요"), (MARK, "3점"), (AGAIN, "네"), (WORDS, "")]
    await talk(phone, call, *dialogue[:answered])
    await phone.until_saying(call, dialogue[answered][0])
    await call.hang_up()
    await phone.until_outcome(call, "hung_up")
    await phone.idle()
    (given,) = await responses(database)
    kept = {"way": "문의", "mark": "3", "again": "yes"}
    assert given.answers == dict(list(kept.items())[:answered])
    assert given.completed_at is None


async def test_a_store_that_is_away_stops_nobody(answer: Answer) -> None:
    away = Database.of("sqlite:////nowhere/at/all.db")
    config = apps(use="survey", options={"question": QUESTIONS[1:2], "greeting": "", "tries": 1})
    phone = await answer(unused, config, supplies={Database: away}, understand=korean)
    with capture_logs() as logs:
        call = await phone.ring()
        await talk(phone, call, (MARK, "5"))
        assert await ended(call) == "NORMAL_CLEARING"
        await phone.until_outcome(call, "completed")
    (lost,) = [log for log in logs if log["event"] == "survey_answers_lost"]
    assert lost["answers"] == 1
    waits = [log for log in logs if log["event"] == "survey_answers_not_stored"]
    assert len(waits) == 2, "once at the beginning, and once at the end"
    await away.close()


async def test_many_callers_at_once(begin: Any, database: Database) -> None:
    phone = await begin(question=QUESTIONS[1:2], greeting="")
    calls = [await phone.ring() for _ in range(20)]

    async def one(number: int, call: SimulatedCall) -> None:
        await talk(phone, call, (MARK, str(number % 5 + 1)))
        await ended(call)

    await asyncio.gather(*(one(number, call) for number, call in enumerate(calls)))
    await phone.idle()
    given = {one.call_id: one.answers for one in await responses(database)}
    assert given == {phone.call(call).call_id: {"mark": str(number % 5 + 1)} for number, call in enumerate(calls)}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"question": []}, "length >= 1"),
        ({}, "missing required field `question`"),
        ({"question": [{"name": "Q1", "text": "?", "kind": "words"}]}, "matching regex"),
        ({"question": [{"name": "q", "text": " ", "kind": "words"}]}, "has no text"),
        ({"question": [{"name": "q", "text": "?"}]}, "the question q needs 2 to 9 choices"),
        ({"question": [{"name": "q", "text": "?", "choices": ["가", "가"]}]}, "each another"),
        ({"question": [{"name": "q", "text": "?", "kind": "yes_no", "choices": ["가", "나"]}]}, "has choices"),
        ({"question": [{"name": "q", "text": "?", "kind": "scale", "least": 5}]}, "ends before it begins"),
        ({"question": [{"name": "q", "text": "?", "kind": "scale", "most": 11}]}, "<= 10"),
        ({"question": [{"name": "q", "text": "?", "kind": "words"}] * 2}, "two questions are called q"),
        ({"question": [{"name": "q", "text": "?", "kind": "mood"}]}, "Invalid enum value 'mood'"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(options, SurveyOptions)
    assert problem in str(refused.value)
