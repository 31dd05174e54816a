"""Sites, departments, staff, duties with their rosters, and the imports that made them.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from common.db import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables in the order in which they refer to each other."""
    op.create_table(
        "site",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name_ja", sa.String(128), nullable=False),
        sa.Column("name_en", sa.String(128), nullable=False),
        sa.Column("networks", sa.Text(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("bandwidth_mbps", sa.Integer(), nullable=False),
        sa.CheckConstraint("seats >= 0 and bandwidth_mbps >= 0", name="sizes"),
    )
    op.create_table(
        "department",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name_ja", sa.String(128), nullable=False),
        sa.Column("name_en", sa.String(128), nullable=False),
        sa.Column("approvers", sa.Text(), nullable=False),
    )
    op.create_table(
        "staff_member",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("username", sa.String(256), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("kana", sa.String(128), nullable=False),
        sa.Column("department", sa.String(64), nullable=False),
        sa.Column("title", sa.String(128), nullable=False),
        sa.Column("employment", sa.String(128), nullable=False),
        sa.Column("site", sa.String(64)),
        sa.Column("on_leave", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id", "department"], ["department.tenant_id", "department.id"]),
        sa.ForeignKeyConstraint(["tenant_id", "site"], ["site.tenant_id", "site.id"], name="fk_staff_member_site"),
    )
    _create_duties()
    op.create_table(
        "register_import",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(320), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
    )


def _create_duties() -> None:
    op.create_table(
        "duty",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name_ja", sa.String(128), nullable=False),
        sa.Column("name_en", sa.String(128), nullable=False),
        sa.Column("department", sa.String(64), nullable=False),
        sa.Column("zone", sa.String(32), nullable=False),
        sa.Column("telework", sa.String(16), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("priority", sa.String(2), nullable=False),
        sa.Column("resume_within", sa.String(2), nullable=False),
        sa.Column("pools", sa.Text(), nullable=False),
        sa.Column("desktops", sa.Text(), nullable=False),
        sa.CheckConstraint("zone <> 'my_number' or telework = 'never'", name="my_number"),
        sa.ForeignKeyConstraint(["tenant_id", "department"], ["department.tenant_id", "department.id"]),
    )
    op.create_table(
        "duty_roster",
        sa.Column("tenant_id", sa.String(64), primary_key=True),
        sa.Column("duty_id", sa.String(64), primary_key=True),
        sa.Column("staff_id", sa.String(64), primary_key=True),
        sa.Column("part", sa.String(16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id", "duty_id"], ["duty.tenant_id", "duty.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "staff_id"],
            ["staff_member.tenant_id", "staff_member.id"],
            name="fk_duty_roster_staff_member",
        ),
    )
    op.create_index("ix_duty_roster_staff", "duty_roster", ["tenant_id", "staff_id"])


def downgrade() -> None:
    """Drop it all."""
    for table in ("register_import", "duty_roster", "duty", "staff_member", "department", "site"):
        op.drop_table(table)
