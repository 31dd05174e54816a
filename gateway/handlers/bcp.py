"""BCP mode for coordinators, approvers and auditors: state, plans, effect before signing, steps of a declaration.

Each handler: read the body, one call to the service, render. What a step needs (two persons, fresh code, the list) is
the service's business; a refused step comes back in its own words.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from aiohttp import web

from broker.models import Pool, PoolKind, Seats
from broker.states import SessionState
from common.clock import Clock
from common.errors import NotFound
from common.ids import PoolId, TenantId, UserId
from gateway import bcp_rendering as rendering
from gateway import capacity_rendering, what_if_rendering
from gateway.bodies import answer, body
from gateway.caller import signed_in, signer_of
from gateway.load import machine_load_percent
from gateway.notices.banners import login_banner
from gateway.schemas_bcp import (
    BcpMeAnswer,
    BcpStatusAnswer,
    DeclarationAnswer,
    DeclarationsAnswer,
    DeclareBody,
    DutyNameAnswer,
    EffectBody,
    ExtendBody,
    NamedAnswer,
    NarrowBody,
    NoticeAnswer,
    OfficialAnswer,
    PlansAnswer,
    PoolLoadAnswer,
    ProposalBody,
    PublicNoticeAnswer,
    ReasonBody,
    RejectBody,
    ScopeBody,
    ScopesAnswer,
    SignBody,
    WhatIfBody,
)
from gateway.schemas_what_if import PersonAnswer, ToldAnswer
from gateway.services import CALLER, SOURCE, Services, services
from policy.bcp.injects import Injects
from policy.bcp.model import (
    TOTP_FRESH,
    Declaration,
    DeclarationState,
    Level,
    Official,
    Proposal,
    Scope,
)
from policy.bcp.plan import Plan
from policy.bcp.what_if import WhatIf


def _tenant(own: Services) -> TenantId:
    return TenantId(own.settings.tenant.id)


def _scope(given: ScopeBody) -> Scope:
    return Scope(given.kind, frozenset(given.ids))


def _proposal(given: ProposalBody) -> Proposal:
    return Proposal(
        scope=_scope(given.scope),
        level=given.level,
        plan_id=given.plan_id,
        cause=given.cause,
        reason=given.reason,
        ends_at=given.ends_at,
        drill=given.drill,
        break_glass=given.break_glass,
        supersedes=given.supersedes,
        injects=Injects(
            absent_percent=given.injects.absent_percent,
            directory_off=given.injects.directory_off,
            sites_down=frozenset(given.injects.sites_down),
            half_capacity=given.injects.half_capacity,
        ),
    )


def _official(listed: Official) -> OfficialAnswer:
    return OfficialAnswer(
        username=listed.username, rank=listed.rank, title_ja=listed.title_ja, title_en=listed.title_en
    )


def _shown(request: web.Request, found: Declaration, plan: Plan | None) -> DeclarationAnswer:
    own, caller = services(request), request[CALLER]
    session, _ = signed_in(request)
    may = rendering.steps(found, caller.roles, session.identity.user_id, own.clock.now())
    return rendering.declaration(found, plan, own.duties.book.register, may)


async def _done(request: web.Request, step: Awaitable[Declaration], status: int = 200) -> web.Response:
    found = await step
    return answer(_shown(request, found, await services(request).bcp.plan_of(found)), status)


async def status(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/status"""
    own, caller = services(request), request[CALLER]
    session, _ = signed_in(request)
    history = await own.bcp.history()
    active = {item.declaration.id: item for item in own.bcp.active()}
    waiting = [found for found in history if found.state is DeclarationState.AWAITING_APPROVAL]
    seats = await own.catalogue.seats(_tenant(own))
    sessions = await own.sessions.list_all(_tenant(own))
    return answer(
        BcpStatusAnswer(
            now=own.clock.now(),
            me=BcpMeAnswer(
                roles=sorted(caller.roles),
                official=next(
                    (_official(o) for o in own.bcp.officials if o.username == session.identity.username), None
                ),
                totp_fresh_until=session.totp_at + TOTP_FRESH if session.totp_at else None,
            ),
            active=[_shown(request, item.declaration, item.plan) for item in active.values()],
            waiting=[_shown(request, found, rendering.named(found, own.bcp.plans)) for found in waiting],
            officials=[_official(listed) for listed in sorted(own.bcp.officials, key=lambda o: o.rank)],
            pools=[
                PoolLoadAnswer(
                    pool_id=pool.id,
                    name_ja=pool.name_ja,
                    name_en=pool.name_en,
                    used=seats[pool.id].used,
                    total=seats[pool.id].total,
                    queued=seats[pool.id].queued,
                )
                for pool in await own.catalogue.pools(_tenant(own))
                if pool.enabled and pool.id in seats
            ],
            people_working=len({one.user_id for one in sessions if one.state is SessionState.ACTIVE}),
        )
    )


