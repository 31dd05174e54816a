"""The way back to normal (復旧): one list of what an emergency left behind, and taking back what is ticked on it.

Nothing here widens: temporary authenticators, emergency cards and cached verifiers end; sessions that rest on them end
with them. The normal rules are compared by their hash, before and after. It locks people out, so whoever takes back
proves the second factor afresh, as for a signature, and the directory answers: nobody is left without any way in.
"""

from aiohttp import web

from auth.models import HeldCard, Vouch
from common.audit import AuditEvent
from common.errors import NotFound
from gateway.audit_names import GatewayAudit
from gateway.bodies import answer, body
from gateway.caller import signed_in, signer_of
from gateway.handlers.login import client
from gateway.permissions import Permission, permitted
from gateway.schemas_restore import LeftCardAnswer, LeftFactorAnswer, RestoreAnswer, RestoreBody
from gateway.services import CALLER, SOURCE, Services, services
from policy.bcp.model import Declaration, DeclarationState, Level, RefusalCode
from policy.bcp.refusals import refused
from policy.bcp.rules import require_fresh

_OVER = (DeclarationState.LIFTED, DeclarationState.EXPIRED)


async def leftovers(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/declarations/{id}/restore"""
    own = services(request)
    return answer(await _list(request, await own.bcp.get(request.match_info["id"])))


async def restore(request: web.Request) -> web.Response:
    """POST /api/v1/bcp/declarations/{id}/restore"""
    given = await body(request, RestoreBody)
    own = services(request)
    await _require_proof(request)
    declaration = await own.bcp.get(request.match_info["id"])
    if not _is_over(declaration) or _others(own, declaration) or (declaration.drill and given.verifiers):
        raise refused(RefusalCode.RESTORE_TOO_EARLY)
    vouches = {vouch.id: vouch for vouch in await own.auth.vouches()}
    cards = {card.username: card for card in await _cards(own, declaration)}
    if not (vouches.keys() >= set(given.temporary) and cards.keys() >= set(given.cards)):
        raise NotFound("something ticked is not on the list any more")
    await _take_back(request, [vouches[one] for one in given.temporary], [cards[one] for one in given.cards])
    if given.verifiers:
        await own.auth.purge_verifiers(actor=request[CALLER].name, source=request[SOURCE] or None)
    left = await _list(request, declaration)
    await own.audit.record(
        AuditEvent(
            GatewayAudit.RESTORE_NORMAL,
            declaration.tenant_id,
            actor=request[CALLER].name,
            subject=declaration.id,
            source=request[SOURCE] or None,
            details={
                "declaration_id": declaration.id,
                "drill": declaration.drill,
                "temporary": len(given.temporary),
                "cards": len(given.cards),
                "verifiers": given.verifiers,
                "rules_before": left.rules_before,
                "rules_now": left.rules_now,
                "rules_same": left.rules_before == left.rules_now,
            },
        )
    )
    return answer(left)


async def _require_proof(request: web.Request) -> None:
    """Raises Refused without a fresh code of the caller's own authenticator, or while the directory is away."""
    require_fresh(signer_of(request), services(request).clock.now())
    if await _needs_directory(request):
        raise refused(RefusalCode.RESTORE_NEEDS_DIRECTORY)


async def _needs_directory(request: web.Request) -> bool:
    """Whether the directory is away, or the caller has not signed in as usual since it came back."""
    session, _ = signed_in(request)
    return session.degraded or session.temporary_factor or not await services(request).auth.directory_ready()


async def _take_back(request: web.Request, vouches: list[Vouch], cards: list[HeldCard]) -> None:
    auth, actor = services(request).auth, request[CALLER].name
    for vouch in vouches:
        await auth.end_vouch(vouch.id, actor=actor, client=client(request))
    for card in cards:
        await auth.revoke_emergency_card(card.user_id, actor=actor, client=client(request))


def _is_over(declaration: Declaration) -> bool:
    return declaration.state in _OVER or (
        declaration.state is DeclarationState.ACTIVE and declaration.level is Level.RECOVERY
    )


def _others(own: Services, declaration: Declaration) -> int:
    """How many other declarations hold in earnest: what was left behind is in use under them."""
    active = (item.declaration for item in own.bcp.active())
    return sum(other.id != declaration.id and not other.drill for other in active)


async def _cards(own: Services, declaration: Declaration) -> list[HeldCard]:
    return await own.auth.cards_since(declaration.starts_at) if declaration.starts_at else []


async def _list(request: web.Request, declaration: Declaration) -> RestoreAnswer:
    own = services(request)
    sessions = await own.sessions.list_all(declaration.tenant_id)
    others = _others(own, declaration)
    may = _is_over(declaration) and not others and permitted(request[CALLER], Permission.BCP_ACT)
    needs_directory = may and await _needs_directory(request)
    return RestoreAnswer(
        may_restore=may and not needs_directory,
        needs_directory=needs_directory,
        temporary=[
            LeftFactorAnswer(
                id=vouch.id,
                username=vouch.username,
                display_name=vouch.display_name,
                state=vouch.state,
                opened_at=vouch.opened_at,
                expires_at=vouch.expires_at,
            )
            for vouch in await own.auth.vouches()
        ],
        cards=[
            LeftCardAnswer(
                username=card.username, display_name=card.display_name, number=card.number, issued_at=card.issued_at
            )
            for card in await _cards(own, declaration)
        ],
        verifiers=await own.auth.cached_verifiers(),
        in_grace=sum(own.judge.grace(session.id) is not None for session in sessions),
        others_active=others,
        rules_before=await own.reports.rules_before(declaration.id),
        rules_now=own.policy.current.version,
    )
