"""Deliveries that are not lined up with the others of their key yet: no index by a key has them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the step."""
    op.add_column("deliveries", sa.Column("fresh", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.drop_index("deliveries_due_idx", "deliveries")
    op.drop_index("deliveries_untried_idx", "deliveries")
    _index("fresh", ["delivery_id"], "fresh")
    _index("due", ["due_at", "delivery_id"], "state = 'pending' AND NOT waits AND NOT fresh")
    keyed = "state IN ('pending', 'working') AND order_key IS NOT NULL"
    _index("untried", ["source", "order_key", "delivery_id"], f"{keyed} AND failing_since IS NULL AND NOT fresh")


def _index(name: str, columns: list[str], condition: str) -> None:
    """An index of the rows of which ``condition`` is true."""
    where = sa.text(condition)
    op.create_index(f"deliveries_{name}_idx", "deliveries", columns, sqlite_where=where, postgresql_where=where)
