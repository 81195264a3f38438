"""What several Parleys hold together."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, PrimaryKeyConstraint, Table, Text

from daemon.stores.schema.columns import Id, metadata

# Who may do something that only one may do at a time, across processes: until ``until`` it is the holder's.
locks = Table(
    "locks",
    metadata,
    Column("name", Id),
    Column("holder", Text, nullable=False),
    Column("until", Double, nullable=False),
    PrimaryKeyConstraint("name"),
)

# How often something was changed, for those that keep a copy of it in memory: it grows with every change.
revisions = Table(
    "revisions",
    metadata,
    Column("name", Id),
    Column("revision", BigInteger, nullable=False),
    PrimaryKeyConstraint("name"),
)
