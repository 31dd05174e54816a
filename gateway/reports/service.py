"""After-action reports as the gateway uses them: made by themselves after the end, frozen, printed on demand.

Counterparts: `policy.bcp.service` (declarations), `common.audit_store` (events), `gateway.notices.service` (receipts).
What was frozen is checked against its hash at every reading; a report that was altered is not shown.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol

from broker.duties.book import DutyBook
from common.audit import AuditEvent, AuditSink, ChainedEvent, Detail, Outcome
from common.clock import Clock
from common.era import FiscalYear
from common.errors import ErrorCode, KakehashiError, NotFound
from common.ids import TenantId
from common.log import get_logger
from common.paper import Fonts
from common.tasks import TaskScope
from gateway.notices.model import Reach
from gateway.notices.people import People
from gateway.reports.audit_names import ReportAudit
from gateway.reports.calendar import DrillYear, drill_year
from gateway.reports.gather import BEGINNINGS, Material, gather
from gateway.reports.model import Report, Score, decode, encode, plain, sha256
from gateway.reports.pdf import draw
from gateway.reports.score import Scorer
from gateway.reports.sessions import Sessions
from gateway.reports.settings import ReportSettings
from gateway.reports.sheet import entries_csv, summary_csv
from gateway.reports.store import ReportHead, ReportStore
from policy.bcp.model import Declaration, DeclarationState, Official, RefusalCode
from policy.bcp.plan import Plan
from policy.bcp.refusals import refused

AFTER: Final = timedelta(hours=1)
"""What happens so long after the end (grace, last disconnections) belongs into the report."""
LATEST: Final = timedelta(days=7)
"""Reports of what ended earlier are made only when somebody asks."""
MOST_AN_HOUR: Final = 4
"""Reports of one declaration, made by hand. Each is kept for ever."""
BY_ITSELF: Final = "（自動作成）"
_RECORDED_WITHIN: Final = timedelta(minutes=1)
_MOST_EVENTS: Final = 2_000_000
_OVER: Final = frozenset({DeclarationState.LIFTED, DeclarationState.EXPIRED})
_log = get_logger(__name__)

Events = Callable[[datetime, datetime], AsyncIterator[ChainedEvent]]
"""The tenant's audit events from a moment on and before another, in order of time."""


class Declarations(Protocol):
    """What this service asks of BCP mode (`policy.bcp.service.BcpService`)."""

    @property
    def officials(self) -> tuple[Official, ...]:
        """The list of those who may sign."""
        ...

    async def get(self, declaration_id: str) -> Declaration:
        """One declaration; raises Refused(NOT_FOUND)."""
        ...

    async def history(self, limit: int = 200) -> tuple[Declaration, ...]:
        """The newest declarations."""
        ...

    async def plan_of(self, declaration: Declaration) -> Plan:
        """The plan that was declared."""
        ...


