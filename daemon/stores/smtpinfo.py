"""How mail is sent: one row."""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.stores.schema import smtpinfo
from daemon.stores.upsert import insert_into

Tls = Literal["none", "starttls", "implicit"]

_MAIN: Final = "main"


class SmtpInfoRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The account at a mail server. ``password`` is encrypted, ``""`` for a server that asks for none.

    ``recipient`` is who gets what has no other recipient, ``""`` for nobody.
    """

    sender: str
    host: str
    port: int
    tls: Tls
    password: str = ""
    recipient: str = ""


async def save_smtpinfo(connection: AsyncConnection, row: SmtpInfoRow) -> None:
    """Set it, in the place of what was there."""
    values = msgspec.structs.asdict(row)
    statement = insert_into(connection, smtpinfo)
    changes = {name: statement.excluded[name] for name in values}
    statement = statement.on_conflict_do_update(index_elements=[smtpinfo.c.name], set_=changes)
    await connection.execute(statement, values | {"name": _MAIN})


async def get_smtpinfo(connection: AsyncConnection) -> SmtpInfoRow | None:
    """How mail is sent; ``None`` where nobody has said so."""
    columns = [smtpinfo.c[name] for name in SmtpInfoRow.__struct_fields__]
    row = (await connection.execute(select(*columns).where(smtpinfo.c.name == _MAIN))).first()
    return None if row is None else SmtpInfoRow(**row._mapping)


async def remove_smtpinfo(connection: AsyncConnection) -> bool:
    """Send no mail any more. False: there was nothing."""
    return (await connection.execute(delete(smtpinfo).where(smtpinfo.c.name == _MAIN))).rowcount > 0
