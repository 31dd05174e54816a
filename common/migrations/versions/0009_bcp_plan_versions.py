"""Versions of BCP plans that were proposed and adopted in the console."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "bcp_plan_version",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("seal", sa.Text(), nullable=False),
        sa.CheckConstraint("version >= 1", name="version"),
        sa.CheckConstraint("state in ('proposed', 'adopted', 'rejected')", name="state"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("bcp_plan_version")
