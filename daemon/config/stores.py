"""Where things are kept."""

from __future__ import annotations

import msgspec

from daemon.config.values import Count, Positive


class DatabaseConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[database]``. A password does not stand in the URL: it is the secret ``database-password``."""

    url: str = ""
    """``postgresql://user@host:5432/name`` or ``sqlite:///path``; empty: ``parley.db`` in the state directory."""
    pool_size: Count = 5


class RecorderConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[recorder]``: the way of calls and utterances into the database."""

    flush_interval: Positive = 0.02
    """At most this much of what was said can be lost when the process is killed."""
    batch_rows: Count = 500
    spool_dir: str = ""
    """Empty: ``spool`` in the state directory."""
    memory_rows: Count = 50_000
    """How many rows may wait in memory when the spool's disk refuses them; past it, rows are lost and counted."""


class RedisConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[redis]``: what several Parleys remember together. The password is the secret ``redis-password``."""

    url: str = ""
    """``redis://user@host:6379/0``, or ``rediss://…`` over TLS; empty: the database remembers."""
    ca_file: str = ""
    """Authorities to trust for ``rediss`` beside the system's (PEM)."""
    prefix: str = "parley:"
    """What every key begins with."""
    timeout: Positive = 2.0
    """How long a connection or an answer may take; then Redis counts as away."""
