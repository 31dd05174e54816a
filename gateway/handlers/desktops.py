"""The list of pools: what the caller may use now, and for what they may not: why, and from when."""

from functools import partial

from aiohttp import web

from gateway import rendering
from gateway.bodies import answer
from gateway.caller import signed_in
from gateway.judge import Judgement
from gateway.own_notices import own_notices
from gateway.schemas import DesktopAnswer, DesktopsAnswer, SeatsAnswer, SessionAnswer
from gateway.services import SOURCE, services


async def list_desktops(request: web.Request) -> web.Response:
    """GET /api/v1/desktops"""
    web_session, _ = signed_in(request)
    own = services(request)
    who = web_session.identity
    others = await own.sessions.list_for_user(who.tenant_id, who.user_id)
    live = {session.pool_id: session for session in others}
    now = own.clock.now()
    items = []
    held = []
    judgements = await own.judge.decide_all(web_session, request[SOURCE], others)
    allowed = frozenset(judgement.pool.id for judgement in judgements if judgement.decision.allowed)
    again = partial(own.judge.allowed_by_memory, web_session, request[SOURCE], others)
    own.changes.note(web_session.id, allowed, again)
    for judgement in judgements:
        session, pool = live.get(judgement.pool.id), judgement.pool
        held.append((pool, session))
        shown = None
        if session:
            grace, standing = own.judge.grace(session.id), await own.triage.standing(session)
            shown = rendering.session(session, pool, now, web_session.id, grace, standing)
        items.append(_item(judgement, shown))
    return answer(DesktopsAnswer(items=items, notices=own_notices(own, who, held)))


def _item(judgement: Judgement, session: SessionAnswer | None) -> DesktopAnswer:
    pool, seats, decision = judgement.pool, judgement.seats, judgement.decision
    return DesktopAnswer(
        pool_id=pool.id,
        name_ja=pool.name_ja,
        name_en=pool.name_en,
        zone=pool.zone,
        zone_ja=pool.zone.name_ja if pool.zone else "未設定",
        zone_en=pool.zone.name_en if pool.zone else "not set",
        kind=pool.kind,
        allowed=decision.allowed,
        reason=None if decision.allowed else rendering.reason(judgement.reason),
        obligations=rendering.obligations(decision.grant.obligations) if decision.grant else None,
        session=session,
        seats=SeatsAnswer(used=seats.used, total=seats.total),
    )
