"""Pools, static targets, desktops, desktop sessions with their valid transitions, and tickets.

The transition table is data here as it is in `broker/states.py` (a test compares them); triggers refuse a change of
state that it does not hold, whoever writes it.
"""

import sqlalchemy as sa
from alembic import op

from common.db import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_LIVE = "state in ('active', 'disconnected', 'queued', 'ready', 'requested', 'starting')"
_SEATED = "state in ('active', 'disconnected', 'ending', 'ready', 'starting')"

_TRANSITIONS = (
    ("requested", "queue", "queued"),
    ("queued", "start", "starting"),
    ("starting", "requeue", "queued"),
    ("starting", "ready", "ready"),
    ("ready", "activate", "active"),
    ("disconnected", "activate", "active"),
    ("active", "take_over", "active"),
    ("active", "lose_viewer", "disconnected"),
    ("requested", "end", "ending"),
    ("queued", "end", "ending"),
    ("starting", "end", "ending"),
    ("ready", "end", "ending"),
    ("active", "end", "ending"),
    ("disconnected", "end", "ending"),
    ("ending", "finish", "ended"),
)

_SQLITE_TRIGGERS = (
    """
    create trigger desktop_session_first_state before insert on desktop_session
    when new.state <> 'requested'
    begin select raise(abort, 'a desktop session begins as requested'); end
    """,
    """
    create trigger desktop_session_next_state before update of state on desktop_session
    when not exists (
        select 1 from desktop_session_transition t where t.from_state = old.state and t.to_state = new.state
    )
    begin select raise(abort, 'no such transition of a desktop session'); end
    """,
)
_POSTGRESQL_TRIGGERS = (
    """
    create function desktop_session_check_state() returns trigger language plpgsql as $$
    begin
        if tg_op = 'INSERT' then
            if new.state <> 'requested' then
                raise exception 'a desktop session begins as requested' using errcode = 'check_violation';
            end if;
        elsif not exists (
            select 1 from desktop_session_transition t where t.from_state = old.state and t.to_state = new.state
        ) then
            raise exception 'no such transition of a desktop session' using errcode = 'check_violation';
        end if;
        return new;
    end $$
    """,
    """
    create trigger desktop_session_first_state before insert on desktop_session
    for each row execute function desktop_session_check_state()
    """,
    """
    create trigger desktop_session_next_state before update of state on desktop_session
    for each row execute function desktop_session_check_state()
    """,
)


def upgrade() -> None:
    """Create the tables, fill the transitions, set the triggers."""
    _create_pools()
    _create_sessions()
    transitions = op.create_table(
        "desktop_session_transition",
        sa.Column("from_state", sa.String(16), primary_key=True),
        sa.Column("event", sa.String(16), primary_key=True),
        sa.Column("to_state", sa.String(16), nullable=False),
    )
    op.bulk_insert(transitions, [dict(zip(("from_state", "event", "to_state"), t, strict=True)) for t in _TRANSITIONS])
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _POSTGRESQL_TRIGGERS if postgresql else _SQLITE_TRIGGERS:
        op.execute(statement)


