"""SQL of pools. Counterpart: `broker/catalogue.py`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import BindParameter, RowMapping, Select, bindparam, case, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from broker.models import Pool, PoolKind, Seats
from broker.states import SEATED, WAITING, SessionState
from broker.store.rows import pool_of, pool_row
from broker.store.tables import desktop_pool, desktop_session, pool_desktop, static_target
from broker.triage.situation import Situation
from common.db import Database
from common.ids import PoolId, TenantId
from common.together import Together

_ONE: Final = select(desktop_pool).where(
    desktop_pool.c.tenant_id == bindparam("tenant_id"), desktop_pool.c.id == bindparam("id")
)
_LOCKED: Final = _ONE.with_for_update()
_THESE: Final = select(desktop_pool).where(
    desktop_pool.c.tenant_id.in_(bindparam("tenants")), desktop_pool.c.id.in_(bindparam("ids"))
)


def _stock(*, one: bool) -> Select[Any]:
    """Pools of a tenant, or the one, with what is known of their seats, in one statement: every open page asks it."""
    pools, sessions, targets = desktop_pool.c, desktop_session.c, static_target.c
    tenant: BindParameter[str] = bindparam("tenant_id")
    pool: BindParameter[str] = bindparam("pool_id")
    held = (
        select(
            sessions.pool_id,
            func.sum(case((sessions.state.in_(SEATED), 1), else_=0)).label("used"),
            func.sum(case((sessions.state.in_(WAITING), 1), else_=0)).label("queued"),
        )
        .where(sessions.tenant_id == tenant, sessions.state != SessionState.ENDED)
        .group_by(sessions.pool_id)
    )
    enabled = (
        select(targets.pool_id, func.count().label("desktops"))
        .where(targets.tenant_id == tenant, targets.enabled.is_(True))
        .group_by(targets.pool_id)
    )
    counts = (held.where(sessions.pool_id == pool) if one else held).subquery()
    offered = (enabled.where(targets.pool_id == pool) if one else enabled).subquery()
    found = (
        select(desktop_pool, counts.c.used, counts.c.queued, offered.c.desktops)
        .outerjoin_from(desktop_pool, counts, counts.c.pool_id == pools.id)
        .outerjoin(offered, offered.c.pool_id == pools.id)
        .where(pools.tenant_id == tenant)
        .order_by(pools.id)
    )
    return found.where(pools.id == pool) if one else found


_STOCK: Final = _stock(one=False)
_STOCK_OF_ONE: Final = _stock(one=True)


class PoolStore:
    """Reads and writes pools."""

    def __init__(self, database: Database, situation: Situation) -> None:
        self._database = database
        self._situation = situation
        self._known: Final = Together(self._get)
        self._stocks: Final = Together(self._read_stocks)

    async def get(self, tenant_id: TenantId, pool_id: PoolId) -> Pool | None:
        """One pool."""
        return await self._known.get((tenant_id, pool_id))

    async def _get(self, asked: Sequence[tuple[TenantId, PoolId]]) -> dict[tuple[TenantId, PoolId], Pool]:
        keys = {"tenants": list({one for one, _ in asked}), "ids": [one for _, one in asked]}
        found = map(pool_of, (await self._database.execute(_THESE, keys)).mappings())
        return {(pool.tenant_id, pool.id): pool for pool in found}

    async def all_of(self, tenant_id: TenantId) -> tuple[Pool, ...]:
        """All pools of a tenant, by id."""
        query = select(desktop_pool).where(desktop_pool.c.tenant_id == tenant_id).order_by(desktop_pool.c.id)
        return tuple(pool_of(row) for row in (await self._database.execute(query)).mappings())

    async def put(self, pool: Pool) -> bool:
        """Create or change; True when created. Raises ValueError when the kind would change: its sessions could not
        follow."""
        async with self._database.transaction() as connection:
            known = await read_pool(connection, pool.tenant_id, pool.id, lock=True)
            if known is None:
                await connection.execute(desktop_pool.insert().values(pool_row(pool)))
                return True
            if known.kind is not pool.kind:
                raise ValueError("the kind of a pool cannot be changed")
            await connection.execute(
                update(desktop_pool)
                .where(desktop_pool.c.tenant_id == pool.tenant_id, desktop_pool.c.id == pool.id)
                .values(pool_row(pool))
            )
            return False

    async def delete(self, tenant_id: TenantId, pool_id: PoolId) -> bool:
        """Delete a pool with its targets and desktops; False while a session of it has not ended."""
        async with self._database.transaction() as connection:
            await read_pool(connection, tenant_id, pool_id, lock=True)
            busy = select(func.count()).where(
                desktop_session.c.tenant_id == tenant_id,
                desktop_session.c.pool_id == pool_id,
                desktop_session.c.state != SessionState.ENDED,
            )
            if (await connection.execute(busy)).scalar_one():
                return False
            for table in (static_target, pool_desktop):
                await connection.execute(
                    delete(table).where(table.c.tenant_id == tenant_id, table.c.pool_id == pool_id)
                )
            await connection.execute(
                delete(desktop_pool).where(desktop_pool.c.tenant_id == tenant_id, desktop_pool.c.id == pool_id)
            )
            return True

    async def seats(self, tenant_id: TenantId) -> Mapping[PoolId, Seats]:
        """Seats of every pool of a tenant, in one read."""
        return {pool.id: seats for pool, seats in await self.stock(tenant_id)}

    async def stock(self, tenant_id: TenantId, pool_id: PoolId | None = None) -> tuple[tuple[Pool, Seats], ...]:
        """Every pool of a tenant, or the one, with its seats, by id, in one read."""
        return await self._stocks.get((tenant_id, pool_id)) or ()

    async def _read_stocks(
        self, asked: Sequence[tuple[TenantId, PoolId | None]]
    ) -> dict[tuple[TenantId, PoolId | None], tuple[tuple[Pool, Seats], ...]]:
        return {which: await self._read_stock(*which) for which in asked}

    async def _read_stock(self, tenant_id: TenantId, pool_id: PoolId | None) -> tuple[tuple[Pool, Seats], ...]:
        which = {"tenant_id": tenant_id} | ({} if pool_id is None else {"pool_id": pool_id})
        rows = (await self._database.execute(_STOCK if pool_id is None else _STOCK_OF_ONE, which)).mappings()
        return tuple([(pool, self._seats(pool, row)) for row in rows for pool in (pool_of(row),)])

    def _seats(self, pool: Pool, row: RowMapping) -> Seats:
        limit, desktops = self._situation.seats(pool), int(row["desktops"] or 0)
        total = limit if pool.kind is PoolKind.AGENT else min(limit, desktops)  # as `seats_total`
        return Seats(used=int(row["used"] or 0), total=total, queued=int(row["queued"] or 0))


async def read_pool(connection: AsyncConnection, tenant_id: TenantId, pool_id: PoolId, *, lock: bool) -> Pool | None:
    """One pool. `lock` makes whoever else decides on its seats wait (SQLite: the transaction itself does)."""
    found = await connection.execute(_LOCKED if lock else _ONE, {"tenant_id": tenant_id, "id": pool_id})
    row = found.mappings().one_or_none()
    return None if row is None else pool_of(row)


async def seats_used(connection: AsyncConnection, pool: Pool) -> int:
    """Sessions of the pool that hold a seat."""
    query = select(func.count()).where(
        desktop_session.c.tenant_id == pool.tenant_id,
        desktop_session.c.pool_id == pool.id,
        desktop_session.c.state.in_(SEATED),
    )
    return int((await connection.execute(query)).scalar_one())


async def seats_total(connection: AsyncConnection, pool: Pool, limit: int) -> int:
    """Seats that the pool has: its limit now, and for a static pool no more than its enabled targets."""
    if pool.kind is PoolKind.AGENT:
        return limit
    query = select(func.count()).where(
        static_target.c.tenant_id == pool.tenant_id,
        static_target.c.pool_id == pool.id,
        static_target.c.enabled.is_(True),
    )
    return min(limit, int((await connection.execute(query)).scalar_one()))
