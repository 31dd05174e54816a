"""Figures, request id, errors, identity, origin and CSRF, permission, turn: in that order, around every handler.

Counterpart: `gateway/routes.py`, which gives each route its permission. A request that no route matches passes here as
well and ends as "not found"; a route without an entry in the table cannot exist, because only the table adds routes.
"""

import asyncio
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import ValidationError

from auth.models import WebSession
from auth.web_sessions import is_possible_cookie
from common.errors import ErrorCode, KakehashiError
from common.ids import new_id
from common.log import bind_request, get_logger
from gateway import problem
from gateway.bodies import read
from gateway.headers import SECURITY_HEADERS, SESSION_COOKIE
from gateway.local_socket import local_account
from gateway.permissions import STRANGER, Caller, Permission, Role, permitted, separated
from gateway.routes import EXACT_TIME, Route, route_of
from gateway.services import CALLER, REQUEST_ID, SOURCE, services
from gateway.settings import Settings
from gateway.source import ForwardingError, source_address

_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
_CSRF_HEADER: Final = "X-CSRF-Token"
_BACKGROUND_HEADER: Final = "X-Background"
"""Sent by our pages with what they ask by themselves: it must not keep a login alive that nobody uses."""
_BODY_SECONDS: Final = 30.0
"""A body that trickles in for longer is refused; WebSockets and streams are exempt."""

_log = get_logger(__name__)


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: security headers on every answer, also on errors and WebSocket upgrades."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.pop("Server", None)


@web.middleware
async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count the answer and its time by route; what the table does not hold counts as a page of the web client."""
    own = services(request)
    route = route_of(request)
    labels = (request.method, route.path) if route else ("GET", "page")
    began = own.clock.monotonic()
    response = await handler(request)
    own.metrics.responses.labels(*labels, response.status).inc()
    if not (route and route.lasts):
        own.metrics.request_seconds.labels(*labels).observe(own.clock.monotonic() - began)
    return response


@web.middleware
async def request_id(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request a name that its log lines, its answer and its problem document carry."""
    name = new_id("req")
    request[REQUEST_ID] = name
    bind_request(name)
    response = await handler(request)
    if not response.prepared:
        response.headers["X-Request-Id"] = name
    return response


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every exception into a problem document; unknown ones are logged whole and answered without detail."""
    name = request[REQUEST_ID]
    route = route_of(request)
    try:
        if route and route.lasts:
            return await handler(request)
        async with asyncio.timeout(_BODY_SECONDS):
            return await handler(request)
    except KakehashiError as error:
        _log.info("request refused", code=error.code, detail=error.detail)
        return problem.of_error(error, name)
    except ValidationError as error:
        return problem.of_validation(error, name)
    except web.HTTPException as error:
        return problem.of_http(error, name)
    except (web.RequestPayloadError, ConnectionResetError) as error:
        _log.info("request refused", detail=f"body broken or broken off: {error}")
        return problem.problem(ErrorCode.BAD_REQUEST, name)
    except ForwardingError as error:
        _log.warning("forwarding headers refused", detail=str(error), peer=request.remote)
        return problem.problem(ErrorCode.BAD_REQUEST, name)
    except TimeoutError:
        _log.warning("request took too long", method=request.method)
        return problem.problem(ErrorCode.BUSY, name)
    except Exception as error:  # noqa: BLE001 - the last stop: nothing may reach the other side but a problem document
        _log.error("request failed", exc_info=error)
        return problem.problem(ErrorCode.INTERNAL, name)


@web.middleware
async def identity(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who asks and from where."""
    local = local_account(request)
    if local is not None:
        request[SOURCE] = ""
        request[CALLER] = Caller(local_account=local, roles=frozenset({Role.ADMIN}))
        return await handler(request)
    address = source_address(
        request.remote,
        request.headers.getall("X-Forwarded-For", []),
        request.headers.getall("X-Forwarded-Proto", []),
        services(request).settings.http.proxies,
    )
    request[SOURCE] = str(address) if address else ""
    request[CALLER] = await _web_caller(request)
    return await handler(request)


