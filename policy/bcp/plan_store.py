"""All SQL of versions of plans. Counterparts: `policy.bcp.plan_desk` and `policy.bcp.adopted`, the only importers.

Nothing here is believed: the seals are checked by whoever reads. A step is one transaction under the tenant's lock.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import CheckConstraint, Column, CursorResult, Integer, Row, String, Table, Text, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from common.db import Database, metadata
from common.ids import TenantId
from policy.bcp.canonical import spelled
from policy.bcp.plan_versions import PlanVersion, decode, encode
from policy.bcp.store import bcp_plan, bcp_signing_key

bcp_plan_version: Final = Table(
    "bcp_plan_version",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("id", String(16), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("content", Text, nullable=False),
    Column("seal", Text, nullable=False),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint("state in ('proposed', 'adopted', 'rejected')", name="state"),
)
_v: Final = bcp_plan_version.c


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A row: the version that it claims to hold (None when it cannot be read) and its seal, both unverified."""

    plan_id: str
    version: int
    found: PlanVersion | None
    seal: str


class PlanTurn:
    """One transaction under the tenant's lock."""

    def __init__(self, connection: AsyncConnection, tenant_id: TenantId) -> None:
        self._connection: Final = connection
        self._tenant_id: Final = tenant_id

    async def versions(self, plan_id: str | None = None) -> tuple[StoredVersion, ...]:
        """All, or one plan's; newest first."""
        query = select(bcp_plan_version).where(_v.tenant_id == self._tenant_id).order_by(_v.id, _v.version.desc())
        if plan_id is not None:
            query = query.where(_v.id == plan_id)
        return tuple(_stored(row) for row in await self._connection.execute(query))

    async def newest(self, plan_id: str) -> int:
        """The highest version of the plan that there is or ever was declared; 0 when there is none."""
        numbers = [0]
        for table in (bcp_plan_version, bcp_plan):
            columns = table.c
            query = select(func.max(columns.version)).where(columns.tenant_id == self._tenant_id, columns.id == plan_id)
            numbers.append((await self._connection.execute(query)).scalar_one_or_none() or 0)
        return max(numbers)

    async def add(self, made: PlanVersion, seal: str) -> None:
        """Write a new version; its number was looked up in this transaction."""
        values = _values(made, seal)
        await self._connection.execute(bcp_plan_version.insert().values(**values))

    async def change(self, changed: PlanVersion, seal: str, *, was: PlanVersion) -> bool:
        """Compare-and-set: write over `was`; False when somebody else was faster."""
        done = await self._connection.execute(
            update(bcp_plan_version)
            .where(
                _v.tenant_id == self._tenant_id,
                _v.id == was.plan.id,
                _v.version == was.plan.version,
                _v.state == str(was.state),
            )
            .values(**_values(changed, seal))
        )
        return cast(CursorResult[Any], done).rowcount == 1


class PlanStore:
    """Reads and writes; see the module."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    @asynccontextmanager
    async def turn(self, tenant_id: TenantId) -> AsyncIterator[PlanTurn]:
        """A step's transaction. Others of the same tenant wait, steps of declarations included."""
        async with self._database.transaction() as connection:
            await connection.execute(
                select(bcp_signing_key.c.tenant_id).where(bcp_signing_key.c.tenant_id == tenant_id).with_for_update()
            )
            yield PlanTurn(connection, tenant_id)

    async def versions(self, tenant_id: TenantId) -> tuple[StoredVersion, ...]:
        """All versions of all plans."""
        async with self._database.transaction() as connection:
            return await PlanTurn(connection, tenant_id).versions()


def _values(version: PlanVersion, seal: str) -> dict[str, Any]:
    return {
        "tenant_id": version.tenant_id,
        "id": version.plan.id,
        "version": version.plan.version,
        "state": str(version.state),
        "content": spelled(encode(version)).decode(),
        "seal": seal,
    }


def _stored(row: Row[Any]) -> StoredVersion:
    try:
        found: PlanVersion | None = decode(json.loads(row.content))
    except ValueError:
        found = None
    if found is not None:
        same = (found.tenant_id, found.plan.id, found.plan.version, found.state)
        found = found if same == (row.tenant_id, row.id, row.version, row.state) else None
    return StoredVersion(row.id, row.version, found, row.seal)
