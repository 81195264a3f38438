"""The tables, defined once for SQLite and PostgreSQL.

A change here needs a migration beside it in ``migrations/versions``; the tests hold the two together.
"""

from __future__ import annotations

from daemon.stores.schema.accounts import api_tokens, audit, sessions, teams, tgdays, users
from daemon.stores.schema.calls import call_aliases, calls, legs, survey_answers, survey_responses, utterances
from daemon.stores.schema.chatting import chat_memory, directory_entries
from daemon.stores.schema.columns import metadata
from daemon.stores.schema.deliveries import deliveries, delivery_attempts, opt_outs, stored_events
from daemon.stores.schema.holding import locks, revisions
from daemon.stores.schema.mail import smtpinfo
from daemon.stores.schema.placed_calls import click_to_calls, outgoing_calls
from daemon.stores.schema.schedules import schedule_firings, schedules
from daemon.stores.schema.voice_agents import agent_calls, contacts

__all__ = [
    "agent_calls",
    "api_tokens",
    "audit",
    "call_aliases",
    "calls",
    "chat_memory",
    "click_to_calls",
    "contacts",
    "deliveries",
    "delivery_attempts",
    "directory_entries",
    "legs",
    "locks",
    "metadata",
    "opt_outs",
    "outgoing_calls",
    "revisions",
    "schedule_firings",
    "schedules",
    "sessions",
    "smtpinfo",
    "stored_events",
    "survey_answers",
    "survey_responses",
    "teams",
    "tgdays",
    "users",
    "utterances",
]
