"""The steps of the login. Each handler: read the body, one call to auth, render the outcome."""

from aiohttp import web

from auth.models import Client, CookieChange, LoginError, LoginOutcome, LoginView
from common.errors import ErrorCode, KakehashiError
from common.secret import Secret
from gateway.bodies import answer, body, no_content
from gateway.headers import CLEAR_SITE_DATA, LOGIN_COOKIE, SESSION_COOKIE
from gateway.schemas import (
    CodeBody,
    EnrolmentAnswer,
    LoginErrorAnswer,
    LoginStateAnswer,
    NewPasswordBody,
    PasswordBody,
)
from gateway.services import CALLER, SOURCE, services
from gateway.user_agent import label


def client(request: web.Request) -> Client:
    """Where the request comes from, for throttling and the list of signed-in browsers."""
    return Client(request[SOURCE], label(request.headers.get("User-Agent", "")))


def set_cookie(response: web.StreamResponse, name: str, change: CookieChange, value: Secret[str] | None) -> None:
    """Set or clear one of our two cookies; both end with the browser session and are invisible to scripts."""
    if change is CookieChange.SET and value is not None:
        response.set_cookie(name, value.reveal(), path="/", secure=True, httponly=True, samesite="Strict")
    elif change is CookieChange.CLEAR:
        response.del_cookie(name, path="/", secure=True, httponly=True, samesite="Strict")


def error_answer(error: LoginError | None) -> LoginErrorAnswer | None:
    """A login error as JSON."""
    if error is None:
        return None
    return LoginErrorAnswer(
        code=error.code,
        text_ja=error.text_ja,
        text_en=error.text_en,
        retry_after_seconds=error.retry_after_seconds,
    )


def _state(view: LoginView) -> LoginStateAnswer:
    return LoginStateAnswer(
        step=view.step,
        error=error_answer(view.error),
        display_name=view.display_name,
        recovery_codes=list(view.recovery_codes) if view.recovery_codes else None,
        degraded=view.degraded,
        temporary_factor=view.temporary_factor,
    )


def _outcome(outcome: LoginOutcome) -> web.Response:
    response = answer(_state(outcome.view))
    set_cookie(response, LOGIN_COOKIE, outcome.login_cookie, outcome.login_value)
    set_cookie(response, SESSION_COOKIE, outcome.session_cookie, outcome.session_value)
    return response


def _login_cookie(request: web.Request) -> str | None:
    return request.cookies.get(LOGIN_COOKIE)


async def state(request: web.Request) -> web.Response:
    """GET /api/v1/login"""
    return answer(_state(await services(request).auth.state(_login_cookie(request))))


async def submit_password(request: web.Request) -> web.Response:
    """POST /api/v1/login"""
    given = await body(request, PasswordBody)
    auth = services(request).auth
    return _outcome(await auth.submit_password(_login_cookie(request), given.username, given.password, client(request)))


async def submit_totp(request: web.Request) -> web.Response:
    """POST /api/v1/login/totp"""
    given = await body(request, CodeBody)
    return _outcome(await services(request).auth.submit_totp(_login_cookie(request), given.code, client(request)))


async def submit_recovery(request: web.Request) -> web.Response:
    """POST /api/v1/login/recovery"""
    given = await body(request, CodeBody)
    return _outcome(await services(request).auth.submit_recovery(_login_cookie(request), given.code, client(request)))


async def submit_activation(request: web.Request) -> web.Response:
    """POST /api/v1/login/activation"""
    given = await body(request, CodeBody)
    return _outcome(await services(request).auth.submit_activation(_login_cookie(request), given.code, client(request)))


async def start_enrolment(request: web.Request) -> web.Response:
    """POST /api/v1/login/enrol"""
    found = await services(request).auth.start_enrolment(_login_cookie(request), client(request))
    if isinstance(found, LoginOutcome):
        return _outcome(found)
    if isinstance(found, LoginError):
        raise KakehashiError(f"no enrolment: {found.code}", code=ErrorCode.CONFLICT)
    return answer(
        EnrolmentAnswer(
            secret=found.secret.reveal(), otpauth_uri=found.otpauth_uri.reveal(), qr_svg=found.qr_svg.reveal()
        )
    )


async def confirm_enrolment(request: web.Request) -> web.Response:
    """POST /api/v1/login/enrol/confirm"""
    given = await body(request, CodeBody)
    return _outcome(await services(request).auth.confirm_enrolment(_login_cookie(request), given.code, client(request)))


async def finish_enrolment(request: web.Request) -> web.Response:
    """POST /api/v1/login/enrol/done"""
    return _outcome(await services(request).auth.finish_enrolment(_login_cookie(request), client(request)))


async def change_password(request: web.Request) -> web.Response:
    """POST /api/v1/login/password"""
    given = await body(request, NewPasswordBody)
    auth = services(request).auth
    return _outcome(await auth.change_password(_login_cookie(request), given.new_password, client(request)))


async def restart(request: web.Request) -> web.Response:
    """DELETE /api/v1/login"""
    outcome = await services(request).auth.restart(_login_cookie(request))
    response = no_content()
    set_cookie(response, LOGIN_COOKIE, outcome.login_cookie, outcome.login_value)
    return response


async def logout(request: web.Request) -> web.Response:
    """POST /api/v1/logout"""
    await services(request).auth.logout(request[CALLER].cookie, client(request))
    response = no_content()
    response.headers["Clear-Site-Data"] = CLEAR_SITE_DATA
    for name in (SESSION_COOKIE, LOGIN_COOKIE):
        set_cookie(response, name, CookieChange.CLEAR, None)
    return response
