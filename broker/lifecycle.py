"""The steps of a session that several parts take: end, finish, lose the viewer, queue again.

Counterparts: `broker/sessions.py` (people's wishes), `broker/jobs.py` (limits), `broker/launcher.py` (desktops). Each
step looks, tries compare-and-set, and looks again when somebody was faster; a step that somebody else has taken already
is no error. It must not talk to desktops: whoever set `when_ending` does.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from broker.audit_names import BrokerAudit
from broker.chronicle import Chronicle
from broker.limits import parked, stop_counting
from broker.models import DesktopSession, EndReason
from broker.registry import LiveRegistry
from broker.states import SEATED, SessionEvent, SessionState, sources
from broker.store import PoolStore, SessionStore
from broker.tickets import Tickets
from common.clock import Clock
from common.errors import ErrorCode, KakehashiError, NotFound
from common.ids import SessionId, TenantId

_TRIES: Final = 20
_DEFAULT_KEEP: Final = timedelta(hours=2)
Changes = Callable[[DesktopSession, datetime], dict[str, Any]]


class Lifecycle:
    """Moves sessions, with audit, bus and registry in step."""

    def __init__(
        self,
        *,
        sessions: SessionStore,
        pools: PoolStore,
        tickets: Tickets,
        registry: LiveRegistry,
        chronicle: Chronicle,
        clock: Clock,
        hold: timedelta,
    ) -> None:
        self._sessions = sessions
        self._pools = pools
        self._tickets = tickets
        self._registry = registry
        self._chronicle = chronicle
        self._clock = clock
        self._hold = hold
        self.when_ending: Callable[[DesktopSession], None] = lambda _session: None
        """Called for each session whose end was decided and whose desktop must be stopped; must not block."""

    async def move(
        self, tenant_id: TenantId, session_id: SessionId, event: SessionEvent, changes: Changes
    ) -> tuple[DesktopSession, bool]:
        """Carry out `event` if the session's state has it; the session after, and whether this call did it.

        Raises NotFound, or KakehashiError(CONFLICT) when others were faster time after time.
        """
        for _ in range(_TRIES):
            session = await self._sessions.get(tenant_id, session_id)
            if session is None:
                raise NotFound(f"session {session_id}")
            if session.state not in sources(event):
                return session, False
            now = self._clock.now()
            moved = await self._sessions.move(session, event, now, **changes(session, now))
            if moved is not None:
                return moved, True
        raise KakehashiError(f"session {session_id} changes too fast", code=ErrorCode.CONFLICT)

    async def end(
        self, session: DesktopSession, reason: EndReason, *, actor: str | None = None, detail: str = ""
    ) -> DesktopSession:
        """Decide the end: the viewer is cut now, the desktop stops in the background. The first reason stays."""
        moved, done = await self.move(
            session.tenant_id,
            session.id,
            SessionEvent.END,
            lambda seen, now: {"end_reason": reason, "keep_until": None, **stop_counting(seen, now)},
        )
        if done:
            await self.decided(moved, session.state, actor=actor, detail=detail)
        return moved

    async def decided(
        self, moved: DesktopSession, before: SessionState, *, actor: str | None = None, detail: str = ""
    ) -> None:
        """What follows from an end that was written down: cut, void, record, stop."""
        reason = moved.end_reason
        assert reason is not None  # noqa: S101 - the schema wants one
        self._registry.cut(reason, tenant_id=moved.tenant_id, session_id=moved.id)
        await self._tickets.void_for_session(moved.tenant_id, moved.id)
        failed = reason in (EndReason.DESKTOP_FAILED, EndReason.AUDIT_UNAVAILABLE, EndReason.TARGET_UNREACHABLE)
        await self._chronicle.note(
            BrokerAudit.END_SESSION,
            moved,
            actor=actor,
            outcome="failed" if failed else "ok",
            reason=reason,
            detail=detail or None,
            worked_seconds=int(moved.worked_seconds),
            before=before,
        )
        self.when_ending(moved)

    async def finish(self, session: DesktopSession) -> DesktopSession:
        """The desktop has stopped: the session is over and its seat free."""
        moved, done = await self.move(
            session.tenant_id, session.id, SessionEvent.FINISH, lambda _seen, now: {"ended_at": now, "node": None}
        )
        if done:
            await self._chronicle.note(BrokerAudit.FINISH_SESSION, moved, reason=moved.end_reason)
        return moved

    async def lose_viewer(
        self, session: DesktopSession, *, number: int, reason: EndReason | None, until: datetime | None = None
    ) -> DesktopSession:
        """The viewer is gone and the desktop is kept for the pool's time. A newer viewer is not touched.

        `until`: when the viewer was last known to be there, if that is not now (its gateway died).
        """
        keep = await self._keep(session)

        def changes(seen: DesktopSession, now: datetime) -> dict[str, Any]:
            return {
                "keep_until": now + keep,
                "node": None,
                "end_reason": reason,
                **stop_counting(seen, min(until or now, now)),
            }

        moved = None
        if session.viewer == number and session.state is SessionState.ACTIVE:
            now = self._clock.now()
            moved = await self._sessions.move(session, SessionEvent.LOSE_VIEWER, now, **changes(session, now))
        if moved is None:
            # Ended or taken over meanwhile: either way this viewer's end changes nothing any more.
            return await self._sessions.get(session.tenant_id, session.id) or session
        await self._chronicle.note(
            BrokerAudit.LOSE_VIEWER, moved, reason=reason, viewer=number, worked_seconds=int(moved.worked_seconds)
        )
        return moved

    async def park(self, session: DesktopSession, keep: timedelta) -> DesktopSession | None:
        """A desktop that was given a seat again, and that nobody came back to, runs on without it; None when somebody
        was faster."""
        now = self._clock.now()
        return await self._sessions.move(session, SessionEvent.PREEMPT, now, **parked(session, now, keep))

    async def left(self, moved: DesktopSession) -> None:
        """What follows from a parking that was written down: the viewer is cut, tickets are void."""
        self._registry.cut(EndReason.PREEMPTED, tenant_id=moved.tenant_id, session_id=moved.id)
        await self._tickets.void_for_session(moved.tenant_id, moved.id)

    async def requeue(self, session: DesktopSession) -> DesktopSession:
        """The gateway that was starting the desktop is gone: back into the queue."""
        moved, done = await self.move(
            session.tenant_id,
            session.id,
            SessionEvent.REQUEUE,
            # Of somebody who comes back to a running desktop, the desktop must stay known: else it would be stopped.
            lambda seen, _now: (
                {"node": None, "seen_at": None, "seated_at": None} | ({} if seen.viewer else {"desktop_id": None})
            ),
        )
        if done:
            await self._chronicle.note(BrokerAudit.REQUEUE_SESSION, moved)
        return moved

    async def ready(self, session: DesktopSession) -> DesktopSession | None:
        """The desktop runs; None when the session's end came first. Raises AuditUnavailable after the move."""
        keep = await self._keep(session)
        now = self._clock.now()
        moved = await self._sessions.move(
            session,
            SessionEvent.READY,
            now,
            keep_until=now + keep,
            hold_until=now + self._hold,
            node=None,
            seen_at=None,
        )
        if moved is not None:
            await self._chronicle.record(BrokerAudit.READY_DESKTOP, moved)
        return moved

    async def _keep(self, session: DesktopSession) -> timedelta:
        pool = await self._pools.get(session.tenant_id, session.pool_id)
        return _DEFAULT_KEEP if pool is None else timedelta(minutes=pool.keep_disconnected_minutes)


def holds_desktop(session: DesktopSession) -> bool:
    """Whether a desktop may be running for it."""
    return session.desktop_id is not None and session.state in SEATED
