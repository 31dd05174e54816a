"""Builds the reports of their parts: what the gateway's composition root calls. It decides nothing."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime

from broker.catalogue import Catalogue
from broker.duties.book import DutyBook
from common.audit import AuditSink, ChainedEvent
from common.audit_store import between
from common.clock import Clock
from common.db import Database
from common.ids import TenantId
from common.paper import Fonts
from gateway.notices.people import RosterPeople
from gateway.notices.service import NoticeService
from gateway.reports.service import ReportService
from gateway.reports.settings import ReportSettings
from gateway.reports.store import ReportStore
from gateway.settings import TenantSettings
from gateway.surroundings import GatewaySurroundings
from policy.bcp.service import BcpService


def build_reports(
    settings: ReportSettings,
    *,
    tenant: TenantSettings,
    database: Database,
    bcp: BcpService,
    notices: NoticeService,
    book: Callable[[], DutyBook],
    catalogue: Catalogue,
    surroundings: GatewaySurroundings,
    fonts: Callable[[], Fonts],
    clock: Clock,
    audit: AuditSink,
) -> ReportService:
    """Wired; its `start` begins to make reports by itself."""
    tenant_id = TenantId(tenant.id)

    def events(since: datetime, until: datetime) -> AsyncIterator[ChainedEvent]:
        return between(database, tenant_id, since, until)

    async def pools() -> Mapping[str, str]:
        return {str(pool.id): pool.name_ja for pool in await catalogue.pools(tenant_id)}

    async def names() -> Mapping[str, str]:
        people = await surroundings.identities()
        return {str(p.user_id): p.display_name for p in people} | {p.username: p.display_name for p in people}

    return ReportService(
        settings,
        tenant_id=tenant_id,
        tenant_ja=tenant.name_ja,
        tenant_en=tenant.name_en,
        store=ReportStore(database),
        declarations=bcp,
        events=events,
        reach=notices.reach,
        people=RosterPeople(book, address_domain=None),
        book=book,
        pools=pools,
        names=names,
        fonts=fonts,
        clock=clock,
        audit=audit,
    )
