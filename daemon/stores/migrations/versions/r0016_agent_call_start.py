"""When a voice agent's call began, where its provider has said so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the step."""
    op.add_column("agent_calls", sa.Column("started_at", sa.Double()))
