"""The signed-in caller of a request, for handlers behind the `SIGNED_IN` permission."""

from aiohttp import web

from auth.models import WebSession
from common.errors import ErrorCode, KakehashiError
from gateway.services import CALLER


def signed_in(request: web.Request) -> tuple[WebSession, str]:
    """Web session and cookie value. The permission made sure of both; without them the request is refused here, too."""
    caller = request[CALLER]
    if caller.web_session is None or caller.cookie is None:
        raise KakehashiError("no web session", code=ErrorCode.NOT_SIGNED_IN)
    return caller.web_session, caller.cookie
