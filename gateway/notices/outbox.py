"""Sends what waits, by every channel, again and again until it is through or hopeless. Runs beside the gateway.

Counterparts: `gateway.notices.store` (what waits), the channels (how). Each channel has its own task: a mail relay that
hangs holds up no webhook. Nothing that goes wrong here reaches those who declare.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, Protocol

from common.audit import AuditEvent, AuditSink, Detail
from common.clock import Clock
from common.errors import KakehashiError
from common.ids import TenantId
from common.log import get_logger
from common.tasks import TaskScope
from gateway.notices.audit_names import NoticeAudit
from gateway.notices.model import ChannelName, NotSent, Outcome, Parcel, Sent
from gateway.notices.settings import NoticeSettings
from gateway.notices.store import NoticeStore

BATCH: Final = {ChannelName.MAIL: 50, ChannelName.WEBHOOK: 500}
LEASE: Final = timedelta(minutes=10)
_BATCH_SECONDS: Final = 480.0
"""Shorter than the lease: when it is over, nobody else may have begun yet."""
_log = get_logger(__name__)


class Channel(Protocol):
    """A way out."""

    async def send(self, parcels: Sequence[Parcel]) -> list[tuple[Parcel, Outcome]]:
        """Try each once and say what became of it."""
        ...


class Outbox:
    """From `start` to `close`; `wake` when there is something new."""

    def __init__(
        self,
        settings: NoticeSettings,
        *,
        tenant_id: TenantId,
        store: NoticeStore,
        channels: Mapping[ChannelName, Channel],
        clock: Clock,
        audit: AuditSink,
    ) -> None:
        self._settings: Final = settings
        self._tenant_id: Final = tenant_id
        self._store: Final = store
        self._channels: Final = channels
        self._clock: Final = clock
        self._audit: Final = audit
        self._scope: Final = TaskScope()
        self._wake: Final = {name: asyncio.Event() for name in channels}

    def start(self) -> None:
        """Begin to send."""
        for name in self._channels:
            self._scope.spawn(self._run(name), name=f"notices by {name}")

    async def close(self) -> None:
        """Stop; what is under way may be sent twice."""
        await self._scope.close()

    def wake(self) -> None:
        """There is something new."""
        for event in self._wake.values():
            event.set()

    async def _run(self, name: ChannelName) -> None:
        while True:
            try:
                while await self.send_due(name):
                    pass
            except KakehashiError as error:  # the database: what waits will wait a little longer
                _log.warning("notices wait", channel=name, code=error.code, detail=error.detail)
            except Exception:  # noqa: BLE001 - the outbox must outlive any single fault
                _log.exception("notices by a channel failed", channel=name)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake[name].wait(), self._settings.poll_seconds)
            self._wake[name].clear()

    async def send_due(self, name: ChannelName) -> int:
        """One batch of what is due on a channel; returns how many were tried."""
        now = self._clock.now()
        lease, parcels = await self._store.claim(self._tenant_id, name, now, lease=LEASE, limit=BATCH[name])
        if not parcels:
            return 0
        results = await self._try(name, parcels)
        second = next((other for other in self._settings.channels if other is not name), None)
        begun = await self._store.finish(
            lease,
            results,
            self._clock.now(),
            give_up_after=timedelta(hours=self._settings.give_up_hours),
            second=second if name is self._settings.channels[0] else None,
            switch_after=self._settings.switch_after,
        )
        await self._record(name, results)
        if begun and second is not None:
            await self._note(NoticeAudit.SWITCH_CHANNEL, {"from": name, "to": second, "people": begun})
            self._wake[second].set()
        return len(parcels)

    async def _try(self, name: ChannelName, parcels: Sequence[Parcel]) -> list[tuple[Parcel, Outcome]]:
        try:
            async with asyncio.timeout(_BATCH_SECONDS):
                return await self._channels[name].send(parcels)
        except TimeoutError:
            return [(parcel, NotSent("the batch took too long")) for parcel in parcels]
        except Exception as error:  # noqa: BLE001 - a fault of a channel is an attempt that failed
            _log.exception("channel broke", channel=name)
            return [(parcel, NotSent(f"{type(error).__name__}")) for parcel in parcels]

    async def _record(self, name: ChannelName, results: Sequence[tuple[Parcel, Outcome]]) -> None:
        """One event for each notice in the batch."""
        by_notice: dict[str, list[tuple[Parcel, Outcome]]] = {}
        for parcel, outcome in results:
            by_notice.setdefault(parcel.notice.id, []).append((parcel, outcome))
        for notice_id, found in by_notice.items():
            failed = [outcome for _, outcome in found if isinstance(outcome, NotSent)]
            await self._note(
                NoticeAudit.SEND_NOTICES,
                {
                    "channel": name,
                    "declaration_id": found[0][0].notice.declaration_id,
                    "kind": found[0][0].notice.kind,
                    "drill": found[0][0].notice.content.drill,
                    "sent": sum(isinstance(outcome, Sent) for _, outcome in found),
                    "not_sent": len(failed),
                    "why": failed[0].why if failed else None,
                },
                subject=notice_id,
                failed=bool(failed),
            )

    async def _note(
        self, name: NoticeAudit, details: Mapping[str, Detail], *, subject: str | None = None, failed: bool = False
    ) -> None:
        event = AuditEvent(
            name, self._tenant_id, subject=subject, outcome="failed" if failed else "ok", details=details
        )
        try:
            await self._audit.record(event)
        except KakehashiError:
            _log.error("audit event lost", event_name=name, subject=subject, details=str(details))
