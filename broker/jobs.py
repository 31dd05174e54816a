"""The broker's periodic work: heartbeat, sweep, reconciliation, triage, retention.

Counterparts: `broker/recovery.py` and `broker/triage/service.py` do it.

A round that fails is logged and the next one comes all the same; rounds of one job never overlap.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from broker.models import DesktopSession
from broker.recovery import Recovery
from broker.settings import SessionSettings
from broker.store import SessionStore
from broker.tickets import Tickets
from broker.triage.service import Triage
from broker.worked_days import WorkedDays
from common.clock import Clock
from common.errors import KakehashiError
from common.ids import SessionId
from common.log import get_logger
from common.tasks import TaskScope

_RETENTION_SECONDS: Final = 3_600.0
# A host may notice a desktop's end a moment after its stream closed.
_CHECK_PAUSES: Final = (0.0, 0.5, 1.5, 5.0)
_log = get_logger(__name__)


class BrokerJobs:
    """Runs the jobs until closed."""

    def __init__(
        self,
        *,
        recovery: Recovery,
        triage: Triage,
        sessions: SessionStore,
        tickets: Tickets,
        days: WorkedDays,
        clock: Clock,
        settings: SessionSettings,
        triage_seconds: float,
    ) -> None:
        self._recovery = recovery
        self._triage = triage
        self._triage_seconds = triage_seconds
        self._sessions = sessions
        self._tickets = tickets
        self._days = days
        self._clock = clock
        self._settings = settings
        self._scope = TaskScope()
        self._checking: set[SessionId] = set()

    async def start(self) -> None:
        """Mend what the last run left, then begin the rounds."""
        await self._recovery.after_start()
        settings = self._settings
        self._every(settings.heartbeat_seconds, self._recovery.confirm, "broker heartbeat")
        self._every(settings.sweep_seconds, self._recovery.sweep, "broker sweep")
        self._every(settings.reconcile_seconds, self._recovery.reconcile, "broker reconciliation")
        self._every(self._triage_seconds, self._triage.round, "triage")
        self._every(_RETENTION_SECONDS, self.forget, "broker retention")

    def check_soon(self, session: DesktopSession) -> None:
        """Ask the session host about a desktop that seems to be gone, now and a few times more."""
        if session.id not in self._checking:
            self._checking.add(session.id)
            self._scope.spawn(self._check(session), name=f"check {session.id}")

    async def _check(self, session: DesktopSession) -> None:
        try:
            for pause in _CHECK_PAUSES:
                await asyncio.sleep(pause)
                if await self._recovery.check(session):
                    return
        finally:
            self._checking.discard(session.id)

    async def forget(self) -> None:
        """Drop lapsed tickets, days of past weeks and sessions that ended long ago."""
        await self._tickets.purge()
        await self._days.purge()
        await self._sessions.purge(self._clock.now() - timedelta(days=self._settings.history_days))

    async def close(self) -> None:
        """Stop the rounds."""
        await self._scope.close()

    def _every(self, seconds: float, work: Callable[[], Awaitable[None]], name: str) -> None:
        async def rounds() -> None:
            while True:
                try:
                    await work()
                except KakehashiError as error:
                    _log.warning("round failed", job=name, code=error.code, detail=error.detail)
                except Exception:  # noqa: BLE001 - a job that dies silently would leave seats taken for ever
                    _log.exception("round failed", job=name)
                await asyncio.sleep(seconds)

        self._scope.spawn(rounds(), name=name)
