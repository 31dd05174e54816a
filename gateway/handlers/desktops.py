"""The list of pools: what the caller may use now, and for what they may not: why, and from when."""

from functools import partial

from aiohttp import web

from broker.states import SessionState
from gateway import rendering
from gateway.bodies import answer
from gateway.caller import signed_in
from gateway.own_notices import own_notices
from gateway.schemas import DesktopsAnswer
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
    own.changes.note(web_session.id, allowed, again, (who.groups, who.department, own.duties.duties_of(who.username)))
    for judgement in judgements:
        session, pool = live.get(judgement.pool.id), judgement.pool
        held.append((pool, session))
        grant = judgement.decision.grant
        said = grant.obligations if grant else judgement.reason
        item = rendering.desktop(pool, judgement.seats, said)
        if session:
            grace, standing = own.judge.grace(session.id), await own.triage.standing(session)
            shown = rendering.session(session, pool, now, web_session.id, grace, standing)
            item = item.model_copy(update={"session": shown})
        in_use = session is not None and session.state is SessionState.ACTIVE  # maybe by another node: it answers
        if not in_use and (since := own.unreachable.since(who.user_id, pool, session)):
            instead = own.unreachable.instead_of(who.user_id, pool, judgements, live)
            item = item.model_copy(update={"unreachable": rendering.unreachable(since, instead)})
        items.append(item)
    return answer(DesktopsAnswer(items=items, notices=own_notices(own, who, held)))
