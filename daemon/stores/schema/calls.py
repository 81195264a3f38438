"""Calls, their legs, and what was said in them."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
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

from daemon.stores.schema.columns import Id, metadata

calls = Table(
    "calls",
    metadata,
    Column("call_id", Id),
    Column("origin", Text, nullable=False),
    Column("server", Text, nullable=False),
    Column("other_id", Id, nullable=False),
    Column("state", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("caller_name", Text, nullable=False),
    Column("callee", Text, nullable=False),
    Column("did", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("app", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("answered_at", Double),
    Column("ended_at", Double),
    Column("hangup_cause", Text, nullable=False),
    Column("disposition", Text),
    Column("merged_into", Id, nullable=False),
    Column("sensitive", Boolean, nullable=False),
    Column("outcome", Text, nullable=False, server_default=text("''")),
    Column("app_ending", Text, nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("call_id"),
    UniqueConstraint("origin", "server", "other_id"),
)

# The list is read newest first, whole or by one of these; each index also carries the keys it is paged by.
Index("calls_created_idx", calls.c.created_at, calls.c.call_id)

Index("calls_caller_idx", calls.c.caller, calls.c.created_at, calls.c.call_id)
Index("calls_did_idx", calls.c.did, calls.c.created_at, calls.c.call_id)
Index("calls_code_idx", calls.c.code, calls.c.created_at, calls.c.call_id)
Index("calls_server_idx", calls.c.server, calls.c.created_at, calls.c.call_id)
Index(
    "calls_live_idx",
    calls.c.created_at,
    calls.c.call_id,
    sqlite_where=calls.c.ended_at.is_(None),
    postgresql_where=calls.c.ended_at.is_(None),
)

legs = Table(
    "legs",
    metadata,
    Column("origin", Text, nullable=False),
    Column("server", Text, nullable=False),
    Column("leg_id", Id, nullable=False),
    Column("call_id", Id, ForeignKey("calls.call_id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("direction", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("caller_name", Text, nullable=False),
    Column("callee", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("answered_at", Double),
    Column("ended_at", Double),
    Column("hangup_cause", Text, nullable=False),
    Column("parked", Boolean, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("peer_id", Id, nullable=False),
    PrimaryKeyConstraint("origin", "server", "leg_id"),
)

Index("legs_call_idx", legs.c.call_id)

# Without a foreign key to calls on purpose: what was said must be kept even where its call's row could not be written.
utterances = Table(
    "utterances",
    metadata,
    Column("call_id", Id, nullable=False),
    Column("utterance_id", Id, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("leg_id", Id, nullable=False),
    Column("speaker", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("start", Double),
    Column("end", Double),
    Column("said_at", Double, nullable=False),
    Column("confidence", Double),
    Column("vendor", Text, nullable=False),
    PrimaryKeyConstraint("call_id", "utterance_id"),
    UniqueConstraint("call_id", "seq"),
    CheckConstraint("seq > 0", name="seq"),
)

# An id a call had before the store was found to know it under another: rows that still name the old one are stored
# under the new one, their seq moved on by the offset.
call_aliases = Table(
    "call_aliases",
    metadata,
    Column("old_call_id", Id),
    Column("call_id", Id, nullable=False),
    Column("seq_offset", Integer, nullable=False),
    PrimaryKeyConstraint("old_call_id"),
)

# What callers answer to surveys. A response without ``completed_at`` was broken off; an empty answer is to a question
# that was asked in vain. There is no foreign key: a call may be stored after what was answered in it.
survey_responses = Table(
    "survey_responses",
    metadata,
    Column("call_id", Id),
    Column("survey", Id),
    Column("begun_at", Double, nullable=False),
    Column("completed_at", Double),
    PrimaryKeyConstraint("call_id", "survey"),
)

Index(
    "survey_responses_survey_idx",
    survey_responses.c.survey,
    survey_responses.c.begun_at,
    survey_responses.c.call_id,
)

survey_answers = Table(
    "survey_answers",
    metadata,
    Column("call_id", Id),
    Column("survey", Id),
    Column("question", Id),
    Column("position", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Column("answered_at", Double, nullable=False),
    PrimaryKeyConstraint("call_id", "survey", "question"),
)