async def capacity(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/capacity"""
    own = services(request)
    load = await own.triage.load(_tenant(own))
    per_minute = own.settings.broker.triage.gate_starts_per_minute
    return answer(capacity_rendering.capacity(load, own.duties.book.register, own.clock.now(), per_minute))


async def list_plans(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/plans"""
    return answer(PlansAnswer(items=[rendering.plan(plan) for plan in services(request).bcp.plans]))


async def list_scopes(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/scopes"""
    register = services(request).duties.book.register
    return answer(
        ScopesAnswer(
            sites=[NamedAnswer(id=s.id, name_ja=s.name_ja, name_en=s.name_en) for s in register.sites.values()],
            departments=[
                NamedAnswer(id=d.name_ja, name_ja=d.name_ja, name_en=d.name_en) for d in register.departments.values()
            ],
            duties=[
                DutyNameAnswer(id=d.id, name_ja=d.name_ja, name_en=d.name_en, priority=d.priority)
                for d in register.duties.values()
            ],
        )
    )


async def list_declarations(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/declarations"""
    own = services(request)
    found = await own.bcp.history()
    return answer(
        DeclarationsAnswer(items=[_shown(request, one, rendering.named(one, own.bcp.plans)) for one in found])
    )


async def show_declaration(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/declarations/{id}"""
    return await _done(request, services(request).bcp.get(request.match_info["id"]))


async def what_if(request: web.Request) -> web.Response:
    """POST /api/v1/bcp/what-if"""
    given = await body(request, WhatIfBody)
    proposal = _proposal(given)
    bcp = services(request).bcp
    plan = next((plan for plan in bcp.plans if plan.id == proposal.plan_id), None)
    return await effect(request, proposal, plan, lambda: bcp.what_if(proposal), all_names=given.all_names)


async def what_if_of(request: web.Request) -> web.Response:
    """POST /api/v1/bcp/declarations/{id}/what-if: by the plan that was signed, without those who are blocked."""
    given = await body(request, EffectBody)
    bcp = services(request).bcp
    found = await bcp.get(request.match_info["id"])
    if given.ends_at:
        found = replace(found, ends_at=given.ends_at, planned_end=None, pending=None)
    plan = await bcp.plan_of(found)
    return await effect(request, found, plan, lambda: bcp.what_if(found), all_names=given.all_names)


async def effect(
    request: web.Request,
    subject: Declaration | Proposal,
    plan: Plan | None,
    compared: Callable[[], Awaitable[WhatIf]],
    *,
    all_names: bool,
) -> web.Response:
    """The effect of a declaration or proposal in words and numbers, also under a plan that is not adopted yet."""
    own = services(request)
    began = _milliseconds(own.clock)
    found = await compared()
    pools = {pool.id: pool for pool in await own.catalogue.pools(_tenant(own))}
    people = {
        who.username: PersonAnswer(username=who.username, display_name=who.display_name, department=who.department)
        for who in await own.surroundings.identities()
    }
    return answer(
        what_if_rendering.what_if(
            found,
            pools=pools,
            seats=await _seats(own, subject, plan, pools),
            sites=own.duties.book.register.sites.values(),
            settings=own.settings.planning,
            lines=own.settings.broker.triage,
            load_mbps=await own.triage.lines(_tenant(own)),
            people=people,
            all_names=all_names,
            told=await _told(own, subject.scope),
            load_percent=machine_load_percent(),
            elapsed_ms=_milliseconds(own.clock) - began,
        )
    )


async def _seats(
    own: Services, subject: Declaration | Proposal, plan: Plan | None, pools: Mapping[PoolId, Pool]
) -> Mapping[PoolId, Seats]:
    """As they are, with those that the plan adds, or as a drill pretends."""
    seats = await own.catalogue.seats(_tenant(own))
    if subject.drill:
        half = subject.injects.half_capacity
        return {pool: replace(found, total=(found.total + 1) // 2) if half else found for pool, found in seats.items()}
    added = {
        line.pool: line.seats
        for line in (plan.capacity if plan and subject.level.widens else ())
        if line.level == "first" or subject.level is Level.SECOND
    }
    return {
        pool: replace(found, total=max(found.total, added.get(pool, 0)))
        if pool in pools and pools[pool].kind is PoolKind.AGENT
        else found
        for pool, found in seats.items()
    }


async def _told(own: Services, scope: Scope) -> ToldAnswer:
    """Whom the notice of such a declaration would go to."""
    people = await own.notices.would_tell(scope)
    return ToldAnswer(
        people=len(people),
        with_address=sum(person.address is not None for person in people),
        officials=len(own.bcp.officials),
        channels=[str(name) for name in own.settings.notices.channels],
    )


def _milliseconds(clock: Clock) -> int:
    return round(clock.monotonic() * 1000)


async def declare(request: web.Request) -> web.Response:
    """POST /api/v1/bcp/declarations"""
    given = await body(request, DeclareBody)
    signer = signer_of(request, absent=given.proposal.absent, seen_diff=given.seen_diff)
    step = services(request).bcp.declare(_proposal(given.proposal), signer, source=request[SOURCE])
    return await _done(request, step, 201)


async def approve(request: web.Request) -> web.Response:
    """POST /api/v1/bcp/declarations/{id}/approve"""
    given = await body(request, SignBody)
    signer = signer_of(request, absent=given.absent, seen_digest=given.digest, seen_diff=given.seen_diff)
    bcp = services(request).bcp
    return await _done(request, bcp.approve(request.match_info["id"], signer, source=request[SOURCE]))


async def reject(request: web.Request) -> web.Response:
    """POST /api/v1/bcp/declarations/{id}/reject"""
    given = await body(request, RejectBody)
    signer = signer_of(request, seen_digest=given.digest)
    bcp = services(request).bcp
    return await _done(request, bcp.reject(request.match_info["id"], signer, note=given.text, source=request[SOURCE]))


async def extend(request: web.Request) -> web.Response:
    """POST /api/v1/bcp/declarations/{id}/extend"""
    given = await body(request, ExtendBody)
    signer = signer_of(request, absent=given.absent, seen_diff=given.seen_diff)
    bcp = services(request).bcp
    step = bcp.propose_extension(request.match_info["id"], given.ends_at, signer, source=request[SOURCE])
    return await _done(request, step)


async def approve_extension(request: web.Request) -> web.Response:
    """POST /api/v1/bcp/declarations/{id}/extend/approve"""
    given = await body(request, SignBody)
    signer = signer_of(request, absent=given.absent, seen_digest=given.digest, seen_diff=given.seen_diff)
    bcp = services(request).bcp
    return await _done(request, bcp.approve_extension(request.match_info["id"], signer, source=request[SOURCE]))


async def ratify(request: web.Request) -> web.Response:
    """POST /api/v1/bcp/declarations/{id}/ratify"""
    given = await body(request, SignBody)
    signer = signer_of(request, absent=given.absent, seen_digest=given.digest, seen_diff=given.seen_diff)
    bcp = services(request).bcp
    return await _done(request, bcp.ratify(request.match_info["id"], signer, source=request[SOURCE]))


async def narrow(request: web.Request) -> web.Response:
    """POST /api/v1/bcp/declarations/{id}/narrow"""
    given = await body(request, NarrowBody)
    own, declaration_id, signer = services(request), request.match_info["id"], signer_of(request)
    if given.level is Level.RECOVERY:
        return await _done(
            request, own.bcp.recover(declaration_id, signer, ends_at=given.ends_at, source=request[SOURCE])
        )
    step = own.bcp.narrow(
        declaration_id,
        signer,
        scope=_scope(given.scope) if given.scope else None,
        level=given.level,
        ends_at=given.ends_at,
        block=await _blocked(own, given.block),
        source=request[SOURCE],
    )
    return await _done(request, step)


async def _blocked(own: Services, usernames: list[str]) -> frozenset[UserId]:
    """People by name. Raises NotFound for whom the directory does not know."""
    found = {username: await own.auth.know(username) for username in usernames}
    if None in found.values():
        raise NotFound("nobody has the name of somebody to be blocked")
    return frozenset(user_id for user_id in found.values() if user_id)


async def lift(request: web.Request) -> web.Response:
    """POST /api/v1/bcp/declarations/{id}/lift"""
    given = await body(request, ReasonBody)
    bcp = services(request).bcp
    step = bcp.lift(request.match_info["id"], signer_of(request), note=given.text, source=request[SOURCE])
    return await _done(request, step)


async def notice(request: web.Request) -> web.Response:
    """GET /api/v1/notice: that something is declared, and nothing else; shown before anybody has signed in."""
    banner = login_banner(services(request).bcp.active())
    if banner is None:
        return answer(PublicNoticeAnswer(bcp=None))
    return answer(
        PublicNoticeAnswer(bcp=NoticeAnswer(text_ja=banner.text_ja, text_en=banner.text_en, drill=banner.drill))
    )
