"""All SQL of BCP mode: declarations, the plans that they were signed with, the tenant's key. Counterpart:
`policy.bcp.service`, the only importer.

One step, one transaction, under a lock on the tenant's key row: what a step looks at (drills, break-glass of the last
days) cannot change while it is taken. The write is compare-and-set on `version` besides. Nothing here is believed: the
seals are checked by whoever reads.
"""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import (
    CheckConstraint,
    Column,
    CursorResult,
    ForeignKeyConstraint,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from common.db import Database, UtcDateTime, metadata
from common.ids import TenantId
from policy.bcp.canonical import decode, encode, spelled
from policy.bcp.model import BREAK_GLASS_REST, OPEN, Declaration
from policy.bcp.plan import Plan, content_of

bcp_signing_key: Final = Table(
    "bcp_signing_key",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("sealed", Text, nullable=False),
)
bcp_plan: Final = Table(
    "bcp_plan",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("id", String(16), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("content", Text, nullable=False),
)
bcp_declaration: Final = Table(
    "bcp_declaration",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("state", String(24), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("plan_id", String(16), nullable=False),
    Column("plan_version", Integer, nullable=False),
    Column("reminded_seconds", Integer),
    Column("content", Text, nullable=False),
    Column("seal", Text),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint("(state in ('draft', 'awaiting_approval', 'active')) = (seal is not null)", name="sealed"),
    CheckConstraint(
        "state in ('draft', 'awaiting_approval', 'active', 'lifted', 'expired', 'lapsed', 'rejected')", name="state"
    ),
    ForeignKeyConstraint(
        ["tenant_id", "plan_id", "plan_version"], ["bcp_plan.tenant_id", "bcp_plan.id", "bcp_plan.version"]
    ),
    Index("ix_bcp_declaration_state", "tenant_id", "state"),
    Index("ix_bcp_declaration_created", "tenant_id", "created_at"),
)
_d: Final = bcp_declaration.c
_RECENT: Final = BREAK_GLASS_REST + timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Stored:
    """A row: the declaration that it claims to hold (None when it cannot be read) and its seal, both unverified."""

    id: str
    version: int
    declaration: Declaration | None
    seal: str | None
    reminded: timedelta | None = None


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan as it was when it was first declared."""

    plan_id: str
    version: int
    digest: str
    content: Any


class Turn:
    """One transaction under the tenant's lock."""

    def __init__(self, connection: AsyncConnection, tenant_id: TenantId) -> None:
        self._connection: Final = connection
        self._tenant_id: Final = tenant_id

    async def get(self, declaration_id: str) -> Stored | None:
        """One declaration."""
        found = await self._connection.execute(
            select(bcp_declaration).where(_d.tenant_id == self._tenant_id, _d.id == declaration_id)
        )
        row = found.one_or_none()
        return None if row is None else _stored(row)

    async def around(self, now: datetime) -> tuple[Stored, ...]:
        """What a step must look at: all that is open, and all of the last days."""
        found = await self._connection.execute(
            select(bcp_declaration).where(
                _d.tenant_id == self._tenant_id,
                or_(_d.state.in_(OPEN), _d.seen_at > now - _RECENT, _d.ended_at > now - _RECENT),
            )
        )
        return tuple(_stored(row) for row in found)

    async def add(self, declaration: Declaration, seal: str | None) -> bool:
        """Write a new declaration; False when it is there already."""
        existing = await self.get(declaration.id)
        if existing is None:
            await self._connection.execute(bcp_declaration.insert().values(**_values(declaration, seal)))
        return existing is None

    async def change(self, declaration: Declaration, seal: str | None, *, was: Declaration) -> bool:
        """Compare-and-set: write over `was`; False when somebody else has changed it."""
        values = _values(declaration, seal)
        if declaration.ends_at != was.ends_at:
            values["reminded_seconds"] = None
        done = await self._connection.execute(
            update(bcp_declaration)
            .where(_d.tenant_id == self._tenant_id, _d.id == was.id, _d.version == was.version)
            .values(**values)
        )
        return cast(CursorResult[Any], done).rowcount == 1

    async def remind(self, declaration: Declaration, remaining: timedelta) -> bool:
        """Note a reminder; False when this or a later one has been sent."""
        seconds = int(remaining.total_seconds())
        done = await self._connection.execute(
            update(bcp_declaration)
            .where(
                _d.tenant_id == self._tenant_id,
                _d.id == declaration.id,
                or_(_d.reminded_seconds.is_(None), _d.reminded_seconds > seconds),
            )
            .values(reminded_seconds=seconds)
        )
        return cast(CursorResult[Any], done).rowcount == 1

    async def keep_plan(self, plan: Plan) -> bool:
        """Keep the version that is declared for ever; False when the same version was kept with another content."""
        found = await self._connection.execute(
            select(bcp_plan.c.digest).where(
                bcp_plan.c.tenant_id == self._tenant_id,
                bcp_plan.c.id == plan.id,
                bcp_plan.c.version == plan.version,
            )
        )
        known = found.scalar_one_or_none()
        if known is None:
            await self._connection.execute(
                bcp_plan.insert().values(
                    tenant_id=self._tenant_id,
                    id=plan.id,
                    version=plan.version,
                    digest=plan.digest,
                    content=spelled(content_of(plan)).decode(),
                )
            )
        return known in (None, plan.digest)


class BcpStore:
    """Reads and writes; see the module."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    async def signing_key(self, tenant_id: TenantId) -> str | None:
        """The tenant's sealed key."""
        async with self._database.transaction() as connection:
            found = await connection.execute(
                select(bcp_signing_key.c.sealed).where(bcp_signing_key.c.tenant_id == tenant_id)
            )
            return found.scalar_one_or_none()

    async def add_signing_key(self, tenant_id: TenantId, fresh: str) -> str:
        """Make `fresh` the tenant's key if there is none; the key that counts, the same for all nodes."""
        with suppress(IntegrityError):
            async with self._database.transaction() as connection:
                await connection.execute(bcp_signing_key.insert().values(tenant_id=tenant_id, sealed=fresh))
        return await self.signing_key(tenant_id) or fresh

    @asynccontextmanager
    async def turn(self, tenant_id: TenantId) -> AsyncIterator[Turn]:
        """A step's transaction. Others of the same tenant wait (SQLite: all writers do)."""
        async with self._database.transaction() as connection:
            await connection.execute(
                select(bcp_signing_key.c.tenant_id).where(bcp_signing_key.c.tenant_id == tenant_id).with_for_update()
            )
            yield Turn(connection, tenant_id)

    async def read_open(self, tenant_id: TenantId) -> tuple[tuple[Stored, ...], tuple[StoredPlan, ...]]:
        """Everything that has not ended, and the plans it was signed with."""
        async with self._database.transaction() as connection:
            found = await connection.execute(
                select(bcp_declaration).where(_d.tenant_id == tenant_id, _d.state.in_(OPEN))
            )
            rows = found.all()
            wanted = {(row.plan_id, row.plan_version) for row in rows}
            return tuple(_stored(row) for row in rows), await _plans(connection, tenant_id, wanted)

    async def get(self, tenant_id: TenantId, declaration_id: str) -> Stored | None:
        """One declaration in any state."""
        async with self._database.transaction() as connection:
            return await Turn(connection, tenant_id).get(declaration_id)

    async def plan(self, tenant_id: TenantId, plan_id: str, version: int) -> StoredPlan | None:
        """A plan that was declared once."""
        async with self._database.transaction() as connection:
            found = await _plans(connection, tenant_id, {(plan_id, version)})
            return found[0] if found else None

    async def changed_plans(self, tenant_id: TenantId, plans: Sequence[Plan]) -> tuple[Plan, ...]:
        """Those of the plans that differ from what was declared under the same version."""
        async with self._database.transaction() as connection:
            kept = await _plans(connection, tenant_id, {(plan.id, plan.version) for plan in plans})
        digests = {(plan.plan_id, plan.version): plan.digest for plan in kept}
        return tuple(p for p in plans if digests.get((p.id, p.version), p.digest) != p.digest)

    async def history(self, tenant_id: TenantId, limit: int) -> tuple[Stored, ...]:
        """The newest declarations in all states."""
        async with self._database.transaction() as connection:
            found = await connection.execute(
                select(bcp_declaration)
                .where(_d.tenant_id == tenant_id)
                .order_by(_d.created_at.desc(), _d.id)
                .limit(limit)
            )
            return tuple(_stored(row) for row in found)

    async def touch(self, tenant_id: TenantId, seen: Iterable[tuple[str, datetime]]) -> None:
        """Note how far time has certainly gone, so that a restart under a stepped clock knows."""
        async with self._database.transaction() as connection:
            for declaration_id, moment in seen:
                await connection.execute(
                    update(bcp_declaration)
                    .where(_d.tenant_id == tenant_id, _d.id == declaration_id, _d.seen_at < moment)
                    .values(seen_at=moment)
                )


async def _plans(
    connection: AsyncConnection, tenant_id: TenantId, wanted: set[tuple[str, int]]
) -> tuple[StoredPlan, ...]:
    if not wanted:
        return ()
    found = await connection.execute(
        select(bcp_plan).where(
            bcp_plan.c.tenant_id == tenant_id, tuple_(bcp_plan.c.id, bcp_plan.c.version).in_(sorted(wanted))
        )
    )
    return tuple(StoredPlan(row.id, row.version, row.digest, json.loads(row.content)) for row in found)


def _values(declaration: Declaration, seal: str | None) -> dict[str, Any]:
    return {
        "tenant_id": declaration.tenant_id,
        "id": declaration.id,
        "state": str(declaration.state),
        "version": declaration.version,
        "created_at": declaration.created_at,
        "ends_at": declaration.ends_at,
        "seen_at": declaration.seen_at,
        "ended_at": declaration.ended_at,
        "plan_id": declaration.plan_id,
        "plan_version": declaration.plan_version,
        "content": spelled(encode(declaration)).decode(),
        "seal": seal if declaration.state in OPEN else None,
    }


def _stored(row: Row[Any]) -> Stored:
    reminded = None if row.reminded_seconds is None else timedelta(seconds=row.reminded_seconds)
    try:
        declaration: Declaration | None = decode(json.loads(row.content))
    except ValueError:
        declaration = None
    if declaration is not None:
        same = (declaration.tenant_id, declaration.id, declaration.state, declaration.version)
        if same != (row.tenant_id, row.id, row.state, row.version):
            declaration = None
        else:
            declaration = replace(declaration, seen_at=max(declaration.seen_at, row.seen_at))
    return Stored(row.id, row.version, declaration, row.seal, reminded)
