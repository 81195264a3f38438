"""What voice agents are told of callers, and tell of calls."""

from __future__ import annotations

from sqlalchemy import Column, Double, ForeignKey, PrimaryKeyConstraint, Table, Text

from daemon.stores.schema.columns import Id, metadata

# What the provider of a voice agent says of a call beyond what every call has. Of texts the last three are JSON, '' for
# nothing. ``started_at`` is null until the provider has said it: till then the call's row has a guess.
agent_calls = Table(
    "agent_calls",
    metadata,
    Column("call_id", Id, ForeignKey("calls.call_id", ondelete="CASCADE"), nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("agent_version", Text, nullable=False),
    Column("call_type", Text, nullable=False),
    Column("recording_url", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("sentiment", Text, nullable=False),
    Column("analysis", Text, nullable=False),
    Column("dynamic_variables", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("started_at", Double),
    PrimaryKeyConstraint("call_id"),
)

# People who call: ``number`` in its normal form; ``variables`` and ``metadata`` are JSON objects.
contacts = Table(
    "contacts",
    metadata,
    Column("number", Id),
    Column("name", Text, nullable=False),
    Column("variables", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    PrimaryKeyConstraint("number"),
)
