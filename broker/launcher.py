"""Gives seats to queued sessions and starts and stops their desktops, in the background.

Counterparts: `broker/store/admission.py` decides who gets a seat, the session host's agent does the work. One desktop
is started or stopped by one task at a time; a stop waits for the start that it overtakes. A stop that fails leaves the
session `ending`, with its seat, until a sweep's retry succeeds: a seat is only free when nothing runs on it.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from agents.messages import FrameError, Geometry, Stage, StartRequest
from broker.agent_link import AgentLink
from broker.audit_names import BrokerAudit
from broker.chronicle import Chronicle
from broker.lifecycle import Lifecycle, holds_desktop
from broker.models import DesktopSession, EndReason, Pool, PoolKind
from broker.settings import SessionSettings
from broker.store import AdmissionStore, PoolStore, SessionStore
from common.clock import Clock
from common.errors import AuditUnavailable, KakehashiError, TargetRefused, TargetUnreachable
from common.ids import DesktopId, PoolId, SessionId, TenantId, new_id
from common.log import get_logger
from common.tasks import TaskScope

_log = get_logger(__name__)


class Launcher:
    """Starts and stops desktops for sessions."""

    def __init__(
        self,
        *,
        sessions: SessionStore,
        admission: AdmissionStore,
        pools: PoolStore,
        lifecycle: Lifecycle,
        chronicle: Chronicle,
        link: AgentLink | None,
        clock: Clock,
        settings: SessionSettings,
        node: str,
    ) -> None:
        self._sessions = sessions
        self._admitting = admission
        self._pools = pools
        self._lifecycle = lifecycle
        self._chronicle = chronicle
        self._link = link
        self._clock = clock
        self._settings = settings
        self._node = node
        self._scope = TaskScope()
        self._admission = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting: dict[SessionId, asyncio.Task[None]] = {}
        self._stages: dict[SessionId, Stage] = {}
        self._stopping: set[SessionId] = set()
        self._stop_failed: set[SessionId] = set()
        self._desktop_locks: dict[DesktopId, asyncio.Lock] = {}
        self._lock_users: dict[DesktopId, int] = defaultdict(int)
        lifecycle.when_ending = self.stop_soon

    def stage(self, session_id: SessionId) -> Stage | None:
        """How far the start of a desktop has come, as its host says; None when this gateway is not starting it."""
        return self._stages.get(session_id)

    def is_starting(self, session_id: SessionId) -> bool:
        """Whether a task of this process is starting the session's desktop."""
        return session_id in self._starting

    async def admit(self, tenant_id: TenantId, pool_id: PoolId) -> None:
        """Give free seats of a pool to its queue, in order, as far as this gateway's start slots go."""
        # In a task of its own: a caller that is cancelled half-way must not leave a seat given and nothing started.
        await asyncio.shield(self._spawn(self._admit(tenant_id, pool_id), f"admit {pool_id}"))

    async def _admit(self, tenant_id: TenantId, pool_id: PoolId) -> None:
        async with self._admission:
            while len(self._starting) < self._settings.concurrent_starts:
                session = await self._admitting.admit(
                    tenant_id,
                    pool_id,
                    node=self._node,
                    now=self._clock.now(),
                    fresh_desktop=DesktopId(new_id("dsk")),
                )
                if session is None:
                    return
                self._starting[session.id] = self._spawn(self._start(session), f"start {session.id}")

    async def admit_all(self) -> None:
        """`admit` for every pool in which somebody waits."""
        for tenant_id, pool_id in await self._sessions.queued_pools():
            # Another municipality's register is not known here: its own gateways give its seats.
            if self._admitting.knows(tenant_id):
                await self.admit(tenant_id, pool_id)

    def stop_soon(self, session: DesktopSession) -> None:
        """Stop the session's desktop in the background, then finish the session; once at a time."""
        if session.id not in self._stopping:
            self._stopping.add(session.id)
            self._spawn(self._stop(session), f"stop {session.id}")

    async def stop_orphan(self, tenant_id: TenantId | None, desktop_id: DesktopId) -> None:
        """Stop a desktop that belongs to no session; looked at again under its lock, as one may have begun."""
        async with self._desktop(desktop_id):
            if self._link is None or any(s.desktop_id == desktop_id for s in await self._sessions.with_desktops()):
                return
            await self._link.stop(desktop_id, deadline_seconds=self._settings.stop_seconds)
        _log.warning("desktop without a session stopped", desktop_id=desktop_id)
        if tenant_id is not None:
            await self._chronicle.note_plain(BrokerAudit.STOP_ORPHAN_DESKTOP, tenant_id, subject=desktop_id)

    async def idle(self) -> None:
        """Return when no start or stop is under way."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    async def close(self) -> None:
        """Give up starts and stops under way; the next start-up takes them up again."""
        await self._scope.close()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = self._scope.spawn(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _start(self, session: DesktopSession) -> None:
        try:
            failure = await self._try_start(session)
        finally:
            # Out of the table before any end is decided: `_stop` cancels what it still finds there.
            self._starting.pop(session.id, None)
            self._stages.pop(session.id, None)
        if failure is not None:
            reason, detail = failure
            await self._lifecycle.end(session, reason, detail=detail)
        # The start slot is free again, for whichever pool's queue.
        await self.admit_all()

    async def _try_start(self, session: DesktopSession) -> tuple[EndReason, str] | None:
        """Start the desktop and say `READY`; else why it failed."""
        try:
            await self._chronicle.record(
                BrokerAudit.ADMIT_SESSION,
                session,
                basis={
                    "priority": session.priority,
                    "waited_seconds": int((self._clock.now() - session.created_at).total_seconds()),
                    "site": session.source_site,
                },
            )
            await self._chronicle.record(BrokerAudit.START_DESKTOP, session)
            pool = await self._pools.get(session.tenant_id, session.pool_id)
            if pool is not None and pool.kind is PoolKind.AGENT:
                await self._start_on_host(session, pool)
            await self._lifecycle.ready(session)
        except AuditUnavailable as error:
            return EndReason.AUDIT_UNAVAILABLE, error.detail
        except KakehashiError as error:
            return EndReason.DESKTOP_FAILED, f"{error.code}: {error.detail}"
        except Exception as error:  # noqa: BLE001 - whatever it was, the person must not wait for ever
            _log.exception("start failed", session_id=session.id)
            return EndReason.DESKTOP_FAILED, type(error).__name__
        return None

    async def _start_on_host(self, session: DesktopSession, pool: Pool) -> None:
        if self._link is None or session.desktop_id is None:
            raise TargetUnreachable("no session host is configured")
        try:
            request = StartRequest(
                desktop=session.desktop_id,
                user=session.user_id,
                pool=session.pool_id,
                username=session.username,
                display_name=session.display_name or session.username,
                geometry=Geometry.parse(pool.geometry),
                keyboard=pool.keyboard,
                progress=True,
            )
        except FrameError as error:
            raise TargetRefused(str(error)) from error
        async with self._desktop(session.desktop_id):
            await self._link.start(
                request,
                deadline_seconds=self._settings.start_seconds,
                on_progress=lambda stage: self._progressed(session.id, stage),
            )

    def _progressed(self, session_id: SessionId, stage: Stage) -> None:
        self._stages[session_id] = stage

    async def _stop(self, session: DesktopSession) -> None:
        try:
            starting = self._starting.get(session.id)
            if starting is not None and starting is not asyncio.current_task():
                starting.cancel()
                await asyncio.wait({starting}, timeout=self._settings.stop_seconds)
            await self._stop_on_host(session)
            await self._lifecycle.finish(session)
            self._stop_failed.discard(session.id)
        except KakehashiError as error:
            await self._stop_has_failed(session, error)
            return
        finally:
            self._stopping.discard(session.id)
        await self.admit(session.tenant_id, session.pool_id)

    async def _stop_on_host(self, session: DesktopSession) -> None:
        if not holds_desktop(session) or session.desktop_id is None:
            return
        pool = await self._pools.get(session.tenant_id, session.pool_id)
        if pool is None or pool.kind is not PoolKind.AGENT or self._link is None:
            return
        async with self._desktop(session.desktop_id):
            await self._link.stop(session.desktop_id, deadline_seconds=self._settings.stop_seconds)

    async def _stop_has_failed(self, session: DesktopSession, error: KakehashiError) -> None:
        _log.warning("desktop did not stop", session_id=session.id, code=error.code, detail=error.detail)
        if session.id not in self._stop_failed:
            self._stop_failed.add(session.id)
            await self._chronicle.note(
                BrokerAudit.FAIL_DESKTOP_STOP, session, outcome="failed", detail=f"{error.code}: {error.detail}"
            )

    @asynccontextmanager
    async def _desktop(self, desktop_id: DesktopId) -> AsyncIterator[None]:
        """One start or stop at a time for each desktop; the lock is forgotten with its last user."""
        lock = self._desktop_locks.setdefault(desktop_id, asyncio.Lock())
        self._lock_users[desktop_id] += 1
        try:
            async with lock:
                yield
        finally:
            self._lock_users[desktop_id] -= 1
            if not self._lock_users[desktop_id]:
                del self._lock_users[desktop_id], self._desktop_locks[desktop_id]
