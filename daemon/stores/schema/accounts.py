"""Who signs in and who chats, and what they did."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from daemon.stores.schema.columns import ROLES, Id, metadata

teams = Table(
    "teams",
    metadata,
    Column("name", Text),
    Column("manager_email", Text, nullable=False),
    PrimaryKeyConstraint("name"),
)

# Everybody whom Parley knows: who signs in and who chats. ``name`` is what somebody signs in by, ``full_name`` what
# people call them; one with an empty ``password_hash`` cannot sign in. ``tenant`` is an alias of ``[[pbx.tenant]]``.
# SQLite could only be told in a new table that ``team`` is one of ``teams``.
users = Table(
    "users",
    metadata,
    Column("name", Text),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("password_changed_at", Double, nullable=False),
    Column("extension", Text, nullable=False, server_default=text("''")),
    Column("full_name", Text, nullable=False, server_default=text("''")),
    Column("email", Text),
    Column("team", Text),
    Column("tenant", Text, nullable=False, server_default=text("''")),
    Column("room_id", Text, nullable=False, server_default=text("''")),
    Column("webex_person_id", Text),
    PrimaryKeyConstraint("name"),
    CheckConstraint(ROLES, name="role"),
)

Index("users_email_key", users.c.email, unique=True)
Index("users_webex_person_id_key", users.c.webex_person_id, unique=True)
Index("users_team_idx", users.c.team)

# The date that somebody registers for the month, as ``YYYY-MM-DD``.
tgdays = Table(
    "tgday",
    metadata,
    Column("user_name", Text, ForeignKey("users.name", onupdate="CASCADE", ondelete="CASCADE")),
    Column("date", Text, nullable=False),
    Column("entered_at", Double, nullable=False),
    PrimaryKeyConstraint("user_name"),
)

Index("tgday_date_idx", tgdays.c.date)

# ``user_name`` is null for a session that a one-time code began: nobody's row stands behind it.
sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", Id),
    Column("user_name", Text, ForeignKey("users.name", ondelete="CASCADE")),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    PrimaryKeyConstraint("token_hash"),
    CheckConstraint(ROLES, name="role"),
)

Index("sessions_user_idx", sessions.c.user_name)
Index("sessions_expiry_idx", sessions.c.expires_at)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("token_hash", Id),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("last_used_at", Double),
    PrimaryKeyConstraint("token_hash"),
    UniqueConstraint("name"),
    CheckConstraint(ROLES, name="role"),
)

# Only ever added to. ``detail`` is a JSON object without secrets.
audit = Table(
    "audit",
    metadata,
    Column("audit_id", BigInteger().with_variant(Integer, "sqlite"), autoincrement=True),
    Column("at", Double, nullable=False),
    Column("actor", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("detail", Text, nullable=False),
    PrimaryKeyConstraint("audit_id"),
    sqlite_autoincrement=True,
)

Index("audit_at_idx", audit.c.at)
