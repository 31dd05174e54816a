"""SQL of desktop sessions. Counterparts: `broker/sessions.py`, `broker/attachments.py`, `broker/recovery.py`,
`broker/triage/`; who gets a seat stands in `broker/store/admission.py`.

`move` is the only way to change a state: compare-and-set on (state, viewer), so of two that act on the same sight of a
session exactly one succeeds and the other looks again.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Result, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from broker.duties.models import Priority
from broker.models import DesktopSession, EndReason
from broker.states import INITIAL, LIVE, SEATED, WAITING, SessionEvent, SessionState, advance
from broker.store.pools import read_pool, seats_total, seats_used
from broker.store.rows import session_of, session_row
from broker.store.tables import desktop_session
from broker.triage.order import URGENT
from broker.triage.situation import Situation
from common.db import Database, take_turn
from common.ids import PoolId, SessionId, TenantId, UserId
from common.together import Together

_t = desktop_session.c

CREDITED: Final = frozenset({EndReason.PREEMPTED, EndReason.HOLD_LAPSED})
"""Ends after which somebody who asks again soon keeps their place."""

# Said a thousand times a minute when everybody comes back: building a statement costs as much as running it.
ONE: Final = select(desktop_session).where(_t.tenant_id == bindparam("tenant_id"), _t.id == bindparam("id"))
THESE: Final = select(desktop_session).where(_t.tenant_id.in_(bindparam("tenants")), _t.id.in_(bindparam("ids")))
LIVE_OF: Final = (
    select(desktop_session)
    .where(_t.tenant_id.in_(bindparam("tenants")), _t.user_id.in_(bindparam("users")), _t.state.in_(LIVE))
    .order_by(_t.created_at, _t.id)
)
MOVE: Final = (
    update(desktop_session)
    .where(
        _t.tenant_id == bindparam("seen_tenant"),
        _t.id == bindparam("seen_id"),
        _t.state == bindparam("seen_state"),
        _t.viewer == bindparam("seen_viewer"),
    )
    .returning(desktop_session)
)
"""What else is among the parameters is what is written."""

_KEPT: Final = (SessionState.READY, SessionState.DISCONNECTED, SessionState.PARKED)


class OpenRefusal(StrEnum):
    """Why a session was not opened."""

    NO_POOL = "no_pool"
    POOL_FULL = "pool_full"
    PERSON_LIMIT = "person_limit"


class SessionStore:
    """Reads and moves desktop sessions."""

    def __init__(self, database: Database, situation: Situation) -> None:
        self._database = database
        self._situation = situation
        self._known: Final = Together(self._get)
        self._live: Final = Together(self._live_of)

    async def open(self, fresh: DesktopSession) -> DesktopSession | OpenRefusal:
        """Insert `fresh` (`REQUESTED`), or give the person's live session in that pool; its id tells which.

        Pool limit, queue limit and the person's limit are decided in this one transaction.
        """
        assert fresh.state is INITIAL  # noqa: S101 - the schema refuses others too
        try:
            async with self._database.transaction() as connection:
                return await self._open(connection, fresh)
        except IntegrityError:
            # The unique index caught what the locks could not: a session of the same person and pool is there now.
            live = await self.live_of(fresh.tenant_id, fresh.user_id)
            found = [session for session in live if session.pool_id == fresh.pool_id]
            if not found:
                raise
            return found[0]

    async def _open(self, connection: AsyncConnection, fresh: DesktopSession) -> DesktopSession | OpenRefusal:
        await _lock_person(connection, fresh.tenant_id, fresh.user_id)
        pool = await read_pool(connection, fresh.tenant_id, fresh.pool_id, lock=True)
        if pool is None:
            return OpenRefusal.NO_POOL
        person = and_(_t.tenant_id == fresh.tenant_id, _t.user_id == fresh.user_id, _t.state.in_(LIVE))
        live = [session_of(row) for row in (await connection.execute(select(desktop_session).where(person))).mappings()]
        for session in live:
            if session.pool_id == fresh.pool_id:
                return session
        if not pool.enabled:
            return OpenRefusal.NO_POOL
        if len(live) >= pool.user_session_limit:
            return OpenRefusal.PERSON_LIMIT
        waiting = select(func.count()).where(
            _t.tenant_id == pool.tenant_id, _t.pool_id == pool.id, _t.state.in_(WAITING)
        )
        free = await seats_total(connection, pool, self._situation.seats(pool)) - await seats_used(connection, pool)
        full = int((await connection.execute(waiting)).scalar_one()) >= max(0, free) + pool.max_queued
        # A queue full of others must not turn those away for whom a seat is kept or cleared.
        if full and fresh.priority not in URGENT:
            return OpenRefusal.POOL_FULL
        fresh = replace(fresh, credited_since=await self._credit(connection, fresh))
        await connection.execute(desktop_session.insert().values(session_row(fresh)))
        return fresh

    async def _credit(self, connection: AsyncConnection, fresh: DesktopSession) -> datetime | None:
        """Since when somebody waits who lost a seat here a moment ago. A held seat that lapsed gives it once only: who
        never comes must not stay first for ever."""
        within = timedelta(minutes=self._situation.settings.credit_minutes)
        query = (
            select(desktop_session)
            .where(
                _t.tenant_id == fresh.tenant_id,
                _t.user_id == fresh.user_id,
                _t.pool_id == fresh.pool_id,
                _t.state.in_((SessionState.ENDING, SessionState.ENDED)),
                _t.state_since > fresh.created_at - within,
            )
            .order_by(_t.state_since.desc(), _t.id)
            .limit(1)
        )
        row = (await connection.execute(query)).mappings().one_or_none()
        last = None if row is None else session_of(row)
        if last is None or last.end_reason not in CREDITED:
            return None
        if last.end_reason is EndReason.HOLD_LAPSED and last.credited_since is not None:
            return None
        return last.waits_since

    async def get(self, tenant_id: TenantId, session_id: SessionId) -> DesktopSession | None:
        """One session, ended or not."""
        return await self._known.get((tenant_id, session_id))

    async def _get(
        self, asked: Sequence[tuple[TenantId, SessionId]]
    ) -> dict[tuple[TenantId, SessionId], DesktopSession]:
        keys = {"tenants": list({one for one, _ in asked}), "ids": [one for _, one in asked]}
        found = map(session_of, (await self._database.execute(THESE, keys)).mappings())
        return {(session.tenant_id, session.id): session for session in found}

    async def find(self, session_id: SessionId) -> DesktopSession | None:
        """One session by its unguessable id alone: for events of other nodes, which carry nothing else."""
        return next(iter(await self._select(_t.id == session_id)), None)

    async def live_of(self, tenant_id: TenantId, user_id: UserId) -> tuple[DesktopSession, ...]:
        """A person's sessions that have not ended and are not ending, oldest first."""
        return await self._live.get((tenant_id, user_id)) or ()

    async def _live_of(
        self, people: Sequence[tuple[TenantId, UserId]]
    ) -> dict[tuple[TenantId, UserId], tuple[DesktopSession, ...]]:
        found: dict[tuple[TenantId, UserId], tuple[DesktopSession, ...]] = {}
        asked = {"tenants": list({one for one, _ in people}), "users": [one for _, one in people]}
        for row in (await self._database.execute(LIVE_OF, asked)).mappings():
            session = session_of(row)
            whose = session.tenant_id, session.user_id
            found[whose] = (*found.get(whose, ()), session)
        return found

    async def unended_of(self, tenant_id: TenantId) -> tuple[DesktopSession, ...]:
        """All sessions of a tenant but the ended ones, oldest first."""
        return await self._select(_t.tenant_id == tenant_id, _t.state != SessionState.ENDED)

    async def move(
        self, session: DesktopSession, event: SessionEvent, now: datetime, **changes: Any
    ) -> DesktopSession | None:
        """Carry out `event` on the session as seen; None when it is no longer as seen. Raises InvalidTransition."""
        return one_of(await self._database.execute(MOVE, _moved(session, event, now, changes)))

    async def set_terms(
        self, session: DesktopSession, *, obligations_json: str, expires_at: datetime
    ) -> DesktopSession | None:
        """Write the terms of a newer grant; None when the viewer has changed meanwhile."""
        statement = (
            update(desktop_session)
            .where(_t.tenant_id == session.tenant_id, _t.id == session.id, _t.viewer == session.viewer)
            .values(obligations=obligations_json, expires_at=expires_at)
            .returning(desktop_session)
        )
        return one_of(await self._database.execute(statement))

    async def confirm(self, node: str, now: datetime) -> tuple[DesktopSession, ...]:
        """A node's sign of life on all sessions it starts or shows (of every tenant); gives them."""
        statement = (
            update(desktop_session)
            .where(_t.node == node, _t.state.in_((SessionState.STARTING, SessionState.ACTIVE)))
            .values(seen_at=now)
            .returning(desktop_session)
        )
        return tuple(session_of(row) for row in (await self._database.execute(statement)).mappings())

    async def held_by(self, node: str) -> tuple[DesktopSession, ...]:
        """Sessions (of every tenant) that a node starts or shows according to the table."""
        return await self._select(_t.node == node, _t.state.in_((SessionState.STARTING, SessionState.ACTIVE)))

    async def overdue(
        self, now: datetime, *, lost_before: datetime, requested_before: datetime, started_before: datetime
    ) -> tuple[DesktopSession, ...]:
        """Sessions (of every tenant) that a sweep must look at; `broker/limits.py` says what is due."""
        state = _t.state
        return await self._select(
            or_(
                state == SessionState.ENDING,
                and_(state.in_(LIVE), _t.expires_at <= now),
                and_(state.in_(_KEPT), _t.keep_until <= now),
                and_(state.in_((SessionState.ACTIVE, SessionState.STARTING)), _t.seen_at < lost_before),
                and_(state == SessionState.REQUESTED, _t.state_since < requested_before),
                and_(state == SessionState.STARTING, _t.state_since < started_before),
            )
        )

    async def queued_pools(self) -> tuple[tuple[TenantId, PoolId], ...]:
        """Pools (of every tenant) in which somebody waits for a seat."""
        query = select(_t.tenant_id, _t.pool_id).where(_t.state == SessionState.QUEUED).distinct()
        rows = await self._database.execute(query)
        return tuple((TenantId(row.tenant_id), PoolId(row.pool_id)) for row in rows)

    async def with_desktops(self) -> tuple[DesktopSession, ...]:
        """Sessions (of every tenant) that hold a desktop, those without a seat included."""
        return await self._select(or_(_t.state.in_(SEATED), without_seat()))

    async def of_pool(self, tenant_id: TenantId, pool_id: PoolId) -> tuple[DesktopSession, ...]:
        """A pool's sessions that have not ended, oldest first."""
        return await self._select(_t.tenant_id == tenant_id, _t.pool_id == pool_id, _t.state != SessionState.ENDED)

    async def live_in(self, tenant_id: TenantId) -> tuple[DesktopSession, ...]:
        """Every session of a tenant that has neither ended nor is ending, oldest first."""
        return await self._select(_t.tenant_id == tenant_id, _t.state.in_(LIVE))

    async def lapsed_holds(self, now: datetime) -> tuple[DesktopSession, ...]:
        """Sessions (of every tenant) whose held seat nobody took in time, in pools where others wait."""
        other = desktop_session.alias()
        waits = select(other.c.id).where(
            other.c.tenant_id == _t.tenant_id, other.c.pool_id == _t.pool_id, other.c.state == SessionState.QUEUED
        )
        return await self._select(_t.state == SessionState.READY, _t.hold_until <= now, waits.exists())

    async def set_priority(self, session: DesktopSession, priority: Priority) -> DesktopSession | None:
        """Write another class; None when somebody has."""
        return await self._set(session, _t.priority == session.priority, priority=priority)

    async def set_lowered(self, session: DesktopSession, *, lowered: bool) -> DesktopSession | None:
        """Lower the picture quality of a session or give it back; None when somebody has."""
        return await self._set(session, _t.lowered.is_(not lowered), lowered=lowered)

    async def any_lowered(self, tenant_id: TenantId) -> bool:
        """Whether a picture is lowered anywhere."""
        query = select(_t.id).where(_t.tenant_id == tenant_id, _t.lowered.is_(True), _t.state.in_(LIVE)).limit(1)
        return (await self._database.execute(query)).first() is not None

    async def note_input(self, seen: Sequence[tuple[TenantId, SessionId, int, datetime]]) -> None:
        """When viewers last did something: (tenant, session, viewer, moment)."""
        async with self._database.transaction() as connection:
            for tenant_id, session_id, viewer, at in seen:
                await connection.execute(
                    update(desktop_session)
                    .where(_t.tenant_id == tenant_id, _t.id == session_id, _t.viewer == viewer)
                    .values(input_at=at)
                )

    async def forget_input(self, node: str) -> None:
        """Drop what a node noted: nobody needs it now, and it must not be taken for news later."""
        await self._database.execute(
            update(desktop_session).where(_t.node == node, _t.input_at.is_not(None)).values(input_at=None)
        )

    async def _set(self, session: DesktopSession, *conditions: Any, **values: Any) -> DesktopSession | None:
        statement = (
            update(desktop_session)
            .where(_t.tenant_id == session.tenant_id, _t.id == session.id, _t.state.in_(LIVE), *conditions)
            .values(**values)
            .returning(desktop_session)
        )
        return one_of(await self._database.execute(statement))

    async def purge(self, ended_before: datetime) -> int:
        """Forget sessions (of every tenant) that ended before a moment; how many."""
        statement = delete(desktop_session).where(_t.state == SessionState.ENDED, _t.ended_at < ended_before)
        return (await self._database.execute(statement)).rowcount

    async def _select(self, *conditions: Any) -> tuple[DesktopSession, ...]:
        query = select(desktop_session).where(*conditions).order_by(_t.created_at, _t.id)
        return tuple(session_of(row) for row in (await self._database.execute(query)).mappings())


