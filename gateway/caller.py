"""The signed-in caller of a request, for handlers behind any permission of people."""

from aiohttp import web

from auth.models import WebSession
from common.errors import ErrorCode, KakehashiError
from gateway.services import CALLER
from policy.bcp.model import Signer


def signed_in(request: web.Request) -> tuple[WebSession, str]:
    """Web session and cookie value. The permission made sure of both; without them the request is refused here, too."""
    caller = request[CALLER]
    if caller.web_session is None or caller.cookie is None:
        raise KakehashiError("no web session", code=ErrorCode.NOT_SIGNED_IN)
    return caller.web_session, caller.cookie


def signer_of(
    request: web.Request, *, absent: bool = False, seen_digest: str | None = None, seen_diff: str | None = None
) -> Signer:
    """The caller as somebody who signs a step of BCP mode."""
    session, _ = signed_in(request)
    who = session.identity
    return Signer(
        user_id=who.user_id,
        username=who.username,
        display_name=who.display_name,
        department=who.department,
        totp_at=session.totp_at,
        absent=absent,
        seen_digest=seen_digest,
        seen_diff=seen_diff,
    )
