"""Makes the table true again after a crash: of this gateway, of another one, of a desktop or of the session host.

Counterparts: `broker/jobs.py` calls it at start-up and now and then, `broker/lifecycle.py` takes the steps. Nothing
here trusts that it was told of everything: it compares the table with what is there.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from agents.messages import DesktopInfo, DesktopState, EndCause
from broker.agent_link import AgentLink
from broker.attachments import Attachments
from broker.launcher import Launcher
from broker.lifecycle import Lifecycle
from broker.limits import Due, DueStep, Limits, SignsOfLife, due
from broker.models import DesktopSession, EndReason, PoolKind
from broker.registry import LiveRegistry
from broker.settings import SessionSettings
from broker.states import SessionState
from broker.store import PoolStore, SessionStore, TargetStore
from common.clock import Clock
from common.errors import KakehashiError, TargetError
from common.ids import SessionId
from common.log import get_logger

_REQUEST_LIMIT: Final = timedelta(seconds=60)
_START_MARGIN: Final = timedelta(seconds=30)
_NEVER: Final = timedelta(days=365)
_RUNNING: Final = frozenset({DesktopState.STARTING, DesktopState.READY})
_HOLDING: Final = frozenset({SessionState.READY, SessionState.ACTIVE, SessionState.DISCONNECTED, SessionState.PARKED})
_log = get_logger(__name__)


class Recovery:
    """Finds and mends what no longer fits."""

    def __init__(
        self,
        *,
        sessions: SessionStore,
        pools: PoolStore,
        targets: TargetStore,
        attachments: Attachments,
        lifecycle: Lifecycle,
        launcher: Launcher,
        registry: LiveRegistry,
        link: AgentLink | None,
        clock: Clock,
        settings: SessionSettings,
        node: str,
    ) -> None:
        self._sessions = sessions
        self._pools = pools
        self._targets = targets
        self._attachments = attachments
        self._lifecycle = lifecycle
        self._launcher = launcher
        self._registry = registry
        self._link = link
        self._clock = clock
        self._node = node
        self._limits = Limits(
            node_lost=timedelta(seconds=settings.node_lost_seconds),
            start=timedelta(seconds=settings.start_seconds) + _START_MARGIN,
            request=_REQUEST_LIMIT,
        )
        self._signs = SignsOfLife(self._limits.node_lost)
        self._unknown_since: dict[tuple[SessionId, int], float] = {}

    async def after_start(self) -> None:
        """This gateway has just started: whatever the table says it held, it does not hold."""
        for session in await self._sessions.held_by(self._node):
            await self._let_go(session)

    async def confirm(self) -> None:
        """Sign of life on what this gateway holds; cut and release where table and registry disagree.

        Raises StoreUnavailable: nobody could give signs of life then.
        """
        now = self._clock.now()
        held = await self._sessions.confirm(self._node, now)
        self._signs.given(now, self._clock.monotonic())
        await self._attachments.settle()
        shown = {session.id: session.viewer for session in held if session.state is SessionState.ACTIVE}
        for live in self._registry.live():
            if shown.get(live.session_id) != live.number:
                await self._attachments.look_again(live.session_id)
        await self._release_unknown(held)

    async def sweep(self) -> None:
        """Carry out what is due in every session, then fill free seats."""
        now = self._clock.now()
        limits = self._limits_at(now)
        overdue = await self._sessions.overdue(
            now,
            lost_before=now - limits.node_lost,
            requested_before=now - self._limits.request,
            started_before=now - self._limits.start,
        )
        for session in overdue:
            if step := due(session, now, limits):
                try:
                    await self._carry_out(session, step)
                except KakehashiError as error:
                    # One session that cannot be mended must not keep the others from it.
                    _log.warning("sweep failed", session_id=session.id, code=error.code, detail=error.detail)
        await self._launcher.admit_all()

    def _limits_at(self, now: datetime) -> Limits:
        """Without the database no gateway could give a sign of life, this one included: until each had the time to
        give one again, silence is no proof of death. Else every outage would end with all viewers cut."""
        if self._signs.count(now, self._clock.monotonic()):
            return self._limits
        return replace(self._limits, node_lost=_NEVER)

    async def reconcile(self) -> None:
        """Compare the session host's desktops with the sessions: end the one, stop the other. Quiet when the host does
        not answer: then nothing is known, and nothing is ended."""
        if self._link is None:
            return
        # Order matters. A session seen before the listing must be in it; a desktop in the listing must have a session
        # seen after it. What began in between is in neither comparison.
        before = [session for session in await self._sessions.with_desktops() if session.state in _HOLDING]
        try:
            listed = {info.desktop: info for info in await self._link.list()}
        except TargetError as error:
            _log.warning("session host not reconciled", code=error.code, detail=error.detail)
            return
        for session in before:
            await self._end_without_desktop(session, listed.get(session.desktop_id) if session.desktop_id else None)
        held = {session.desktop_id for session in await self._sessions.with_desktops()}
        for info in listed.values():
            if info.state in _RUNNING and info.desktop not in held:
                await self._stop_orphan(info)

    async def check(self, session: DesktopSession) -> bool:
        """Ask the host about one session's desktop and end the session if it is gone; True when that is settled."""
        seen = await self._sessions.get(session.tenant_id, session.id)
        if seen is None or seen.state is not SessionState.DISCONNECTED or self._link is None:
            return True
        try:
            listed = {info.desktop: info for info in await self._link.list()}
        except TargetError:
            return False
        info = listed.get(seen.desktop_id) if seen.desktop_id else None
        if info is not None and info.state in _RUNNING:
            return False
        await self._end_without_desktop(seen, info)
        return True

    async def _end_without_desktop(self, session: DesktopSession, info: DesktopInfo | None) -> None:
        if info is not None and info.state in _RUNNING:
            return
        pool = await self._pools.get(session.tenant_id, session.pool_id)
        if pool is None or pool.kind is not PoolKind.AGENT:
            return
        seen = await self._sessions.get(session.tenant_id, session.id)
        if seen is None or seen.state not in _HOLDING:
            return
        left = info is not None and info.cause is EndCause.LOGGED_OFF
        cause = "not on the session host" if info is None else f"{info.state} {info.cause}"
        await self._lifecycle.end(seen, EndReason.DESKTOP_ENDED if left else EndReason.DESKTOP_FAILED, detail=cause)

    async def _stop_orphan(self, info: DesktopInfo) -> None:
        try:
            owner = await self._targets.find_desktop(info.desktop)
            await self._launcher.stop_orphan(None if owner is None else owner.tenant_id, info.desktop)
        except TargetError as error:
            _log.warning("orphan not stopped", desktop_id=info.desktop, code=error.code, detail=error.detail)

    async def _release_unknown(self, held: tuple[DesktopSession, ...]) -> None:
        """Sessions that the table gives to this gateway and nobody here knows of: let go of them after a while.

        Not at once: between the move to `ACTIVE` or `STARTING` and the entry in registry or launcher lies a moment.
        """
        now = self._clock.monotonic()
        unknown = {(s.id, s.viewer): s for s in held if not self._known_here(s)}
        self._unknown_since = {key: self._unknown_since.get(key, now) for key in unknown}
        for key, session in unknown.items():
            if now - self._unknown_since[key] >= self._limits.node_lost.total_seconds():
                await self._let_go(session)

    def _known_here(self, session: DesktopSession) -> bool:
        live = self._registry.get(session.id)
        return (live is not None and live.number == session.viewer) or self._launcher.is_starting(session.id)

    async def _carry_out(self, session: DesktopSession, step: Due) -> None:
        match step.step:
            case DueStep.END:
                assert step.reason is not None  # noqa: S101 - an end has a reason
                await self._lifecycle.end(session, step.reason, detail=f"limit reached in {session.state}")
            case DueStep.STOP:
                self._launcher.stop_soon(session)
            case DueStep.LOSE_VIEWER | DueStep.REQUEUE:
                await self._let_go(session)

    async def _let_go(self, session: DesktopSession) -> None:
        """Nobody holds the session any more: its working time counts up to the last sign of life."""
        if session.state is SessionState.STARTING:
            await self._lifecycle.requeue(session)
        else:
            await self._lifecycle.lose_viewer(session, number=session.viewer, reason=None, until=session.seen_at)
