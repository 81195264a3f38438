"""What callers answered to surveys: each answer stored as it comes, and read together for an export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import call_aliases, calls, survey_answers, survey_responses
from daemon.stores.upsert import insert_into


class SurveyResponseRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A caller who was asked; ``completed_at`` is ``None`` until there are no more questions. Times in Unix seconds."""

    call_id: str
    survey: str
    begun_at: float
    completed_at: float | None = None


class SurveyAnswerRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What came of a question, the ``position``-th from 0; ``answer`` is ``""`` where it was asked in vain."""

    call_id: str
    survey: str
    question: str
    position: int
    answer: str
    answered_at: float


class SurveyResponse(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A response beside its call, of which the numbers are ``""`` while it is not stored. ``answers`` by question."""

    call_id: str
    caller: str
    did: str
    begun_at: float
    completed_at: float | None
    answers: dict[str, str]


class SurveyCount(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How many were asked, and how many of them to the end."""

    survey: str
    responses: int
    completed: int


async def save_survey_response(
    connection: AsyncConnection, row: SurveyResponseRow, answers: Sequence[SurveyAnswerRow] = ()
) -> None:
    """Store a response and some of its answers. What is there already is replaced, but a completed one stays so."""
    statement = insert_into(connection, survey_responses)
    completed = func.coalesce(statement.excluded["completed_at"], survey_responses.c.completed_at)
    statement = statement.on_conflict_do_update(
        index_elements=[survey_responses.c.call_id, survey_responses.c.survey], set_={"completed_at": completed}
    )
    await connection.execute(statement, [msgspec.structs.asdict(row)])
    if not answers:
        return
    statement = insert_into(connection, survey_answers)
    changes = {name: statement.excluded[name] for name in ("position", "answer", "answered_at")}
    columns = survey_answers.c
    statement = statement.on_conflict_do_update(
        index_elements=[columns.call_id, columns.survey, columns.question], set_=changes
    )
    await connection.execute(statement, [msgspec.structs.asdict(answer) for answer in answers])


async def survey_counts(connection: AsyncConnection) -> list[SurveyCount]:
    """Every survey that somebody was asked, by name."""
    columns = survey_responses.c
    query = (
        select(columns.survey, func.count().label("responses"), func.count(columns.completed_at).label("completed"))
        .group_by(columns.survey)
        .order_by(columns.survey)
    )
    return [SurveyCount(**row._mapping) for row in await connection.execute(query)]


async def survey_questions(connection: AsyncConnection, survey: str) -> list[str]:
    """The questions that were ever asked in it, in their order."""
    columns = survey_answers.c
    query = (
        select(columns.question)
        .where(columns.survey == survey)
        .group_by(columns.question)
        .order_by(func.min(columns.position), columns.question)
    )
    return list(await connection.scalars(query))


async def survey_responses_of(
    connection: AsyncConnection, survey: str, *, since: float | None = None, until: float | None = None
) -> list[SurveyResponse]:
    """The responses that were begun from ``since`` to before ``until``, oldest first.

    Those of sensitive calls are left out. A call that the store came to know under another id is found by that.
    """
    columns = survey_responses.c
    wanted: list[ColumnElement[bool]] = [columns.survey == survey, or_(calls.c.sensitive.is_(None), ~calls.c.sensitive)]
    if since is not None:
        wanted.append(columns.begun_at >= since)
    if until is not None:
        wanted.append(columns.begun_at < until)
    answers: dict[str, dict[str, str]] = {}
    asked = _beside_calls(columns.call_id, survey_answers.c.question, survey_answers.c.answer).join(
        survey_answers,
        and_(survey_answers.c.call_id == columns.call_id, survey_answers.c.survey == columns.survey),
    )
    for row in await connection.execute(asked.where(*wanted)):
        answers.setdefault(row.call_id, {})[row.question] = row.answer
    found = _beside_calls(
        columns.call_id,
        func.coalesce(calls.c.call_id, columns.call_id).label("known_as"),
        func.coalesce(calls.c.caller, "").label("caller"),
        func.coalesce(calls.c.did, "").label("did"),
        columns.begun_at,
        columns.completed_at,
    )
    return [
        SurveyResponse(
            call_id=row.known_as,
            caller=row.caller,
            did=row.did,
            begun_at=row.begun_at,
            completed_at=row.completed_at,
            answers=answers.get(row.call_id, {}),
        )
        for row in await connection.execute(found.where(*wanted).order_by(columns.begun_at, columns.call_id))
    ]


def _beside_calls(*columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """``columns`` of responses and of the calls that they were given in."""
    response = survey_responses.c.call_id
    known_as = func.coalesce(call_aliases.c.call_id, response)
    return (
        select(*columns)
        .select_from(survey_responses)
        .join(call_aliases, call_aliases.c.old_call_id == response, isouter=True)
        .join(calls, calls.c.call_id == known_as, isouter=True)
    )
