"""The composition root: the only place that builds the parts and wires them. Counterpart: `gateway/run.py`."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Final

from aiohttp import web

from auth.models import Identity
from auth.service import AuthService
from broker.assembly import Broker, build_broker, build_duties
from broker.catalogue import TOPIC as TOPIC_POOLS
from broker.duties.service import DutyService
from common.audit import AuditEvent, AuditSink
from common.audit_log import AuditLog, load_or_create_signing_key
from common.audit_spool import Spool
from common.bus import EventBus, LocalBus
from common.bus_postgres import PostgresBus
from common.clock import Clock, SystemClock
from common.db import Database, upgrade, wait_until_answering
from common.errors import AuditUnavailable, NotFound
from common.ids import SessionId, TenantId, UserId
from common.log import get_logger
from common.paper import find_fonts
from common.secret import Keyring
from gateway.audit_names import GatewayAudit
from gateway.changes import Changes, Topic
from gateway.clock_watch import ClockWatch, SteadyClock
from gateway.facts import subject
from gateway.follow_up import FollowUp
from gateway.judge import Judge
from gateway.metrics import CountedAudit, Metrics
from gateway.middlewares import MIDDLEWARES, add_headers
from gateway.notices.assembly import build_notices
from gateway.notices.service import TOPIC as TOPIC_RECEIPTS
from gateway.notices.service import NoticeService
from gateway.openapi import document
from gateway.oversight import Oversight
from gateway.pacing import RequestPace
from gateway.readiness import Readiness
from gateway.rehearsal import rehearsing
from gateway.reports.assembly import build_reports
from gateway.reports.service import ReportService
from gateway.routes import ROUTES, add_routes
from gateway.schemas import Body
from gateway.services import SERVICES, Services
from gateway.settings import Settings
from gateway.slow_turns import Slow, SlowTurns, WatchedThreads
from gateway.static import WebClient
from gateway.surroundings import GatewaySurroundings
from gateway.unreachable import Unreachable
from gateway.viewers import Viewers
from policy.bcp.model import Level
from policy.bcp.plan_store import PlanStore
from policy.bcp.service import BcpService
from policy.bcp.store import BcpStore
from policy.service import PolicyService

_log = get_logger(__name__)
_DATABASE_ATTEMPTS: Final = 30
_EMERGENCY: Final = frozenset({Level.ALERT, Level.FIRST, Level.SECOND})
"""Levels at which roster members may sign in although the directory is silent (and not only after minutes of that)."""
_PACKAGED: Final = Path(__file__).parent / "web"
_CHECKOUT: Final = Path(__file__).parent.parent / "web_client" / "dist"


def web_root(settings: Settings) -> Path:
    """The folder of the built web client: the configured one, the one in the package, or the checkout's."""
    return settings.http.web_root or (_PACKAGED if _PACKAGED.is_dir() else _CHECKOUT)


async def build(settings: Settings, *, clock: Clock | None = None) -> web.Application:
    """The application, wired but not started: its start-up connects, its clean-up closes everything again."""
    page = await asyncio.to_thread(WebClient, web_root(settings))
    app = web.Application(middlewares=MIDDLEWARES, client_max_size=Body.largest)
    add_routes(app, page.serve)
    app.on_response_prepare.append(add_headers)
    app.cleanup_ctx.append(_running(settings, clock or SystemClock()))
    return app


