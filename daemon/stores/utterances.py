"""What was said, as rows: written once, in order, and never changed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import utterances
from daemon.stores.upsert import insert_into


class UtteranceRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A final utterance as stored. The words and units are those of ``daemon.transcripts.utterance.Utterance``."""

    call_id: str
    utterance_id: str
    seq: int
    leg_id: str
    speaker: str
    text: str
    start: float | None
    end: float | None
    said_at: float
    confidence: float | None
    vendor: str


async def add_utterances(connection: AsyncConnection, rows: Sequence[UtteranceRow]) -> None:
    """Add finals. One that is stored already (same ``call_id`` and ``utterance_id``) stays as it is.

    Another utterance under a seq that is taken is refused, and all of ``rows`` with it (``RowRefusedError``).
    """
    if not rows:
        return
    statement = insert_into(connection, utterances).on_conflict_do_nothing(
        index_elements=[utterances.c.call_id, utterances.c.utterance_id]
    )
    await connection.execute(statement, [msgspec.structs.asdict(row) for row in rows])


async def utterances_of(
    connection: AsyncConnection, call_id: str, after: int = 0, limit: int | None = None
) -> list[UtteranceRow]:
    """The finals of a call with ``seq`` greater than ``after``, in order of seq, at most ``limit``."""
    query = (
        select(utterances)
        .where(utterances.c.call_id == call_id, utterances.c.seq > after)
        .order_by(utterances.c.seq)
        .limit(limit)
    )
    return [UtteranceRow(**row._mapping) for row in await connection.execute(query)]


async def last_seq(connection: AsyncConnection, call_id: str) -> int:
    """The highest seq stored of a call, 0 for none."""
    query = select(func.max(utterances.c.seq)).where(utterances.c.call_id == call_id)
    return (await connection.execute(query)).scalar() or 0


async def utterance_is_stored(connection: AsyncConnection, call_id: str, utterance_id: str) -> bool:
    """Whether a final is stored already."""
    query = select(utterances.c.seq).where(utterances.c.call_id == call_id, utterances.c.utterance_id == utterance_id)
    return (await connection.execute(query)).first() is not None


async def seq_is_taken(connection: AsyncConnection, call_id: str, seq: int) -> bool:
    """Whether a call has an utterance of that seq."""
    query = select(utterances.c.seq).where(utterances.c.call_id == call_id, utterances.c.seq == seq)
    return (await connection.execute(query)).first() is not None
