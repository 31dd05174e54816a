"""Builds the broker of its parts: what the gateway's composition root calls. It decides nothing."""

from dataclasses import dataclass
from datetime import timedelta

from broker.access import DesktopAccess
from broker.agent_link import AgentLink, UnixAgentLink
from broker.attachments import Attachments
from broker.catalogue import Catalogue
from broker.chronicle import TOPIC, Chronicle
from broker.credentials import CredentialVault
from broker.duties.service import DutyService
from broker.jobs import BrokerJobs
from broker.launcher import Launcher
from broker.lifecycle import Lifecycle
from broker.models import EndReason
from broker.recovery import Recovery
from broker.registry import LiveRegistry
from broker.sessions import SessionService
from broker.settings import BrokerSettings
from broker.silent import SilentTargets
from broker.store import (
    AdmissionStore,
    ClearingStore,
    DutyStore,
    PoolStore,
    SessionStore,
    TargetStore,
    TicketStore,
    WorkedDayStore,
)
from broker.tickets import Tickets
from broker.triage.service import Triage
from broker.triage.situation import Situation
from broker.worked_days import WorkedDays
from common.audit import AuditSink
from common.bus import MISSED, EventBus
from common.clock import Clock
from common.db import Database
from common.ids import SessionId, TenantId
from common.secret import Keyring


@dataclass(frozen=True, slots=True)
class Broker:
    """The parts that the gateway uses, and their start and stop."""

    sessions: SessionService
    attachments: Attachments
    catalogue: Catalogue
    registry: LiveRegistry
    days: WorkedDays
    launcher: Launcher
    triage: Triage
    recovery: Recovery
    jobs: BrokerJobs
    bus: EventBus
    silent: SilentTargets

    async def start(self) -> None:
        """Mend what the last run left; begin periodic work; listen to other nodes."""
        self.bus.subscribe(TOPIC, self._changed)
        await self.jobs.start()

    async def close(self) -> None:
        """Cut the viewers that are left (they reconnect), stop the work. Desktops go on."""
        await self.jobs.close()
        self.registry.cut_all(EndReason.GATEWAY_STOPPING)
        await self.launcher.close()
        await self.days.close()

    async def _changed(self, key: str) -> None:
        if key == MISSED:
            for live in self.registry.live():
                await self.attachments.look_again(live.session_id)
        else:
            await self.attachments.look_again(SessionId(key))


def build_broker(
    *,
    database: Database,
    keyring: Keyring,
    clock: Clock,
    audit: AuditSink,
    bus: EventBus,
    settings: BrokerSettings,
    node: str,
    link: AgentLink | None = None,
) -> Broker:
    """Wire it all. `link` replaces the agent's unix socket of the settings (another transport)."""
    if link is None and settings.agent.socket is not None:
        link = UnixAgentLink(settings.agent.socket, settings.agent.answer_seconds)
    situation = Situation(settings.triage)
    sessions, pools, targets = (
        SessionStore(database, situation),
        PoolStore(database, situation),
        TargetStore(database),
    )
    silent = SilentTargets(clock)
    admission = AdmissionStore(database, situation, silent)
    vault, registry, chronicle = CredentialVault(keyring), LiveRegistry(), Chronicle(audit, bus)
    days = WorkedDays(WorkedDayStore(database), clock)
    tickets = Tickets(TicketStore(database), sessions, clock, lifetime_seconds=settings.sessions.ticket_seconds)
    lifecycle = Lifecycle(
        sessions=sessions,
        pools=pools,
        tickets=tickets,
        registry=registry,
        chronicle=chronicle,
        clock=clock,
        hold=timedelta(seconds=settings.triage.hold_seconds),
    )
    launcher = Launcher(
        sessions=sessions,
        admission=admission,
        pools=pools,
        lifecycle=lifecycle,
        chronicle=chronicle,
        link=link,
        clock=clock,
        settings=settings.sessions,
        node=node,
    )
    triage = Triage(
        situation=situation,
        admission=admission,
        clearing=ClearingStore(database, admission, situation),
        sessions=sessions,
        pools=pools,
        lifecycle=lifecycle,
        launcher=launcher,
        chronicle=chronicle,
        link=link,
        clock=clock,
    )
    service = SessionService(
        store=sessions,
        tickets=tickets,
        lifecycle=lifecycle,
        launcher=launcher,
        triage=triage,
        registry=registry,
        chronicle=chronicle,
        clock=clock,
        settings=settings.sessions,
        node=node,
    )
    attachments = Attachments(
        store=sessions,
        tickets=tickets,
        lifecycle=lifecycle,
        triage=triage,
        access=DesktopAccess(pools, targets, vault, link, settings.targets),
        registry=registry,
        chronicle=chronicle,
        clock=clock,
        settings=settings.sessions,
        node=node,
    )
    recovery = Recovery(
        sessions=sessions,
        pools=pools,
        targets=targets,
        attachments=attachments,
        lifecycle=lifecycle,
        launcher=launcher,
        registry=registry,
        link=link,
        clock=clock,
        settings=settings.sessions,
        node=node,
    )
    jobs = BrokerJobs(
        recovery=recovery,
        triage=triage,
        sessions=sessions,
        tickets=tickets,
        days=days,
        clock=clock,
        settings=settings.sessions,
        triage_seconds=settings.triage.round_seconds,
    )
    attachments.when_in_doubt = jobs.check_soon
    catalogue = Catalogue(pools, targets, vault, audit, bus)
    return Broker(service, attachments, catalogue, registry, days, launcher, triage, recovery, jobs, bus, silent)


def build_duties(
    *, tenant_id: TenantId, database: Database, catalogue: Catalogue, audit: AuditSink, bus: EventBus, clock: Clock
) -> DutyService:
    """The register of one tenant; its `start` reads it."""
    return DutyService(tenant_id, DutyStore(database), catalogue, audit, bus, clock)
