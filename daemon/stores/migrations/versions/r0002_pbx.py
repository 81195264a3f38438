"""What changing something on a PBX needs: locks across processes, and the click-to-calls that were placed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the step."""
    op.create_table(
        "locks",
        sa.Column("name", _ID, nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="locks_pkey"),
    )
    op.create_table(
        "click_to_calls",
        sa.Column("click_to_call_id", _ID, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("request_key", _ID),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("callee", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("call_id", _ID, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double()),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("click_to_call_id", name="click_to_calls_pkey"),
        sa.UniqueConstraint("actor", "request_key", name="click_to_calls_actor_request_key_key"),
    )
    op.create_index("click_to_calls_created_idx", "click_to_calls", ["created_at"])
    op.create_index(
        "click_to_calls_open_idx",
        "click_to_calls",
        ["created_at"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
