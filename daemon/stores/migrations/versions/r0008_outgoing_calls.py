"""Calls that Parley places into an app."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the step."""
    op.create_table(
        "outgoing_calls",
        sa.Column("call_id", _ID, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("request_key", _ID),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("holder", _ID, nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("leg_id", sa.Text(), nullable=False),
        sa.Column("app", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("variables", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("machine", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("answered_at", sa.Double()),
        sa.Column("ended_at", sa.Double()),
        sa.PrimaryKeyConstraint("call_id", name="outgoing_calls_pkey"),
        sa.UniqueConstraint("actor", "request_key", name="outgoing_calls_actor_request_key_key"),
    )
    op.create_index("outgoing_calls_created_idx", "outgoing_calls", ["created_at"])
    is_open = sa.text("ended_at IS NULL")
    op.create_index(
        "outgoing_calls_open_idx",
        "outgoing_calls",
        ["created_at"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
