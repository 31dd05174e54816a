"""Duties, sites and rosters in use: preview, import, export, and the book that decisions read. Counterparts: the store
`broker/store/duties.py`, the admin API, `gateway/judge.py`.

An import is made only when the digest of the preview comes back, and only while that preview is still what would
happen. Every change is recorded before it is made. Each node keeps the newest register in memory, so that decisions
need no database; the bus topic `duties` tells the others to read again.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from broker.audit_names import BrokerAudit
from broker.catalogue import Catalogue
from broker.duties import csv_files, yaml_files
from broker.duties.book import EMPTY, DutyBook
from broker.duties.checks import Shelf
from broker.duties.findings import Finding
from broker.duties.models import Kind, Register
from broker.duties.planning import Change, Import, Op, Plan, examine, plan
from broker.duties.reading import MOST_BYTES, MOST_FILES
from broker.duties.records import SourceFile
from common.audit import AuditEvent, AuditSink, Detail
from common.bus import EventBus
from common.clock import Clock
from common.errors import ErrorCode, KakehashiError, NotFound
from common.ids import TenantId
from common.log import get_logger

TOPIC: Final = "duties"
_STAFF_PER_EVENT: Final = 40
_log = get_logger(__name__)


class RegisterStore(Protocol):
    """What this service needs of `broker/store/duties.py`."""

    async def load(self, tenant_id: TenantId) -> Register:
        """The register as of one moment."""

    async def save(self, tenant_id: TenantId, plan: Plan, made: Import, content: str) -> bool:
        """Make a plan's changes, all or none; False when another import came first."""

    async def history(self, tenant_id: TenantId) -> tuple[Import, ...]:
        """The newest imports, newest first."""

    async def content(self, tenant_id: TenantId, version: int) -> str | None:
        """The whole register after an import."""


