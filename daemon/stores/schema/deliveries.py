"""What is worked on, each once, and what came of it."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from daemon.stores.schema.columns import Id, metadata, where

# A webhook, or work of a room of ours, from its acceptance to its end. ``other_id`` is the provider's id of it, by
# which it is accepted once, ``order_key`` what it must stay in order with; both null where there is none. ``headers``
# is a JSON array of pairs, ``done_by`` one of the names of handlers that have succeeded and of what others refused by.
# ``attempts`` counts claims; ``attempts_allowed`` grows by each replay, and by each claim that comes to no attempt.
# ``failing_since`` is when its present run of failures began, ``waits`` whether it is known to stand behind another,
# ``fresh`` whether it is pending and yet to be lined up with the others of its key.
deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", Id),
    Column("source", Id, nullable=False),
    Column("event", Id, nullable=False),
    Column("other_id", Id),
    Column("order_key", Id),
    Column("state", Text, nullable=False),
    Column("received_at", Double, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("attempts_allowed", Integer, nullable=False),
    Column("replays", Integer, nullable=False),
    Column("holder", Id),
    Column("lease_until", Double),
    Column("failing_since", Double),
    Column("waits", Boolean, nullable=False),
    Column("finished_at", Double),
    Column("error", Text, nullable=False),
    Column("done_by", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("redacted", Boolean, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("fresh", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("delivery_id"),
    UniqueConstraint("source", "other_id"),
    CheckConstraint("state IN ('pending', 'working', 'done', 'dead', 'cancelled')", name="state"),
)

# SQLite writes a page at a time, so what a delivery costs to accept goes by the indexes that have it. Fresh ones
# are in this alone, beside the two that are unique, with all that they are looked for and counted by.
Index(
    "deliveries_fresh_idx",
    deliveries.c.delivery_id,
    deliveries.c.source,
    deliveries.c.event,
    deliveries.c.received_at,
    deliveries.c.due_at,
    deliveries.c.fresh,
    **where("fresh"),
)

# What the workers look for.
Index(
    "deliveries_due_idx",
    deliveries.c.due_at,
    deliveries.c.delivery_id,
    **where("state = 'pending' AND NOT waits AND NOT fresh"),
)

Index("deliveries_lease_idx", deliveries.c.lease_until, **where("state = 'working'"))

# Those of one key that are lined up, each row in one or two of these: who is not tried yet, who fails, and who waits
# for the first.
Index(
    "deliveries_untried_idx",
    deliveries.c.source,
    deliveries.c.order_key,
    deliveries.c.delivery_id,
    **where("state IN ('pending', 'working') AND order_key IS NOT NULL AND failing_since IS NULL AND NOT fresh"),
)

Index(
    "deliveries_failing_idx",
    deliveries.c.source,
    deliveries.c.order_key,
    deliveries.c.failing_since,
    **where("state IN ('pending', 'working') AND order_key IS NOT NULL AND failing_since IS NOT NULL"),
)
Index(
    "deliveries_waiting_idx",
    deliveries.c.source,
    deliveries.c.order_key,
    deliveries.c.delivery_id,
    **where("state = 'pending' AND waits"),
)

# The list by one of these, paged by the id, which grows with time.
Index("deliveries_state_idx", deliveries.c.state, deliveries.c.delivery_id, **where("state <> 'done' AND NOT fresh"))
Index("deliveries_source_idx", deliveries.c.source, deliveries.c.delivery_id, **where("NOT fresh"))
Index("deliveries_event_idx", deliveries.c.event, deliveries.c.delivery_id, **where("NOT fresh"))

# All that is counted every few seconds: the rows themselves, which have bodies, are not read for it. ``fresh`` is among
# it because SQLite's planner would reckon with the rows, although the condition says what it is.
Index(
    "deliveries_unfinished_idx",
    deliveries.c.source,
    deliveries.c.state,
    deliveries.c.received_at,
    deliveries.c.due_at,
    deliveries.c.fresh,
    **where("state <> 'done' AND NOT fresh"),
)

# What has ended, each by its own time to be kept.
Index("deliveries_done_idx", deliveries.c.finished_at, **where("state = 'done'"))

Index("deliveries_dead_idx", deliveries.c.finished_at, **where("state IN ('dead', 'cancelled')"))

# One run of one handler: ``outcome`` is how it ended, ``error`` why it failed.
delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    Column("delivery_id", Id, ForeignKey("deliveries.delivery_id", ondelete="CASCADE"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("handler", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("finished_at", Double, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("error", Text, nullable=False),
    PrimaryKeyConstraint("delivery_id", "attempt", "handler"),
)

# What the handler ``store`` keeps, for whoever reads the database: once for each ``event_key``.
stored_events = Table(
    "stored_events",
    metadata,
    Column("event_key", Id),
    Column("delivery_id", Id, nullable=False),
    Column("source", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("received_at", Double, nullable=False),
    Column("stored_at", Double, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("event_key"),
)

Index("stored_events_received_idx", stored_events.c.received_at)

# Calls of which nothing that is said may be kept, by the order key of their deliveries. They are few and stay for good.
opt_outs = Table(
    "opt_outs",
    metadata,
    Column("source", Id, nullable=False),
    Column("key", Id, nullable=False),
    PrimaryKeyConstraint("source", "key"),
)
