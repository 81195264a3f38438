"""The mail server."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Integer, PrimaryKeyConstraint, Table, Text

from daemon.stores.schema.columns import metadata

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
