"""The tables of auth; the migrations 0002 and 0004 make the same (test). Every row has its tenant."""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from common.db import UtcDateTime, metadata

MAX_TEXT: Final = 256
MAX_LABEL: Final = 120


def _person_columns() -> tuple[Column[Any], Column[Any]]:
    return Column("tenant_id", String(64), primary_key=True), Column("user_id", String(64), primary_key=True)


def _person_exists() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["tenant_id", "user_id"], ["auth_user.tenant_id", "auth_user.user_id"], ondelete="CASCADE"
    )


auth_user: Final = Table(
    "auth_user",
    metadata,
    *_person_columns(),
    Column("directory_key", String(255), nullable=False),
    Column("username", String(MAX_TEXT), nullable=False),
    Column("display_name", String(MAX_TEXT), nullable=False),
    Column("department", String(MAX_TEXT)),
    Column("employment", String(MAX_TEXT)),
    Column("groups", Text, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("refreshed_at", UtcDateTime, nullable=False),
    Column("last_login_at", UtcDateTime),
    UniqueConstraint("tenant_id", "directory_key", name="uq_auth_user_directory_key"),
    Index("ix_auth_user_username", "tenant_id", "username"),
)
auth_totp: Final = Table(
    "auth_totp",
    metadata,
    *_person_columns(),
    Column("sealed_secret", Text, nullable=False),
    Column("last_counter", BigInteger, nullable=False),
    Column("confirmed_at", UtcDateTime, nullable=False),
    _person_exists(),
)
auth_recovery_code: Final = Table(
    "auth_recovery_code",
    metadata,
    *_person_columns(),
    Column("code_hash", String(64), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    _person_exists(),
)
auth_login: Final = Table(
    "auth_login",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("token_hash", String(64), primary_key=True),
    Column("user_id", String(64), nullable=False),
    Column("flow", Text, nullable=False),
    Column("sealed_totp", Text),
    Column("sealed_password", Text),
    Column("password_at", UtcDateTime, nullable=False),
    Column("totp_at", UtcDateTime),
    Column("expires_at", UtcDateTime, nullable=False),
    _person_exists(),
)
auth_web_session: Final = Table(
    "auth_web_session",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("token_hash", String(64), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("password_at", UtcDateTime, nullable=False),
    Column("totp_at", UtcDateTime),
    Column("source", String(64), nullable=False),
    Column("user_agent_label", String(MAX_LABEL), nullable=False),
    Column("degraded", Boolean, nullable=False, server_default=false()),
    Column("temporary_factor", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("tenant_id", "token_hash", name="uq_auth_web_session_token_hash"),
    _person_exists(),
    Index("ix_auth_web_session_user", "tenant_id", "user_id"),
)
auth_throttle: Final = Table(
    "auth_throttle",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("scope", String(16), primary_key=True),
    Column("subject_hash", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("blocked_until", UtcDateTime),
)
auth_degraded_verifier: Final = Table(
    "auth_degraded_verifier",
    metadata,
    *_person_columns(),
    Column("sealed_verifier", Text, nullable=False),
    Column("verified_at", UtcDateTime, nullable=False),
    _person_exists(),
)
auth_vouch: Final = Table(
    "auth_vouch",
    metadata,
    *_person_columns(),
    Column("id", String(64), nullable=False),
    Column("opened_by", String(64), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("confirmed_by", String(64)),
    Column("confirmed_at", UtcDateTime),
    Column("code_hash", String(64)),
    Column("code_used_at", UtcDateTime),
    Column("sealed_secret", Text),
    Column("last_counter", BigInteger),
    Column("enrolled_at", UtcDateTime),
    Column("expires_at", UtcDateTime, nullable=False),
    UniqueConstraint("tenant_id", "id", name="uq_auth_vouch_id"),
    _person_exists(),
)
auth_emergency_card: Final = Table(
    "auth_emergency_card",
    metadata,
    *_person_columns(),
    Column("number", String(16), nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    _person_exists(),
)
