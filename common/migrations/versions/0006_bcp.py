"""BCP mode: the tenant's signing key, the plans that were declared, and declarations."""

import sqlalchemy as sa
from alembic import op

from common.db import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "bcp_signing_key",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("sealed", sa.Text(), nullable=False),
    )
    op.create_table(
        "bcp_plan",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
    )
    op.create_table(
        "bcp_declaration",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("plan_id", sa.String(16), nullable=False),
        sa.Column("plan_version", sa.Integer(), nullable=False),
        sa.Column("reminded_seconds", sa.Integer()),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("seal", sa.Text()),
        sa.CheckConstraint("version >= 1", name="version"),
        sa.CheckConstraint("(state in ('draft', 'awaiting_approval', 'active')) = (seal is not null)", name="sealed"),
        sa.CheckConstraint(
            "state in ('draft', 'awaiting_approval', 'active', 'lifted', 'expired', 'lapsed', 'rejected')",
            name="state",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "plan_id", "plan_version"], ["bcp_plan.tenant_id", "bcp_plan.id", "bcp_plan.version"]
        ),
    )
    op.create_index("ix_bcp_declaration_state", "bcp_declaration", ["tenant_id", "state"])
    op.create_index("ix_bcp_declaration_created", "bcp_declaration", ["tenant_id", "created_at"])
