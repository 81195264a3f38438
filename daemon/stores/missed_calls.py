"""Calls in which a caller reached nobody, counted."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import calls, click_to_calls, outgoing_calls

_MISSED: Final = ("abandoned", "busy", "no_answer")
"""Dispositions (``daemon.calls.call.Disposition``) of a call that rang in vain."""


class MissedCalls(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How often ``caller`` called ``did`` in vain, and when last (Unix seconds). Of both ``""`` is not known."""

    did: str
    caller: str
    count: int
    last_at: float


def is_missed() -> ColumnElement[bool]:
    """Of a row of ``calls``: somebody called, it rang in vain, and it was not Parley that placed the call."""
    placed = select(outgoing_calls.c.call_id).where(outgoing_calls.c.call_id == calls.c.call_id)
    clicked = select(click_to_calls.c.call_id).where(click_to_calls.c.call_id == calls.c.call_id)
    return and_(calls.c.disposition.in_(_MISSED), ~placed.exists(), ~clicked.exists())


async def count_missed_calls(
    connection: AsyncConnection, since: float, until: float, *, servers: Collection[str] = ()
) -> list[MissedCalls]:
    """Those that began from ``since`` to before ``until``, by DID, the most frequent callers first; of ``servers``
    alone where some are named.

    Calls that Parley placed itself are none, and calls marked as sensitive are left out.
    """
    count = func.count()
    found = (
        select(calls.c.did, calls.c.caller, count.label("count"), func.max(calls.c.created_at).label("last_at"))
        .where(
            calls.c.created_at >= since,
            calls.c.created_at < until,
            calls.c.merged_into == "",
            ~calls.c.sensitive,
            is_missed(),
        )
        .group_by(calls.c.did, calls.c.caller)
        .order_by(calls.c.did, count.desc(), calls.c.caller)
    )
    if servers:
        found = found.where(calls.c.server.in_(list(servers)))
    return [MissedCalls(**row._mapping) for row in await connection.execute(found)]
