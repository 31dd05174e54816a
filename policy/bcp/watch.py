"""The clock's work: expiry, lapsing, reminders, and looking again at what may have changed elsewhere.

Counterparts: `policy.bcp.memory` (what is in force), `policy.bcp.declaration.timed_out`. Decisions do not wait for it:
an end counts the moment it comes. What is done here is the record of it, and telling those who watch live sessions.
"""

import asyncio
import contextlib
from datetime import datetime, timedelta
from typing import Final

from common.bus import EventBus
from common.errors import StoreUnavailable
from common.ids import TenantId
from common.log import get_logger
from common.tasks import TaskScope
from policy.bcp.audit_names import BcpAudit
from policy.bcp.chronicle import Chronicle
from policy.bcp.declaration import moment, timed_out
from policy.bcp.memory import Memory
from policy.bcp.model import REMINDERS, TOPIC, Declaration, DeclarationState
from policy.bcp.shelf import Shelf
from policy.bcp.store import BcpStore, Stored

_log = get_logger(__name__)
_LEAST_SECONDS: Final = 0.05
_NAMES: Final = {
    DeclarationState.EXPIRED: BcpAudit.EXPIRE_DECLARATION,
    DeclarationState.LAPSED: BcpAudit.LAPSE_DECLARATION,
    DeclarationState.ACTIVE: BcpAudit.DROP_EXTENSION,
}


def due_reminder(declaration: Declaration, reminded: timedelta | None, now: datetime) -> timedelta | None:
    """Which reminder (24, 4 or 1 hours before the end) is due and has not been given; only the nearest of several, and
    none that lay before the beginning."""
    if declaration.state is not DeclarationState.ACTIVE or declaration.starts_at is None:
        return None
    left = declaration.ends_at - moment(declaration, now)
    whole = declaration.ends_at - declaration.starts_at
    due = [step for step in REMINDERS if timedelta() < left <= step < whole]
    nearest = min(due, default=None)
    return nearest if nearest is not None and (reminded is None or nearest < reminded) else None


class Watch:
    """Runs from `start` to `close`; `sweep` may be called at any time."""

    def __init__(
        self,
        *,
        tenant_id: TenantId,
        store: BcpStore,
        memory: Memory,
        shelf: Shelf,
        chronicle: Chronicle,
        bus: EventBus,
        poll_seconds: float,
    ) -> None:
        self._tenant_id: Final = tenant_id
        self._store: Final = store
        self._memory: Final = memory
        self._shelf: Final = shelf
        self._chronicle: Final = chronicle
        self._bus: Final = bus
        self._poll_seconds: Final = poll_seconds
        self._scope: Final = TaskScope()
        self._wake: Final = asyncio.Event()
        self._in_force: frozenset[str] = frozenset()

    def start(self) -> None:
        """Follow the bus and the clock."""
        unsubscribe = self._bus.subscribe(TOPIC, self._announced)
        self._scope.spawn(self._run(unsubscribe), name="bcp-watch")

    async def close(self) -> None:
        """Stop following."""
        await self._scope.close()

    def look_soon(self) -> None:
        """An end may come sooner than thought."""
        self._wake.set()

    async def sweep(self) -> None:
        """Read again, do what is due, note the time. Raises nothing that the database's absence causes."""
        await self._memory.refresh()
        self._tell_if_ended()
        if not self._memory.cut_off:
            with contextlib.suppress(StoreUnavailable):
                await self._work()
        await self._memory.keep_time()

    async def _announced(self, _key: str) -> None:
        await self._memory.refresh()
        await self._shelf.reload()
        self._tell_if_ended()
        self._wake.set()

    async def _run(self, unsubscribe: object) -> None:
        try:
            while True:
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._seconds()):  # wait_for can lose a cancellation in Python 3.11
                        await self._wake.wait()
                    continue
                try:
                    await self.sweep()
                    await self._shelf.reload()
                except Exception:  # noqa: BLE001 - the watch must outlive any single fault
                    _log.exception("bcp watch failed")
        finally:
            if callable(unsubscribe):
                unsubscribe()

    def _seconds(self) -> float:
        """Until the next end of anything, but never longer than the poll."""
        now, mono = self._memory.now()
        ends = [
            (item.ends_at - item.deadline.seen(now, mono)).total_seconds()
            for item in self._memory.snapshot.in_force(now, mono)
        ]
        return max(_LEAST_SECONDS, min([self._poll_seconds, *ends]))

    def _tell_if_ended(self) -> None:
        """What is in force can change by the clock alone, without any new snapshot."""
        now, mono = self._memory.now()
        in_force = frozenset(item.declaration.id for item in self._memory.snapshot.in_force(now, mono))
        if in_force != self._in_force:
            self._in_force = in_force
            self._memory.announce()

    async def _work(self) -> None:
        now, _mono = self._memory.now()
        changed = False
        for row in self._memory.open:
            if row.declaration is None:
                continue
            if timed_out(self._memory.seen(row.declaration), now) is not None:
                changed |= await self._time_out(row.id)
            elif (remaining := due_reminder(self._memory.seen(row.declaration), row.reminded, now)) is not None:
                await self._remind(row, remaining)
        if changed:
            await self._memory.refresh()

    async def _time_out(self, declaration_id: str) -> bool:
        """Of several nodes one records it."""
        key = await self._memory.key()
        now, _mono = self._memory.now()
        async with self._store.turn(self._tenant_id) as turn:
            found = await self._memory.trusted(await turn.get(declaration_id))
            ended = timed_out(found, now) if found is not None else None
            if found is None or ended is None or not await turn.change(ended, key.sign(ended), was=found):
                return False
        await self._chronicle.note(_NAMES[ended.state], ended)
        return True

    async def _remind(self, row: Stored, remaining: timedelta) -> None:
        if row.declaration is None:
            return
        async with self._store.turn(self._tenant_id) as turn:
            first = await turn.remind(row.declaration, remaining)
        if first:
            await self._chronicle.note(BcpAudit.REMIND_DECLARATION, row.declaration, remaining=remaining)
