"""Notices to the people concerned, and the after-action reports of declarations."""

from collections.abc import Iterable

from aiohttp import web

from common.errors import NotFound
from gateway import records_rendering as rendering
from gateway.bcp_rendering import named
from gateway.bodies import answer, body, no_content
from gateway.caller import signed_in
from gateway.facts import resource, subject
from gateway.files import attachment
from gateway.notices.model import Audience, Notice
from gateway.notices.service import Shown
from gateway.schemas_records import (
    AbilityBody,
    DrillsAnswer,
    EmployeeNoticeAnswer,
    EmployeeNoticesAnswer,
    ReportedAnswer,
    ReportsAnswer,
)
from gateway.services import CALLER, SOURCE, Services, services


async def _concerning(request: web.Request) -> tuple[Shown, ...]:
    """What the caller may read: notices to everybody, of declarations whose scope covers them at any pool. Officials
    are told of every declaration, so they read and confirm those of other places, too."""
    session, _ = signed_in(request)
    own = services(request)
    person = subject(session.identity, own.duties)
    targets = [resource(pool) for pool in await own.catalogue.pools(session.identity.tenant_id)]

    official = any(listed.username == person.username for listed in own.bcp.officials)

    def concerns(notice: Notice) -> bool:
        covered = official or any(notice.scope.covers(person, target) for target in targets)
        return notice.audience is Audience.EVERYBODY and covered

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
        at=one.notice.at,
        wants_answer=said.closing_ja != "",
        read_at=one.read_at,
        ability=one.answer.ability if one.answer else None,
        note=one.answer.note if one.answer else "",
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


async def score(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/declarations/{id}/score"""
    return answer(rendering.score(await services(request).reports.score(request.match_info["id"])))


async def _abouts(own: Services, wanted: Iterable[str]) -> dict[str, ReportedAnswer]:
    """What reports are about, by declaration; those that are not in the list of declarations are left out."""
    ids, register, plans = set(wanted), own.duties.book.register, own.bcp.plans
    history = await own.bcp.history()
    about = [found for found in history if found.id in ids]
    return {found.id: rendering.reported(found, named(found, plans), register) for found in about}


async def list_reports(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/reports"""
    own = services(request)
    heads = await own.reports.heads()
    abouts = await _abouts(own, (head.declaration_id for head in heads))
    return answer(ReportsAnswer(items=[rendering.report(head, abouts.get(head.declaration_id)) for head in heads]))


async def show_report(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/reports/{id}"""
    own = services(request)
    head, report = await own.reports.get(request.match_info["id"])
    abouts = await _abouts(own, [head.declaration_id])
    return answer(rendering.report_detail(rendering.report(head, abouts.get(head.declaration_id)), report))


async def make_report(request: web.Request) -> web.Response:
    """POST /api/v1/bcp/declarations/{id}/report"""
    session, _ = signed_in(request)
    own = services(request)
    made = await own.reports.make(
        request.match_info["id"], by=session.identity.display_name, actor=request[CALLER].name
    )
    abouts = await _abouts(own, [made.declaration_id])
    return answer(rendering.report(made, abouts.get(made.declaration_id)), 201)


async def report_pdf(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/reports/{id}/pdf"""
    wanted = request.match_info["id"]
    content = await services(request).reports.pdf(wanted, actor=request[CALLER].name)
    return attachment(content, "application/pdf", f"bcp-report-{wanted}.pdf")


async def report_csv(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/reports/{id}/csv"""
    wanted = request.match_info["id"]
    text = await services(request).reports.csv(wanted, actor=request[CALLER].name, entries=True)
    return attachment(text.encode(), "text/csv", f"bcp-report-{wanted}.csv")


async def drills(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/drills"""
    years = await services(request).reports.drill_years()
    return answer(DrillsAnswer(overdue=years[0].overdue, years=[rendering.drill_year(year) for year in years]))
