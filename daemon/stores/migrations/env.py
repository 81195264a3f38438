"""What Alembic runs to migrate: always on the connection, and in the transaction, that ``Database.upgrade`` holds."""

from __future__ import annotations

from alembic import context

from daemon.stores.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
