"""Tables of the register. Counterpart: the migration `duties`, which makes them (a test compares the two)."""

from typing import Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from common.db import UtcDateTime, metadata

site: Final = Table(
    "site",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("name_ja", String(128), nullable=False),
    Column("name_en", String(128), nullable=False),
    Column("networks", Text, nullable=False),
    Column("seats", Integer, nullable=False),
    Column("bandwidth_mbps", Integer, nullable=False),
    CheckConstraint("seats >= 0 and bandwidth_mbps >= 0", name="sizes"),
)

department: Final = Table(
    "department",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("name_ja", String(128), nullable=False),
    Column("name_en", String(128), nullable=False),
    Column("approvers", Text, nullable=False),
)

staff_member: Final = Table(
    "staff_member",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("username", String(256), nullable=False),
    Column("name", String(128), nullable=False),
    Column("kana", String(128), nullable=False),
    Column("department", String(64), nullable=False),
    Column("title", String(128), nullable=False),
    Column("employment", String(128), nullable=False),
    Column("site", String(64)),
    Column("on_leave", Boolean, nullable=False),
    ForeignKeyConstraint(["tenant_id", "department"], ["department.tenant_id", "department.id"]),
    ForeignKeyConstraint(["tenant_id", "site"], ["site.tenant_id", "site.id"], name="fk_staff_member_site"),
)

duty: Final = Table(
    "duty",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("name_ja", String(128), nullable=False),
    Column("name_en", String(128), nullable=False),
    Column("department", String(64), nullable=False),
    Column("zone", String(32), nullable=False),
    Column("telework", String(16), nullable=False),
    Column("condition", Text, nullable=False),
    Column("priority", String(2), nullable=False),
    Column("resume_within", String(2), nullable=False),
    Column("pools", Text, nullable=False),
    Column("desktops", Text, nullable=False),
    CheckConstraint("zone <> 'my_number' or telework = 'never'", name="my_number"),
    ForeignKeyConstraint(["tenant_id", "department"], ["department.tenant_id", "department.id"]),
)

duty_roster: Final = Table(
    "duty_roster",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("duty_id", String(64), primary_key=True),
    Column("staff_id", String(64), primary_key=True),
    Column("part", String(16), nullable=False),
    Column("position", Integer, nullable=False),
    ForeignKeyConstraint(["tenant_id", "duty_id"], ["duty.tenant_id", "duty.id"], ondelete="CASCADE"),
    ForeignKeyConstraint(
        ["tenant_id", "staff_id"], ["staff_member.tenant_id", "staff_member.id"], name="fk_duty_roster_staff_member"
    ),
    Index("ix_duty_roster_staff", "tenant_id", "staff_id"),
)

# Each row is one import; its number is the register's version, so two imports at once cannot both win.
register_import: Final = Table(
    "register_import",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(320), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("content", Text, nullable=False),  # the whole register after the import, as YAML: the way back
)
