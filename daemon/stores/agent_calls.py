"""What the provider of a voice agent says of its calls, beside their rows."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import agent_calls, calls, legs, survey_answers, utterances
from daemon.stores.upsert import insert_into

_SENSITIVE: Final = ("recording_url", "summary", "sentiment", "analysis", "dynamic_variables")


class AgentCallRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Of the call ``call_id``; ``""`` is what was not said. The three before the last are JSON.

    ``started_at``: when it began (Unix seconds), where its provider has said so; the call's own row may have a guess.
    """

    call_id: str
    agent_id: str = ""
    agent_version: str = ""
    call_type: str = ""
    recording_url: str = ""
    summary: str = ""
    sentiment: str = ""
    analysis: str = ""
    dynamic_variables: str = ""
    metadata: str = ""
    started_at: float | None = None


async def find_agent_call(connection: AsyncConnection, origin: str, server: str, other_id: str) -> str | None:
    """The call id of that call, whose row is the transaction's own till its end; ``None`` where it is not stored."""
    named = (calls.c.origin == origin) & (calls.c.server == server) & (calls.c.other_id == other_id)
    found: str | None = await connection.scalar(select(calls.c.call_id).where(named).with_for_update())
    return found


async def save_agent_call(connection: AsyncConnection, row: AgentCallRow) -> None:
    """Store what is known now; what was known and is not said again stays."""
    statement = insert_into(connection, agent_calls)
    known: dict[str, Any] = {
        name: func.coalesce(func.nullif(statement.excluded[name], ""), agent_calls.c[name])
        for name in AgentCallRow.__struct_fields__
        if name not in ("call_id", "started_at")
    }
    known["started_at"] = func.coalesce(agent_calls.c.started_at, statement.excluded.started_at)
    statement = statement.on_conflict_do_update(index_elements=[agent_calls.c.call_id], set_=known)
    await connection.execute(statement, [msgspec.structs.asdict(row)])


async def correct_beginning(connection: AsyncConnection, call_id: str, *, created_at: float) -> None:
    """Let a call, of which it was a guess when it began, have begun at ``created_at``.

    What was said in it began with it: no provider says more.
    """
    for table, name in ((calls, "created_at"), (legs, "created_at"), (utterances, "said_at")):
        await connection.execute(table.update().where(table.c.call_id == call_id).values({name: created_at}))


async def forget_what_was_said(connection: AsyncConnection, call_id: str) -> None:
    """Remove what must not be kept of a call whose people opted out: its transcript and answers, analysis, variables,
    recording."""
    await connection.execute(utterances.delete().where(utterances.c.call_id == call_id))
    await connection.execute(survey_answers.delete().where(survey_answers.c.call_id == call_id))
    blank = dict.fromkeys(_SENSITIVE, "")
    await connection.execute(agent_calls.update().where(agent_calls.c.call_id == call_id).values(blank))


async def get_agent_call(connection: AsyncConnection, call_id: str) -> AgentCallRow | None:
    """What is known of that call."""
    row = (await connection.execute(select(agent_calls).where(agent_calls.c.call_id == call_id))).first()
    return None if row is None else AgentCallRow(**row._mapping)
