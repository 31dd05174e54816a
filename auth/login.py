"""The login, step by step: checks each factor, feeds the pure flow, keeps where it stands in a row of its own.

Counterpart: `auth/login_flow.py` decides what is needed next; `auth/service.py` offers this to the HTTP handlers.
Expected outcomes are values. A person reads one message for everything that is wrong with name, password or account;
the audit has the directory's exact answer.
"""

import asyncio
from dataclasses import replace
from typing import Final

from auth import vault
from auth.audit_names import AuthAudit
from auth.degraded import Admitted, Declined, Degraded, NotOpen
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
    CodesSeen,
    Enrolled,
    Factor,
    Need,
    PasswordChanged,
    PasswordProven,
    SecondFactorProven,
    verdict,
)
from auth.login_progress import LoginProgress, over, refused
from auth.models import (
    Client,
    CookieChange,
    Enrolment,
    LoginErrorCode,
    LoginOutcome,
    LoginStep,
    LoginView,
)
from auth.names import account_of, normalise_username, source_of, throttle_name
from auth.recorder import Recorder
from auth.recovery import normalise_activation
from auth.rows import LoginRow, Person
from auth.second_factors import SecondFactors
from auth.settings import AuthSettings
from auth.store.logins import LoginStore
from auth.store.people import PeopleStore
from auth.temporary_factor import TemporaryFactors
from auth.throttle import Scope
from auth.turns import TRY_AGAIN_SECONDS, Turns
from common.clock import Clock
from common.secret import Secret

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
        progress: LoginProgress,
        gate: Gate,
        degraded: Degraded,
        temporary: TemporaryFactors,
        recorder: Recorder,
        clock: Clock,
        turns: Turns,
    ) -> None:
        self._degraded = degraded
        self._temporary = temporary
        self._settings = settings
        self._directory = directory
        self._people = people
        self._logins = logins
        self._factors = factors
        self._progress = progress
        self._gate = gate
        self._recorder = recorder
        self._clock = clock
        self._turns = turns

    async def state(self, login_cookie: str | None) -> LoginView:
        """Where this browser's login stands."""
        login = await self._progress.load(login_cookie)
        return await self._progress.view(login) if login else LoginView(LoginStep.PASSWORD)

    async def submit_password(
        self, login_cookie: str | None, username: str, password: str, client: Client
    ) -> LoginOutcome:
        """Begin from nothing: whatever this browser had proven before, for whomever, is gone."""
        answer_at = asyncio.get_running_loop().time() + self._settings.throttle.answer_floor_milliseconds / 1000
        await self._progress.forget(login_cookie)
        outcome = await self._password(username, Secret(password), client)
        if outcome.view.error is not None:
            await asyncio.sleep(max(0.0, answer_at - asyncio.get_running_loop().time()))
        return outcome

    async def submit_totp(self, login_cookie: str | None, code: str, client: Client) -> LoginOutcome:
        """The second factor by authenticator."""
        login = await self._progress.load(login_cookie)
        if login is None:
            return over()
        if verdict(login.flow) is not Need.SECOND_FACTOR:
            return await self._progress.stay(login, LoginErrorCode.WRONG_STEP)
        checked = await self._factors.check_totp(login.user_id, code)
        if checked.error is not None:
            return await self._progress.refuse_factor(login, checked, client, AuthAudit.REFUSE_TOTP, Scope.TOTP)
        await self._recorder.record(
            AuthAudit.ACCEPT_TOTP, actor=login.user_id, client=client, temporary=checked.temporary
        )
        event = SecondFactorProven(login.user_id, Factor.TOTP, temporary=checked.temporary)
        return await self._progress.proceed(login, event, client, totp_at=self._clock.now())

    async def submit_recovery(self, login_cookie: str | None, code: str, client: Client) -> LoginOutcome:
        """The second factor by recovery code. An activation code looks different and is taken here as well: people have
        one field for what they read from paper or are told."""
        if normalise_activation(code) is not None:
            return await self.submit_activation(login_cookie, code, client)
        login = await self._progress.load(login_cookie)
        if login is None:
            return over()
        if verdict(login.flow) is not Need.SECOND_FACTOR:
            return await self._progress.stay(login, LoginErrorCode.WRONG_STEP)
        if login.flow.degraded:
            return await self._progress.stay(login, LoginErrorCode.NOT_WHILE_DEGRADED)
        checked = await self._factors.check_recovery(login.user_id, code)
        if checked.error is not None:
            return await self._progress.refuse_factor(
                login, checked, client, AuthAudit.REFUSE_RECOVERY_CODE, Scope.RECOVERY
            )
        left = await self._factors.codes_left(login.user_id)
        await self._recorder.record(AuthAudit.USE_RECOVERY_CODE, actor=login.user_id, client=client, codes_left=left)
        event = SecondFactorProven(
            login.user_id, Factor.RECOVERY_CODE, self._settings.second_factor.recovery_requires_enrolment
        )
        return await self._progress.proceed(login, event, client)

    async def submit_activation(self, login_cookie: str | None, code: str, client: Client) -> LoginOutcome:
        """The activation code that two officials vouched for: leads to the set-up of a temporary authenticator."""
        login = await self._progress.load(login_cookie)
        if login is None:
            return over()
        if verdict(login.flow) is not Need.SECOND_FACTOR:
            return await self._progress.stay(login, LoginErrorCode.WRONG_STEP)
        if login.flow.degraded:
            return await self._progress.stay(login, LoginErrorCode.NOT_WHILE_DEGRADED)
        checked = await self._factors.check_activation(login.user_id, code, login.expires_at - self._clock.now())
        if checked.error is not None:
            return await self._progress.refuse_factor(
                login, checked, client, AuthAudit.REFUSE_ACTIVATION_CODE, Scope.ACTIVATION
            )
        await self._recorder.record(AuthAudit.USE_ACTIVATION_CODE, actor=login.user_id, client=client)
        return await self._progress.proceed(login, SecondFactorProven(login.user_id, Factor.ACTIVATION_CODE), client)

    async def start_enrolment(self, login_cookie: str | None, client: Client) -> Enrolment | LoginOutcome:
        """A new secret to show; asking again gives another one and drops the first."""
        login = await self._progress.load(login_cookie)
        person = await self._people.person(login.user_id) if login else None
        if login is None or person is None:
            return over()
        if verdict(login.flow) is not Need.ENROLMENT:
            return await self._progress.stay(login, LoginErrorCode.WRONG_STEP)
        if not self._may_enrol(login, client):
            await self._recorder.record(
                AuthAudit.REFUSE_ENROLMENT, actor=login.user_id, client=client, outcome="denied", reason="network"
            )
            return await self._progress.stay(login, LoginErrorCode.ENROLMENT_NOT_HERE)
        shown, sealed = self._factors.begin(login.user_id, person.identity.username)
        if not await self._logins.move_login(login, replace(login, sealed_totp=sealed)):
            return over()
        return shown

    async def confirm_enrolment(self, login_cookie: str | None, code: str, client: Client) -> LoginOutcome:
        """A first right code makes the new authenticator the person's only one."""
        login = await self._progress.load(login_cookie)
        if login is None:
            return over()
        if verdict(login.flow) is not Need.ENROLMENT or login.sealed_totp is None or not self._may_enrol(login, client):
            return await self._progress.stay(login, LoginErrorCode.WRONG_STEP)
        temporary = login.flow.temporary
        if temporary:
            lifetime = self._temporary.lifetime
            checked = await self._factors.confirm_temporary(login.user_id, login.sealed_totp, code, lifetime)
        else:
            checked = await self._factors.confirm(login, login.sealed_totp, code)
        if checked.error is not None:
            outcome = await self._progress.refuse_factor(login, checked, client, AuthAudit.REFUSE_ENROLMENT, Scope.TOTP)
            if checked.error is not LoginErrorCode.LOGIN_EXPIRED:
                return outcome
            await self._logins.drop_login(login.token_hash)
            return over()
        name = AuthAudit.ENROL_TEMPORARY_TOTP if temporary else AuthAudit.ENROL_TOTP
        await self._recorder.record(name, actor=login.user_id, client=client)
        if not temporary:
            await self._temporary.end(login.user_id, actor=login.user_id, reason="own_authenticator", client=client)
        outcome = await self._progress.proceed(
            login, Enrolled(login.user_id), client, sealed_totp=None, totp_at=self._clock.now()
        )
        if outcome.view.step is not LoginStep.RECOVERY_CODES:
            return outcome
        return replace(outcome, view=replace(outcome.view, recovery_codes=checked.codes))

    async def finish_enrolment(self, login_cookie: str | None, client: Client) -> LoginOutcome:
        """The person has kept the codes."""
        login = await self._progress.load(login_cookie)
        if login is None:
            return over()
        if verdict(login.flow) is not Need.CODES_SEEN:
            return await self._progress.stay(login, LoginErrorCode.WRONG_STEP)
        return await self._progress.proceed(login, CodesSeen(login.user_id), client)

    async def change_password(self, login_cookie: str | None, new_password: str, client: Client) -> LoginOutcome:
        """Set a new password in the directory, with the old one of this login as proof."""
        login = await self._progress.load(login_cookie)
        person = await self._people.person(login.user_id) if login else None
        if login is None or login_cookie is None or person is None:
            return over()
        if verdict(login.flow) is not Need.NEW_PASSWORD:
            return await self._progress.stay(login, LoginErrorCode.WRONG_STEP)
        old = vault.open_sealed(login.sealed_password, login_cookie, login.user_id) if login.sealed_password else None
        if old is None:
            return await self._progress.stay(login, LoginErrorCode.PASSWORD_CHANGE_UNAVAILABLE)
        new = Secret(new_password)
        if new == old:
            return await self._progress.stay(login, LoginErrorCode.PASSWORD_USED_BEFORE)
        return await self._change(login, person, old, new, client)

    async def restart(self, login_cookie: str | None) -> LoginOutcome:
        """Forget this browser's login."""
        await self._progress.forget(login_cookie)
        return LoginOutcome(LoginView(LoginStep.PASSWORD), CookieChange.CLEAR)

    # -- the password

    async def _password(self, username: str, password: Secret[str], client: Client) -> LoginOutcome:
        typed, source = throttle_name(username), source_of(client.address)
        async with self._turns.taken(source) as has_turn:
            if not has_turn:
                return await self._throttled(client.address, client, "turns", TRY_AGAIN_SECONDS)
            outcome = await self._by_directory(username, typed, password, client)
        if isinstance(outcome, Unreachable):
            return await self._without_directory(outcome, typed, normalise_username(username), password, client)
        return outcome

    async def _by_directory(
        self, username: str, typed: str, password: Secret[str], client: Client
    ) -> LoginOutcome | Unreachable:
        """Unreachable: no server answered the search, the password was tried nowhere."""
        fingerprint = self._recorder.fingerprint(typed)
        if (wait := await self._gate.charge(Scope.PAIR, typed, client.address)) is not None:
            return await self._throttled(fingerprint, client, Scope.PAIR, wait)
        budget = self._directory.budget()
        name = normalise_username(username)
        found = (
            NotFound(Cause("not a possible user name")) if name is None else await self._directory.find(name, budget)
        )
        if isinstance(found, Unreachable):
            return found
        entry = found.entry if isinstance(found, Found) else None
        subject = entry.username if entry else fingerprint
        account = account_of(entry.key) if entry else f"name:{typed}"
        if (wait := await self._gate.address_wait(account, client.address)) is not None:
            await self._gate.forgive(Scope.PAIR, typed, client.address)
            return await self._throttled(client.address, client, Scope.ADDRESS, wait)
        if (wait := await self._gate.charge_password(account, client.address)) is not None:
            await self._gate.forgive(Scope.PAIR, typed, client.address)
            return await self._throttled(subject, client, Scope.ACCOUNT, wait)
        result = await self._directory.verify(entry, password, budget)
        if isinstance(result, Unreachable):
            await self._gate.forgive(Scope.PAIR, typed, client.address)
            await self._gate.forgive_password(account, client.address)
        elif not isinstance(result, Verified | PasswordExpired | MustChange):
            await self._gate.count_wrong(client.address)
        if not isinstance(result, Verified | PasswordExpired | MustChange):
            self._degraded.refused(result, password, client.address)
            exact = found if isinstance(found, NotFound) and isinstance(result, NotFound) else result
            return await self._refuse_password(exact, subject, client)
        await self._gate.clear(Scope.PAIR, typed, client.address)
        await self._gate.clear_password(account)
        return await self._accept(result, password, client)

    async def _without_directory(
        self, found: Unreachable, typed: str, name: str | None, password: Secret[str], client: Client
    ) -> LoginOutcome:
        """No server answered the search. Whoever may sign in without the directory goes on to the second factor."""
        judged = await self._degraded.admit(typed, name, password, client)
        match judged:
            case NotOpen():
                await self._gate.forgive(Scope.PAIR, typed, client.address)
                return await self._refuse_password(found, self._recorder.fingerprint(typed), client)
            case Declined():
                return refused(judged.code, judged.retry_after_seconds)
            case Admitted(identity):
                await self._recorder.record(
                    AuthAudit.ACCEPT_PASSWORD,
                    actor=identity.user_id,
                    subject=identity.username,
                    client=client,
                    result="Degraded",
                )
                proven = PasswordProven(identity.user_id, enrolled=True, degraded=True)
                return await self._progress.begin(proven)

    async def _throttled(self, subject: str, client: Client, scope: str, wait_seconds: int) -> LoginOutcome:
        await self._recorder.record_throttled(subject, client, scope, wait_seconds)
        return refused(LoginErrorCode.THROTTLED, wait_seconds)

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
        return refused(LoginErrorCode.DIRECTORY_UNAVAILABLE if unreachable else LoginErrorCode.LOGIN_FAILED)

    async def _accept(
        self, result: Verified | PasswordExpired | MustChange, password: Secret[str], client: Client
    ) -> LoginOutcome:
        """The directory says that the password is right."""
        must_change = not isinstance(result, Verified)
        person = await self._people.remember_person(result.entry, self._clock.now(), groups_known=not must_change)
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
        if isinstance(result, Verified):
            await self._degraded.rehearse(person.identity, password, client)
            await self._degraded.remember(user_id, result.entry.groups, password)
        else:
            await self._degraded.forget(user_id, type(result).__name__)
        keeps_old = isinstance(result, PasswordExpired | MustChange) and result.can_change
        proven = PasswordProven(user_id, await self._factors.enrolled(user_id), must_change)
        return await self._progress.begin(proven, password if keeps_old else None)

    async def _change(
        self, login: LoginRow, person: Person, old: Secret[str], new: Secret[str], client: Client
    ) -> LoginOutcome:
        found = await self._directory.lookup(person.directory_key)
        if isinstance(found, Unreachable):
            return await self._progress.stay(login, LoginErrorCode.DIRECTORY_UNAVAILABLE)
        if not isinstance(found, Verified):
            await self._logins.drop_login(login.token_hash)
            await self._refuse_password(found, person.identity.username, client)
            return replace(refused(LoginErrorCode.LOGIN_FAILED), login_cookie=CookieChange.CLEAR)
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
                return await self._progress.stay(login, LoginErrorCode.DIRECTORY_UNAVAILABLE)
            case ChangeRefused():
                return await self._progress.stay(login, _CHANGE_ERRORS[result.reason])
            case Changed():
                now = self._clock.now()
                await self._people.update_person(login.user_id, found.entry, now)
                await self._degraded.forget(login.user_id, "password_changed")
                event = PasswordChanged(login.user_id)
                return await self._progress.proceed(login, event, client, sealed_password=None, password_at=now)

    def _may_enrol(self, login: LoginRow, client: Client) -> bool:
        """From here? What two officials vouched for may be set up anywhere: that is what it is for."""
        return login.flow.temporary or self._settings.second_factor.allows_enrolment_from(client.address)
