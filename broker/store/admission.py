"""SQL of admission: what a pool looks like now, and giving a seat in the same transaction that counted.

Counterparts: `broker/triage/` (the rules, pure), `broker/launcher.py`. Admissions of a tenant wait for each other:
seats, lines and the start-up gate are counted over several pools, and two nodes must never give the last of them twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from broker.duties.models import Priority
from broker.models import DesktopSession, Pool, PoolKind
from broker.silent import SilentTargets
from broker.states import SEATED, SessionEvent, SessionState
from broker.store.pools import read_pool, seats_total, seats_used
from broker.store.rows import session_of
from broker.store.sessions import move_in, without_seat
from broker.store.tables import desktop_pool, desktop_session, static_target
from broker.store.targets import free_target, own_desktop
from broker.triage.order import Waiting, in_order
from broker.triage.room import (
    GATE_WINDOW,
    QueueReason,
    Room,
    blocked,
    claims,
    full_lines,
    gate_allows,
    gate_applies,
    line_load,
)
from broker.triage.situation import Situation
from common.db import Database, take_turn
from common.ids import DesktopId, PoolId, TenantId

_t = desktop_session.c
_HOUR = timedelta(hours=1)
_ON_LINE = (SessionState.STARTING, SessionState.READY, SessionState.ACTIVE)


@dataclass(frozen=True, slots=True)
class Picture:
    """A pool at one moment, as admission and the waiting see it."""

    pool: Pool
    room: Room
    queue: tuple[Waiting, ...]
    """In order."""
    sessions: tuple[DesktopSession, ...]
    """Those of the queue, in the same order."""
    claims: tuple[Waiting, ...]
    """Those for whom others make room."""
    parked: int
    lines: dict[str, float]
    """What is planned on each site's line, in Mbps."""
    leaving: tuple[datetime, ...]
    """When seats will be given up that people were asked for, soonest first."""


class AdmissionStore:
    """Counts and gives seats."""

    def __init__(self, database: Database, situation: Situation, silent: SilentTargets) -> None:
        self._database = database
        self._situation = situation
        self._silent = silent

    def knows(self, tenant_id: TenantId) -> bool:
        """Whether this gateway decides about a tenant's queue."""
        return self._situation.knows(tenant_id)

    async def picture(self, tenant_id: TenantId, pool_id: PoolId, now: datetime) -> Picture | None:
        """The pool now; None when there is none."""
        async with self._database.transaction() as connection:
            return await self.picture_in(connection, tenant_id, pool_id, now)

    async def picture_in(
        self, connection: AsyncConnection, tenant_id: TenantId, pool_id: PoolId, now: datetime
    ) -> Picture | None:
        """`picture`, inside a transaction that decides by it."""
        pool = await read_pool(connection, tenant_id, pool_id, lock=False)
        return None if pool is None else await self._picture(connection, pool, now)

    async def admit(
        self, tenant_id: TenantId, pool_id: PoolId, *, node: str, now: datetime, fresh_desktop: DesktopId
    ) -> DesktopSession | None:
        """Give a seat to the first in the queue for whom there is room (`STARTING`, desktop chosen); None when there is
        no room, or nobody for it."""
        async with self._database.transaction() as connection:
            await lock_admission(connection, tenant_id)
            pool = await read_pool(connection, tenant_id, pool_id, lock=True)
            if pool is None:
                return None
            picture = await self._picture(connection, pool, now)
            total = await seats_total(connection, pool, self._situation.seats(pool))
            if await seats_used(connection, pool) >= total:
                return None
            for one, session in zip(picture.queue, picture.sessions, strict=True):
                if blocked(one, picture.room) is not None:
                    continue
                desktop_id = (
                    await own_desktop(connection, pool, session, fresh=fresh_desktop)
                    if pool.kind is PoolKind.AGENT
                    else await free_target(connection, pool, session, self._silent.now())
                )
                if desktop_id is not None:
                    changes = {"desktop_id": desktop_id, "node": node, "seen_at": now, "seated_at": now}
                    return await move_in(connection, session, SessionEvent.START, now, changes)
            return None

    async def freed_last_hour(self, tenant_id: TenantId, pool_id: PoolId, now: datetime) -> int:
        """Seats of a pool that became free within an hour: ended after they had begun, or given up."""
        query = select(func.count()).where(
            _t.tenant_id == tenant_id,
            _t.pool_id == pool_id,
            or_(
                and_(_t.state == SessionState.ENDED, _t.ended_at > now - _HOUR, _t.seated_at.is_not(None)),
                and_(_t.state == SessionState.PARKED, _t.state_since > now - _HOUR),
            ),
        )
        async with self._database.transaction() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def lines(self, tenant_id: TenantId) -> dict[str, float]:
        """What is planned on each site's line, in Mbps."""
        async with self._database.transaction() as connection:
            return await self._load(connection, tenant_id)

    async def _picture(self, connection: AsyncConnection, pool: Pool, now: datetime) -> Picture:
        rules = self._situation.settings
        own = await _owners(connection, pool)
        found = [session_of(row) for row in (await connection.execute(_queued(pool))).mappings()]
        sessions = {session.id: session for session in found}
        queue = in_order(
            (self._situation.waiting(session, pool, own=session.user_id in own) for session in found),
            now,
            timedelta(minutes=rules.aging_minutes),
        )
        load = await self._load(connection, pool.tenant_id)
        lines = full_lines(load, self._situation.lines(), session_mbps=rules.session_mbps)
        claiming = claims(queue, lines)
        total = await _shared_seats(connection, pool, self._situation.seats(pool))
        room = Room(
            total=total,
            used=await _used(connection, pool),
            reserve=self._situation.reserve(pool, total),
            claims=len(claiming),
            full_lines=lines,
            gate_open=await self._gate_open(connection, pool.tenant_id, now),
        )
        return Picture(
            pool=pool,
            room=room,
            queue=queue,
            sessions=tuple(sessions[one.session_id] for one in queue),
            claims=tuple(one for one in claiming if blocked(one, room) is QueueReason.SEAT),
            parked=await _parked(connection, pool),
            lines=load,
            leaving=await _leaving(connection, pool),
        )

    async def _load(self, connection: AsyncConnection, tenant_id: TenantId) -> dict[str, float]:
        """Planned use of the sites' lines. Desktops without a viewer send nothing."""
        if not self._situation.lines():
            return {}
        rules = self._situation.settings
        query = (
            select(_t.source_site, desktop_pool.c.site, _t.lowered, func.count())
            .join(desktop_pool, and_(desktop_pool.c.tenant_id == _t.tenant_id, desktop_pool.c.id == _t.pool_id))
            .where(_t.tenant_id == tenant_id, _t.state.in_(_ON_LINE))
            .group_by(_t.source_site, desktop_pool.c.site, _t.lowered)
        )
        return line_load(
            (person_at, desktop_at, count * (rules.lowered_session_mbps if lowered else rules.session_mbps))
            for person_at, desktop_at, lowered, count in await connection.execute(query)
        )

    async def _gate_open(self, connection: AsyncConnection, tenant_id: TenantId, now: datetime) -> bool:
        rules = self._situation.settings
        if not gate_applies(now, rules.gate_from, rules.gate_until):
            return True
        query = select(func.count()).where(_t.tenant_id == tenant_id, _t.seated_at > now - GATE_WINDOW)
        started = int((await connection.execute(query)).scalar_one())
        return gate_allows(started, rules.gate_starts_per_minute)


