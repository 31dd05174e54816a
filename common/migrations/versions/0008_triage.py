"""Seats when there are not enough: classes, credits, holds, announced ends; the state of a desktop without a seat."""

import sqlalchemy as sa
from alembic import op

from common.db import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TRANSITIONS = (
    ("ready", "preempt", "parked"),
    ("active", "preempt", "parked"),
    ("disconnected", "preempt", "parked"),
    ("parked", "queue", "queued"),
    ("parked", "end", "ending"),
)
_LIVE = "state in ('active', 'disconnected', 'parked', 'queued', 'ready', 'requested', 'starting')"
_MOMENTS = ("credited_since", "seated_at", "hold_until", "input_at", "leaves_at", "asked_to_leave_at")


def upgrade() -> None:
    """Sessions that live now have no duty's class until the gateway looks; their seat counts from the request."""
    op.add_column("desktop_session", sa.Column("priority", sa.String(2), nullable=False, server_default="P4"))
    op.add_column("desktop_session", sa.Column("lowered", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("desktop_session", sa.Column("source_site", sa.String(64)))
    for name in _MOMENTS:
        op.add_column("desktop_session", sa.Column(name, UtcDateTime()))
    op.execute("update desktop_session set seated_at = created_at where state not in ('requested', 'queued')")
    op.create_index("ix_desktop_session_seated", "desktop_session", ["tenant_id", "seated_at"])
    op.drop_index("uq_desktop_session_live", "desktop_session")
    op.create_index(
        "uq_desktop_session_live",
        "desktop_session",
        ["tenant_id", "user_id", "pool_id"],
        unique=True,
        sqlite_where=sa.text(_LIVE),
        postgresql_where=sa.text(_LIVE),
    )
    transitions = sa.table("desktop_session_transition", *map(sa.column, ("from_state", "event", "to_state")))
    op.bulk_insert(transitions, [dict(zip(("from_state", "event", "to_state"), t, strict=True)) for t in _TRANSITIONS])
