"""Fresh deliveries are in one index, which has all that they are looked for by, and no more in the others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the step."""
    op.execute("UPDATE deliveries SET fresh = false WHERE fresh AND state <> 'pending'")
    for name in ("fresh", "state", "source", "event", "unfinished"):
        op.drop_index(f"deliveries_{name}_idx", "deliveries")
    _index("fresh", ["delivery_id", "source", "event", "received_at", "due_at", "fresh"], "fresh")
    _index("state", ["state", "delivery_id"], "state <> 'done' AND NOT fresh")
    _index("source", ["source", "delivery_id"], "NOT fresh")
    _index("event", ["event", "delivery_id"], "NOT fresh")
    _index("unfinished", ["source", "state", "received_at", "due_at", "fresh"], "state <> 'done' AND NOT fresh")


def _index(name: str, columns: list[str], condition: str) -> None:
    """An index of the rows of which ``condition`` is true."""
    where = sa.text(condition)
    op.create_index(f"deliveries_{name}_idx", "deliveries", columns, sqlite_where=where, postgresql_where=where)
