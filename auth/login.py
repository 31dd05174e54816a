"""The login, step by step: checks each factor, feeds the pure flow, keeps where it stands in a row of its own.

Counterpart: `auth/login_flow.py` decides what is needed next; `auth/service.py` offers this to the HTTP handlers.
Expected outcomes are values. A person reads one message for everything that is wrong with name, password or account;
the audit has the directory's exact answer.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from auth import vault
from auth.audit_names import AuthAudit
from auth.directory import (
    Cause,
    Changed,
    ChangeRefusal,
    ChangeRefused,
    Directory,
    DirectoryResult,
    Found,
    MustChange,
    NotFound,
    PasswordExpired,
    Unreachable,
    Verified,
)
from auth.gate import Gate
from auth.login_flow import (
    START,
    Accepted,
    CodesSeen,
    Enrolled,
    Event,
    Factor,
    Need,
    PasswordChanged,
    PasswordProven,
    Rejected,
    SecondFactorProven,
    advance,
    verdict,
)
from auth.messages import login_error
from auth.models import (
    Client,
    CookieChange,
    Enrolment,
    LoginErrorCode,
    LoginOutcome,
    LoginStep,
    LoginView,
)
from auth.names import normalise_username, throttle_name
from auth.recorder import Recorder
from auth.rows import LoginRow, Person
from auth.second_factors import Checked, SecondFactors
from auth.settings import AuthSettings
from auth.store.logins import LoginStore
from auth.store.people import PeopleStore
from auth.throttle import Scope
from auth.web_sessions import WebSessions, is_possible_cookie
from common.clock import Clock
from common.errors import AuditUnavailable
from common.ids import new_token, token_hash
from common.secret import Secret

_STEPS: Final = {
    Need.PASSWORD: LoginStep.PASSWORD,
    Need.SECOND_FACTOR: LoginStep.TOTP,
    Need.NEW_PASSWORD: LoginStep.CHANGE_PASSWORD,
    Need.ENROLMENT: LoginStep.ENROL,
    Need.CODES_SEEN: LoginStep.RECOVERY_CODES,
}
_CHANGE_ERRORS: Final = {
    ChangeRefusal.TOO_SHORT: LoginErrorCode.PASSWORD_TOO_SHORT,
    ChangeRefusal.TOO_LONG: LoginErrorCode.PASSWORD_TOO_LONG,
    ChangeRefusal.TOO_SIMPLE: LoginErrorCode.PASSWORD_TOO_SIMPLE,
    ChangeRefusal.USED_BEFORE: LoginErrorCode.PASSWORD_USED_BEFORE,
    ChangeRefusal.TOO_YOUNG: LoginErrorCode.PASSWORD_TOO_YOUNG,
    ChangeRefusal.NOT_ALLOWED: LoginErrorCode.PASSWORD_CHANGE_UNAVAILABLE,
    ChangeRefusal.OTHER: LoginErrorCode.PASSWORD_REFUSED,
}


class Login:
    """Of one tenant. `login_cookie` is what the browser sent, None when it sent none."""

    def __init__(
        self,
        settings: AuthSettings,
        *,
        directory: Directory,
        people: PeopleStore,
        logins: LoginStore,
        factors: SecondFactors,
        sessions: WebSessions,
        gate: Gate,
        recorder: Recorder,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._people = people
        self._logins = logins
        self._factors = factors
        self._sessions = sessions
        self._gate = gate
        self._recorder = recorder
        self._clock = clock

    async def state(self, login_cookie: str | None) -> LoginView:
        """Where this browser's login stands."""
        login = await self._load(login_cookie)
        return await self._view(login) if login else LoginView(LoginStep.PASSWORD)

    async def submit_password(
        self, login_cookie: str | None, username: str, password: str, client: Client
    ) -> LoginOutcome:
        """Begin from nothing: whatever this browser had proven before, for whomever, is gone."""
        answer_at = asyncio.get_running_loop().time() + self._settings.throttle.answer_floor_milliseconds / 1000
        await self._forget(login_cookie)
        outcome = await self._password(username, Secret(password), client)
        if outcome.view.error is not None:
            await asyncio.sleep(max(0.0, answer_at - asyncio.get_running_loop().time()))
        return outcome

    async def submit_totp(self, login_cookie: str | None, code: str, client: Client) -> LoginOutcome:
        """The second factor by authenticator."""
        login = await self._load(login_cookie)
        if login is None:
            return _over()
        if verdict(login.flow) is not Need.SECOND_FACTOR:
            return await self._stay(login, LoginErrorCode.WRONG_STEP)
        checked = await self._factors.check_totp(login.user_id, code)
        if checked.error is not None:
            return await self._refuse_factor(login, checked, client, AuthAudit.REFUSE_TOTP, Scope.TOTP)
        await self._recorder.record(AuthAudit.ACCEPT_TOTP, actor=login.user_id, client=client)
        event = SecondFactorProven(login.user_id, Factor.TOTP)
        return await self._proceed(login, event, client, totp_at=self._clock.now())

    async def submit_recovery(self, login_cookie: str | None, code: str, client: Client) -> LoginOutcome:
        """The second factor by recovery code."""
        login = await self._load(login_cookie)
        if login is None:
            return _over()
        if verdict(login.flow) is not Need.SECOND_FACTOR:
            return await self._stay(login, LoginErrorCode.WRONG_STEP)
        checked = await self._factors.check_recovery(login.user_id, code)
        if checked.error is not None:
            return await self._refuse_factor(login, checked, client, AuthAudit.REFUSE_RECOVERY_CODE, Scope.RECOVERY)
        left = await self._factors.codes_left(login.user_id)
        await self._recorder.record(AuthAudit.USE_RECOVERY_CODE, actor=login.user_id, client=client, codes_left=left)
        event = SecondFactorProven(
            login.user_id, Factor.RECOVERY_CODE, self._settings.second_factor.recovery_requires_enrolment
        )
        return await self._proceed(login, event, client)

    async def start_enrolment(self, login_cookie: str | None, client: Client) -> Enrolment | LoginOutcome:
        """A new secret to show; asking again gives another one and drops the first."""
        login = await self._load(login_cookie)
        person = await self._people.person(login.user_id) if login else None
        if login is None or person is None:
            return _over()
        if verdict(login.flow) is not Need.ENROLMENT:
            return await self._stay(login, LoginErrorCode.WRONG_STEP)
        if not self._may_enrol_from(client):
            await self._recorder.record(
                AuthAudit.REFUSE_ENROLMENT, actor=login.user_id, client=client, outcome="denied", reason="network"
            )
            return await self._stay(login, LoginErrorCode.ENROLMENT_NOT_HERE)
        shown, sealed = self._factors.begin(login.user_id, person.identity.username)
        if not await self._logins.move_login(login, replace(login, sealed_totp=sealed)):
            return _over()
        return shown

    async def confirm_enrolment(self, login_cookie: str | None, code: str, client: Client) -> LoginOutcome:
        """A first right code makes the new authenticator the person's only one."""
        login = await self._load(login_cookie)
        if login is None:
            return _over()
        if verdict(login.flow) is not Need.ENROLMENT or login.sealed_totp is None or not self._may_enrol_from(client):
            return await self._stay(login, LoginErrorCode.WRONG_STEP)
        checked = await self._factors.confirm(login.user_id, login.sealed_totp, code)
        if checked.error is not None:
            return await self._refuse_factor(login, checked, client, AuthAudit.REFUSE_ENROLMENT, Scope.TOTP)
        await self._recorder.record(AuthAudit.ENROL_TOTP, actor=login.user_id, client=client)
        outcome = await self._proceed(
            login, Enrolled(login.user_id), client, sealed_totp=None, totp_at=self._clock.now()
        )
        if outcome.view.step is not LoginStep.RECOVERY_CODES:
            return outcome
        return replace(outcome, view=replace(outcome.view, recovery_codes=checked.codes))

    async def finish_enrolment(self, login_cookie: str | None, client: Client) -> LoginOutcome:
        """The person has kept the codes."""
        login = await self._load(login_cookie)
        if login is None:
            return _over()
        if verdict(login.flow) is not Need.CODES_SEEN:
            return await self._stay(login, LoginErrorCode.WRONG_STEP)
        return await self._proceed(login, CodesSeen(login.user_id), client)

    async def change_password(self, login_cookie: str | None, new_password: str, client: Client) -> LoginOutcome:
        """Set a new password in the directory, with the old one of this login as proof."""
        login = await self._load(login_cookie)
        person = await self._people.person(login.user_id) if login else None
        if login is None or login_cookie is None or person is None:
            return _over()
        if verdict(login.flow) is not Need.NEW_PASSWORD:
            return await self._stay(login, LoginErrorCode.WRONG_STEP)
        old = vault.open_sealed(login.sealed_password, login_cookie, login.user_id) if login.sealed_password else None
        if old is None:
            return await self._stay(login, LoginErrorCode.PASSWORD_CHANGE_UNAVAILABLE)
        new = Secret(new_password)
        if new == old:
            return await self._stay(login, LoginErrorCode.PASSWORD_USED_BEFORE)
        return await self._change(login, person, old, new, client)

    async def restart(self, login_cookie: str | None) -> LoginOutcome:
        """Forget this browser's login."""
        await self._forget(login_cookie)
        return LoginOutcome(LoginView(LoginStep.PASSWORD), CookieChange.CLEAR)

    # -- the password

    async def _password(self, username: str, password: Secret[str], client: Client) -> LoginOutcome:
        typed = throttle_name(username)
        fingerprint = self._recorder.fingerprint(typed)
        if (wait := await self._gate.charge(Scope.PAIR, typed, client.address)) is not None:
            await self._recorder.record_throttled(fingerprint, client, Scope.PAIR, wait)
            return _refused(LoginErrorCode.THROTTLED, wait)
        budget = self._directory.budget()
        name = normalise_username(username)
        found = (
            NotFound(Cause("not a possible user name")) if name is None else await self._directory.find(name, budget)
        )
        if isinstance(found, Unreachable):
            await self._gate.forgive(Scope.PAIR, typed, client.address)
            return await self._refuse_password(found, fingerprint, client)
        entry = found.entry if isinstance(found, Found) else None
        subject = entry.username if entry else fingerprint
        account = _account(entry.key) if entry else f"name:{typed}"
        if (wait := await self._gate.charge_password(account, client.address)) is not None:
            await self._gate.forgive(Scope.PAIR, typed, client.address)
            await self._recorder.record_throttled(subject, client, Scope.ACCOUNT, wait)
            return _refused(LoginErrorCode.THROTTLED, wait)
        result = await self._directory.verify(entry, password, budget)
        if isinstance(result, Unreachable):
            await self._gate.forgive(Scope.PAIR, typed, client.address)
            await self._gate.forgive_password(account, client.address)
        if not isinstance(result, Verified | PasswordExpired | MustChange):
            exact = found if isinstance(found, NotFound) and isinstance(result, NotFound) else result
            return await self._refuse_password(exact, subject, client)
        await self._gate.clear(Scope.PAIR, typed, client.address)
        await self._gate.clear_password(account)
        return await self._begin(result, password, client)

    async def _refuse_password(self, result: DirectoryResult, subject: str, client: Client) -> LoginOutcome:
        await self._recorder.record(
            AuthAudit.REFUSE_PASSWORD,
            subject=subject,
            client=client,
            outcome="failed" if isinstance(result, Unreachable) else "denied",
            result=type(result).__name__,
            cause=result.cause.text,
            ldap_code=result.cause.code,
            sub_code=result.cause.sub_code,
            endpoint=result.cause.endpoint,
        )
        unreachable = isinstance(result, Unreachable)
        return _refused(LoginErrorCode.DIRECTORY_UNAVAILABLE if unreachable else LoginErrorCode.LOGIN_FAILED)

    async def _begin(
        self, result: Verified | PasswordExpired | MustChange, password: Secret[str], client: Client
    ) -> LoginOutcome:
        """The password is right: write down a login for this person under a fresh cookie."""
        now = self._clock.now()
        must_change = not isinstance(result, Verified)
        person = await self._people.remember_person(result.entry, now, groups_known=not must_change)
        user_id = person.identity.user_id
        await self._recorder.record(
            AuthAudit.ACCEPT_PASSWORD,
            actor=user_id,
            subject=result.entry.username,
            client=client,
            result=type(result).__name__,
            sub_code=result.cause.sub_code,
            endpoint=result.cause.endpoint,
        )
        proven = PasswordProven(user_id, await self._factors.enrolled(user_id), must_change)
        flow, _need = advance(START, proven)
        cookie = new_token()
        keeps_old = isinstance(result, PasswordExpired | MustChange) and result.can_change
        login = LoginRow(
            token_hash=token_hash(cookie),
            user_id=user_id,
            flow=flow,
            password_at=now,
            expires_at=now + timedelta(seconds=self._settings.web_session.login_seconds),
            sealed_password=vault.seal(password, cookie, user_id) if keeps_old else None,
        )
        await self._logins.add_login(login)
        return LoginOutcome(await self._view(login), CookieChange.SET, Secret(cookie))

    async def _change(
        self, login: LoginRow, person: Person, old: Secret[str], new: Secret[str], client: Client
    ) -> LoginOutcome:
        found = await self._directory.lookup(person.directory_key)
        if isinstance(found, Unreachable):
            return await self._stay(login, LoginErrorCode.DIRECTORY_UNAVAILABLE)
        if not isinstance(found, Verified):
            await self._logins.drop_login(login.token_hash)
            await self._refuse_password(found, person.identity.username, client)
            return replace(_refused(LoginErrorCode.LOGIN_FAILED), login_cookie=CookieChange.CLEAR)
        result = await self._directory.change_password(found.entry, old, new)
        await self._recorder.record(
            AuthAudit.CHANGE_PASSWORD,
            actor=login.user_id,
            subject=person.identity.username,
            client=client,
            outcome="ok" if isinstance(result, Changed) else "failed",
            cause=result.cause.text,
            ldap_code=result.cause.code,
            sub_code=result.cause.sub_code,
            reason=result.reason if isinstance(result, ChangeRefused) else None,
        )
        match result:
            case Unreachable():
                return await self._stay(login, LoginErrorCode.DIRECTORY_UNAVAILABLE)
            case ChangeRefused():
                return await self._stay(login, _CHANGE_ERRORS[result.reason])
            case Changed():
                now = self._clock.now()
                await self._people.update_person(login.user_id, found.entry, now)
                event = PasswordChanged(login.user_id)
                return await self._proceed(login, event, client, sealed_password=None, password_at=now)

    # -- the row

    async def _load(self, login_cookie: str | None) -> LoginRow | None:
        if not is_possible_cookie(login_cookie):
            return None
        return await self._logins.login(token_hash(login_cookie), self._clock.now())

    async def _forget(self, login_cookie: str | None) -> None:
        if is_possible_cookie(login_cookie):
            await self._logins.drop_login(token_hash(login_cookie))

    async def _proceed(self, login: LoginRow, event: Event, client: Client, **changes: Any) -> LoginOutcome:
        """Feed the flow and store where it stands now; of two requests at once only one moves it."""
        flow, judged = advance(login.flow, event)
        if isinstance(judged, Rejected):
            await self._logins.drop_login(login.token_hash)
            return _over()
        after = replace(login, flow=flow, **changes)
        if isinstance(judged, Accepted):
            return await self._finish(login, after, judged, client)
        if not await self._logins.move_login(login, after):
            return _over()
        return LoginOutcome(await self._view(after))

    async def _finish(self, before: LoginRow, after: LoginRow, accepted: Accepted, client: Client) -> LoginOutcome:
        """The login becomes a web session under a cookie that did not exist before."""
        session, cookie = self._sessions.new(
            accepted.user_id, client, password_at=after.password_at, totp_at=after.totp_at
        )
        if not await self._logins.finish_login(before, session):
            return _over()
        try:
            await self._recorder.record(
                AuthAudit.ACCEPT_LOGIN,
                actor=accepted.user_id,
                subject=session.id,
                client=client,
                factors=",".join(sorted(accepted.factors)),
            )
        except AuditUnavailable:  # nobody has the cookie yet: what cannot be recorded does not begin
            await self._sessions.end(session.id, accepted.user_id)
            raise
        if (person := await self._people.person(accepted.user_id)) is not None:
            await self._gate.know(_account(person.directory_key), client.address)
        web_session = await self._sessions.get(session.id)
        if web_session is None:
            return _over()
        view = LoginView(LoginStep.DONE, display_name=web_session.identity.display_name)
        return LoginOutcome(view, CookieChange.CLEAR, None, CookieChange.SET, cookie, web_session)

    # -- answers

    def _may_enrol_from(self, client: Client) -> bool:
        return self._settings.second_factor.allows_enrolment_from(client.address)

    async def _refuse_factor(
        self, login: LoginRow, checked: Checked, client: Client, name: AuthAudit, scope: Scope
    ) -> LoginOutcome:
        error = checked.error or LoginErrorCode.CODE_WRONG
        if error is LoginErrorCode.THROTTLED:
            wait = checked.retry_after_seconds or 0
            await self._recorder.record_throttled(login.user_id, client, scope, wait)
        else:
            await self._recorder.record(name, actor=login.user_id, client=client, outcome="denied", reason=error)
        return await self._stay(login, error, checked.retry_after_seconds)

    async def _stay(
        self, login: LoginRow, code: LoginErrorCode, retry_after_seconds: int | None = None
    ) -> LoginOutcome:
        view = await self._view(login)
        return LoginOutcome(replace(view, error=login_error(code, retry_after_seconds=retry_after_seconds)))

    async def _view(self, login: LoginRow) -> LoginView:
        need = verdict(login.flow)
        step = LoginStep.PASSWORD if isinstance(need, Accepted) else _STEPS[need]
        person = await self._people.person(login.user_id)
        cannot = need is Need.NEW_PASSWORD and login.sealed_password is None
        return LoginView(
            step,
            error=login_error(LoginErrorCode.PASSWORD_CHANGE_UNAVAILABLE) if cannot else None,
            display_name=person.identity.display_name if person else None,
        )


def _account(directory_key: str) -> str:
    """One counter per entry, however its name is spelled."""
    return f"entry:{directory_key}"


def _refused(code: LoginErrorCode, retry_after_seconds: int | None = None) -> LoginOutcome:
    error = login_error(code, retry_after_seconds=retry_after_seconds)
    return LoginOutcome(LoginView(LoginStep.PASSWORD, error), CookieChange.CLEAR)


def _over() -> LoginOutcome:
    """The login ran out, was finished or restarted elsewhere: begin again."""
    return _refused(LoginErrorCode.LOGIN_EXPIRED)
