"""Reports on both databases: made by themselves after the end, frozen, found out when altered."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from broker.duties.book import EMPTY
from common.audit import AuditEvent, ChainedEvent, Detail
from common.audit_store import between
from common.db import Database
from common.errors import AuditUnavailable, NotFound
from common.ids import TenantId
from common.paper import find_fonts
from gateway.notices.model import Reach
from gateway.reports.audit_names import ReportAudit
from gateway.reports.service import BY_ITSELF, MOST_AN_HOUR, ReportService
from gateway.reports.settings import ReportSettings
from gateway.reports.store import ReportStore, bcp_report
from policy.bcp.model import DeclarationState, RefusalCode, Refused
from tests.support.audit import MemoryAudit, node_log
from tests.support.bcp_notices import CITY, START, StaticDeclarations, StaticPeople, declaration, lifted
from tests.support.clock import FakeClock


async def nothing() -> Mapping[str, str]:
    return {}


async def nobody(_declaration_id: str) -> Reach:
    return Reach(())


def service(
    database: Database, declarations: StaticDeclarations, clock: FakeClock, audit: MemoryAudit
) -> ReportService:
    return ReportService(
        ReportSettings(),
        tenant_id=CITY,
        tenant_ja="架橋市",
        tenant_en="Kakehashi City",
        store=ReportStore(database),
        declarations=declarations,
        events=lambda since, until: between(database, CITY, since, until),
        reach=nobody,
        people=StaticPeople(),
        book=lambda: EMPTY,
        pools=nothing,
        names=nothing,
        fonts=find_fonts,
        clock=clock,
        audit=audit,
    )


@pytest.fixture
def declarations() -> StaticDeclarations:
    return StaticDeclarations([lifted(START + timedelta(hours=2))])


@pytest.fixture
def reports(
    database: Database, declarations: StaticDeclarations, clock: FakeClock, audit: MemoryAudit
) -> ReportService:
    return service(database, declarations, clock, audit)


async def written(database: Database, clock: FakeClock, count: int, node: str = "node-1", tenant: str = "city") -> None:
    log = node_log(database, clock, node_id=node, tenant_id=TenantId(tenant))
    await log.start()
    for number in range(count):
        details: dict[str, Detail] = {
            "n": number,
            "pool_id": "office-desktop",
            "normal_allowed": False,
            "declarations": "bcp_1",
        }
        await log.record(
            AuditEvent("request-session", TenantId(tenant), "usr_1", "sato", f"ses_{number}", details=details)
        )
        clock.advance(0.001)
    await log.close()


async def test_a_report_comes_by_itself_an_hour_after_the_end_and_only_once(
    reports: ReportService, database: Database, clock: FakeClock, audit: MemoryAudit
) -> None:
    clock.advance(timedelta(minutes=30))
    await written(database, clock, 5)
    clock.set(START + timedelta(hours=2, minutes=59))
    assert await reports.make_due() == ()
    clock.set(START + timedelta(hours=3))
    (head,) = await reports.make_due()
    assert await reports.make_due() == ()
    assert (head.edition, head.made_by) == (1, BY_ITSELF)
    assert ReportAudit.MAKE_REPORT in audit.names()
    _, report = await reports.get(head.id)
    assert report.final
    assert (report.overall.sessions, report.overall.sessions_widened) == (5, 5)
    assert report.chains[0].events == 5


async def test_what_is_frozen_stays_as_it_was_and_a_later_one_is_a_new_edition(
    reports: ReportService, database: Database, clock: FakeClock, declarations: StaticDeclarations
) -> None:
    declarations.found = [declaration()]
    clock.advance(60)
    first = await reports.make("bcp_1", by="鈴木 一郎")
    await written(database, clock, 3)
    second = await reports.make("bcp_1", by="鈴木 一郎")
    assert [head.edition for head in await reports.heads("bcp_1")] == [2, 1]
    _, early = await reports.get(first.id)
    _, late = await reports.get(second.id)
    assert (early.overall.sessions, late.overall.sessions) == (0, 3)
    assert not early.final
    texts = [await reports.csv(first.id, actor="suzuki", entries=False) for _ in range(2)]
    assert texts[0] == texts[1]
    assert first.sha256 in texts[0]
    assert await reports.pdf(first.id, actor="suzuki") == await reports.pdf(first.id, actor="suzuki")


async def test_a_few_an_hour_are_made_by_hand_and_the_one_due_in_any_case(
    reports: ReportService, clock: FakeClock, audit: MemoryAudit
) -> None:
    clock.set(START + timedelta(hours=3))
    asked = [reports.make("bcp_1", by="sato") for _ in range(MOST_AN_HOUR + 3)]
    made = await asyncio.gather(*asked, return_exceptions=True)
    assert [one.refusal.code for one in made if isinstance(one, Refused)] == [RefusalCode.TOO_MANY_REPORTS] * 3
    assert len(await reports.heads("bcp_1")) == audit.names().count(ReportAudit.MAKE_REPORT) == MOST_AN_HOUR
    assert (await reports.make("bcp_1", by=BY_ITSELF)).edition == MOST_AN_HOUR + 1
    clock.advance(timedelta(minutes=59))
    with pytest.raises(Refused):
        await reports.make("bcp_1", by="mori")
    clock.advance(timedelta(minutes=1))
    assert (await reports.make("bcp_1", by="mori")).made_by == "mori"


async def test_two_nodes_at_once_make_no_more_by_hand_and_number_them_in_order(
    reports: ReportService, database: Database, declarations: StaticDeclarations, clock: FakeClock, audit: MemoryAudit
) -> None:
    clock.set(START + timedelta(hours=3))
    faster = service(database, declarations, clock, audit)
    by = "sato"

    async def meanwhile(_since: datetime, _until: datetime) -> AsyncIterator[ChainedEvent]:
        await faster.make("bcp_1", by=by)
        return
        yield

    reports._events = meanwhile  # type: ignore[misc]  # final
    for _ in range(MOST_AN_HOUR - 1):
        await faster.make("bcp_1", by=by)
    with pytest.raises(Refused) as late:
        await reports.make("bcp_1", by=by)
    assert late.value.refusal.code is RefusalCode.TOO_MANY_REPORTS
    assert [event.outcome for event in audit.events] == ["ok"] * (MOST_AN_HOUR + 1) + ["denied"]
    by = BY_ITSELF
    assert (await reports.make("bcp_1", by=by)).edition == MOST_AN_HOUR + 2


async def test_one_at_a_time_reads_the_audit(
    reports: ReportService, database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await written(database, clock, 2)
    now, most = 0, 0

    async def counted(since: datetime, until: datetime) -> AsyncIterator[ChainedEvent]:
        nonlocal now, most
        now += 1
        most = max(most, now)
        async for chained in between(database, CITY, since, until):
            await asyncio.sleep(0.01)
            yield chained
        now -= 1

    monkeypatch.setattr(reports, "_events", counted)
    await asyncio.gather(*(reports.make("bcp_1", by="sato") for _ in range(2)), reports.score("bcp_1"))
    assert (now, most) == (0, 1)


async def test_an_altered_report_is_not_shown(
    reports: ReportService, database: Database, clock: FakeClock, audit: MemoryAudit
) -> None:
    clock.set(START + timedelta(hours=3))
    (head,) = await reports.make_due()
    async with database.transaction() as connection:
        await connection.execute(update(bcp_report).values(content='{"a":1}'))
    with pytest.raises(NotFound, match="altered"):
        await reports.pdf(head.id, actor="suzuki")
    assert ReportAudit.DISTRUST_REPORT in audit.names()
    with pytest.raises(NotFound):
        await reports.get("rep_none")


async def test_nothing_is_made_or_taken_away_unrecorded(
    reports: ReportService, clock: FakeClock, audit: MemoryAudit
) -> None:
    clock.set(START + timedelta(hours=3))
    audit.broken = True
    with pytest.raises(AuditUnavailable):
        await reports.make("bcp_1", by="x")
    assert await reports.heads() == ()
    audit.broken = False
    head = await reports.make("bcp_1", by="x")
    audit.broken = True
    with pytest.raises(AuditUnavailable):
        await reports.csv(head.id, actor="suzuki", entries=True)


async def test_two_nodes_that_look_at_once_make_equal_reports(
    reports: ReportService, database: Database, declarations: StaticDeclarations, clock: FakeClock, audit: MemoryAudit
) -> None:
    clock.set(START + timedelta(hours=3))
    other = service(database, declarations, clock, audit)
    one, two = await reports.make("bcp_1", by=BY_ITSELF), await other.make("bcp_1", by=BY_ITSELF)
    assert one.sha256 == two.sha256
    assert (one.edition, two.edition) == (1, 2)


async def test_lapsed_and_rejected_and_old_ones_get_none(
    reports: ReportService, declarations: StaticDeclarations, clock: FakeClock
) -> None:
    over = declarations.found[0]
    declarations.found = [replace(over, state=state) for state in (DeclarationState.LAPSED, DeclarationState.REJECTED)]
    clock.set(START + timedelta(hours=4))
    assert await reports.make_due() == ()
    declarations.found = [over]
    clock.set(START + timedelta(days=8))
    assert await reports.make_due() == ()


async def test_events_of_all_nodes_come_in_order_of_time_page_by_page_and_of_one_tenant(
    database: Database, clock: FakeClock
) -> None:
    start = clock.now()
    await written(database, clock, 700, "node-1")
    clock.set(start + timedelta(seconds=0.0005))
    await written(database, clock, 700, "node-2")
    await written(database, clock, 5, "node-3", "other")
    found = [chained async for chained in between(database, CITY, start, start + timedelta(seconds=0.6))]
    assert len(found) == 1_200
    assert [chained.at for chained in found] == sorted(chained.at for chained in found)
    assert {chained.node_id for chained in found} == {"node-1", "node-2"}
    assert len({(chained.node_id, chained.seq) for chained in found}) == 1_200
