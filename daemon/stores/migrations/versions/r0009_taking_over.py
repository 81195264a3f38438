"""Why an app led a call no more, and the extensions of the people who take calls over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the step."""
    op.add_column("calls", sa.Column("app_ending", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("users", sa.Column("extension", sa.Text(), nullable=False, server_default=sa.text("''")))