class DutyService:
    """One tenant's register."""

    def __init__(
        self,
        tenant_id: TenantId,
        store: RegisterStore,
        catalogue: Catalogue,
        audit: AuditSink,
        bus: EventBus,
        clock: Clock,
    ) -> None:
        self._tenant_id = tenant_id
        self._store = store
        self._catalogue = catalogue
        self._audit = audit
        self._bus = bus
        self._clock = clock
        self._listeners: list[Callable[[], None]] = []
        self.book: DutyBook = EMPTY

    async def start(self) -> None:
        """Read the register and follow its changes. Raises StoreUnavailable."""
        self._bus.subscribe(TOPIC, self._changed)
        await self.reload()

    def duties_of(self, username: str) -> frozenset[str]:
        """`Subject.duties` of a person; empty for whoever is not in the register."""
        return self.book.duties_of(username)

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call this after every change of `book`."""
        self._listeners.append(listener)

    async def reload(self) -> None:
        """Read again. Raises StoreUnavailable: the old book stays then."""
        register = await self._store.load(self._tenant_id)
        if register.version <= self.book.register.version:
            return  # our own change, told again by the bus; and a slower read must not bring back what was replaced
        self.book = await asyncio.to_thread(DutyBook, register)
        for listener in self._listeners:
            listener()

    async def preview(self, files: Sequence[SourceFile]) -> Plan:
        """What importing these files would come to. Raises KakehashiError(TOO_LARGE)."""
        _check_size(files)
        current, shelf = await self._store.load(self._tenant_id), await self._shelf()
        return await asyncio.to_thread(plan, self._tenant_id, files, current, shelf)

    async def apply(self, files: Sequence[SourceFile], digest: str, *, actor: str, source: str | None = None) -> Plan:
        """Import exactly what was shown under `digest`. A plan with faults is given back and changes nothing.

        Raises KakehashiError(CONFLICT) when it would no longer come to the same, AuditUnavailable.
        """
        wanted = await self.preview(files)
        if wanted.faults:
            return wanted
        if wanted.digest != digest:
            await self._refused(actor, source, digest)
        if not wanted.changes:
            return wanted
        made = Import(wanted.wanted.version, self._clock.now(), actor, digest)
        for event in _events(self._tenant_id, wanted, made, source):
            await self._audit.record(event)
        content = await asyncio.to_thread(yaml_files.write, wanted.wanted)
        if not await self._store.save(self._tenant_id, wanted, made, content):
            await self._refused(actor, source, digest)
        await self.reload()
        await self._bus.publish(TOPIC, str(made.version))
        return wanted

    async def findings(self) -> tuple[Finding, ...]:
        """What is wrong or left over in the register now."""
        return await asyncio.to_thread(examine, self.book.register, await self._shelf())

    async def history(self) -> tuple[Import, ...]:
        """The newest imports, newest first."""
        return await self._store.history(self._tenant_id)

    async def export(self, name: str, *, actor: str, source: str | None = None) -> str:
        """A file's text by its name: `sites.csv`, `departments.csv`, `staff.csv`, `duties.csv`, `register.yaml`, or
        `version-3.yaml`, the register after the third import. Recorded, because the lists hold personal details.

        Raises NotFound, AuditUnavailable.
        """
        content = await self._exported(name)
        event = AuditEvent(BrokerAudit.EXPORT_REGISTER, self._tenant_id, actor=actor, subject=name, source=source)
        await self._audit.record(event)
        return content

    async def _exported(self, name: str) -> str:
        stem, _, suffix = name.partition(".")
        if suffix == "csv" and stem in set(Kind):
            entries = tuple(self.book.register.of(Kind(stem)).values())
            return await asyncio.to_thread(csv_files.write, Kind(stem), entries)
        if name == "register.yaml":
            return await asyncio.to_thread(yaml_files.write, self.book.register)
        number = stem.removeprefix("version-")
        if suffix == "yaml" and number != stem and number.isascii() and number.isdigit() and len(number) < 10:
            content = await self._store.content(self._tenant_id, int(number))
            if content is not None:
                return content
        raise NotFound(f"no export {name!r}")

    async def _shelf(self) -> Shelf:
        pools = {str(pool.id): pool.zone for pool in await self._catalogue.pools(self._tenant_id)}
        targets = await self._catalogue.targets(self._tenant_id)
        return Shelf(pools, {str(target.id): pools.get(str(target.pool_id)) for target in targets})

    async def _refused(self, actor: str, source: str | None, digest: str) -> None:
        await self._audit.record(
            AuditEvent(
                BrokerAudit.REFUSE_REGISTER_IMPORT,
                self._tenant_id,
                actor=actor,
                source=source,
                outcome="failed",
                details={"digest": digest, "cause": "the register or the files changed after the preview"},
            )
        )
        raise KakehashiError("the plan is no longer what was shown", code=ErrorCode.CONFLICT)

    async def _changed(self, _key: str) -> None:
        try:
            await self.reload()
        except KakehashiError as error:  # the last known register stays in force; the bus tells again after an outage
            _log.error("register could not be read again", code=error.code, detail=error.detail)


def _check_size(files: Sequence[SourceFile]) -> None:
    if not files or len(files) > MOST_FILES or sum(len(file.content) for file in files) > MOST_BYTES:
        raise KakehashiError(f"1 to {MOST_FILES} files, {MOST_BYTES} bytes together", code=ErrorCode.TOO_LARGE)


_NAMES: Final = {
    Kind.SITES: BrokerAudit.CHANGE_SITE,
    Kind.DEPARTMENTS: BrokerAudit.CHANGE_DEPARTMENT,
    Kind.STAFF: BrokerAudit.CHANGE_STAFF,
    Kind.DUTIES: BrokerAudit.CHANGE_DUTY,
}


def _events(tenant_id: TenantId, wanted: Plan, made: Import, source: str | None) -> Iterator[AuditEvent]:
    """First the whole, then every entry that changes; staff many to an event, because April moves thousands."""

    def event(name: BrokerAudit, subject: str | None, details: dict[str, Detail]) -> AuditEvent:
        details = {"version": made.version, **details}
        return AuditEvent(name, tenant_id, actor=made.actor, subject=subject, source=source, details=details)

    counts: dict[str, Detail] = {"digest": made.digest, "orphans": len(wanted.orphans)}
    for op in Op:
        counts[op] = sum(change.op is op for change in wanted.changes)
    yield event(BrokerAudit.IMPORT_REGISTER, None, counts)
    staff = [change for change in wanted.changes if change.kind is Kind.STAFF]
    for change in wanted.changes:
        if change.kind is not Kind.STAFF:
            fields: dict[str, Detail] = {f.field: f"{_said(f.before)} → {_said(f.after)}" for f in change.fields}
            yield event(_NAMES[change.kind], change.entry_id, {"op": change.op, **fields})
    for start in range(0, len(staff), _STAFF_PER_EVENT):
        several = staff[start : start + _STAFF_PER_EVENT]
        details: dict[str, Detail] = {change.entry_id: _staff_change(change) for change in several}
        yield event(BrokerAudit.CHANGE_STAFF, None, details)


def _staff_change(change: Change) -> str:
    if change.op is Op.REMOVED:
        return str(change.op)
    fields = "; ".join(f"{f.field}: {_said(f.before)} → {_said(f.after)}" for f in change.fields)
    return f"{change.op}: {fields}"


def _said(value: str | None) -> str:
    return "-" if value is None or value == "" else value
