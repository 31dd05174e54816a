"""The strongest level of a report stands beside it, so that the list need not read every report."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. Reports of before have none; they are listed by their declaration's last level."""
    op.add_column("bcp_report", sa.Column("level", sa.String(16), nullable=True))


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("bcp_report") as table:
        table.drop_column("level")
