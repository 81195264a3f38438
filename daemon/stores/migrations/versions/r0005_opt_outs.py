"""Calls whose people opted out of being kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the step."""
    op.create_table(
        "opt_outs",
        sa.Column("source", _ID, nullable=False),
        sa.Column("key", _ID, nullable=False),
        sa.PrimaryKeyConstraint("source", "key", name="opt_outs_pkey"),
    )