class ReportService:
    """`start` before use, `close` at the end."""

    def __init__(
        self,
        settings: ReportSettings,
        *,
        tenant_id: TenantId,
        tenant_ja: str,
        tenant_en: str,
        store: ReportStore,
        declarations: Declarations,
        events: Events,
        reach: Callable[[str], Awaitable[Reach]],
        people: People,
        book: Callable[[], DutyBook],
        pools: Callable[[], Awaitable[Mapping[str, str]]],
        names: Callable[[], Awaitable[Mapping[str, str]]],
        fonts: Callable[[], Fonts],
        clock: Clock,
        audit: AuditSink,
    ) -> None:
        """`pools` gives names of pools by id; `names` of people by user id and user name, as far as they are known;
        `fonts` may raise ConfigError, which then only printing meets."""
        self._settings: Final = settings
        self._tenant_id: Final = tenant_id
        self._tenant: Final = (tenant_ja, tenant_en)
        self._store: Final = store
        self._declarations: Final = declarations
        self._events: Final = events
        self._reading: Final = asyncio.Lock()  # one at a time passes the whole audit of a declaration
        self._reach: Final = reach
        self._people: Final = people
        self._book: Final = book
        self._pools: Final = pools
        self._names: Final = names
        self._fonts: Final = fonts
        self._clock: Final = clock
        self._audit: Final = audit
        self._scope: Final = TaskScope()
        self._drawing: Final = asyncio.Lock()

    def start(self) -> None:
        """Begin to look for ended declarations."""
        self._scope.spawn(self._run(), name="bcp reports")

    async def close(self) -> None:
        """Stop."""
        await self._scope.close()

    async def _run(self) -> None:
        while True:
            try:
                await self.make_due()
            except KakehashiError as error:
                _log.warning("bcp reports wait", code=error.code, detail=error.detail)
            except Exception:  # noqa: BLE001 - must outlive any single fault
                _log.exception("bcp reports failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), self._settings.look_seconds)

    async def make_due(self) -> tuple[ReportHead, ...]:
        """Make the report of everything that ended an hour ago and has none. Of several nodes that look at once, each
        may make an edition; their contents are the same but for the time."""
        now = self._clock.now()
        made = []
        for declaration in await self._declarations.history(50):
            ended = declaration.ended_at
            if declaration.state in _OVER and ended is not None and now - LATEST < ended <= now - AFTER:
                heads = await self._store.heads(self._tenant_id, declaration.id)
                if not any(head.made_at >= ended + AFTER for head in heads):
                    made.append(await self.make(declaration.id, by=BY_ITSELF))
        return tuple(made)

    async def make(self, declaration_id: str, *, by: str, actor: str | None = None) -> ReportHead:
        """Freeze a report of what is known now. Raises Refused (NOT_FOUND, TOO_MANY_REPORTS), StoreUnavailable,
        AuditUnavailable."""
        declaration = await self._declarations.get(declaration_id)
        material = await self._material(declaration, by)
        async with self._reading:
            if not self._few(by, await self._store.heads(self._tenant_id, declaration_id)):
                raise refused(RefusalCode.TOO_MANY_REPORTS, most=MOST_AN_HOUR)
            events = []
            async for chained in self._events(material.window_from, material.window_to):
                events.append(chained)
                if len(events) > _MOST_EVENTS:
                    raise KakehashiError("too many events for one report", code=ErrorCode.TOO_LARGE)
            report = await asyncio.to_thread(gather, material, events)
            content = await asyncio.to_thread(encode, report)
            digest = sha256(content)
            await self._note(ReportAudit.MAKE_REPORT, declaration_id, actor=actor, sha256=digest, events=len(events))
            made = await self._store.add(
                self._tenant_id,
                declaration_id,
                made_at=material.made_at,
                made_by=by,
                sha256=digest,
                level=report.level,
                content=content.decode(),
                allows=partial(self._few, by),
            )
            if made is None:  # another node was faster
                await self._note(ReportAudit.MAKE_REPORT, declaration_id, actor=actor, outcome="denied", sha256=digest)
                raise refused(RefusalCode.TOO_MANY_REPORTS, most=MOST_AN_HOUR)
            return made

    def _few(self, by: str, heads: Sequence[ReportHead]) -> bool:
        """Whether one more may be made beside these of its declaration."""
        an_hour_ago = self._clock.now() - timedelta(hours=1)
        lately = sum(head.made_at > an_hour_ago and head.made_by != BY_ITSELF for head in heads)
        return by == BY_ITSELF or lately < MOST_AN_HOUR

    async def score(self, declaration_id: str) -> Score:
        """How it went so far, of a drill or in earnest; nothing is kept. Raises Refused(NOT_FOUND)."""
        declaration = await self._declarations.get(declaration_id)
        sessions, scorer = Sessions(declaration.id), Scorer(declaration)
        since, until = self._window(declaration)
        async with self._reading:
            async for chained in self._events(since, until):
                sessions.feed(chained)
                scorer.feed(chained)
        return scorer.score(sessions, self._book())

    async def rules_before(self, declaration_id: str) -> str:
        """The hash of the normal rules when the declaration began; empty when no event tells. Raises
        Refused(NOT_FOUND)."""
        declaration = await self._declarations.get(declaration_id)
        if declaration.starts_at is None:
            return ""
        begun = declaration.starts_at
        async for chained in self._events(begun - _RECORDED_WITHIN, begun + _RECORDED_WITHIN):
            event = chained.event
            if event.subject == declaration_id and event.name in BEGINNINGS and event.outcome == "ok":
                return plain(event.details.get("policy_version"))
        return ""

    def _window(self, declaration: Declaration) -> tuple[datetime, datetime]:
        now = self._clock.now()
        begun = min((signed.at for signed in declaration.signatures), default=declaration.created_at)
        return min(begun, declaration.created_at), min(now, (declaration.ended_at or now) + AFTER)

    async def _material(self, declaration: Declaration, by: str) -> Material:
        now = self._clock.now()
        since, until = self._window(declaration)
        plan = await self._declarations.plan_of(declaration)
        return Material(
            tenant_ja=self._tenant[0],
            tenant_en=self._tenant[1],
            declaration=declaration,
            plan=plan,
            officials=self._declarations.officials,
            book=self._book(),
            reach=await self._reach(declaration.id),
            names=await self._known_names(),
            scope_names=self._people.names(declaration.scope),
            pools=await self._pools(),
            made_at=now,
            made_by=by,
            window_from=since,
            window_to=until,
        )

    async def _known_names(self) -> Mapping[str, str]:
        try:
            return await self._names()
        except KakehashiError as error:
            _log.warning("report without names of people", code=error.code)
            return {}

    # ---- reading ---------------------------------------------------------------------------------------------

    async def heads(self, declaration_id: str | None = None) -> tuple[ReportHead, ...]:
        """What there is, newest first."""
        return await self._store.heads(self._tenant_id, declaration_id)

    async def get(self, report_id: str) -> tuple[ReportHead, Report]:
        """A report. Raises NotFound, also for one that does not have its hash any more."""
        found = await self._store.get(self._tenant_id, report_id)
        if found is None:
            raise NotFound(f"report {report_id}")
        head, content = found
        if sha256(content.encode()) != head.sha256:
            _log.error("report was altered", report_id=report_id)
            await self._note(ReportAudit.DISTRUST_REPORT, report_id, sha256=head.sha256)
            raise NotFound(f"report {report_id} was altered")
        return head, await asyncio.to_thread(decode, content.encode())

    async def pdf(self, report_id: str, *, actor: str) -> bytes:
        """The printed form. Raises NotFound, ConfigError (no font), AuditUnavailable."""
        head, report = await self.get(report_id)
        fonts = self._fonts()
        await self._note(ReportAudit.EXPORT_REPORT, report_id, actor=actor, form="pdf")
        async with self._drawing:  # one at a time: each takes seconds of processor time
            return await asyncio.to_thread(draw, report, head.sha256, fonts)

    async def csv(self, report_id: str, *, actor: str, entries: bool) -> str:
        """All events of the report, or its tables, as the text of a CSV file. Raises NotFound, AuditUnavailable."""
        head, report = await self.get(report_id)
        form = "entries" if entries else "summary"
        await self._note(ReportAudit.EXPORT_REPORT, report_id, actor=actor, form=form)
        if entries:
            return await asyncio.to_thread(entries_csv, report)
        return await asyncio.to_thread(summary_csv, report, head.sha256)

    async def drill_years(self) -> tuple[DrillYear, DrillYear]:
        """The drills of this fiscal year, with what is overdue, and those of the year before."""
        held, now = await self._declarations.history(), self._clock.now()
        this = drill_year(held, now)
        return this, drill_year(held, now, FiscalYear(this.year.year - 1))

    async def _note(
        self, name: ReportAudit, subject: str, *, actor: str | None = None, outcome: Outcome = "ok", **details: Detail
    ) -> None:
        event = AuditEvent(name, self._tenant_id, actor=actor, subject=subject, outcome=outcome, details=details)
        await self._audit.record(event)
