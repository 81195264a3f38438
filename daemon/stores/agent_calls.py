"""What the provider of a voice agent says of its calls, beside their rows, and what its deliveries say of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Column, ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import agent_calls, calls, deliveries, stored_events, utterances
from daemon.stores.upsert import insert_into

_SENSITIVE: Final = ("recording_url", "summary", "sentiment", "analysis", "dynamic_variables")


class AgentCallRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Of the call ``call_id``; ``""`` is what was not said. The last three are JSON."""

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


async def find_agent_call(
    connection: AsyncConnection, origin: str, server: str, other_id: str
) -> tuple[str, bool] | None:
    """The call id of that call, and whether it is sensitive; ``None`` where it is not stored."""
    named = (calls.c.origin == origin) & (calls.c.server == server) & (calls.c.other_id == other_id)
    row = (await connection.execute(select(calls.c.call_id, calls.c.sensitive).where(named))).first()
    return None if row is None else (row.call_id, row.sensitive)


async def save_agent_call(connection: AsyncConnection, row: AgentCallRow) -> None:
    """Store what is known now; what was known and is not said again stays."""
    statement = insert_into(connection, agent_calls)
    known: dict[str, Any] = {
        name: func.coalesce(func.nullif(statement.excluded[name], ""), agent_calls.c[name])
        for name in AgentCallRow.__struct_fields__
        if name != "call_id"
    }
    statement = statement.on_conflict_do_update(index_elements=[agent_calls.c.call_id], set_=known)
    await connection.execute(statement, [msgspec.structs.asdict(row)])


async def forget_what_was_said(connection: AsyncConnection, call_id: str) -> None:
    """Remove what must not be kept of a call whose people opted out: its transcript, analysis, variables, recording."""
    await connection.execute(utterances.delete().where(utterances.c.call_id == call_id))
    blank = dict.fromkeys(_SENSITIVE, "")
    await connection.execute(agent_calls.update().where(agent_calls.c.call_id == call_id).values(blank))


async def get_agent_call(connection: AsyncConnection, call_id: str) -> AgentCallRow | None:
    """What is known of that call."""
    row = (await connection.execute(select(agent_calls).where(agent_calls.c.call_id == call_id))).first()
    return None if row is None else AgentCallRow(**row._mapping)


async def has_redacted_delivery(connection: AsyncConnection, source: str, key: str) -> bool:
    """Whether something was taken out of a delivery of the call whose order key there is ``key``."""
    found = select(deliveries.c.delivery_id).where(_of_call(source, key), deliveries.c.redacted).limit(1)
    return (await connection.execute(found)).first() is not None


async def redact_deliveries(
    connection: AsyncConnection, source: str, key: str, *, redact: Callable[[bytes], bytes], copied_to: Sequence[str]
) -> None:
    """Take out of that call's deliveries what was stored before it was known that it must not be.

    The same goes for what handlers made of them: stored events, and deliveries of the sources ``copied_to``.
    """
    kept = select(deliveries.c.delivery_id, deliveries.c.body).order_by(deliveries.c.delivery_id)
    of_call = kept.where(_of_call(source, key), ~deliveries.c.redacted)
    originals = (await connection.execute(of_call)).all()
    copies = [
        copy
        for original in originals
        for to in copied_to
        for copy in await connection.execute(
            kept.where(deliveries.c.source == to, _begins(deliveries.c.other_id, f"{original.delivery_id}/"))
        )
    ]
    for row in (*originals, *copies):
        changed = deliveries.update().where(deliveries.c.delivery_id == row.delivery_id)
        await connection.execute(changed.values(body=redact(row.body), redacted=True))
        made = _begins(stored_events.c.event_key, f"{row.delivery_id}/")
        events = select(stored_events.c.event_key, stored_events.c.body).where(made)
        for event in (await connection.execute(events)).all():
            rewritten = stored_events.update().where(stored_events.c.event_key == event.event_key)
            await connection.execute(rewritten.values(body=redact(event.body.encode()).decode()))


def _of_call(source: str, key: str) -> ColumnElement[bool]:
    """The provider's ids of a call's events begin with the call's own: of those there is an index."""
    mine = (deliveries.c.source == source) & (deliveries.c.order_key == key)
    return mine & _begins(deliveries.c.other_id, f"{key}:")


def _begins(column: Column[str], prefix: str) -> ColumnElement[bool]:
    """As a range, which an index answers."""
    return (column >= prefix) & (column < prefix + chr(0x10FFFF))
