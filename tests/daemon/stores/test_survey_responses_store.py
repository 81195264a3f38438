"""Answers to surveys in the store, on both engines."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from daemon.stores.agent_calls import forget_what_was_said
from daemon.stores.calls import save_calls
from daemon.stores.database import Database
from daemon.stores.survey_responses import (
    SurveyAnswerRow,
    SurveyCount,
    SurveyResponse,
    SurveyResponseRow,
    save_survey_response,
    survey_counts,
    survey_questions,
    survey_responses_of,
)
from tests.daemon.stores.rows import call_row


def response(call_id: str, begun_at: float = 100.0, completed_at: float | None = None) -> SurveyResponseRow:
    return SurveyResponseRow(call_id=call_id, survey="service", begun_at=begun_at, completed_at=completed_at)


def answer(call_id: str, question: str, position: int, said: str) -> SurveyAnswerRow:
    return SurveyAnswerRow(
        call_id=call_id, survey="service", question=question, position=position, answer=said, answered_at=101.0
    )


async def save(database: Database, row: SurveyResponseRow, *answers: SurveyAnswerRow) -> None:
    async with database.transaction() as connection:
        await save_survey_response(connection, row, answers)


async def read(database: Database, **when: float) -> list[SurveyResponse]:
    async with database.read() as connection:
        return await survey_responses_of(connection, "service", **when)


async def test_answers_come_one_by_one(database: Database) -> None:
    await save(database, response("a"))
    await save(database, response("a"), answer("a", "mark", 0, "4"))
    await save(database, response("a"), answer("a", "mark", 0, "5"), answer("a", "again", 1, "yes"))
    given: dict[str, Any] = {
        "call_id": "a",
        "caller": "",
        "did": "",
        "begun_at": 100.0,
        "answers": {"mark": "5", "again": "yes"},
    }
    assert await read(database) == [SurveyResponse(**given, completed_at=None)]
    await save(database, response("a", completed_at=110.0))
    await save(database, response("a"))
    assert await read(database) == [SurveyResponse(**given, completed_at=110.0)]


async def test_a_response_stands_beside_its_call(database: Database) -> None:
    async with database.transaction() as connection:
        await save_calls(connection, [call_row("a"), call_row("renamed", caller="01098765432")])
        await connection.execute(
            text("INSERT INTO call_aliases (old_call_id, call_id, seq_offset) VALUES ('b', 'renamed', 0)")
        )
    await save(database, response("a", 200.0))
    await save(database, response("b", 100.0), answer("b", "mark", 0, "1"))
    found = await read(database)
    assert [(one.call_id, one.caller, one.did) for one in found] == [
        ("renamed", "01098765432", "0212345678"),
        ("a", "01012345678", "0212345678"),
    ]
    assert [one.answers for one in found] == [{"mark": "1"}, {}]


async def test_sensitive_calls_are_left_out_and_what_was_said_in_them_can_be_forgotten(database: Database) -> None:
    async with database.transaction() as connection:
        await save_calls(connection, [call_row("a", sensitive=True), call_row("b")])
    await save(database, response("a"), answer("a", "mark", 0, "1"))
    await save(database, response("b"), answer("b", "mark", 0, "2"))
    assert [one.call_id for one in await read(database)] == ["b"]
    async with database.transaction() as connection:
        await forget_what_was_said(connection, "b")
    assert [one.answers for one in await read(database)] == [{}]


async def test_from_a_time_to_another(database: Database) -> None:
    for number in range(4):
        await save(database, response(f"c{number}", 100.0 + number))
    assert [one.call_id for one in await read(database, since=101.0, until=103.0)] == ["c1", "c2"]


async def test_surveys_are_counted_and_questions_stand_in_their_order(database: Database) -> None:
    await save(database, response("a", completed_at=110.0), answer("a", "z", 0, "1"), answer("a", "b", 1, ""))
    await save(database, response("b"), answer("b", "z", 0, "1"), answer("b", "a", 2, "x"))
    async with database.transaction() as connection:
        await save_survey_response(connection, SurveyResponseRow(call_id="a", survey="other", begun_at=1.0))
    async with database.read() as connection:
        assert await survey_counts(connection) == [
            SurveyCount(survey="other", responses=1, completed=0),
            SurveyCount(survey="service", responses=2, completed=1),
        ]
        assert await survey_questions(connection, "service") == ["z", "b", "a"]
        assert await survey_questions(connection, "other") == []
