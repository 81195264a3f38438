"""The inbox: deliveries from their acceptance to their end, and each run of a handler on one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the step."""
    op.create_table(
        "deliveries",
        sa.Column("delivery_id", _ID, nullable=False),
        sa.Column("source", _ID, nullable=False),
        sa.Column("event", _ID, nullable=False),
        sa.Column("other_id", _ID),
        sa.Column("order_key", _ID),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("attempts_allowed", sa.Integer(), nullable=False),
        sa.Column("replays", sa.Integer(), nullable=False),
        sa.Column("holder", _ID),
        sa.Column("lease_until", sa.Double()),
        sa.Column("failing_since", sa.Double()),
        sa.Column("waits", sa.Boolean(), nullable=False),
        sa.Column("finished_at", sa.Double()),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("done_by", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("redacted", sa.Boolean(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", name="deliveries_pkey"),
        sa.UniqueConstraint("source", "other_id", name="deliveries_source_other_id_key"),
        sa.CheckConstraint(
            "state IN ('pending', 'working', 'done', 'dead', 'cancelled')", name=op.f("deliveries_state_check")
        ),
    )
    _index("due", ["due_at", "delivery_id"], "state = 'pending' AND NOT waits")
    _index("lease", ["lease_until"], "state = 'working'")
    if op.get_bind().dialect.name == "postgresql":
        # A key is always looked up by its own indexes, also where most of what is there has the same just now: the next
        # moment that has ended, and the way by the ids, which seemed shorter, leads past all of it.
        op.execute("ALTER TABLE deliveries ALTER COLUMN order_key SET (n_distinct = -1)")
    keyed = "state IN ('pending', 'working') AND order_key IS NOT NULL"
    _index("untried", ["source", "order_key", "delivery_id"], f"{keyed} AND failing_since IS NULL")
    _index("failing", ["source", "order_key", "failing_since"], f"{keyed} AND failing_since IS NOT NULL")
    _index("waiting", ["source", "order_key", "delivery_id"], "state = 'pending' AND waits")
    _index("state", ["state", "delivery_id"], "state <> 'done'")
    _index("unfinished", ["source", "state", "received_at", "due_at"], "state <> 'done'")
    _index("done", ["finished_at"], "state = 'done'")
    _index("dead", ["finished_at"], "state IN ('dead', 'cancelled')")
    op.create_index("deliveries_source_idx", "deliveries", ["source", "delivery_id"])
    op.create_index("deliveries_event_idx", "deliveries", ["event", "delivery_id"])
    op.create_table(
        "delivery_attempts",
        sa.Column("delivery_id", _ID, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("handler", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.delivery_id"],
            name="delivery_attempts_delivery_id_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", "attempt", "handler", name="delivery_attempts_pkey"),
    )
    op.create_table(
        "stored_events",
        sa.Column("event_key", _ID, nullable=False),
        sa.Column("delivery_id", _ID, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("stored_at", sa.Double(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_key", name="stored_events_pkey"),
    )
    op.create_index("stored_events_received_idx", "stored_events", ["received_at"])
    texts = ("agent_id", "agent_version", "call_type", "recording_url", "summary", "sentiment")
    op.create_table(
        "agent_calls",
        sa.Column("call_id", _ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in (*texts, "analysis", "dynamic_variables", "metadata")),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="agent_calls_call_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", name="agent_calls_pkey"),
    )


def _index(name: str, columns: list[str], condition: str) -> None:
    """An index of the rows of which ``condition`` is true."""
    where = sa.text(condition)
    op.create_index(f"deliveries_{name}_idx", "deliveries", columns, sqlite_where=where, postgresql_where=where)
