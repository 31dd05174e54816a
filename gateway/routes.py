"""The one table of routes: method, path, handler, permission, bodies. Nothing else adds a route (a test compares).

Counterparts: the middlewares read the permission from here, `gateway/openapi.py` makes the API document from it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from pydantic import BaseModel

from gateway import (
    schemas,
    schemas_bcp,
    schemas_bcp_plans,
    schemas_capacity,
    schemas_duties,
    schemas_lost_access,
    schemas_policy,
    schemas_records,
    schemas_restore,
    schemas_what_if,
)
from gateway.handlers import (
    account,
    admin,
    bcp,
    bcp_plans,
    changes,
    desktops,
    duties,
    followed,
    health,
    login,
    lost_access,
    policy,
    records,
    restore,
    sessions,
    spec,
    viewer,
)
from gateway.permissions import Permission
from gateway.schemas import Body
from gateway.slow_turns import Slow

RouteHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One way in."""

    method: str
    path: str
    handler: RouteHandler
    permission: Permission
    summary: str
    answer: type[BaseModel] | None = None
    body: type[Body] | None = None
    status: int = 200
    signs: bool = False
    """It takes a signature with a fresh code: the directory is asked for the person first."""
    slow: Slow | None = None
    """It takes a turn for work of this kind: a little runs at once, and less of one person."""
    websocket: bool = False
    stream: bool = False
    """The answer is a stream of events, opening it is no activity of the person."""

    @property
    def lasts(self) -> bool:
        """Whether it has no end of its own, so that no deadline holds for it and its length says nothing."""
        return self.websocket or self.stream


_V1: Final = "/api/v1"
_P: Final = Permission

