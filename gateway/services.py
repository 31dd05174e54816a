"""What handlers work with: built and wired in `gateway/app.py`, found through one typed key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from auth.service import AuthService
from broker.attachments import Attachments
from broker.catalogue import Catalogue
from broker.duties.service import DutyService
from broker.sessions import SessionService
from broker.triage.service import Triage
from common.audit import AuditSink
from common.clock import Clock
from gateway.changes import Changes
from gateway.clock_watch import ClockWatch
from gateway.follow_up import FollowUp
from gateway.judge import Judge
from gateway.metrics import Metrics
from gateway.notices.service import NoticeService
from gateway.pacing import RequestPace
from gateway.permissions import Caller
from gateway.readiness import Readiness
from gateway.reports.service import ReportService
from gateway.settings import Settings
from gateway.slow_turns import Slow, SlowTurns
from gateway.surroundings import GatewaySurroundings
from gateway.unreachable import Unreachable
from gateway.viewers import Viewers
from policy.bcp.service import BcpService
from policy.service import PolicyService


@dataclass(frozen=True, slots=True)
class Services:
    """One of each."""

    settings: Settings
    clock: Clock
    clock_watch: ClockWatch
    audit: AuditSink
    auth: AuthService
    policy: PolicyService
    sessions: SessionService
    attachments: Attachments
    triage: Triage
    catalogue: Catalogue
    duties: DutyService
    bcp: BcpService
    surroundings: GatewaySurroundings
    notices: NoticeService
    follow_up: FollowUp
    reports: ReportService
    changes: Changes
    judge: Judge
    viewers: Viewers
    unreachable: Unreachable
    readiness: Readiness
    pace: RequestPace
    slow_turns: Mapping[Slow, SlowTurns]
    metrics: Metrics
    openapi: str
    """The API's description, as JSON text."""


SERVICES: Final = web.AppKey("services", Services)
REQUEST_ID: Final = web.RequestKey("request_id", str)
CALLER: Final = web.RequestKey("caller", Caller)
SOURCE: Final = web.RequestKey("source", str)
"""The client's address as text; empty on the local socket."""


def services(request: web.Request) -> Services:
    """The services of this gateway."""
    return request.app[SERVICES]
