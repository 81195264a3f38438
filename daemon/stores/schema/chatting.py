"""What people can ask for, and what conversations remember."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from daemon.stores.schema.columns import Id, metadata

# Services, people and teams that can be searched for. ``number`` is an extension or phone number in its normal form;
# ``keywords`` a JSON array. ``revision`` is the one of the directory at which the entry was last changed.
directory_entries = Table(
    "directory_entries",
    metadata,
    Column("entry_id", Id),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("keywords", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    PrimaryKeyConstraint("entry_id"),
    CheckConstraint("kind IN ('service', 'person', 'team')", name="kind"),
)

Index("directory_entries_revision_idx", directory_entries.c.revision)

# What the chatbot remembers for a while: bytes of its own by keys of its own, until ``expires_at``, null for ever.
chat_memory = Table(
    "chat_memory",
    metadata,
    Column("key", Id),
    Column("value", LargeBinary, nullable=False),
    Column("expires_at", Double),
    PrimaryKeyConstraint("key"),
)

Index("chat_memory_expiry_idx", chat_memory.c.expires_at)
