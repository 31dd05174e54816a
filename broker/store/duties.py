"""SQL of the register of duties, sites, departments and staff. Counterpart: `broker/duties/service.py`."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import RowMapping, Table, delete, func, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from broker.duties.models import (
    Department,
    Duty,
    Entry,
    Kind,
    Part,
    Priority,
    Register,
    ResumeWithin,
    Site,
    StaffMember,
    Telework,
)
from broker.duties.planning import Change, Import, Op, Plan
from broker.store.duty_tables import department, duty, duty_roster, register_import, site, staff_member
from common.db import LONG_SECONDS, Database
from common.ids import TenantId
from policy.model import Zone

_TABLES: Final = {Kind.SITES: site, Kind.DEPARTMENTS: department, Kind.STAFF: staff_member, Kind.DUTIES: duty}
_LISTS: Final = {
    Kind.SITES: ("networks",),
    Kind.DEPARTMENTS: ("approvers",),
    Kind.STAFF: (),
    Kind.DUTIES: ("pools", "desktops"),
}
"""Columns that hold a JSON list."""
_HISTORY: Final = 50


class DutyStore:
    """Reads a whole register, writes a plan's changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, tenant_id: TenantId) -> Register:
        """The register as of one moment."""
        async with self._database.transaction() as connection:
            if self._database.dialect == "postgresql":  # several reads must see one version
                await connection.execute(text("set transaction isolation level repeatable read"))
            version = await _version(connection, tenant_id)
            rosters = await _rosters(connection, tenant_id)
            rows = {kind: await _all(connection, tenant_id, table) for kind, table in _TABLES.items()}
        return Register(
            version=version,
            sites={row["id"]: _site(row) for row in rows[Kind.SITES]},
            departments={row["id"]: _department(row) for row in rows[Kind.DEPARTMENTS]},
            staff={row["id"]: _staff(row) for row in rows[Kind.STAFF]},
            duties={row["id"]: _duty(row, rosters) for row in rows[Kind.DUTIES]},
        )

    async def save(self, tenant_id: TenantId, plan: Plan, made: Import, content: str) -> bool:
        """Make a plan's changes, all or none; False when another import came first."""
        try:
            async with self._database.transaction(seconds=LONG_SECONDS) as connection:
                if await _version(connection, tenant_id) != plan.current.version:
                    return False
                await connection.execute(
                    insert(register_import).values(
                        tenant_id=tenant_id,
                        version=made.version,
                        at=made.at,
                        actor=made.actor,
                        digest=made.digest,
                        content=content,
                    )
                )
                await _write(connection, tenant_id, plan)
        except IntegrityError:  # the other import's row has our number
            return False
        return True

    async def history(self, tenant_id: TenantId) -> tuple[Import, ...]:
        """The newest imports, newest first."""
        c = register_import.c
        query = (
            select(c.version, c.at, c.actor, c.digest)
            .where(c.tenant_id == tenant_id)
            .order_by(c.version.desc())
            .limit(_HISTORY)
        )
        async with self._database.transaction() as connection:
            return tuple(Import(row.version, row.at, row.actor, row.digest) for row in await connection.execute(query))

    async def content(self, tenant_id: TenantId, version: int) -> str | None:
        """The whole register after an import, as it was kept."""
        c = register_import.c
        query = select(c.content).where(c.tenant_id == tenant_id, c.version == version)
        async with self._database.transaction() as connection:
            return (await connection.execute(query)).scalar_one_or_none()


async def _version(connection: AsyncConnection, tenant_id: TenantId) -> int:
    query = select(func.coalesce(func.max(register_import.c.version), 0))
    return int((await connection.execute(query.where(register_import.c.tenant_id == tenant_id))).scalar_one())


async def _all(connection: AsyncConnection, tenant_id: TenantId, table: Table) -> Sequence[RowMapping]:
    query = select(table).where(table.c.tenant_id == tenant_id)
    rows = (await connection.execute(query)).mappings().all()
    return sorted(rows, key=lambda row: str(row["id"]))  # code point order, whatever the database's collation


async def _rosters(connection: AsyncConnection, tenant_id: TenantId) -> dict[tuple[str, str], tuple[str, ...]]:
    c = duty_roster.c
    query = select(c.duty_id, c.part, c.staff_id).where(c.tenant_id == tenant_id).order_by(c.position)
    found: dict[tuple[str, str], list[str]] = {}
    for row in await connection.execute(query):
        found.setdefault((row.duty_id, row.part), []).append(row.staff_id)
    return {key: tuple(staff) for key, staff in found.items()}


