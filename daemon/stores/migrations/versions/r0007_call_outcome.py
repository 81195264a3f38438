"""How the app of a call went."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the step."""
    op.add_column("calls", sa.Column("outcome", sa.Text(), nullable=False, server_default=sa.text("''")))
