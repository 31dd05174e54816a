"""Every way in has a permission, and the table below is the whole list: a new route fails until it is written here."""

from datetime import UTC, datetime

import pytest
from aiohttp import web

from auth.models import Identity, WebSession
from common.ids import TenantId, UserId, WebSessionId
from gateway import reference
from gateway.openapi import document
from gateway.permissions import STRANGER, Caller, Permission, Role, permitted, separated
from gateway.routes import ROUTES, add_routes
from gateway.slow_turns import Slow

WHO_MAY = {
    Permission.PUBLIC: {
        "GET /healthz",
        "GET /readyz",
        "GET /api/v1/openapi.json",
        "GET /api/v1/notice",
    },
    Permission.LOGIN: {
        "GET /api/v1/login",
        "POST /api/v1/login",
        "DELETE /api/v1/login",
        "POST /api/v1/login/totp",
        "POST /api/v1/login/recovery",
        "POST /api/v1/login/activation",
        "POST /api/v1/login/enrol",
        "POST /api/v1/login/enrol/confirm",
        "POST /api/v1/login/enrol/done",
        "POST /api/v1/login/password",
    },
    Permission.SIGNED_IN: {
        "POST /api/v1/logout",
        "GET /api/v1/me",
        "GET /api/v1/me/web-sessions",
        "DELETE /api/v1/me/web-sessions/{id}",
        "POST /api/v1/me/recovery-codes",
        "POST /api/v1/me/step-up",
        "GET /api/v1/me/emergency-card",
        "POST /api/v1/me/emergency-card",
        "DELETE /api/v1/me/emergency-card",
        "GET /api/v1/changes",
        "GET /api/v1/desktops",
        "GET /api/v1/notices",
        "POST /api/v1/notices/{id}/read",
        "POST /api/v1/notices/{id}/answer",
        "GET /api/v1/duties",
        "GET /api/v1/sessions",
        "POST /api/v1/sessions",
        "GET /api/v1/sessions/{id}",
        "DELETE /api/v1/sessions/{id}",
        "POST /api/v1/sessions/{id}/ticket",
        "GET /api/v1/sessions/{id}/rfb",
    },
    Permission.VOUCH: {
        "GET /api/v1/vouches",
        "POST /api/v1/vouches",
        "POST /api/v1/vouches/{id}/confirm",
        "DELETE /api/v1/vouches/{id}",
    },
    Permission.ADMIN: {
        "GET /api/v1/admin/pools",
        "PUT /api/v1/admin/pools/{id}",
        "DELETE /api/v1/admin/pools/{id}",
        "GET /api/v1/admin/desktops",
        "PUT /api/v1/admin/desktops/{id}",
        "DELETE /api/v1/admin/desktops/{id}",
        "PUT /api/v1/admin/desktops/{id}/credential",
        "GET /api/v1/admin/sessions",
        "DELETE /api/v1/admin/sessions/{id}",
        "DELETE /api/v1/admin/users/{id}/factors",
        "DELETE /api/v1/admin/users/{id}/temporary-factor",
        "DELETE /api/v1/admin/users/{id}/emergency-card",
        "DELETE /api/v1/admin/degraded-login/verifiers",
        "GET /api/v1/admin/duties",
        "POST /api/v1/admin/duties/preview",
        "POST /api/v1/admin/duties/apply",
        "GET /api/v1/admin/duties/export/{id}",
        "GET /api/v1/admin/policy",
        "POST /api/v1/admin/policy/explain",
        "POST /api/v1/admin/policy/what-if",
    },
    Permission.BCP_READ: {
        "GET /api/v1/bcp/status",
        "GET /api/v1/bcp/capacity",
        "GET /api/v1/bcp/plans",
        "GET /api/v1/bcp/scopes",
        "POST /api/v1/bcp/what-if",
        "POST /api/v1/bcp/declarations/{id}/what-if",
        "GET /api/v1/bcp/declarations",
        "GET /api/v1/bcp/declarations/{id}",
        "GET /api/v1/bcp/declarations/{id}/reach",
        "GET /api/v1/bcp/declarations/{id}/score",
        "GET /api/v1/bcp/declarations/{id}/restore",
        "GET /api/v1/bcp/declarations/{id}/reach/people",
        "GET /api/v1/bcp/declarations/{id}/reach/duties/{duty}",
        "GET /api/v1/bcp/declarations/{id}/notice",
        "GET /api/v1/bcp/plan-versions",
        "GET /api/v1/bcp/plan-versions/{id}",
        "POST /api/v1/bcp/plan-versions/check",
        "POST /api/v1/bcp/plan-versions/what-if",
        "GET /api/v1/bcp/drills",
        "GET /api/v1/bcp/reports",
        "GET /api/v1/bcp/reports/{id}",
        "GET /api/v1/bcp/reports/{id}/pdf",
        "GET /api/v1/bcp/reports/{id}/csv",
    },
    Permission.BCP_ACT: {
        "POST /api/v1/bcp/declarations",
        "POST /api/v1/bcp/declarations/{id}/reject",
        "POST /api/v1/bcp/declarations/{id}/extend",
        "POST /api/v1/bcp/declarations/{id}/narrow",
        "POST /api/v1/bcp/declarations/{id}/lift",
        "POST /api/v1/bcp/declarations/{id}/restore",
        "POST /api/v1/bcp/declarations/{id}/report",
        "POST /api/v1/bcp/plan-versions",
        "POST /api/v1/bcp/plan-versions/{id}/reject",
    },
    Permission.BCP_APPROVE: {
        "POST /api/v1/bcp/declarations/{id}/approve",
        "POST /api/v1/bcp/declarations/{id}/extend/approve",
        "POST /api/v1/bcp/declarations/{id}/ratify",
        "POST /api/v1/bcp/plan-versions/{id}/adopt",
    },
}


