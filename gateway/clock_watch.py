"""Watches this machine's clock: while it is more than a minute wrong, nothing begins here that rests on the time.

Counterparts: `common/drift.py` (the arithmetic), `gateway/judge.py` and the middlewares (which ask before they let
something begin). With PostgreSQL the database's clock, which all nodes share, says what is right; with SQLite only a
step of the own clock can be seen, and which side of it was right nobody knows: a restart takes the new time.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from common.audit import AuditEvent, AuditSink, Outcome
from common.clock import Clock
from common.db import Database
from common.drift import MOST, Drift
from common.errors import AuditUnavailable, ErrorCode, KakehashiError, StoreUnavailable
from common.ids import TenantId
from common.log import get_logger
from common.tasks import TaskScope
from gateway.audit_names import GatewayAudit

LOOK_SECONDS: Final = 5.0
_TOGETHER: Final = timedelta(seconds=2)
_LONGEST_ROUND_TRIP: Final = 2.0
"""A slower answer says too little about when it was given."""
_log = get_logger(__name__)


class SteadyClock:
    """The clock that all services of this gateway go by: the machine's, or where that is wrong what it should show.

    So what goes on (limits, ends) is not led astray while nothing new begins. Where nodes share a clock they follow it
    closely: by clocks that are apart a node would take the others' signs of life for old.
    """

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._drift = Drift(machine.now(), machine.monotonic())
        self._tolerated = MOST

    def now(self) -> datetime:
        """See `Clock.now`."""
        now, mono = self._machine.now(), self._machine.monotonic()
        return now if abs(self._drift.of(now, mono)) <= self._tolerated else self._drift.right(mono)

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return self._machine.monotonic()

    def heard(self, said: datetime, mono: float) -> None:
        """The clock that all nodes share showed that when `mono` was ours."""
        self._drift.heard(said, mono)
        self._tolerated = _TOGETHER

    def ahead(self) -> timedelta:
        """How much the machine's clock is ahead of what it should show."""
        return self._drift.of(self._machine.now(), self._machine.monotonic())

    def is_right(self) -> bool:
        """Whether the machine's clock may be gone by."""
        return not self._drift.is_wrong(self._machine.now(), self._machine.monotonic())


class ClockWatch:
    """Runs from `start` to `close`; the questions may be asked at any time and wait for nothing."""

    def __init__(
        self, database: Database, clock: SteadyClock, audit: AuditSink, *, tenant_id: TenantId, node: str
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._tenant_id = tenant_id
        self._node = node
        self._alarmed = False
        self._scope = TaskScope()

    async def start(self) -> None:
        """Look once, so that nothing begins by a wrong clock, then regularly."""
        await self._look()
        self._scope.spawn(self._watch(), name="clock watch")

    async def close(self) -> None:
        """Stop looking."""
        await self._scope.close()

    async def ready(self) -> bool:
        """For /readyz."""
        return self._clock.is_right()

    def require(self) -> None:
        """Before something begins. Raises KakehashiError(CLOCK_WRONG)."""
        if not self._clock.is_right():
            ahead = self._clock.ahead().total_seconds()
            raise KakehashiError(f"clock is {ahead:.0f} s ahead", code=ErrorCode.CLOCK_WRONG)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 - the watch must outlive any single fault
                _log.error("clock watch failed", exc_info=error)

    async def _look(self) -> None:
        before = self._clock.monotonic()
        try:
            said = await self._database.now()
        except StoreUnavailable:
            said = None  # its last word, moved on, still counts
        took = self._clock.monotonic() - before
        if said is not None and took <= _LONGEST_ROUND_TRIP:
            self._clock.heard(said, before + took / 2)
        await self._tell(wrong=not self._clock.is_right())

    async def _tell(self, *, wrong: bool) -> None:
        if wrong is self._alarmed:
            return
        self._alarmed = wrong
        ahead = round(self._clock.ahead().total_seconds())
        if wrong:
            _log.error("clock is wrong: nothing new begins here", seconds_ahead=ahead)
        else:
            _log.warning("clock is right again", seconds_ahead=ahead)
        name = GatewayAudit.DISTRUST_CLOCK if wrong else GatewayAudit.TRUST_CLOCK
        outcome: Outcome = "failed" if wrong else "ok"
        try:
            await self._audit.record(
                AuditEvent(name, self._tenant_id, actor=self._node, outcome=outcome, details={"seconds_ahead": ahead})
            )
        except AuditUnavailable as error:
            _log.error("clock alarm not recorded", detail=error.detail)