async def _write(connection: AsyncConnection, tenant_id: TenantId, plan: Plan) -> None:
    """New and changed entries first, in the order in which they build on each other; then what goes, in reverse."""
    for kind in Kind:
        wanted = [plan.wanted.of(kind)[c.entry_id] for c in _of(plan.changes, kind, Op.ADDED)]
        changed = [plan.wanted.of(kind)[c.entry_id] for c in _of(plan.changes, kind, Op.CHANGED)]
        table = _TABLES[kind]
        if wanted:
            await connection.execute(insert(table), [_row(tenant_id, kind, entry) for entry in wanted])
        for entry in changed:
            row = _row(tenant_id, kind, entry)
            where = (table.c.tenant_id == tenant_id, table.c.id == entry.id)
            await connection.execute(table.update().where(*where).values(row))
        if kind is Kind.DUTIES:
            await _write_rosters(connection, tenant_id, [e for e in (*wanted, *changed) if isinstance(e, Duty)])
    for kind in reversed(Kind):
        gone = [c.entry_id for c in _of(plan.changes, kind, Op.REMOVED)]
        for entry_id in gone:
            table = _TABLES[kind]
            await connection.execute(delete(table).where(table.c.tenant_id == tenant_id, table.c.id == entry_id))


async def _write_rosters(connection: AsyncConnection, tenant_id: TenantId, duties: Iterable[Duty]) -> None:
    rows = []
    for entry in duties:
        c = duty_roster.c
        await connection.execute(delete(duty_roster).where(c.tenant_id == tenant_id, c.duty_id == entry.id))
        for part, numbers in ((Part.MAIN, entry.people), (Part.SUBSTITUTE, entry.substitutes)):
            for position, number in enumerate(numbers):
                rows.append(
                    {
                        "tenant_id": tenant_id,
                        "duty_id": entry.id,
                        "staff_id": number,
                        "part": part,
                        "position": position,
                    }
                )
    if rows:
        await connection.execute(insert(duty_roster), rows)


def _of(changes: Sequence[Change], kind: Kind, op: Op) -> list[Change]:
    return [change for change in changes if change.kind is kind and change.op is op]


def _row(tenant_id: TenantId, kind: Kind, entry: Entry) -> dict[str, Any]:
    """Column values of an entry; the roster has a table of its own."""
    columns = [column.name for column in _TABLES[kind].columns if column.name != "tenant_id"]
    row: dict[str, Any] = {"tenant_id": tenant_id}
    for name in columns:
        value = getattr(entry, name)
        row[name] = json.dumps(list(value)) if name in _LISTS[kind] else value
    return row


def _site(row: RowMapping) -> Site:
    return Site(
        id=row["id"],
        name_ja=row["name_ja"],
        name_en=row["name_en"],
        networks=tuple(json.loads(row["networks"])),
        seats=row["seats"],
        bandwidth_mbps=row["bandwidth_mbps"],
    )


def _department(row: RowMapping) -> Department:
    return Department(
        id=row["id"],
        name_ja=row["name_ja"],
        name_en=row["name_en"],
        approvers=tuple(json.loads(row["approvers"])),
    )


def _staff(row: RowMapping) -> StaffMember:
    return StaffMember(
        id=row["id"],
        username=row["username"],
        name=row["name"],
        kana=row["kana"],
        department=row["department"],
        title=row["title"],
        employment=row["employment"],
        site=row["site"],
        on_leave=row["on_leave"],
    )


def _duty(row: RowMapping, rosters: dict[tuple[str, str], tuple[str, ...]]) -> Duty:
    return Duty(
        id=row["id"],
        name_ja=row["name_ja"],
        name_en=row["name_en"],
        department=row["department"],
        zone=Zone(row["zone"]),
        telework=Telework(row["telework"]),
        condition=row["condition"],
        priority=Priority(row["priority"]),
        resume_within=ResumeWithin(row["resume_within"]),
        pools=tuple(json.loads(row["pools"])),
        desktops=tuple(json.loads(row["desktops"])),
        people=rosters.get((row["id"], Part.MAIN), ()),
        substitutes=rosters.get((row["id"], Part.SUBSTITUTE), ()),
    )
