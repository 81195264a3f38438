"""Who changed what: rows that are only ever added, in the transaction of the change they tell of."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import audit


class AuditRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``actor`` did ``action`` to ``subject`` at ``at`` (Unix seconds).

    ``via`` is how the actor was known (``session``, ``token``, ``socket``, ``command``, ``chat``), ``address`` where
    from (``""`` where that means nothing), and ``detail`` what else matters, without secrets.
    """

    at: float
    actor: str
    via: str
    action: str
    subject: str
    address: str = ""
    detail: dict[str, str] = {}


async def add_audit(connection: AsyncConnection, row: AuditRow) -> None:
    """Add a row."""
    values = msgspec.structs.asdict(row)
    values["detail"] = msgspec.json.encode(row.detail).decode()
    await connection.execute(insert(audit).values(values))


async def count_audit(connection: AsyncConnection, *, actor: str, action: str, since: float) -> int:
    """How many rows of that actor and action there are from ``since`` (Unix seconds) on."""
    wanted = (audit.c.at >= since) & (audit.c.actor == actor) & (audit.c.action == action)
    return await connection.scalar(select(func.count()).select_from(audit).where(wanted)) or 0


async def latest_audit(connection: AsyncConnection, limit: int) -> list[AuditRow]:
    """The newest ``limit`` rows, newest first."""
    query = select(audit).order_by(audit.c.audit_id.desc()).limit(limit)
    rows = []
    for row in await connection.execute(query):
        values = dict(row._mapping)
        del values["audit_id"]
        values["detail"] = msgspec.json.decode(row.detail, type=dict[str, str])
        rows.append(AuditRow(**values))
    return rows
