"""The caller's own account: who am I, my signed-in browsers, new recovery codes."""

from aiohttp import web

from auth.messages import DEGRADED_BANNER, TEMPORARY_BANNER
from auth.models import CookieChange, WebSession
from common.errors import NotFound
from common.ids import WebSessionId
from gateway.bodies import answer, body, no_content
from gateway.caller import signed_in
from gateway.handlers.login import client, error_answer, set_cookie
from gateway.headers import SESSION_COOKIE
from gateway.schemas import (
    BannerAnswer,
    CodeBody,
    MeAnswer,
    RecoveryCodesAnswer,
    StepUpAnswer,
    TenantAnswer,
    UserAnswer,
    WebSessionAnswer,
    WebSessionsAnswer,
    WebSessionTimes,
)
from gateway.services import CALLER, services


async def me(request: web.Request) -> web.Response:
    """GET /api/v1/me"""
    session, cookie = signed_in(request)
    own = services(request)
    who, tenant = session.identity, own.settings.tenant
    return answer(
        MeAnswer(
            user=UserAnswer(
                id=who.user_id, username=who.username, display_name=who.display_name, department=who.department
            ),
            tenant=TenantAnswer(id=tenant.id, name_ja=tenant.name_ja, name_en=tenant.name_en),
            csrf_token=own.auth.csrf_token(cookie),
            roles=sorted(request[CALLER].roles),
            web_session=WebSessionTimes(
                idle_expires_at=session.idle_expires_at,
                expires_at=session.expires_at,
                totp_at=session.totp_at,
                degraded=session.degraded,
                temporary_factor=session.temporary_factor,
            ),
            recovery_codes_left=await own.auth.recovery_codes_left(who.user_id),
            banners=_banners(session),
        )
    )


def _banners(session: WebSession) -> list[BannerAnswer]:
    shown = [
        *([DEGRADED_BANNER] if session.degraded else []),
        *([TEMPORARY_BANNER] if session.temporary_factor else []),
    ]
    return [BannerAnswer(text_ja=japanese, text_en=english) for japanese, english in shown]


async def web_sessions(request: web.Request) -> web.Response:
    """GET /api/v1/me/web-sessions"""
    session, _ = signed_in(request)
    found = await services(request).auth.list_web_sessions(session.identity.user_id)
    return answer(
        WebSessionsAnswer(
            items=[
                WebSessionAnswer(
                    id=other.id,
                    current=other.id == session.id,
                    created_at=other.created_at,
                    last_seen_at=other.last_seen_at,
                    source=other.source,
                    label=other.user_agent_label,
                )
                for other in found
            ]
        )
    )


async def revoke_web_session(request: web.Request) -> web.Response:
    """DELETE /api/v1/me/web-sessions/{id}"""
    session, _ = signed_in(request)
    wanted = WebSessionId(request.match_info["id"])
    if not await services(request).auth.revoke_web_session(session.identity.user_id, wanted, client(request)):
        raise NotFound("no such web session of this person")
    return no_content()


async def step_up(request: web.Request) -> web.Response:
    """POST /api/v1/me/step-up"""
    given = await body(request, CodeBody)
    _, cookie = signed_in(request)
    auth = services(request).auth
    renewed = await auth.step_up(cookie, given.code, client(request))
    current = renewed.session_value.reveal() if renewed.session_value else cookie
    response = answer(StepUpAnswer(error=error_answer(renewed.error), csrf_token=auth.csrf_token(current)))
    if renewed.session_value:
        set_cookie(response, SESSION_COOKIE, CookieChange.SET, renewed.session_value)
    return response


async def new_recovery_codes(request: web.Request) -> web.Response:
    """POST /api/v1/me/recovery-codes"""
    given = await body(request, CodeBody)
    _, cookie = signed_in(request)
    auth = services(request).auth
    renewed = await auth.regenerate_recovery_codes(cookie, given.code, client(request))
    current = renewed.session_value.reveal() if renewed.session_value else cookie
    response = answer(
        RecoveryCodesAnswer(
            recovery_codes=list(renewed.recovery_codes) if renewed.recovery_codes else None,
            error=error_answer(renewed.error),
            csrf_token=auth.csrf_token(current),
        )
    )
    if renewed.session_value:
        set_cookie(response, SESSION_COOKIE, CookieChange.SET, renewed.session_value)
    return response