async def _web_caller(request: web.Request) -> Caller:
    cookie = request.cookies.get(SESSION_COOKIE)
    route = route_of(request)
    if route is None or route.permission is Permission.PUBLIC or not is_possible_cookie(cookie):
        return STRANGER
    own = services(request)
    await own.pace.count(f"cookie {cookie}")
    by_itself = route.stream or _BACKGROUND_HEADER in request.headers
    session = await own.auth.identity_for_cookie(cookie, activity=not by_itself)
    if session is None:
        return STRANGER
    await own.pace.count(f"person {session.identity.user_id}")
    caller = Caller(web_session=session, cookie=cookie, roles=_roles(own.settings, session))
    if not route.signs or not permitted(caller, route.permission):
        return caller
    # Who was entitled a minute ago may not be any more. Nobody else costs the directory a question.
    now = await own.auth.reread(session)
    return STRANGER if now is None else replace(caller, web_session=now, roles=_roles(own.settings, now))


def _roles(settings: Settings, session: WebSession) -> frozenset[Role]:
    """Those of the person's groups; a temporary authenticator administers nothing."""
    groups = session.identity.groups
    named = {
        Role.ADMIN: settings.admin.groups,
        Role.COORDINATOR: settings.roles.coordinator_groups,
        Role.APPROVER: settings.roles.approver_groups,
        Role.AUDITOR: settings.roles.auditor_groups,
        Role.VOUCHER: settings.auth.vouch.groups,
    }
    held = separated(frozenset(role for role, members in named.items() if not groups.isdisjoint(members)))
    return held - {Role.ADMIN} if session.temporary_factor else held


@web.middleware
async def origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another site's page sends with our visitor's cookies: WebSockets and everything that changes state.

    Cookies are SameSite=Strict already; Origin and the token hold where a browser or a sister host breaks that.
    """
    route = route_of(request)
    caller = request[CALLER]
    if route is None or caller.local_account is not None:
        return await handler(request)
    if route.websocket or request.method not in _SAFE_METHODS:
        _check_origin(request)
        if caller.cookie is not None and not route.websocket and route.permission is not Permission.LOGIN:
            token = request.headers.get(_CSRF_HEADER)
            if not services(request).auth.csrf_matches(caller.cookie, token):
                raise KakehashiError("CSRF token missing or wrong", code=ErrorCode.FORBIDDEN)
    return await handler(request)


def _check_origin(request: web.Request) -> None:
    sent = request.headers.getall("Origin", [])
    if len(sent) != 1 or sent[0] not in services(request).settings.http.origins:
        raise KakehashiError(f"origin {sent!r} is not ours", code=ErrorCode.FORBIDDEN)
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise KakehashiError("cross-site request", code=ErrorCode.FORBIDDEN)
    if urlsplit(sent[0]).netloc != request.host:
        raise KakehashiError("origin and host differ", code=ErrorCode.FORBIDDEN)


@web.middleware
async def permission(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Ask the table. What administrators may do looks, to others, as if it were not there."""
    route: Route | None = route_of(request)
    caller = request[CALLER]
    if route is None or permitted(caller, route.permission):
        if any("\0" in value for value in request.match_info.values()):
            raise KakehashiError("U+0000 in a path", code=ErrorCode.NOT_FOUND)
        if route is not None and route.handler in EXACT_TIME:
            services(request).clock_watch.require()
        return await handler(request)
    if caller is STRANGER:
        raise KakehashiError("sign in first", code=ErrorCode.NOT_SIGNED_IN)
    raise KakehashiError(f"{caller.name} lacks {route.permission}", code=ErrorCode.NOT_FOUND)


@web.middleware
async def turn(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let slow work pass a little at a time. Its body is read first: who sends it slowly would keep the turn."""
    route = route_of(request)
    if route is None or route.slow is None:
        return await handler(request)
    if route.body is not None:
        await read(request, route.body)
    async with services(request).slow_turns[route.slow].take(request[CALLER].name):
        return await handler(request)


MIDDLEWARES: Final = (measured, request_id, errors, identity, origin, permission, turn)
