"""Versions of BCP plans: list, content, check, effect, propose, adopt, reject. For coordinators, approvers, auditors.

Counterparts: `policy.bcp.plan_desk` takes the steps, `gateway/handlers/bcp.py` declares what was adopted here.
"""

from aiohttp import web

from common.errors import ErrorCode, KakehashiError
from gateway import plan_rendering as rendering
from gateway.bodies import answer, body
from gateway.caller import signed_in, signer_of
from gateway.handlers.bcp import effect
from gateway.schemas_bcp_plans import (
    PlanAdoptBody,
    PlanCheckAnswer,
    PlanContentAnswer,
    PlanEffectBody,
    PlanProposeBody,
    PlanTextBody,
    PlanVersionAnswer,
    PlanVersionsAnswer,
)
from gateway.services import CALLER, SOURCE, services
from policy.bcp.model import RefusalCode
from policy.bcp.plan import Plan
from policy.bcp.plan_desk import declared, proven
from policy.bcp.plan_text import text_of
from policy.bcp.plan_versions import PlanVersion
from policy.bcp.refusals import refused


async def list_versions(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/plan-versions"""
    problems = [rendering.problem(each) for each in services(request).bcp.health().problems]
    return answer(PlanVersionsAnswer(items=[shown for shown, _plan in await _all(request)], problems=problems))


async def show_version(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/plan-versions/{id}"""
    for shown, plan in await _all(request):
        if shown.id == request.match_info["id"]:
            latest = await services(request).bcp.plan_desk.next_version(plan.id)
            content = rendering.content(plan)
            return answer(PlanContentAnswer(version=shown, content=content, text=text_of(plan), next_version=latest))
    raise refused(RefusalCode.PLAN_VERSION_UNKNOWN)


async def check(request: web.Request) -> web.Response:
    """POST /api/v1/bcp/plan-versions/check"""
    given = await body(request, PlanTextBody)
    desk = services(request).bcp.plan_desk
    found = await desk.check(given.text)
    return answer(
        PlanCheckAnswer(
            ok=found.plan is not None,
            problems=[rendering.problem(each) for each in found.problems],
            next_version=await desk.next_version(found.plan.id) if found.plan else None,
        )
    )


async def what_if(request: web.Request) -> web.Response:
    """POST /api/v1/bcp/plan-versions/what-if"""
    given = await body(request, PlanEffectBody)
    own = services(request)
    desk = own.bcp.plan_desk
    plan = proven(await desk.check(given.text))
    subject, names = declared(plan, given.level), given.all_names
    return await effect(request, subject, plan, lambda: desk.what_if(plan, given.level), all_names=names)


async def propose(request: web.Request) -> web.Response:
    """POST /api/v1/bcp/plan-versions"""
    _require_own_factor(request)
    given = await body(request, PlanProposeBody)
    desk = services(request).bcp.plan_desk
    return await _done(
        request, await desk.propose(given.text, given.note, signer_of(request), source=request[SOURCE] or None), 201
    )


async def adopt(request: web.Request) -> web.Response:
    """POST /api/v1/bcp/plan-versions/{id}/adopt"""
    _require_own_factor(request)
    given = await body(request, PlanAdoptBody)
    plan_id, version = _named(request)
    who = signer_of(request, seen_digest=given.digest, seen_diff=given.seen_diff)
    desk = services(request).bcp.plan_desk
    return await _done(request, await desk.adopt(plan_id, version, who, source=request[SOURCE] or None))


async def reject(request: web.Request) -> web.Response:
    """POST /api/v1/bcp/plan-versions/{id}/reject"""
    plan_id, version = _named(request)
    desk = services(request).bcp.plan_desk
    return await _done(request, await desk.reject(plan_id, version, signer_of(request), source=request[SOURCE] or None))


async def _all(request: web.Request) -> list[tuple[PlanVersionAnswer, Plan]]:
    bcp, (session, _) = services(request).bcp, signed_in(request)
    kept, written = await bcp.plan_desk.versions(), bcp.plan_desk.written
    return rendering.versions(kept, written, bcp.plans, request[CALLER].roles, session.identity.user_id)


def _require_own_factor(request: web.Request) -> None:
    """Nothing lasting grows out of something temporary: plans are written in normal time."""
    if signed_in(request)[0].temporary_factor:
        raise KakehashiError("plans are not signed with a temporary authenticator", code=ErrorCode.FORBIDDEN)


def _named(request: web.Request) -> tuple[str, int]:
    named = rendering.number_of(request.match_info["id"])
    if named is None:
        raise refused(RefusalCode.PLAN_VERSION_UNKNOWN)
    return named


async def _done(request: web.Request, taken: PlanVersion, status: int = 200) -> web.Response:
    """The version as the list has it now."""
    shown = {each.id: each for each, _plan in await _all(request)}
    return answer(shown[rendering.name_of(taken.plan)], status)
