"""Notices of BCP mode with their deliveries, receipts and answers; after-action reports."""

import sqlalchemy as sa
from alembic import op

from common.db import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _of_a_notice() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "notice_id"], ["bcp_notice.tenant_id", "bcp_notice.id"], ondelete="CASCADE"
    )


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "bcp_notice",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("declaration_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("audience", sa.String(16), nullable=False),
        sa.Column("scope_kind", sa.String(16), nullable=False),
        sa.Column("scope_ids", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
    )
    op.create_index("ix_bcp_notice_declaration", "bcp_notice", ["tenant_id", "declaration_id"])
    op.create_index("ix_bcp_notice_at", "bcp_notice", ["tenant_id", "at"])
    op.create_table(
        "bcp_delivery",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("notice_id", sa.String(64), primary_key=True),
        sa.Column("channel", sa.String(16), primary_key=True),
        sa.Column("recipient", sa.String(320), primary_key=True),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("address", sa.String(320)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("lease", sa.String(64)),
        sa.Column("lease_until", UtcDateTime()),
        sa.Column("why", sa.String(320)),
        sa.Column("done_at", UtcDateTime()),
        _of_a_notice(),
    )
    op.create_index("ix_bcp_delivery_due", "bcp_delivery", ["tenant_id", "state", "next_at"])
    op.create_table(
        "bcp_receipt",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("notice_id", sa.String(64), primary_key=True),
        sa.Column("username", sa.String(320), primary_key=True),
        sa.Column("read_at", UtcDateTime(), nullable=False),
        _of_a_notice(),
    )
    op.create_table(
        "bcp_answer",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("declaration_id", sa.String(64), primary_key=True),
        sa.Column("username", sa.String(320), primary_key=True),
        sa.Column("ability", sa.String(16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "bcp_report",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("declaration_id", sa.String(64), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("made_by", sa.String(320), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.UniqueConstraint("tenant_id", "declaration_id", "edition", name="uq_bcp_report_edition"),
    )


def downgrade() -> None:
    """Drop it all."""
    for table in ("bcp_report", "bcp_answer", "bcp_receipt", "bcp_delivery", "bcp_notice"):
        op.drop_table(table)
