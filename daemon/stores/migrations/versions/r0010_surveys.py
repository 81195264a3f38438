"""What callers answer to surveys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the step."""
    op.create_table(
        "survey_responses",
        sa.Column("call_id", _ID, nullable=False),
        sa.Column("survey", _ID, nullable=False),
        sa.Column("begun_at", sa.Double(), nullable=False),
        sa.Column("completed_at", sa.Double()),
        sa.PrimaryKeyConstraint("call_id", "survey", name="survey_responses_pkey"),
    )
    op.create_index("survey_responses_survey_idx", "survey_responses", ["survey", "begun_at", "call_id"])
    op.create_table(
        "survey_answers",
        sa.Column("call_id", _ID, nullable=False),
        sa.Column("survey", _ID, nullable=False),
        sa.Column("question", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "survey", "question", name="survey_answers_pkey"),
    )
