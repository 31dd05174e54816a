"""Tables of auth: people, second factors, logins in progress, web sessions, throttling."""

import sqlalchemy as sa
from alembic import op

from common.db import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = (
    "auth_throttle",
    "auth_web_session",
    "auth_login",
    "auth_recovery_code",
    "auth_totp",
    "auth_user",
)


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
    """Create the tables."""
    op.create_table(
        "auth_user",
        *_of_a_person(),
        sa.Column("directory_key", sa.String(255), nullable=False),
        sa.Column("username", sa.String(256), nullable=False),
        sa.Column("display_name", sa.String(256), nullable=False),
        sa.Column("department", sa.String(256)),
        sa.Column("employment", sa.String(256)),
        sa.Column("groups", sa.Text(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("refreshed_at", UtcDateTime(), nullable=False),
        sa.Column("last_login_at", UtcDateTime()),
        sa.UniqueConstraint("tenant_id", "directory_key", name="uq_auth_user_directory_key"),
    )
    op.create_index("ix_auth_user_username", "auth_user", ["tenant_id", "username"])
    op.create_table(
        "auth_totp",
        *_of_a_person(),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("last_counter", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=False),
        _person_exists(),
    )
    op.create_table(
        "auth_recovery_code",
        *_of_a_person(),
        sa.Column("code_hash", sa.String(64), primary_key=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime()),
        _person_exists(),
    )
    op.create_table(
        "auth_login",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("sealed_totp", sa.Text()),
        sa.Column("sealed_password", sa.Text()),
        sa.Column("password_at", UtcDateTime(), nullable=False),
        sa.Column("totp_at", UtcDateTime()),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        _person_exists(),
    )
    op.create_table(
        "auth_web_session",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("password_at", UtcDateTime(), nullable=False),
        sa.Column("totp_at", UtcDateTime()),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("user_agent_label", sa.String(120), nullable=False),
        sa.UniqueConstraint("tenant_id", "token_hash", name="uq_auth_web_session_token_hash"),
        _person_exists(),
    )
    op.create_index("ix_auth_web_session_user", "auth_web_session", ["tenant_id", "user_id"])
    op.create_table(
        "auth_throttle",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("scope", sa.String(16), primary_key=True),
        sa.Column("subject_hash", sa.String(64), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("blocked_until", UtcDateTime()),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in _TABLES:
        op.drop_table(table)