def _running(settings: Settings, clock: Clock) -> Callable[[web.Application], AsyncIterator[None]]:
    """Start in order of need, stop in reverse, also when a start fails half-way."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            own, oversight = await _start(settings, clock, stack)
            app[SERVICES] = own

            async def tell_pages(_app: web.Application) -> None:
                await own.changes.close()
                await oversight.close()

            app.on_shutdown.append(tell_pages)
            yield

    return context


async def _start(settings: Settings, machine: Clock, stack: AsyncExitStack) -> tuple[Services, Oversight]:
    asyncio.get_running_loop().set_default_executor(WatchedThreads(thread_name_prefix="asyncio"))
    tenant_id = TenantId(settings.tenant.id)
    clock = SteadyClock(machine)
    keyring = await asyncio.to_thread(Keyring.load_or_create, settings.secrets_file)
    database = await _open_database(settings, stack)
    metrics = Metrics()
    log = await _open_audit(settings, database, clock, stack)
    metrics.watch_spool(lambda: log.spool_bytes)
    audit = CountedAudit(log, metrics)
    bus = await _open_bus(settings, database, stack)
    clock_watch = ClockWatch(database, clock, audit, tenant_id=tenant_id, node=settings.node_id)
    await clock_watch.start()
    stack.push_async_callback(clock_watch.close)

    policy = PolicyService(settings.policy, tenant_id=tenant_id, clock=clock, audit=audit)
    await policy.start()
    stack.push_async_callback(policy.close)

    bcp: BcpService | None = None  # needs auth for its people, which asks it whether there is an emergency

    def drilled(identity: Identity) -> str | None:
        return rehearsing(bcp.active(), subject(identity, duties)) if bcp else None

    auth = AuthService.create(
        settings.auth,
        tenant_id=tenant_id,
        tenant_name=settings.tenant.name_ja,
        database=database,
        keyring=keyring,
        audit=audit,
        bus=bus,
        clock=clock,
        emergency=lambda: bcp is not None and bcp.level() in _EMERGENCY,
        rehearsing=drilled,
    )
    await auth.start()
    stack.push_async_callback(auth.close)

    broker = build_broker(
        database=database,
        keyring=keyring,
        clock=clock,
        audit=audit,
        bus=bus,
        settings=settings.broker,
        node=settings.node_id,
    )
    duties = build_duties(
        tenant_id=tenant_id, database=database, catalogue=broker.catalogue, audit=audit, bus=bus, clock=clock
    )
    await duties.start()
    surroundings = GatewaySurroundings(tenant_id, auth, broker.catalogue, duties, clock)
    bcp = BcpService(
        settings.bcp,
        tenant_id=tenant_id,
        store=BcpStore(database),
        plan_store=PlanStore(database),
        keyring=keyring,
        policy=policy,
        surroundings=surroundings,
        clock=clock,
        audit=audit,
        bus=bus,
    )
    await bcp.start()
    stack.push_async_callback(bcp.close)
    # Not before it knows the register and what is declared: its first look would give kept seats away.
    broker.triage.situation.bind(tenant_id, book=lambda: duties.book, active=bcp.active)
    broker.triage.classes_changed()
    await broker.start()
    stack.push_async_callback(broker.close)
    fonts = partial(find_fonts, settings.reports.font_file, settings.reports.bold_font_file)
    notices = await build_notices(
        settings.notices,
        tenant=settings.tenant,
        url=settings.http.origins[0],
        database=database,
        bcp=bcp,
        book=lambda: duties.book,
        fonts=fonts,
        clock=clock,
        audit=audit,
        bus=bus,
    )
    notices.start()
    stack.push_async_callback(notices.close)
    reports = build_reports(
        settings.reports,
        tenant=settings.tenant,
        database=database,
        bcp=bcp,
        notices=notices,
        book=lambda: duties.book,
        catalogue=broker.catalogue,
        surroundings=surroundings,
        fonts=fonts,
        clock=clock,
        audit=audit,
    )
    reports.start()
    stack.push_async_callback(reports.close)
    checks = {
        "database": database.answers,
        "directory": auth.directory_ready,
        "audit": log.ready,
        "clock": clock_watch.ready,
    }
    readiness = Readiness(checks, clock)
    own, oversight = _wire(
        settings,
        clock,
        clock_watch,
        audit,
        bus,
        auth,
        policy,
        broker,
        duties,
        bcp,
        surroundings,
        notices,
        reports,
        readiness,
        metrics,
    )
    oversight.start()
    stack.push_async_callback(oversight.close)
    own.changes.start()

    def changed(*topics: Topic) -> None:
        oversight.judge_soon()
        broker.triage.classes_changed()
        own.changes.tell_all(*topics)

    bcp.on_change(lambda: changed(Topic.DESKTOPS, Topic.BCP))
    policy.subscribe(lambda _engine: changed(Topic.DESKTOPS))
    duties.subscribe(lambda: changed(Topic.DESKTOPS))

    async def pool_edited(_key: str) -> None:
        changed(Topic.DESKTOPS, Topic.BCP)

    async def receipts_came(_key: str) -> None:
        own.changes.tell_all(Topic.RECEIPTS)

    bus.subscribe(TOPIC_POOLS, pool_edited)
    bus.subscribe(TOPIC_RECEIPTS, receipts_came)
    return own, oversight


def _wire(
    settings: Settings,
    clock: Clock,
    clock_watch: ClockWatch,
    audit: AuditSink,
    bus: EventBus,
    auth: AuthService,
    policy: PolicyService,
    broker: Broker,
    duties: DutyService,
    bcp: BcpService,
    surroundings: GatewaySurroundings,
    notices: NoticeService,
    reports: ReportService,
    readiness: Readiness,
    metrics: Metrics,
) -> tuple[Services, Oversight]:
    tenant_id = TenantId(settings.tenant.id)
    judge = Judge(policy, bcp, broker.catalogue, broker.sessions, broker.days, clock, duties, clock_watch)
    unreachable = Unreachable(broker.silent)
    viewers = Viewers(
        tenant_id=tenant_id,
        settings=settings.relay,
        attachments=broker.attachments,
        judge=judge,
        days=broker.days,
        audit=audit,
        clock=clock,
        metrics=metrics,
        unreachable=unreachable,
    )

    broker.attachments.when_changed = viewers.follow

    async def owner_of(session_id: SessionId) -> UserId | None:
        with contextlib.suppress(NotFound):
            return (await broker.sessions.get(tenant_id, session_id, user_id=None)).user_id
        return None

    def at_work() -> set[UserId]:
        return {live.user_id for live in broker.registry.live()}

    changes = Changes(bus, clock, owner_of, at_work)
    oversight = Oversight(
        tenant_id=tenant_id,
        viewers=viewers,
        sessions=broker.sessions,
        registry=broker.registry,
        auth=auth,
        days=broker.days,
        judge=judge,
        changes=changes,
        bus=bus,
        clock=clock,
    )
    own = Services(
        settings=settings,
        clock=clock,
        clock_watch=clock_watch,
        audit=audit,
        auth=auth,
        policy=policy,
        sessions=broker.sessions,
        attachments=broker.attachments,
        triage=broker.triage,
        catalogue=broker.catalogue,
        duties=duties,
        bcp=bcp,
        surroundings=surroundings,
        notices=notices,
        follow_up=FollowUp(tenant_id, notices, broker.sessions, lambda: duties.book),
        reports=reports,
        changes=changes,
        judge=judge,
        viewers=viewers,
        unreachable=unreachable,
        readiness=readiness,
        pace=RequestPace(clock),
        slow_turns={kind: SlowTurns(kind) for kind in Slow},
        metrics=metrics,
        openapi=json.dumps(document(ROUTES), ensure_ascii=False),
    )
    return own, oversight


async def _open_database(settings: Settings, stack: AsyncExitStack) -> Database:
    database = Database(settings.database.url)
    stack.push_async_callback(database.close)
    await wait_until_answering(database, attempts=_DATABASE_ATTEMPTS, pause_seconds=1.0)
    if settings.database.auto_upgrade:
        await upgrade(settings.database.url)
    return database


async def _open_audit(settings: Settings, database: Database, clock: Clock, stack: AsyncExitStack) -> AuditLog:
    tenant_id = TenantId(settings.tenant.id)
    key = await asyncio.to_thread(load_or_create_signing_key, settings.audit.key_file)
    spool = Spool(settings.audit.spool_for(settings.node_id), limit_bytes=settings.audit.spool_mb * 2**20)
    audit = AuditLog(database, clock, node_id=settings.node_id, tenant_id=tenant_id, key=key, spool=spool)
    await audit.start()
    stack.push_async_callback(audit.close)
    await audit.record(AuditEvent(GatewayAudit.START_GATEWAY, tenant_id, actor=settings.node_id))

    async def stopping() -> None:
        try:
            await audit.record(AuditEvent(GatewayAudit.STOP_GATEWAY, tenant_id, actor=settings.node_id))
        except AuditUnavailable as error:  # an end happens whether or not it can be recorded
            _log.error("the stop is not on record", detail=error.detail)

    stack.push_async_callback(stopping)
    return audit


async def _open_bus(settings: Settings, database: Database, stack: AsyncExitStack) -> EventBus:
    if database.dialect == "sqlite":
        bus: LocalBus | PostgresBus = LocalBus()
    else:
        bus = PostgresBus(settings.database.url, database)
        await bus.start()
    stack.push_async_callback(bus.close)
    return bus
