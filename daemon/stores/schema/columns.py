"""What all tables share: how constraints are called, and kinds of columns.

Times are Unix seconds in double precision. Names and ids that come from outside are ``text`` without a length: the
other side decides how long they are. Ids compare by bytes on both engines (collation ``C`` on PostgreSQL), so that
paging by (``created_at``, ``call_id``) means the same everywhere.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import MetaData, Text, text

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

Id = Text().with_variant(Text(collation="C"), "postgresql")
ROLES = "role IN ('viewer', 'operator', 'admin')"


def where(condition: str) -> dict[str, Any]:
    """Keywords of an index of those rows only."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}
