"""Everybody is one row, signing in or chatting: teams, what else is known of a user, their date, and how mail goes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the step."""
    op.create_table(
        "teams",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("manager_email", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="teams_pkey"),
    )
    op.add_column("users", sa.Column("full_name", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("users", sa.Column("email", sa.Text()))
    op.add_column("users", sa.Column("team", sa.Text()))
    op.add_column("users", sa.Column("tenant", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("users", sa.Column("room_id", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("users", sa.Column("webex_person_id", sa.Text()))
    op.create_index("users_email_key", "users", ["email"], unique=True)
    op.create_index("users_webex_person_id_key", "users", ["webex_person_id"], unique=True)
    op.create_index("users_team_idx", "users", ["team"])
    op.create_table(
        "tgday",
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("date", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("user_name", name="tgday_pkey"),
        sa.ForeignKeyConstraint(
            ["user_name"], ["users.name"], name="tgday_user_name_fkey", onupdate="CASCADE", ondelete="CASCADE"
        ),
    )
    op.create_index("tgday_date_idx", "tgday", ["date"])
    op.create_table(
        "smtpinfo",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("tls", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="smtpinfo_pkey"),
        sa.CheckConstraint("tls IN ('none', 'starttls', 'implicit')", name=op.f("smtpinfo_tls_check")),
    )
