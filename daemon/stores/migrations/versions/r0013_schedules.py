"""Schedules: up to when each was looked at, and what has fired."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_Id = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the step."""
    op.create_table(
        "schedules",
        sa.Column("name", _Id, nullable=False),
        sa.Column("times", sa.Text(), nullable=False),
        sa.Column("looked_until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="schedules_pkey"),
    )
    op.create_table(
        "schedule_firings",
        sa.Column("schedule", _Id, nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("fired_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("schedule", "due_at", name="schedule_firings_pkey"),
    )
