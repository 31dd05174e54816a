"""Where a login stands: its row, its next step, its end in a web session, and what the person is told.

Counterpart: `auth/login.py` checks the factors and feeds the results in here; `auth/login_flow.py` decides what is
needed next. Of two requests at once only one moves a login. Nothing here checks a factor.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from auth import vault
from auth.audit_names import AuthAudit
from auth.gate import Gate
from auth.login_flow import START, Accepted, Event, Need, PasswordProven, Rejected, advance, verdict
from auth.messages import login_error
from auth.models import Client, CookieChange, LoginErrorCode, LoginOutcome, LoginStep, LoginView
from auth.names import account_of
from auth.recorder import Recorder
from auth.rows import LoginRow
from auth.second_factors import Checked, SecondFactors
from auth.store.logins import LoginStore
from auth.store.people import PeopleStore
from auth.throttle import Scope
from auth.web_sessions import WebSessions, is_possible_cookie
from common.clock import Clock
from common.errors import AuditUnavailable
from common.ids import WebSessionId, new_token, token_hash
from common.secret import Secret

_STEPS: Final = {
    Need.PASSWORD: LoginStep.PASSWORD,
    Need.SECOND_FACTOR: LoginStep.TOTP,
    Need.NEW_PASSWORD: LoginStep.CHANGE_PASSWORD,
    Need.ENROLMENT: LoginStep.ENROL,
    Need.CODES_SEEN: LoginStep.RECOVERY_CODES,
}


class LoginProgress:
    """Of one tenant."""

    def __init__(
        self,
        *,
        people: PeopleStore,
        logins: LoginStore,
        factors: SecondFactors,
        sessions: WebSessions,
        gate: Gate,
        recorder: Recorder,
        clock: Clock,
        login_seconds: int,
    ) -> None:
        self._login_seconds = login_seconds
        self._people = people
        self._logins = logins
        self._factors = factors
        self._sessions = sessions
        self._gate = gate
        self._recorder = recorder
        self._clock = clock

    async def load(self, login_cookie: str | None) -> LoginRow | None:
        """This browser's login; None when it has none or the time ran out."""
        if not is_possible_cookie(login_cookie):
            return None
        return await self._logins.login(token_hash(login_cookie), self._clock.now())

    async def forget(self, login_cookie: str | None) -> None:
        """Drop this browser's login."""
        if is_possible_cookie(login_cookie):
            await self._logins.drop_login(token_hash(login_cookie))

    async def begin(self, proven: PasswordProven, old_password: Secret[str] | None = None) -> LoginOutcome:
        """Write down a login for this person under a fresh cookie."""
        now, cookie = self._clock.now(), new_token()
        flow, judged = advance(START, proven)
        if isinstance(judged, Rejected):
            return over()
        login = LoginRow(
            token_hash=token_hash(cookie),
            user_id=proven.user_id,
            flow=flow,
            password_at=now,
            expires_at=now + timedelta(seconds=self._login_seconds),
            sealed_password=vault.seal(old_password, cookie, proven.user_id) if old_password else None,
        )
        await self._logins.add_login(login)
        return LoginOutcome(await self.view(login), CookieChange.SET, Secret(cookie))

    async def proceed(self, login: LoginRow, event: Event, client: Client, **changes: Any) -> LoginOutcome:
        """Feed the flow and store where it stands now; of two requests at once only one moves it."""
        flow, judged = advance(login.flow, event)
        if isinstance(judged, Rejected):
            await self._logins.drop_login(login.token_hash)
            return over()
        after = replace(login, flow=flow, **changes)
        if isinstance(judged, Accepted):
            return await self._finish(login, after, judged, client)
        if not await self._logins.move_login(login, after):
            return over()
        return LoginOutcome(await self.view(after))

    async def _finish(self, before: LoginRow, after: LoginRow, accepted: Accepted, client: Client) -> LoginOutcome:
        """The login becomes a web session under a cookie that did not exist before."""
        factor = await self._factors.temporary(accepted.user_id) if accepted.temporary else None
        if accepted.temporary and factor is None:  # ended by an official since the code was typed
            await self._logins.drop_login(before.token_hash)
            return over()
        session, cookie = self._sessions.new(
            accepted.user_id,
            client,
            password_at=after.password_at,
            totp_at=after.totp_at,
            degraded=accepted.degraded,
            temporary_until=factor.expires_at if factor else None,
        )
        if not await self._logins.finish_login(before, session):
            return over()
        try:
            await self._record_login(session.id, accepted, client)
        except AuditUnavailable:  # nobody has the cookie yet: what cannot be recorded does not begin
            await self._sessions.end(session.id, accepted.user_id)
            raise
        if (person := await self._people.person(accepted.user_id)) is not None:
            await self._gate.know(account_of(person.directory_key), client.address)
        web_session = await self._sessions.get(session.id)
        if web_session is None:
            return over()
        view = LoginView(LoginStep.DONE, display_name=web_session.identity.display_name)
        return LoginOutcome(view, CookieChange.CLEAR, None, CookieChange.SET, cookie, web_session)

    async def _record_login(self, session_id: WebSessionId, accepted: Accepted, client: Client) -> None:
        names = [AuthAudit.ACCEPT_LOGIN, *([AuthAudit.DEGRADED_LOGIN] if accepted.degraded else [])]
        for name in names:
            await self._recorder.record(
                name,
                actor=accepted.user_id,
                subject=session_id,
                client=client,
                factors=",".join(sorted(accepted.factors)),
                degraded=accepted.degraded,
                temporary_factor=accepted.temporary,
                normal_allowed=not (accepted.degraded or accepted.temporary),
            )

    async def refuse_factor(
        self, login: LoginRow, checked: Checked, client: Client, name: AuthAudit, scope: Scope
    ) -> LoginOutcome:
        """A second factor was wrong: record it, stay where the login stands."""
        error = checked.error or LoginErrorCode.CODE_WRONG
        if error is LoginErrorCode.THROTTLED:
            wait = checked.retry_after_seconds or 0
            await self._recorder.record_throttled(login.user_id, client, scope, wait)
        else:
            await self._recorder.record(name, actor=login.user_id, client=client, outcome="denied", reason=error)
        return await self.stay(login, error, checked.retry_after_seconds)

    async def stay(self, login: LoginRow, code: LoginErrorCode, retry_after_seconds: int | None = None) -> LoginOutcome:
        """The login does not move; the error says why."""
        view = await self.view(login)
        return LoginOutcome(replace(view, error=login_error(code, retry_after_seconds=retry_after_seconds)))

    async def view(self, login: LoginRow) -> LoginView:
        """What the page shows."""
        need = verdict(login.flow)
        step = LoginStep.PASSWORD if isinstance(need, Accepted) else _STEPS[need]
        person = await self._people.person(login.user_id)
        cannot = need is Need.NEW_PASSWORD and login.sealed_password is None
        return LoginView(
            step,
            error=login_error(LoginErrorCode.PASSWORD_CHANGE_UNAVAILABLE) if cannot else None,
            display_name=person.identity.display_name if person else None,
            degraded=login.flow.degraded,
            temporary_factor=login.flow.temporary,
        )


def refused(code: LoginErrorCode, retry_after_seconds: int | None = None) -> LoginOutcome:
    """Back to the password, with an error."""
    error = login_error(code, retry_after_seconds=retry_after_seconds)
    return LoginOutcome(LoginView(LoginStep.PASSWORD, error), CookieChange.CLEAR)


def over() -> LoginOutcome:
    """The login ran out, was finished or restarted elsewhere: begin again."""
    return refused(LoginErrorCode.LOGIN_EXPIRED)
