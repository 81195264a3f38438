"""What is done when."""

from __future__ import annotations

from sqlalchemy import Column, Double, PrimaryKeyConstraint, Table, Text

from daemon.stores.schema.columns import Id, metadata

# Schedules that have stood in a configuration: when they fire, and up to which moment that was looked at.
schedules = Table(
    "schedules",
    metadata,
    Column("name", Id),
    Column("times", Text, nullable=False),
    Column("looked_until", Double, nullable=False),
    PrimaryKeyConstraint("name"),
)

# What has fired: a row is stored together with the delivery in the inbox that it was handed on as.
schedule_firings = Table(
    "schedule_firings",
    metadata,
    Column("schedule", Id),
    Column("due_at", Double),
    Column("fired_at", Double, nullable=False),
    PrimaryKeyConstraint("schedule", "due_at"),
)