ROUTES: Final[tuple[Route, ...]] = (
    Route("GET", "/healthz", health.healthz, _P.PUBLIC, "The process answers", schemas.HealthAnswer),
    Route("GET", "/readyz", health.readyz, _P.PUBLIC, "New work can start here", schemas.HealthAnswer),
    Route("GET", f"{_V1}/openapi.json", spec.openapi, _P.PUBLIC, "This API, described"),
    # login
    Route("GET", f"{_V1}/login", login.state, _P.LOGIN, "Where the login stands", schemas.LoginStateAnswer),
    Route(
        "POST", f"{_V1}/login", login.submit_password, _P.LOGIN, "First factor",
        schemas.LoginStateAnswer, schemas.PasswordBody,
    ),
    Route("DELETE", f"{_V1}/login", login.restart, _P.LOGIN, "Start the login again", status=204),
    Route(
        "POST", f"{_V1}/login/totp", login.submit_totp, _P.LOGIN, "Second factor",
        schemas.LoginStateAnswer, schemas.CodeBody,
    ),
    Route(
        "POST", f"{_V1}/login/recovery", login.submit_recovery, _P.LOGIN, "Recovery code instead of the second factor",
        schemas.LoginStateAnswer, schemas.CodeBody,
    ),
    Route(
        "POST", f"{_V1}/login/activation", login.submit_activation, _P.LOGIN,
        "Activation code of a temporary authenticator", schemas.LoginStateAnswer, schemas.CodeBody,
    ),
    Route(
        "POST", f"{_V1}/login/enrol", login.start_enrolment, _P.LOGIN, "Secret for a new authenticator",
        schemas.EnrolmentAnswer,
    ),
    Route(
        "POST", f"{_V1}/login/enrol/confirm", login.confirm_enrolment, _P.LOGIN, "First code of a new authenticator",
        schemas.LoginStateAnswer, schemas.CodeBody,
    ),
    Route(
        "POST", f"{_V1}/login/enrol/done", login.finish_enrolment, _P.LOGIN, "Recovery codes are noted down",
        schemas.LoginStateAnswer,
    ),
    Route(
        "POST", f"{_V1}/login/password", login.change_password, _P.LOGIN, "New password for an expired one",
        schemas.LoginStateAnswer, schemas.NewPasswordBody,
    ),
    Route("POST", f"{_V1}/logout", login.logout, _P.SIGNED_IN, "Sign this browser out", status=204),
    # own account
    Route("GET", f"{_V1}/me", account.me, _P.SIGNED_IN, "Who is signed in here", schemas.MeAnswer),
    Route(
        "GET", f"{_V1}/me/web-sessions", account.web_sessions, _P.SIGNED_IN, "Own signed-in browsers",
        schemas.WebSessionsAnswer,
    ),
    Route(
        "DELETE", f"{_V1}/me/web-sessions/{{id}}", account.revoke_web_session, _P.SIGNED_IN,
        "Sign an own browser out", status=204,
    ),
    Route(
        "POST", f"{_V1}/me/recovery-codes", account.new_recovery_codes, _P.SIGNED_IN, "Ten new recovery codes",
        schemas.RecoveryCodesAnswer, schemas.CodeBody,
    ),
    Route(
        "POST", f"{_V1}/me/step-up", account.step_up, _P.SIGNED_IN, "Prove the second factor afresh",
        schemas.StepUpAnswer, schemas.CodeBody,
    ),
    Route(
        "GET", f"{_V1}/me/emergency-card", lost_access.own_card, _P.SIGNED_IN, "Own emergency card in force",
        schemas_lost_access.OwnCardAnswer,
    ),
    Route(
        "POST", f"{_V1}/me/emergency-card", lost_access.print_card, _P.SIGNED_IN,
        "Print a card with ten new recovery codes", schemas_lost_access.PrintedCardAnswer, schemas.CodeBody,
    ),
    Route(
        "DELETE", f"{_V1}/me/emergency-card", lost_access.void_own_card, _P.SIGNED_IN,
        "Void the own card and its codes", status=204,
    ),
    # lost authenticators
    Route(
        "GET", f"{_V1}/vouches", lost_access.list_vouches, _P.VOUCH, "Help under way for lost authenticators",
        schemas_lost_access.VouchesAnswer,
    ),
    Route(
        "POST", f"{_V1}/vouches", lost_access.open_vouch, _P.VOUCH, "First official: vouch for a person",
        schemas_lost_access.VouchStepAnswer, schemas_lost_access.VouchBody,
    ),
    Route(
        "POST", f"{_V1}/vouches/{{id}}/confirm", lost_access.confirm_vouch, _P.VOUCH,
        "Second official: confirm, get the activation code", schemas_lost_access.VouchStepAnswer,
        schemas_lost_access.CheckBody,
    ),
    Route(
        "DELETE", f"{_V1}/vouches/{{id}}", lost_access.end_vouch, _P.VOUCH, "End it, and the sessions that rest on it",
        status=204,
    ),
    # work
    Route(
        "GET", f"{_V1}/changes", changes.follow, _P.SIGNED_IN, "Names of what changed, as server-sent events",
        stream=True,
    ),
    Route(
        "GET", f"{_V1}/desktops", desktops.list_desktops, _P.SIGNED_IN, "What may be used now, and what not and why",
        schemas.DesktopsAnswer,
    ),
    Route(
        "GET", f"{_V1}/duties", duties.list_own, _P.SIGNED_IN, "Own duties, and where they may be done now",
        schemas_duties.DutiesAnswer,
    ),
    Route("GET", f"{_V1}/sessions", sessions.list_sessions, _P.SIGNED_IN, "Own sessions", schemas.SessionsAnswer),
    Route(
        "POST", f"{_V1}/sessions", sessions.request_session, _P.SIGNED_IN, "Start or find the session in a pool",
        schemas.SessionAnswer, schemas.SessionBody, status=201,
    ),
    Route(
        "GET", f"{_V1}/sessions/{{id}}", sessions.show_session, _P.SIGNED_IN, "One own session",
        schemas.ViewedSessionAnswer,
    ),
    Route("DELETE", f"{_V1}/sessions/{{id}}", sessions.end_session, _P.SIGNED_IN, "Log the desktop off", status=204),
    Route(
        "POST", f"{_V1}/sessions/{{id}}/ticket", sessions.issue_ticket, _P.SIGNED_IN, "One-use ticket for the viewer",
        schemas.TicketAnswer,
    ),
    Route(
        "GET", f"{_V1}/sessions/{{id}}/rfb", viewer.rfb, _P.SIGNED_IN, "The desktop's picture, keys and pointer",
        status=101, websocket=True,
    ),
    # emergencies
    Route("GET", f"{_V1}/notice", bcp.notice, _P.PUBLIC, "Whether emergency arrangements are in force",
          schemas_bcp.PublicNoticeAnswer),
    Route("GET", f"{_V1}/bcp/status", bcp.status, _P.BCP_READ, "Everything at a glance", schemas_bcp.BcpStatusAnswer),
    Route("GET", f"{_V1}/bcp/capacity", bcp.capacity, _P.BCP_READ, "Seats, queues and lines now",
          schemas_capacity.LiveCapacityAnswer),
    Route("GET", f"{_V1}/bcp/plans", bcp.list_plans, _P.BCP_READ, "Plans", schemas_bcp.PlansAnswer),
    Route("GET", f"{_V1}/bcp/plan-versions", bcp_plans.list_versions, _P.BCP_READ, "Versions of plans, newest first",
          schemas_bcp_plans.PlanVersionsAnswer),
    Route("GET", f"{_V1}/bcp/plan-versions/{{id}}", bcp_plans.show_version, _P.BCP_READ, "One version, as YAML, too",
          schemas_bcp_plans.PlanContentAnswer),
    Route("POST", f"{_V1}/bcp/plan-versions/check", bcp_plans.check, _P.BCP_READ, "Errors and warnings of a plan",
          schemas_bcp_plans.PlanCheckAnswer, schemas_bcp_plans.PlanTextBody, slow=Slow.PLANNING),
    Route("POST", f"{_V1}/bcp/plan-versions/what-if", bcp_plans.what_if, _P.BCP_READ, "The effect of a plan's text",
          schemas_what_if.WhatIfAnswer, schemas_bcp_plans.PlanEffectBody, slow=Slow.PLANNING),
    Route("POST", f"{_V1}/bcp/plan-versions", bcp_plans.propose, _P.BCP_ACT, "Propose a version: first signature",
          schemas_bcp_plans.PlanVersionAnswer, schemas_bcp_plans.PlanProposeBody, status=201, signs=True,
          slow=Slow.PLANNING),
    Route("POST", f"{_V1}/bcp/plan-versions/{{id}}/adopt", bcp_plans.adopt, _P.BCP_APPROVE, "Second signature",
          schemas_bcp_plans.PlanVersionAnswer, schemas_bcp_plans.PlanAdoptBody, signs=True, slow=Slow.PLANNING),
    Route("POST", f"{_V1}/bcp/plan-versions/{{id}}/reject", bcp_plans.reject, _P.BCP_ACT, "Turn a version down",
          schemas_bcp_plans.PlanVersionAnswer),
    Route("GET", f"{_V1}/bcp/scopes", bcp.list_scopes, _P.BCP_READ, "Scopes", schemas_bcp.ScopesAnswer),
    Route("POST", f"{_V1}/bcp/what-if", bcp.what_if, _P.BCP_READ, "The effect of a proposal, before anybody signs",
          schemas_what_if.WhatIfAnswer, schemas_bcp.WhatIfBody, slow=Slow.DECIDING),
    Route("GET", f"{_V1}/bcp/declarations", bcp.list_declarations, _P.BCP_READ, "Declarations, newest first",
          schemas_bcp.DeclarationsAnswer),
    Route("GET", f"{_V1}/bcp/declarations/{{id}}", bcp.show_declaration, _P.BCP_READ, "One declaration",
          schemas_bcp.DeclarationAnswer),
    Route("POST", f"{_V1}/bcp/declarations/{{id}}/what-if", bcp.what_if_of, _P.BCP_READ,
          "The effect of a declaration, before the next signature", schemas_what_if.WhatIfAnswer,
          schemas_bcp.EffectBody, slow=Slow.DECIDING),
    Route("POST", f"{_V1}/bcp/declarations", bcp.declare, _P.BCP_ACT, "Propose, with the first signature",
          schemas_bcp.DeclarationAnswer, schemas_bcp.DeclareBody, status=201, signs=True),
    Route("POST", f"{_V1}/bcp/declarations/{{id}}/approve", bcp.approve, _P.BCP_APPROVE, "Second signature",
          schemas_bcp.DeclarationAnswer, schemas_bcp.SignBody, signs=True),
    Route("POST", f"{_V1}/bcp/declarations/{{id}}/reject", bcp.reject, _P.BCP_ACT, "Turn down what waits",
          schemas_bcp.DeclarationAnswer, schemas_bcp.RejectBody),
    Route("POST", f"{_V1}/bcp/declarations/{{id}}/extend", bcp.extend, _P.BCP_ACT, "Propose a later end",
          schemas_bcp.DeclarationAnswer, schemas_bcp.ExtendBody, signs=True),
    Route("POST", f"{_V1}/bcp/declarations/{{id}}/extend/approve", bcp.approve_extension, _P.BCP_APPROVE,
          "Second signature on a later end", schemas_bcp.DeclarationAnswer, schemas_bcp.SignBody, signs=True),
    Route("POST", f"{_V1}/bcp/declarations/{{id}}/narrow", bcp.narrow, _P.BCP_ACT, "Less of it, at once",
          schemas_bcp.DeclarationAnswer, schemas_bcp.NarrowBody),
    Route("POST", f"{_V1}/bcp/declarations/{{id}}/lift", bcp.lift, _P.BCP_ACT, "End it now",
          schemas_bcp.DeclarationAnswer, schemas_bcp.ReasonBody),
    Route("POST", f"{_V1}/bcp/declarations/{{id}}/ratify", bcp.ratify, _P.BCP_APPROVE, "Stand in for a break-glass",
          schemas_bcp.DeclarationAnswer, schemas_bcp.SignBody, signs=True),
    Route("GET", f"{_V1}/notices", records.list_notices, _P.SIGNED_IN, "Notices that concern the caller",
          schemas_records.EmployeeNoticesAnswer),
    Route("POST", f"{_V1}/notices/{{id}}/read", records.read_notice, _P.SIGNED_IN, "I have read it", status=204),
    Route("POST", f"{_V1}/notices/{{id}}/answer", records.answer_notice, _P.SIGNED_IN, "Whether I can work",
          body=schemas_records.AbilityBody, status=204),
    Route("GET", f"{_V1}/bcp/declarations/{{id}}/reach", followed.reach, _P.BCP_READ,
          "Who was reached, who can work", schemas_records.ReachAnswer, slow=Slow.LOOKING),
    Route("GET", f"{_V1}/bcp/declarations/{{id}}/reach/people", followed.call_lists, _P.BCP_READ,
          "Whom to telephone", schemas_records.CallListsAnswer, slow=Slow.LOOKING),
    Route("GET", f"{_V1}/bcp/declarations/{{id}}/reach/duties/{{duty}}", followed.duty_people, _P.BCP_READ,
          "The people of one duty", schemas_records.DutyPeopleAnswer, slow=Slow.LOOKING),
    Route("GET", f"{_V1}/bcp/declarations/{{id}}/notice", followed.printed_notice, _P.BCP_READ,
          "The newest notice to print and put up", slow=Slow.LOOKING),
    Route("GET", f"{_V1}/bcp/drills", records.drills, _P.BCP_READ, "Drills held and owed, by fiscal year",
          schemas_records.DrillsAnswer),
    Route("GET", f"{_V1}/bcp/declarations/{{id}}/score", records.score, _P.BCP_READ, "How well it went so far",
          schemas_records.ScoreAnswer, slow=Slow.LOOKING),
    Route("GET", f"{_V1}/bcp/declarations/{{id}}/restore", restore.leftovers, _P.BCP_READ,
          "What the emergency left behind", schemas_restore.RestoreAnswer),
    Route("POST", f"{_V1}/bcp/declarations/{{id}}/restore", restore.restore, _P.BCP_ACT,
          "Take back what is ticked", schemas_restore.RestoreAnswer, schemas_restore.RestoreBody, signs=True),
    Route("GET", f"{_V1}/bcp/reports", records.list_reports, _P.BCP_READ, "After-action reports",
          schemas_records.ReportsAnswer),
    Route("POST", f"{_V1}/bcp/declarations/{{id}}/report", records.make_report, _P.BCP_ACT, "Freeze a report now",
          schemas_records.ReportAnswer, status=201, slow=Slow.LOOKING),
    Route("GET", f"{_V1}/bcp/reports/{{id}}", records.show_report, _P.BCP_READ,
          "What a report covers, compared with its hash", schemas_records.ReportDetailAnswer, slow=Slow.LOOKING),
    Route("GET", f"{_V1}/bcp/reports/{{id}}/pdf", records.report_pdf, _P.BCP_READ, "A report to print",
          slow=Slow.LOOKING),
    Route("GET", f"{_V1}/bcp/reports/{{id}}/csv", records.report_csv, _P.BCP_READ, "A report's events as CSV",
          slow=Slow.LOOKING),
    # administration
    Route("GET", f"{_V1}/admin/pools", admin.list_pools, _P.ADMIN, "All pools", schemas.PoolsAnswer),
    Route(
        "PUT", f"{_V1}/admin/pools/{{id}}", admin.put_pool, _P.ADMIN, "Create or change a pool",
        schemas.PoolAnswer, schemas.PoolBody,
    ),
    Route("DELETE", f"{_V1}/admin/pools/{{id}}", admin.remove_pool, _P.ADMIN, "Remove a pool", status=204),
    Route("GET", f"{_V1}/admin/desktops", admin.list_targets, _P.ADMIN, "All static desktops", schemas.TargetsAnswer),
    Route(
        "PUT", f"{_V1}/admin/desktops/{{id}}", admin.put_target, _P.ADMIN, "Create or change a static desktop",
        schemas.TargetAnswer, schemas.TargetBody,
    ),
    Route("DELETE", f"{_V1}/admin/desktops/{{id}}", admin.remove_target, _P.ADMIN, "Remove one", status=204),
    Route(
        "PUT", f"{_V1}/admin/desktops/{{id}}/credential", admin.put_credential, _P.ADMIN,
        "Set what the gateway logs in with", body=schemas.CredentialBody, status=204,
    ),
    Route(
        "GET", f"{_V1}/admin/sessions", admin.list_sessions, _P.ADMIN, "All live sessions", schemas.AdminSessionsAnswer
    ),
    Route("DELETE", f"{_V1}/admin/sessions/{{id}}", admin.end_session, _P.ADMIN, "End a session at once", status=204),
    Route(
        "DELETE", f"{_V1}/admin/users/{{id}}/factors", admin.reset_factors, _P.ADMIN,
        "Remove a person's second factors", status=204,
    ),
    Route(
        "DELETE", f"{_V1}/admin/users/{{id}}/temporary-factor", lost_access.end_temporary_factor, _P.ADMIN,
        "End a person's temporary authenticator", status=204,
    ),
    Route(
        "DELETE", f"{_V1}/admin/users/{{id}}/emergency-card", lost_access.void_card, _P.ADMIN,
        "Void a person's emergency card", status=204,
    ),
    Route(
        "DELETE", f"{_V1}/admin/degraded-login/verifiers", lost_access.purge_verifiers, _P.ADMIN,
        "Nobody signs in without the directory before the next good login", schemas_lost_access.PurgeAnswer,
    ),
    Route(
        "GET", f"{_V1}/admin/duties", duties.show_register, _P.ADMIN, "The register of duties, sites and staff",
        schemas_duties.RegisterAnswer,
    ),
    Route(
        "POST", f"{_V1}/admin/duties/preview", duties.preview_import, _P.ADMIN, "What importing files would change",
        schemas_duties.PlanAnswer, schemas_duties.PreviewBody,
    ),
    Route(
        "POST", f"{_V1}/admin/duties/apply", duties.apply_import, _P.ADMIN, "Import what the preview showed",
        schemas_duties.PlanAnswer, schemas_duties.ApplyBody,
    ),
    Route(
        "GET", f"{_V1}/admin/duties/export/{{id}}", duties.export_register, _P.ADMIN,
        "A list as CSV, or all as YAML", schemas_duties.ExportAnswer,
    ),
    Route("GET", f"{_V1}/admin/policy", policy.show, _P.ADMIN, "The rules in force", schemas.PolicyAnswer),
    Route(
        "POST", f"{_V1}/admin/policy/explain", policy.explain, _P.ADMIN, "Why a person may or may not use a pool",
        schemas.ExplanationAnswer, schemas.ExplainBody,
    ),
    Route(
        "POST", f"{_V1}/admin/policy/what-if", policy.what_if, _P.ADMIN, "Who would gain and lose by another policy",
        schemas_policy.PolicyEffectAnswer, schemas_policy.PolicyEffectBody, slow=Slow.LOOKING,
    ),
)  # fmt: skip


