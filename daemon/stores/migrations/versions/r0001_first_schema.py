"""The first schema: calls with what was said on them, and the people who may see it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_ROLES = "role IN ('viewer', 'operator', 'admin')"


def upgrade() -> None:
    """Make the step."""
    _create_calls()
    _create_legs()
    _create_utterances()
    _create_call_aliases()
    _create_users()
    _create_sessions()
    _create_api_tokens()
    _create_audit()


def _create_calls() -> None:
    op.create_table(
        "calls",
        sa.Column("call_id", _ID, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("other_id", _ID, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("caller_name", sa.Text(), nullable=False),
        sa.Column("callee", sa.Text(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("app", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("answered_at", sa.Double()),
        sa.Column("ended_at", sa.Double()),
        sa.Column("hangup_cause", sa.Text(), nullable=False),
        sa.Column("disposition", sa.Text()),
        sa.Column("merged_into", _ID, nullable=False),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name="calls_pkey"),
        sa.UniqueConstraint("origin", "server", "other_id", name="calls_origin_server_other_id_key"),
    )
    op.create_index("calls_caller_idx", "calls", ["caller", "created_at", "call_id"])
    op.create_index("calls_code_idx", "calls", ["code", "created_at", "call_id"])
    op.create_index("calls_created_idx", "calls", ["created_at", "call_id"])
    op.create_index("calls_did_idx", "calls", ["did", "created_at", "call_id"])
    op.create_index(
        "calls_live_idx",
        "calls",
        ["created_at", "call_id"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("calls_server_idx", "calls", ["server", "created_at", "call_id"])


def _create_legs() -> None:
    op.create_table(
        "legs",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("leg_id", _ID, nullable=False),
        sa.Column("call_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("caller_name", sa.Text(), nullable=False),
        sa.Column("callee", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("answered_at", sa.Double()),
        sa.Column("ended_at", sa.Double()),
        sa.Column("hangup_cause", sa.Text(), nullable=False),
        sa.Column("parked", sa.Boolean(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("peer_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="legs_call_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("origin", "server", "leg_id", name="legs_pkey"),
    )
    op.create_index("legs_call_idx", "legs", ["call_id"])


def _create_utterances() -> None:
    op.create_table(
        "utterances",
        sa.Column("call_id", _ID, nullable=False),
        sa.Column("utterance_id", _ID, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("leg_id", _ID, nullable=False),
        sa.Column("speaker", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("start", sa.Double()),
        sa.Column("end", sa.Double()),
        sa.Column("said_at", sa.Double(), nullable=False),
        sa.Column("confidence", sa.Double()),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.CheckConstraint("seq > 0", name=op.f("utterances_seq_check")),
        sa.PrimaryKeyConstraint("call_id", "utterance_id", name="utterances_pkey"),
        sa.UniqueConstraint("call_id", "seq", name="utterances_call_id_seq_key"),
    )


def _create_call_aliases() -> None:
    op.create_table(
        "call_aliases",
        sa.Column("old_call_id", _ID, nullable=False),
        sa.Column("call_id", _ID, nullable=False),
        sa.Column("seq_offset", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("old_call_id", name="call_aliases_pkey"),
    )


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("password_changed_at", sa.Double(), nullable=False),
        sa.CheckConstraint(_ROLES, name=op.f("users_role_check")),
        sa.PrimaryKeyConstraint("name", name="users_pkey"),
    )


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("token_hash", _ID, nullable=False),
        sa.Column("user_name", sa.Text()),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.CheckConstraint(_ROLES, name=op.f("sessions_role_check")),
        sa.ForeignKeyConstraint(["user_name"], ["users.name"], name="sessions_user_name_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name="sessions_pkey"),
    )
    op.create_index("sessions_expiry_idx", "sessions", ["expires_at"])
    op.create_index("sessions_user_idx", "sessions", ["user_name"])


def _create_api_tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("token_hash", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("last_used_at", sa.Double()),
        sa.CheckConstraint(_ROLES, name=op.f("api_tokens_role_check")),
        sa.PrimaryKeyConstraint("token_hash", name="api_tokens_pkey"),
        sa.UniqueConstraint("name", name="api_tokens_name_key"),
    )


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("audit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name="audit_pkey"),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_at_idx", "audit", ["at"])
