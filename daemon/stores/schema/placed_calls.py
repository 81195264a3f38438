"""Calls that Parley places."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, Index, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from daemon.stores.schema.columns import Id, metadata

# ``request_key`` is the asker's own mark of a request, null once it may be used again; ``request`` is a hash of what
# was asked for with it. ``steps`` is a JSON array.
click_to_calls = Table(
    "click_to_calls",
    metadata,
    Column("click_to_call_id", Id),
    Column("actor", Text, nullable=False),
    Column("request_key", Id),
    Column("request", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("callee", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("notice", Text, nullable=False),
    Column("call_id", Id, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("steps", Text, nullable=False),
    PrimaryKeyConstraint("click_to_call_id"),
    UniqueConstraint("actor", "request_key"),
)

Index("click_to_calls_created_idx", click_to_calls.c.created_at)
Index(
    "click_to_calls_open_idx",
    click_to_calls.c.created_at,
    sqlite_where=click_to_calls.c.ended_at.is_(None),
    postgresql_where=click_to_calls.c.ended_at.is_(None),
)

# A call that Parley ``holder`` placed into an app. ``request_key`` and ``request`` are as those of a click-to-call,
# ``variables`` a JSON object that is emptied when the call is over.
outgoing_calls = Table(
    "outgoing_calls",
    metadata,
    Column("call_id", Id),
    Column("actor", Text, nullable=False),
    Column("request_key", Id),
    Column("request", Text, nullable=False),
    Column("holder", Id, nullable=False),
    Column("server", Text, nullable=False),
    Column("leg_id", Text, nullable=False),
    Column("app", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("variables", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("machine", Boolean, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("answered_at", Double),
    Column("ended_at", Double),
    PrimaryKeyConstraint("call_id"),
    UniqueConstraint("actor", "request_key"),
)

Index("outgoing_calls_created_idx", outgoing_calls.c.created_at)
Index(
    "outgoing_calls_open_idx",
    outgoing_calls.c.created_at,
    sqlite_where=outgoing_calls.c.ended_at.is_(None),
    postgresql_where=outgoing_calls.c.ended_at.is_(None),
)
