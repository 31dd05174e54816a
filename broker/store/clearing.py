"""SQL of making room: one transaction reads a pool, asks the rules and carries their steps out.

Counterparts: `broker/triage/clearing.py` (the rules, pure), `broker/triage/service.py` (cuts viewers and records).
Under the admission lock, so two nodes never ask two people to leave for one who waits.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from broker.limits import parked, stop_counting
from broker.models import DesktopSession, EndReason
from broker.states import SessionEvent, SessionState
from broker.store.admission import AdmissionStore, Picture, lock_admission
from broker.store.rows import session_of
from broker.store.sessions import move_in
from broker.store.tables import desktop_session
from broker.triage.clearing import ClearingRules, Seated, Step, StepKind, clearing
from broker.triage.situation import Situation
from common.db import Database
from common.ids import PoolId, TenantId

_t = desktop_session.c
_MINUTE = timedelta(minutes=1)
_GONE = timedelta(minutes=1)
_NOTE_LAG = timedelta(minutes=1)
"""Input is noted each half minute: who just came back to the desk must not be taken for away."""


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was carried out, with the session before and after."""

    step: Step
    before: DesktopSession
    after: DesktopSession


class ClearingStore:
    """Makes room in pools where P0 or P1 wait under a declaration."""

    def __init__(self, database: Database, admission: AdmissionStore, situation: Situation) -> None:
        self._database = database
        self._admission = admission
        self._situation = situation

    async def pools(self) -> tuple[tuple[TenantId, PoolId], ...]:
        """Pools (of every tenant) in which somebody waits, was asked to leave, or has a lowered picture."""
        query = (
            select(_t.tenant_id, _t.pool_id)
            .where(
                or_(_t.state == SessionState.QUEUED, _t.leaves_at.is_not(None), _t.lowered.is_(True)),
                _t.state != SessionState.ENDED,
            )
            .distinct()
        )
        async with self._database.transaction() as connection:
            rows = await connection.execute(query)
            return tuple((TenantId(row.tenant_id), PoolId(row.pool_id)) for row in rows)

    async def clear(
        self, tenant_id: TenantId, pool_id: PoolId, now: datetime, *, host_room: int | None
    ) -> tuple[Picture | None, tuple[Done, ...]]:
        """Take the steps that the rules want now; the picture they rest on, and what was done. `host_room`: how many
        desktops more the session host takes (None: there is none to ask)."""
        async with self._database.transaction() as connection:
            await lock_admission(connection, tenant_id)
            picture = await self._admission.picture_in(connection, tenant_id, pool_id, now)
            if picture is None:
                return None, ()
            sessions = {session.id: session for session in await _seated(connection, picture)}
            parking = self._situation.parking(picture.pool) - picture.parked
            steps = clearing(
                picture.claims,
                [_as_seated(session, now) for session in sessions.values()],
                parking_left=parking if host_room is None else min(parking, host_room),
                budget=self._situation.settings.preemptions_per_minute - await _asked(connection, tenant_id, now),
                now=now,
                rules=self._rules(),
            )
            done = []
            for step in steps:
                before = sessions[step.session_id]
                after = await self._take(connection, step, before, now)
                if after is not None:
                    done.append(Done(step, before, after))
            return picture, tuple(done)

    async def withdraw(self, session: DesktopSession) -> None:
        """Take a word back that could not be recorded."""
        async with self._database.transaction() as connection:
            await _set(connection, session, leaves_at=None, asked_to_leave_at=None)

    async def _take(
        self, connection: AsyncConnection, step: Step, session: DesktopSession, now: datetime
    ) -> DesktopSession | None:
        asked = {"asked_to_leave_at": session.asked_to_leave_at if session.leaves_at else now}
        match step.kind:
            case StepKind.PARK:
                keep = timedelta(minutes=self._situation.settings.parked_minutes)
                return await move_in(connection, session, SessionEvent.PREEMPT, now, parked(session, now, keep) | asked)
            case StepKind.END:
                ended = {"end_reason": EndReason.PREEMPTED, "keep_until": None, **stop_counting(session, now)}
                return await move_in(connection, session, SessionEvent.END, now, ended | asked)
            case StepKind.WARN | StepKind.HASTEN:
                return await _set(connection, session, leaves_at=step.at, **asked)
            case StepKind.WITHDRAW:
                return await _set(connection, session, leaves_at=None)

    def _rules(self) -> ClearingRules:
        settings = self._situation.settings
        return ClearingRules(
            idle=timedelta(minutes=settings.idle_minutes),
            protected=timedelta(minutes=settings.protected_minutes),
            gone=_GONE,
            warning=timedelta(minutes=settings.warning_minutes),
            warning_p0=timedelta(minutes=settings.p0_warning_minutes),
        )


async def _seated(connection: AsyncConnection, picture: Picture) -> list[DesktopSession]:
    """Sessions that could give up their seat; when nobody claims one, those who were told, to take the word back."""
    pool = picture.pool
    query = select(desktop_session).where(
        _t.tenant_id == pool.tenant_id,
        _t.pool_id == pool.id,
        _t.state.in_((SessionState.ACTIVE, SessionState.DISCONNECTED)),
    )
    if not picture.claims:
        query = query.where(_t.leaves_at.is_not(None))
    return [session_of(row) for row in (await connection.execute(query)).mappings()]


def _as_seated(session: DesktopSession, now: datetime) -> Seated:
    return Seated(
        session_id=session.id,
        priority=session.priority,
        attached=session.state is SessionState.ACTIVE,
        idle_since=_idle_since(session, now),
        seated_at=session.seated_at or session.created_at,
        leaves_at=session.leaves_at,
    )


def _idle_since(session: DesktopSession, now: datetime) -> datetime:
    """Since when nobody is at the desk. Of whom nothing was noted since they attached, it is held that they work."""
    if session.active_since is None:
        return session.state_since
    if session.input_at is None or session.input_at < session.active_since - _NOTE_LAG:
        return now
    return min(now, session.input_at + _NOTE_LAG)


async def _asked(connection: AsyncConnection, tenant_id: TenantId, now: datetime) -> int:
    """How many people of the tenant were asked to make room within a minute."""
    query = select(func.count()).where(_t.tenant_id == tenant_id, _t.asked_to_leave_at > now - _MINUTE)
    return int((await connection.execute(query)).scalar_one())


async def _set(connection: AsyncConnection, session: DesktopSession, **values: Any) -> DesktopSession | None:
    statement = (
        update(desktop_session)
        .where(
            _t.tenant_id == session.tenant_id,
            _t.id == session.id,
            _t.state == session.state,
            _t.viewer == session.viewer,
        )
        .values(**values)
        .returning(desktop_session)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else session_of(row)
