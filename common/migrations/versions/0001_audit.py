"""The audit chain of each node and its signed checkpoints."""

import sqlalchemy as sa
from alembic import op

from common.db import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "audit_event",
        sa.Column("node_id", sa.String(64), primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(320)),
        sa.Column("subject", sa.String(320)),
        sa.Column("session_id", sa.String(64)),
        sa.Column("source", sa.String(64)),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("ix_audit_event_tenant_at", "audit_event", ["tenant_id", "at"])
    op.create_index("ix_audit_event_session", "audit_event", ["tenant_id", "session_id"])
    op.create_table(
        "audit_checkpoint",
        sa.Column("node_id", sa.String(64), primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("public_key", sa.String(64), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
    )


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("audit_checkpoint")
    op.drop_table("audit_event")
