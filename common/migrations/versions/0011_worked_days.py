"""On which days somebody was at work on a desktop, for rules that count the days of a week."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table. Days before are not counted: who worked on them may come once more in this week."""
    op.create_table(
        "worked_day",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(64), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("worked_day")