async def lock_admission(connection: AsyncConnection, tenant_id: TenantId) -> None:
    """Make decisions about a tenant's seats wait for each other, on all nodes (SQLite: they do)."""
    await take_turn(connection, f"admission {tenant_id}")


def _queued(pool: Pool) -> Select[Any]:
    """The pool's queue without those whose earlier desktop is still being stopped."""
    earlier = desktop_session.alias()
    stopping = select(earlier.c.id).where(
        earlier.c.tenant_id == _t.tenant_id,
        earlier.c.pool_id == _t.pool_id,
        earlier.c.user_id == _t.user_id,
        earlier.c.state.in_(SEATED),
    )
    return select(desktop_session).where(
        _t.tenant_id == pool.tenant_id, _t.pool_id == pool.id, _t.state == SessionState.QUEUED, ~stopping.exists()
    )


async def _owners(connection: AsyncConnection, pool: Pool) -> frozenset[str]:
    """People who have a PC of their own in a static pool."""
    if pool.kind is PoolKind.AGENT:
        return frozenset()
    rows = await connection.execute(_assigned(pool, static_target.c.assigned_user_id))
    return frozenset(row[0] for row in rows)


def _assigned(pool: Pool, *columns: Any) -> Select[Any]:
    return select(*columns).where(
        static_target.c.tenant_id == pool.tenant_id,
        static_target.c.pool_id == pool.id,
        static_target.c.enabled.is_(True),
        static_target.c.assigned_user_id.is_not(None),
    )


async def _shared_seats(connection: AsyncConnection, pool: Pool, limit: int) -> int:
    """Seats that people compete for: of a static pool without those that are somebody's own PC."""
    if pool.kind is PoolKind.AGENT:
        return limit
    own = int((await connection.execute(_assigned(pool, func.count()))).scalar_one())
    return max(0, await seats_total(connection, pool, limit) - own)


async def _used(connection: AsyncConnection, pool: Pool) -> dict[Priority, int]:
    """Seats in use by class, own PCs not counted."""
    query = (
        select(_t.priority, func.count())
        .where(_t.tenant_id == pool.tenant_id, _t.pool_id == pool.id, _t.state.in_(SEATED))
        .group_by(_t.priority)
    )
    if pool.kind is PoolKind.STATIC:
        query = query.where(or_(_t.desktop_id.is_(None), _t.desktop_id.not_in(_assigned(pool, static_target.c.id))))
    return {Priority(priority): int(count) for priority, count in await connection.execute(query)}


async def _leaving(connection: AsyncConnection, pool: Pool) -> tuple[datetime, ...]:
    query = (
        select(_t.leaves_at)
        .where(_t.tenant_id == pool.tenant_id, _t.pool_id == pool.id, _t.leaves_at.is_not(None))
        .where(_t.state.in_(SEATED))
        .order_by(_t.leaves_at)
    )
    return tuple((await connection.execute(query)).scalars())


async def _parked(connection: AsyncConnection, pool: Pool) -> int:
    """Desktops that run without a seat: given up, or waiting to get one again."""
    query = select(func.count()).where(_t.tenant_id == pool.tenant_id, _t.pool_id == pool.id, without_seat())
    return int((await connection.execute(query)).scalar_one())
