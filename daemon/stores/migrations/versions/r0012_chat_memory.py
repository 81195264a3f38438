"""What the chatbot remembers for a while, where no Redis does."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the step."""
    op.create_table(
        "chat_memory",
        sa.Column("key", _ID, nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.Double()),
        sa.PrimaryKeyConstraint("key", name="chat_memory_pkey"),
    )
    op.create_index("chat_memory_expiry_idx", "chat_memory", ["expires_at"])
