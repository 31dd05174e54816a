"""Notices to the people concerned, and the after-action reports of declarations."""

from aiohttp import web

from common.errors import NotFound
from gateway.bodies import answer, body, no_content
from gateway.caller import signed_in
from gateway.facts import resource, subject
from gateway.notices.model import Ability, Notice
from gateway.notices.service import Shown
from gateway.reports.store import ReportHead
from gateway.schemas_bcp import (
    AbilityBody,
    EmployeeNoticeAnswer,
    EmployeeNoticesAnswer,
    ReachAnswer,
    ReportAnswer,
    ReportsAnswer,
)
from gateway.services import CALLER, SOURCE, services


async def _concerning(request: web.Request) -> tuple[Shown, ...]:
    """What the caller may read: notices of declarations whose scope covers them at any pool."""
    session, _ = signed_in(request)
    own = services(request)
    person = subject(session.identity, own.duties)
    targets = [resource(pool) for pool in await own.catalogue.pools(session.identity.tenant_id)]

    def concerns(notice: Notice) -> bool:
        return any(notice.scope.covers(person, target) for target in targets)

    return await own.notices.shown_to(person.username, concerns)


async def list_notices(request: web.Request) -> web.Response:
    """GET /api/v1/notices"""
    return answer(EmployeeNoticesAnswer(items=[_shown(one) for one in await _concerning(request)]))


def _shown(one: Shown) -> EmployeeNoticeAnswer:
    said = one.words
    return EmployeeNoticeAnswer(
        id=one.notice.id,
        declaration_id=one.notice.declaration_id,
        subject_ja=said.subject_ja,
        subject_en=said.subject_en,
        lead_ja=said.lead_ja,
        lead_en=said.lead_en,
        rows=[[row.label_ja, row.label_en, row.value_ja, row.value_en] for row in said.rows],
        drill=said.drill,
        read_at=one.read_at,
        ability=one.answer.ability if one.answer else None,
    )


async def _own_notice(request: web.Request) -> str:
    """The id in the path, when that notice concerns the caller. Raises NotFound."""
    wanted = request.match_info["id"]
    if wanted not in {one.notice.id for one in await _concerning(request)}:
        raise NotFound("no such notice for this person")
    return wanted


async def read_notice(request: web.Request) -> web.Response:
    """POST /api/v1/notices/{id}/read"""
    session, _ = signed_in(request)
    wanted = await _own_notice(request)
    await services(request).notices.mark_read(wanted, session.identity.username, source=request[SOURCE])
    return no_content()


async def answer_notice(request: web.Request) -> web.Response:
    """POST /api/v1/notices/{id}/answer"""
    given = await body(request, AbilityBody)
    session, _ = signed_in(request)
    wanted = await _own_notice(request)
    name = session.identity.username
    await services(request).notices.answer(wanted, name, given.ability, given.note, source=request[SOURCE])
    return no_content()


async def reach(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/declarations/{id}/reach"""
    found = await services(request).notices.reach(request.match_info["id"])
    return answer(
        ReachAnswer(
            people=len(found.people),
            told=found.told,
            read=found.read,
            failed=found.failed,
            answers={ability: found.answers(ability) for ability in Ability},
        )
    )


def _head(found: ReportHead) -> ReportAnswer:
    return ReportAnswer(
        id=found.id,
        declaration_id=found.declaration_id,
        edition=found.edition,
        made_at=found.made_at,
        made_by=found.made_by,
        sha256=found.sha256,
    )


async def list_reports(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/reports"""
    return answer(ReportsAnswer(items=[_head(found) for found in await services(request).reports.heads()]))


async def make_report(request: web.Request) -> web.Response:
    """POST /api/v1/bcp/declarations/{id}/report"""
    session, _ = signed_in(request)
    made = await services(request).reports.make(
        request.match_info["id"], by=session.identity.display_name, actor=request[CALLER].name
    )
    return answer(_head(made), 201)


async def report_pdf(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/reports/{id}/pdf"""
    wanted = request.match_info["id"]
    content = await services(request).reports.pdf(wanted, actor=request[CALLER].name)
    return _file(content, "application/pdf", "report.pdf")


async def report_csv(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/reports/{id}/csv"""
    wanted = request.match_info["id"]
    text = await services(request).reports.csv(wanted, actor=request[CALLER].name, entries=True)
    return _file(text.encode(), "text/csv", "report.csv")


def _file(content: bytes, kind: str, name: str) -> web.Response:
    """A record of the administration, to be kept: the one kind of answer that is meant to be saved."""
    return web.Response(
        body=content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