NOON = datetime(2026, 11, 25, 3, tzinfo=UTC)
SIGNED_IN = WebSession(
    id=WebSessionId("web_1"),
    identity=Identity(UserId("usr_1"), TenantId("city"), "kato", "加藤", None, frozenset(), None),
    created_at=NOON,
    last_seen_at=NOON,
    idle_expires_at=NOON,
    expires_at=NOON,
    password_at=NOON,
    totp_at=NOON,
    source="127.0.0.1",
    user_agent_label="",
)


def _registered() -> set[str]:
    async def page(_request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    add_routes(app, page)
    return {f"{route.method} {route.resource.canonical}" for route in app.router.routes() if route.resource}


def test_what_works_long_takes_a_turn() -> None:
    """A new route of reports, papers or effects fails until somebody has said of which kind its work is."""
    beneath = ("reach", "reach/people", "reach/duties/{duty}", "notice", "score", "report")
    looking = {f"/api/v1/bcp/declarations/{{id}}/{end}" for end in beneath}
    looking |= {f"/api/v1/bcp/reports/{{id}}{end}" for end in ("", "/pdf", "/csv")}
    looking |= {"/api/v1/admin/policy/what-if"}
    planning = {f"/api/v1/bcp/plan-versions{end}" for end in ("", "/check", "/what-if", "/{id}/adopt")}
    deciding = {"/api/v1/bcp/what-if", "/api/v1/bcp/declarations/{id}/what-if"}
    slow = {kind: {route.path for route in ROUTES if route.slow is kind} for kind in Slow}
    assert slow == {Slow.LOOKING: looking, Slow.PLANNING: planning, Slow.DECIDING: deciding}


def test_every_route_has_the_permission_that_stands_here() -> None:
    found: dict[Permission, set[str]] = {permission: set() for permission in Permission}
    for route in ROUTES:
        found[route.permission].add(f"{route.method} {route.path}")
    assert found == WHO_MAY


def test_nothing_is_registered_outside_the_table_but_the_web_client() -> None:
    listed = {f"{route.method} {route.path}" for route in ROUTES}
    implied = {entry.replace("GET ", "HEAD ", 1) for entry in listed}
    assert _registered() - listed - implied == {"GET /{path}", "HEAD /{path}"} & _registered()


def test_every_websocket_asks_for_a_signed_in_person() -> None:
    assert [(route.path, route.permission) for route in ROUTES if route.websocket] == [
        ("/api/v1/sessions/{id}/rfb", Permission.SIGNED_IN)
    ]


def test_a_stranger_gets_nothing_that_is_anybodys() -> None:
    assert [p for p in Permission if permitted(STRANGER, p)] == [Permission.PUBLIC, Permission.LOGIN]
    assert not permitted(Caller(roles=frozenset()), Permission.ADMIN)
    assert permitted(Caller(local_account="uid-0", roles=frozenset({Role.ADMIN})), Permission.ADMIN)
    assert not permitted(Caller(local_account="uid-0", roles=frozenset({Role.ADMIN})), Permission.SIGNED_IN)


def test_administrators_neither_declare_nor_approve() -> None:
    everything = separated(frozenset(Role))
    assert everything == {Role.ADMIN, Role.AUDITOR, Role.VOUCHER}
    assert separated(frozenset({Role.APPROVER})) == {Role.APPROVER}


@pytest.mark.parametrize(
    ("roles", "may"),
    [
        ({Role.COORDINATOR}, {Permission.BCP_READ, Permission.BCP_ACT}),
        ({Role.APPROVER}, {Permission.BCP_READ, Permission.BCP_ACT, Permission.BCP_APPROVE}),
        ({Role.AUDITOR}, {Permission.BCP_READ}),
        ({Role.ADMIN}, {Permission.ADMIN}),
        ({Role.VOUCHER}, {Permission.VOUCH}),
        ({Role.ADMIN, Role.COORDINATOR, Role.APPROVER}, {Permission.ADMIN}),
        ({Role.ADMIN, Role.APPROVER, Role.AUDITOR}, {Permission.ADMIN, Permission.BCP_READ}),
        (set(), set()),
    ],
)
def test_each_role_may_do_its_own_and_nothing_else(roles: set[Role], may: set[Permission]) -> None:
    caller = Caller(web_session=SIGNED_IN, cookie="c", roles=separated(frozenset(roles)))
    everybody = {Permission.PUBLIC, Permission.LOGIN, Permission.SIGNED_IN}
    assert {permission for permission in Permission if permitted(caller, permission)} == may | everybody


def test_no_role_signs_on_the_local_socket() -> None:
    caller = Caller(local_account="uid-0", roles=frozenset(Role))
    assert [p for p in Permission if p.startswith("bcp_") and permitted(caller, p)] == []


def test_the_api_document_covers_every_route() -> None:
    spec = document(ROUTES)
    described = {f"{m.upper()} {path}" for path, methods in spec["paths"].items() for m in methods}
    assert described == {f"{r.method} {r.path}" for r in ROUTES if r.path.startswith("/api/") and not r.websocket}
    for methods in spec["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
            assert operation["x-permission"] in list(Permission)


def test_the_reference_pages_are_those_that_the_code_makes(pytestconfig: pytest.Config) -> None:
    folder = pytestconfig.rootpath / "docs" / "reference"
    stale = [name for name, content in reference.pages().items() if (folder / name).read_text("utf-8") != content]
    assert stale == [], "run: make docs"
