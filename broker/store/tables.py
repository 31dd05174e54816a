"""The broker's tables. Counterpart: the migrations `0003_broker` and later, which make them (a test compares them)."""

from typing import Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from broker.states import LIVE, SEATED, SessionState
from common.db import UtcDateTime, metadata


def _among(states: frozenset[SessionState]) -> str:
    return "state in ({})".format(", ".join(f"'{state}'" for state in sorted(states)))


_LIVE: Final = text(_among(LIVE))
_SEATED: Final = text(_among(SEATED))

desktop_pool: Final = Table(
    "desktop_pool",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("name_ja", String(128), nullable=False),
    Column("name_en", String(128), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("pool_class", String(64), nullable=False),
    Column("zone", String(32)),
    Column("site", String(64)),
    Column("max_desktops", Integer, nullable=False),
    Column("max_queued", Integer, nullable=False),
    Column("user_session_limit", Integer, nullable=False),
    Column("keep_disconnected_minutes", Integer, nullable=False),
    Column("geometry", String(16), nullable=False),
    Column("keyboard", String(8), nullable=False),
    Column("enabled", Boolean, nullable=False),
    CheckConstraint("max_desktops >= 0", name="max_desktops"),
)

static_target: Final = Table(
    "static_target",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("pool_id", String(64), nullable=False),
    Column("name_ja", String(128), nullable=False),
    Column("name_en", String(128), nullable=False),
    Column("address_kind", String(8), nullable=False),
    Column("host", String(255), nullable=False),
    Column("port", Integer),
    Column("security", String(128), nullable=False),
    Column("ca_pem", Text),
    Column("tls_name", String(255)),
    Column("assigned_user_id", String(64)),
    Column("enabled", Boolean, nullable=False),
    Column("credential", Text),  # sealed by the key ring
    ForeignKeyConstraint(["tenant_id", "pool_id"], ["desktop_pool.tenant_id", "desktop_pool.id"]),
    Index("ix_static_target_pool", "tenant_id", "pool_id"),
)

pool_desktop: Final = Table(
    "pool_desktop",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("pool_id", String(64), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("username", String(320), nullable=False),
    Column("display_name", String(320), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("tenant_id", "pool_id", "user_id", name="uq_pool_desktop_person"),
    ForeignKeyConstraint(["tenant_id", "pool_id"], ["desktop_pool.tenant_id", "desktop_pool.id"]),
)

desktop_session_transition: Final = Table(
    "desktop_session_transition",
    metadata,
    Column("from_state", String(16), primary_key=True),
    Column("event", String(16), primary_key=True),
    Column("to_state", String(16), nullable=False),
    info={"without_tenant": "constants of the schema, the same for everybody"},
)

# No foreign key to the pool: ended sessions stay as history when a pool is deleted.
desktop_session: Final = Table(
    "desktop_session",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("user_id", String(64), nullable=False),
    Column("username", String(320), nullable=False),
    Column("display_name", String(320), nullable=False),
    Column("pool_id", String(64), nullable=False),
    Column("desktop_id", String(64)),
    Column("state", String(16), nullable=False),
    Column("end_reason", String(32)),
    Column("short_code", String(8), nullable=False),
    Column("web_session_id", String(64), nullable=False),
    Column("viewer", Integer, nullable=False),
    Column("node", String(64)),
    Column("obligations", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("state_since", UtcDateTime, nullable=False),
    Column("active_since", UtcDateTime),
    Column("seen_at", UtcDateTime),
    Column("keep_until", UtcDateTime),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("worked_seconds", Float, nullable=False),
    Column("priority", String(2), nullable=False),
    Column("credited_since", UtcDateTime),
    Column("source_site", String(64)),
    Column("seated_at", UtcDateTime),
    Column("hold_until", UtcDateTime),
    Column("input_at", UtcDateTime),
    Column("lowered", Boolean, nullable=False),
    Column("leaves_at", UtcDateTime),
    Column("asked_to_leave_at", UtcDateTime),
    CheckConstraint("(state = 'ended') = (ended_at is not null)", name="ended_at"),
    CheckConstraint("(state = 'active') = (active_since is not null)", name="active_since"),
    CheckConstraint("state not in ('ending', 'ended') or end_reason is not null", name="end_reason"),
    Index(
        "uq_desktop_session_live",
        "tenant_id",
        "user_id",
        "pool_id",
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    ),
    Index(
        "uq_desktop_session_desktop",
        "tenant_id",
        "desktop_id",
        unique=True,
        sqlite_where=_SEATED,
        postgresql_where=_SEATED,
    ),
    Index("ix_desktop_session_state", "state", "state_since"),
    Index("ix_desktop_session_seated", "tenant_id", "seated_at"),
    Index("ix_desktop_session_person", "tenant_id", "user_id", "state"),
)

worked_day: Final = Table(
    "worked_day",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("user_id", String(64), primary_key=True),
    Column("day", Date, primary_key=True),
)
"""On which days (of Tokyo) a viewer of the person was attached; kept for two weeks."""

desktop_ticket: Final = Table(
    "desktop_ticket",
    metadata,
    Column("ticket_hash", String(64), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("session_id", String(64), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("web_session_id", String(64), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("redeemed_at", UtcDateTime),
    ForeignKeyConstraint(
        ["tenant_id", "session_id"], ["desktop_session.tenant_id", "desktop_session.id"], ondelete="CASCADE"
    ),
    Index("ix_desktop_ticket_session", "tenant_id", "session_id"),
)