EXACT_TIME: Final[frozenset[RouteHandler]] = frozenset(
    {
        login.submit_password,
        login.submit_totp,
        login.submit_recovery,
        login.submit_activation,
        login.start_enrolment,
        login.confirm_enrolment,
        account.step_up,
        account.new_recovery_codes,
        lost_access.print_card,
        lost_access.open_vouch,
        lost_access.confirm_vouch,
        bcp.declare,
        bcp.approve,
        bcp.extend,
        bcp.approve_extension,
        bcp.ratify,
        bcp_plans.propose,
        bcp_plans.adopt,
    }
)
"""What must not begin while this machine's clock is wrong: codes, and signatures with an end. Desktops are refused by
`gateway/judge.py`; ending, narrowing and logging out are always possible."""


def _name(route: Route) -> str:
    """aiohttp's route names are identifiers."""
    return "route_" + "".join(c if c.isalnum() else "_" for c in f"{route.method}_{route.path}")


_BY_NAME: Final = {_name(route): route for route in ROUTES}


def add_routes(app: web.Application, page: RouteHandler) -> None:
    """Register every route of the table, and the web client for every other GET."""
    for name, route in _BY_NAME.items():
        app.router.add_route(route.method, route.path, route.handler, name=name)
    app.router.add_route("GET", "/{path:.*}", page, name="page")


def route_of(request: web.Request) -> Route | None:
    """The table's entry for a request; None for the web client's pages and for what does not exist."""
    return _BY_NAME.get(request.match_info.route.name or "")
