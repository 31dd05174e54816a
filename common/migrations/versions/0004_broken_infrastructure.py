"""Broken infrastructure: verifiers for degraded login, vouched temporary factors, emergency cards, marked sessions."""

import sqlalchemy as sa
from alembic import op

from common.db import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLES = ("auth_emergency_card", "auth_vouch", "auth_degraded_verifier")
_MARKS = ("degraded", "temporary_factor")


def _of_a_person() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(64), primary_key=True),
    ]


def _person_exists() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "user_id"], ["auth_user.tenant_id", "auth_user.user_id"], ondelete="CASCADE"
    )


def upgrade() -> None:
    """Create the tables and the marks of web sessions; sessions that exist now carry neither mark."""
    op.create_table(
        "auth_degraded_verifier",
        *_of_a_person(),
        sa.Column("sealed_verifier", sa.Text(), nullable=False),
        sa.Column("verified_at", UtcDateTime(), nullable=False),
        _person_exists(),
    )
    op.create_table(
        "auth_vouch",
        *_of_a_person(),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("opened_by", sa.String(64), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_by", sa.String(64)),
        sa.Column("confirmed_at", UtcDateTime()),
        sa.Column("code_hash", sa.String(64)),
        sa.Column("code_used_at", UtcDateTime()),
        sa.Column("sealed_secret", sa.Text()),
        sa.Column("last_counter", sa.BigInteger()),
        sa.Column("enrolled_at", UtcDateTime()),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.UniqueConstraint("tenant_id", "id", name="uq_auth_vouch_id"),
        _person_exists(),
    )
    op.create_table(
        "auth_emergency_card",
        *_of_a_person(),
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        _person_exists(),
    )
    for mark in _MARKS:
        op.add_column("auth_web_session", sa.Column(mark, sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Remove them."""
    for mark in _MARKS:
        op.drop_column("auth_web_session", mark)
    for table in _TABLES:
        op.drop_table(table)
