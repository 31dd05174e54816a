"""The caller's desktop sessions: request, look, ticket, log off."""

from aiohttp import web

from broker.models import DesktopSession, EndReason, Pool
from common.ids import PoolId, SessionId, WebSessionId
from gateway import rendering
from gateway.bodies import answer, body, no_content
from gateway.caller import signed_in
from gateway.own_notices import own_notices
from gateway.schemas import SessionAnswer, SessionBody, SessionsAnswer, TicketAnswer, ViewedSessionAnswer
from gateway.services import SOURCE, Services, services


async def list_sessions(request: web.Request) -> web.Response:
    """GET /api/v1/sessions"""
    web_session, _ = signed_in(request)
    own = services(request)
    who = web_session.identity
    found = await own.sessions.list_for_user(who.tenant_id, who.user_id)
    return answer(SessionsAnswer(items=[await _shown(own, session, web_session.id) for session in found]))


async def request_session(request: web.Request) -> web.Response:
    """POST /api/v1/sessions"""
    wanted = await body(request, SessionBody)
    web_session, _ = signed_in(request)
    own = services(request)
    judgement = await own.judge.decide_for(PoolId(wanted.pool_id), web_session, request[SOURCE])
    if judgement.decision.grant is None:
        await own.audit.record(judgement.denial(web_session.identity, request[SOURCE]))
    session = await own.sessions.request(
        judgement.grant,
        web_session_id=web_session.id,
        display_name=web_session.identity.display_name,
        basis=judgement.basis,
    )
    return answer(await _shown(own, session, web_session.id), 201)


async def show_session(request: web.Request) -> web.Response:
    """GET /api/v1/sessions/{id}"""
    web_session, _ = signed_in(request)
    own, session = services(request), await _own_session(request)
    pool = await own.catalogue.pool(session.tenant_id, session.pool_id)
    shown = await _shown_in(own, pool, session, web_session.id)
    notices = own_notices(own, web_session.identity, [(pool, session)])
    return answer(ViewedSessionAnswer(**dict(shown), notices=notices))


async def end_session(request: web.Request) -> web.Response:
    """DELETE /api/v1/sessions/{id}"""
    web_session, _ = signed_in(request)
    who = web_session.identity
    wanted = SessionId(request.match_info["id"])
    await services(request).sessions.end(who.tenant_id, wanted, EndReason.USER_LOGGED_OUT, user_id=who.user_id)
    return no_content()


async def issue_ticket(request: web.Request) -> web.Response:
    """POST /api/v1/sessions/{id}/ticket"""
    web_session, _ = signed_in(request)
    own = services(request)
    ticket = await own.attachments.issue_ticket(
        web_session.identity.tenant_id,
        SessionId(request.match_info["id"]),
        user_id=web_session.identity.user_id,
        web_session_id=web_session.id,
    )
    return answer(TicketAnswer(ticket=ticket, expires_in_seconds=own.settings.broker.sessions.ticket_seconds))


async def _own_session(request: web.Request) -> DesktopSession:
    who = signed_in(request)[0].identity
    wanted = SessionId(request.match_info["id"])
    return await services(request).sessions.get(who.tenant_id, wanted, user_id=who.user_id)


async def _shown(own: Services, session: DesktopSession, viewed_by: WebSessionId) -> SessionAnswer:
    return await _shown_in(own, await own.catalogue.pool(session.tenant_id, session.pool_id), session, viewed_by)


async def _shown_in(own: Services, pool: Pool, session: DesktopSession, viewed_by: WebSessionId) -> SessionAnswer:
    standing = await own.triage.standing(session)
    return rendering.session(session, pool, own.clock.now(), viewed_by, own.judge.grace(session.id), standing)
