"""Help when an authenticator or the directory is out of reach: vouches of officials, emergency cards, purges."""

import base64

from aiohttp import web

from auth.messages import VOUCH_TEXTS
from auth.models import CookieChange, EmergencyCard, Vouch, VouchRefusal, VouchStep
from common.errors import NotFound
from common.ids import UserId
from gateway.bodies import answer, body, no_content
from gateway.caller import signed_in
from gateway.handlers.login import client, error_answer, set_cookie
from gateway.headers import SESSION_COOKIE
from gateway.schemas import CodeBody
from gateway.schemas_lost_access import (
    CardAnswer,
    CheckBody,
    OwnCardAnswer,
    PrintedCardAnswer,
    PurgeAnswer,
    VouchAnswer,
    VouchBody,
    VouchesAnswer,
    VouchRefusalAnswer,
    VouchStepAnswer,
)
from gateway.services import CALLER, SOURCE, services


async def list_vouches(request: web.Request) -> web.Response:
    """GET /api/v1/vouches"""
    return answer(VouchesAnswer(items=[_vouch(vouch) for vouch in await services(request).auth.vouches()]))


async def open_vouch(request: web.Request) -> web.Response:
    """POST /api/v1/vouches"""
    given = await body(request, VouchBody)
    session, _ = signed_in(request)
    return _step(await services(request).auth.open_vouch(session, given.username, given.check, client(request)))


async def confirm_vouch(request: web.Request) -> web.Response:
    """POST /api/v1/vouches/{id}/confirm"""
    given = await body(request, CheckBody)
    session, _ = signed_in(request)
    vouch_id = request.match_info["id"]
    return _step(await services(request).auth.confirm_vouch(session, vouch_id, given.check, client(request)))


async def end_vouch(request: web.Request) -> web.Response:
    """DELETE /api/v1/vouches/{id}"""
    actor = request[CALLER].name
    if not await services(request).auth.end_vouch(request.match_info["id"], actor=actor, client=client(request)):
        raise NotFound("no such vouch runs")
    return no_content()


async def own_card(request: web.Request) -> web.Response:
    """GET /api/v1/me/emergency-card"""
    session, _ = signed_in(request)
    return answer(OwnCardAnswer(card=_card(await services(request).auth.emergency_card(session.identity.user_id))))


async def print_card(request: web.Request) -> web.Response:
    """POST /api/v1/me/emergency-card"""
    given = await body(request, CodeBody)
    session, cookie = signed_in(request)
    own = services(request)
    url = own.settings.http.origins[0]
    stepped, pdf = await own.auth.issue_emergency_card(cookie, given.code, url, client(request))
    current = stepped.session_value.reveal() if stepped.session_value else cookie
    response = answer(
        PrintedCardAnswer(
            pdf=base64.b64encode(pdf.reveal()).decode() if pdf else None,
            card=_card(await own.auth.emergency_card(session.identity.user_id)),
            error=error_answer(stepped.error),
            csrf_token=own.auth.csrf_token(current),
        )
    )
    if stepped.session_value:
        set_cookie(response, SESSION_COOKIE, CookieChange.SET, stepped.session_value)
    return response


async def void_own_card(request: web.Request) -> web.Response:
    """DELETE /api/v1/me/emergency-card"""
    session, _ = signed_in(request)
    await _void_card(request, session.identity.user_id)
    return no_content()


async def void_card(request: web.Request) -> web.Response:
    """DELETE /api/v1/admin/users/{id}/emergency-card"""
    await _void_card(request, await _user(request))
    return no_content()


async def end_temporary_factor(request: web.Request) -> web.Response:
    """DELETE /api/v1/admin/users/{id}/temporary-factor"""
    user_id, auth = await _user(request), services(request).auth
    running = next((vouch for vouch in await auth.vouches() if vouch.user_id == user_id), None)
    if running is None or not await auth.end_vouch(running.id, actor=request[CALLER].name):
        raise NotFound("nothing of the kind runs for this person")
    return no_content()


async def purge_verifiers(request: web.Request) -> web.Response:
    """DELETE /api/v1/admin/degraded-login/verifiers"""
    purged = await services(request).auth.purge_verifiers(actor=request[CALLER].name, source=request[SOURCE] or None)
    return answer(PurgeAnswer(count=purged))


async def _user(request: web.Request) -> UserId:
    found = await services(request).auth.find_user(request.match_info["id"])
    if found is None:
        raise NotFound("nobody of that name has ever signed in")
    return found


async def _void_card(request: web.Request, user_id: UserId) -> None:
    auth = services(request).auth
    if not await auth.revoke_emergency_card(user_id, actor=request[CALLER].name, client=client(request)):
        raise NotFound("this person has no card")


def _step(step: VouchStep) -> web.Response:
    return answer(
        VouchStepAnswer(
            vouch=_vouch(step.vouch) if step.vouch else None,
            activation_code=step.activation_code.reveal() if step.activation_code else None,
            error=_refusal(step.refusal) if step.refusal else None,
        )
    )


def _refusal(refusal: VouchRefusal) -> VouchRefusalAnswer:
    text_ja, text_en = VOUCH_TEXTS[refusal]
    return VouchRefusalAnswer(code=refusal, text_ja=text_ja, text_en=text_en)


def _vouch(vouch: Vouch) -> VouchAnswer:
    return VouchAnswer(
        id=vouch.id,
        state=vouch.state,
        user_id=vouch.user_id,
        username=vouch.username,
        display_name=vouch.display_name,
        opened_by=vouch.opened_by,
        confirmed_by=vouch.confirmed_by,
        opened_at=vouch.opened_at,
        expires_at=vouch.expires_at,
    )


def _card(card: EmergencyCard | None) -> CardAnswer | None:
    return CardAnswer(number=card.number, issued_at=card.issued_at) if card else None
