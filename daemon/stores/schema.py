"""The tables, defined once for SQLite and PostgreSQL.

Times are Unix seconds in double precision. Names and ids that come from outside are ``text`` without a length: the
other side decides how long they are. Ids compare by bytes on both engines (collation ``C`` on PostgreSQL), so that
paging by (``created_at``, ``call_id``) means the same everywhere.

A change here needs a migration beside it in ``migrations/versions``; the tests hold the two together.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

Id = Text().with_variant(Text(collation="C"), "postgresql")
ROLES = "role IN ('viewer', 'operator', 'admin')"

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

# How mail is sent: one row, named ``main``. ``password`` is encrypted.
smtpinfo = Table(
    "smtpinfo",
    metadata,
    Column("name", Text),
    Column("sender", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("tls", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    PrimaryKeyConstraint("name"),
    CheckConstraint("tls IN ('none', 'starttls', 'implicit')", name="tls"),
)

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

# Who may do something that only one may do at a time, across processes: until ``until`` it is the holder's.
locks = Table(
    "locks",
    metadata,
    Column("name", Id),
    Column("holder", Text, nullable=False),
    Column("until", Double, nullable=False),
    PrimaryKeyConstraint("name"),
)

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

# A webhook, or work of a room of ours, from its acceptance to its end. ``other_id`` is the provider's id of it, by
# which it is accepted once, ``order_key`` what it must stay in order with; both null where there is none. ``headers``
# is a JSON array of pairs, ``done_by`` one of the names of handlers that have succeeded and of what others refused by.
# ``attempts`` counts claims; ``attempts_allowed`` grows by each replay, and by each claim that comes to no attempt.
# ``failing_since`` is when its present run of failures began, ``waits`` whether it is known to stand behind another.
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
    PrimaryKeyConstraint("delivery_id"),
    UniqueConstraint("source", "other_id"),
    CheckConstraint("state IN ('pending', 'working', 'done', 'dead', 'cancelled')", name="state"),
)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


# What the workers look for; then the list, whole or by one of these, each paged by the id, which grows with time.
Index("deliveries_due_idx", deliveries.c.due_at, deliveries.c.delivery_id, **_where("state = 'pending' AND NOT waits"))
Index("deliveries_lease_idx", deliveries.c.lease_until, **_where("state = 'working'"))
# Those of one key, each row in one or two of these: who is not tried yet, who fails, and who waits for the first.
Index(
    "deliveries_untried_idx",
    deliveries.c.source,
    deliveries.c.order_key,
    deliveries.c.delivery_id,
    **_where("state IN ('pending', 'working') AND order_key IS NOT NULL AND failing_since IS NULL"),
)
Index(
    "deliveries_failing_idx",
    deliveries.c.source,
    deliveries.c.order_key,
    deliveries.c.failing_since,
    **_where("state IN ('pending', 'working') AND order_key IS NOT NULL AND failing_since IS NOT NULL"),
)
Index(
    "deliveries_waiting_idx",
    deliveries.c.source,
    deliveries.c.order_key,
    deliveries.c.delivery_id,
    **_where("state = 'pending' AND waits"),
)
Index("deliveries_state_idx", deliveries.c.state, deliveries.c.delivery_id, **_where("state <> 'done'"))
Index("deliveries_source_idx", deliveries.c.source, deliveries.c.delivery_id)
Index("deliveries_event_idx", deliveries.c.event, deliveries.c.delivery_id)
# All that is counted every few seconds: the rows themselves, which have bodies, are not read for it.
Index(
    "deliveries_unfinished_idx",
    deliveries.c.source,
    deliveries.c.state,
    deliveries.c.received_at,
    deliveries.c.due_at,
    **_where("state <> 'done'"),
)
# What has ended, each by its own time to be kept.
Index("deliveries_done_idx", deliveries.c.finished_at, **_where("state = 'done'"))
Index("deliveries_dead_idx", deliveries.c.finished_at, **_where("state IN ('dead', 'cancelled')"))

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

# What the provider of a voice agent says of a call beyond what every call has. The last three are JSON, '' for nothing.
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
    PrimaryKeyConstraint("call_id"),
)

# Calls of which nothing that is said may be kept, by the order key of their deliveries. They are few and stay for good.
opt_outs = Table(
    "opt_outs",
    metadata,
    Column("source", Id, nullable=False),
    Column("key", Id, nullable=False),
    PrimaryKeyConstraint("source", "key"),
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

# How often something was changed, for those that keep a copy of it in memory: it grows with every change.
revisions = Table(
    "revisions",
    metadata,
    Column("name", Id),
    Column("revision", BigInteger, nullable=False),
    PrimaryKeyConstraint("name"),
)

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