def _create_pools() -> None:
    op.create_table(
        "desktop_pool",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name_ja", sa.String(128), nullable=False),
        sa.Column("name_en", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("pool_class", sa.String(64), nullable=False),
        sa.Column("zone", sa.String(32)),
        sa.Column("site", sa.String(64)),
        sa.Column("max_desktops", sa.Integer(), nullable=False),
        sa.Column("max_queued", sa.Integer(), nullable=False),
        sa.Column("user_session_limit", sa.Integer(), nullable=False),
        sa.Column("keep_disconnected_minutes", sa.Integer(), nullable=False),
        sa.Column("geometry", sa.String(16), nullable=False),
        sa.Column("keyboard", sa.String(8), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.CheckConstraint("max_desktops >= 0", name="max_desktops"),
    )
    op.create_table(
        "static_target",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("pool_id", sa.String(64), nullable=False),
        sa.Column("name_ja", sa.String(128), nullable=False),
        sa.Column("name_en", sa.String(128), nullable=False),
        sa.Column("address_kind", sa.String(8), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("port", sa.Integer()),
        sa.Column("security", sa.String(128), nullable=False),
        sa.Column("ca_pem", sa.Text()),
        sa.Column("tls_name", sa.String(255)),
        sa.Column("assigned_user_id", sa.String(64)),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("credential", sa.Text()),
        sa.ForeignKeyConstraint(["tenant_id", "pool_id"], ["desktop_pool.tenant_id", "desktop_pool.id"]),
    )
    op.create_index("ix_static_target_pool", "static_target", ["tenant_id", "pool_id"])
    op.create_table(
        "pool_desktop",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("pool_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("username", sa.String(320), nullable=False),
        sa.Column("display_name", sa.String(320), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.UniqueConstraint("tenant_id", "pool_id", "user_id", name="uq_pool_desktop_person"),
        sa.ForeignKeyConstraint(["tenant_id", "pool_id"], ["desktop_pool.tenant_id", "desktop_pool.id"]),
    )


def _create_sessions() -> None:
    op.create_table(
        "desktop_session",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("username", sa.String(320), nullable=False),
        sa.Column("display_name", sa.String(320), nullable=False),
        sa.Column("pool_id", sa.String(64), nullable=False),
        sa.Column("desktop_id", sa.String(64)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("end_reason", sa.String(32)),
        sa.Column("short_code", sa.String(8), nullable=False),
        sa.Column("web_session_id", sa.String(64), nullable=False),
        sa.Column("viewer", sa.Integer(), nullable=False),
        sa.Column("node", sa.String(64)),
        sa.Column("obligations", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("state_since", UtcDateTime(), nullable=False),
        sa.Column("active_since", UtcDateTime()),
        sa.Column("seen_at", UtcDateTime()),
        sa.Column("keep_until", UtcDateTime()),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("worked_seconds", sa.Float(), nullable=False),
        sa.CheckConstraint("(state = 'ended') = (ended_at is not null)", name="ended_at"),
        sa.CheckConstraint("(state = 'active') = (active_since is not null)", name="active_since"),
        sa.CheckConstraint("state not in ('ending', 'ended') or end_reason is not null", name="end_reason"),
    )
    op.create_index(
        "uq_desktop_session_live",
        "desktop_session",
        ["tenant_id", "user_id", "pool_id"],
        unique=True,
        sqlite_where=sa.text(_LIVE),
        postgresql_where=sa.text(_LIVE),
    )
    op.create_index(
        "uq_desktop_session_desktop",
        "desktop_session",
        ["tenant_id", "desktop_id"],
        unique=True,
        sqlite_where=sa.text(_SEATED),
        postgresql_where=sa.text(_SEATED),
    )
    op.create_index("ix_desktop_session_state", "desktop_session", ["state", "state_since"])
    op.create_index("ix_desktop_session_person", "desktop_session", ["tenant_id", "user_id", "state"])
    op.create_table(
        "desktop_ticket",
        sa.Column("ticket_hash", sa.String(64), primary_key=True),
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("web_session_id", sa.String(64), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("redeemed_at", UtcDateTime()),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"], ["desktop_session.tenant_id", "desktop_session.id"], ondelete="CASCADE"
        ),
    )
    op.create_index("ix_desktop_ticket_session", "desktop_ticket", ["tenant_id", "session_id"])


def downgrade() -> None:
    """Drop it all; the triggers go with their table."""
    op.drop_table("desktop_ticket")
    op.drop_table("desktop_session")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("drop function desktop_session_check_state()")
    op.drop_table("desktop_session_transition")
    op.drop_table("pool_desktop")
    op.drop_table("static_target")
    op.drop_table("desktop_pool")