def without_seat() -> Any:
    """The condition for a desktop that runs although its session holds no seat."""
    return or_(_t.state == SessionState.PARKED, and_(_t.state == SessionState.QUEUED, _t.desktop_id.is_not(None)))


async def read_session(
    connection: AsyncConnection, tenant_id: TenantId, session_id: SessionId
) -> DesktopSession | None:
    """One session, ended or not, within a transaction."""
    return one_of(await connection.execute(ONE, {"tenant_id": tenant_id, "id": session_id}))


async def _lock_person(connection: AsyncConnection, tenant_id: TenantId, user_id: UserId) -> None:
    """Make a person's requests for different pools wait for each other, so that their limit holds (SQLite: they do)."""
    await take_turn(connection, f"{tenant_id} {user_id}")


async def move_in(
    connection: AsyncConnection,
    session: DesktopSession,
    event: SessionEvent,
    now: datetime,
    changes: dict[str, Any],
) -> DesktopSession | None:
    """`SessionStore.move` inside a transaction that decided on it."""
    return one_of(await connection.execute(MOVE, _moved(session, event, now, changes)))


def one_of(result: Result[Any]) -> DesktopSession | None:
    """The session of the only row, if there is one."""
    row = result.mappings().one_or_none()
    return None if row is None else session_of(row)


def _moved(session: DesktopSession, event: SessionEvent, now: datetime, changes: dict[str, Any]) -> dict[str, Any]:
    """For `MOVE`: the session as seen, and the columns to write."""
    return {
        "seen_tenant": session.tenant_id,
        "seen_id": session.id,
        "seen_state": session.state,
        "seen_viewer": session.viewer,
        "state": advance(session.state, event),
        "state_since": now,
        **changes,
    }
