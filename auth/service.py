"""Everything the HTTP handlers need of auth, one method per route; builds and runs auth's parts for one tenant.

Counterpart: `gateway/handlers`. Cookies come in and go out as plain values; expected outcomes are values. What a person
may reach is not decided here.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, Self

from auth.audit_names import AuthAudit
from auth.degraded import Degraded
from auth.directory import Directory
from auth.emergency_card import CardPrinter
from auth.gate import Gate
from auth.ldap_directory import LdapDirectory
from auth.login import Login
from auth.login_progress import LoginProgress
from auth.models import (
    Client,
    EmergencyCard,
    Enrolment,
    HeldCard,
    Identity,
    IdentityCheck,
    LoginOutcome,
    LoginView,
    StepUp,
    Vouch,
    VouchStep,
    WebSession,
)
from auth.outage import OutageWatch
from auth.recorder import Recorder
from auth.refresh import Refresh
from auth.residents import Residents
from auth.second_factors import SecondFactors
from auth.settings import AuthSettings
from auth.slow_hash import SlowHash
from auth.step_up import StepUps
from auth.store.counters import CounterStore
from auth.store.factors import FactorStore
from auth.store.leftovers import LeftoverStore
from auth.store.logins import LoginStore
from auth.store.people import PeopleStore
from auth.store.sessions import SessionStore
from auth.store.verifiers import VerifierStore
from auth.store.vouches import VouchStore
from auth.temporary_factor import TemporaryFactors
from auth.turns import Turns
from auth.web_sessions import WebSessions, csrf_matches, csrf_token
from common.audit import AuditSink
from common.bus import EventBus
from common.clock import Clock
from common.db import Database
from common.errors import KakehashiError
from common.ids import TenantId, UserId, WebSessionId
from common.log import get_logger
from common.secret import Keyring, Secret
from common.tasks import TaskScope

_SWEEP_SECONDS: Final = 30.0
_WATCH_SECONDS: Final = 10.0
"""Between two looks at a directory that is out of reach; well below the watch's longest gap."""
_log = get_logger(__name__)


def _no_emergency() -> bool:
    return False


def _no_drill(_identity: Identity) -> str | None:
    return None


class AuthService:
    """Login, second factors and web sessions of one tenant."""

    def __init__(
        self,
        settings: AuthSettings,
        *,
        tenant_id: TenantId,
        tenant_name: str,
        database: Database,
        directory: Directory,
        keyring: Keyring,
        audit: AuditSink,
        bus: EventBus,
        clock: Clock,
        emergency: Callable[[], bool] = _no_emergency,
        rehearsing: Callable[[Identity], str | None] = _no_drill,
    ) -> None:
        self._settings = settings
        self._tenant_id = tenant_id
        self._directory = directory
        self._recorder = Recorder(audit, tenant_id, clock)
        self._people = PeopleStore(database, tenant_id)
        self._residents = Residents(tenant_id, directory, self._people, clock)
        self._leftovers = LeftoverStore(database, tenant_id)
        self._logins = LoginStore(database, tenant_id)
        self._gate = Gate(CounterStore(database, tenant_id), settings.throttle, clock)
        self._clock = clock
        self._sessions = WebSessions(SessionStore(database, tenant_id), settings.web_session, bus, clock)
        issuer = f"{settings.second_factor.issuer} {tenant_name}".replace(":", " ").strip()
        self._factors = SecondFactors(
            FactorStore(database, tenant_id),
            VouchStore(database, tenant_id),
            self._gate,
            keyring,
            clock,
            tenant_id=tenant_id,
            issuer=issuer,
        )
        most = max(1, settings.ldap.worker_threads // 2)
        turns = Turns(min(settings.throttle.checks_per_address, most), settings.throttle.check_queue_seconds)
        self._watch = OutageWatch(directory, self._recorder, clock)
        self._degraded = Degraded(
            settings.degraded,
            tenant_id=tenant_id,
            watch=self._watch,
            verifiers=VerifierStore(database, tenant_id),
            people=self._people,
            slow_hash=SlowHash(settings.degraded.hash_threads),
            gate=self._gate,
            keyring=keyring,
            recorder=self._recorder,
            clock=clock,
            emergency=emergency,
            rehearsing=rehearsing,
            turns=turns,
        )
        self._temporary = TemporaryFactors(
            settings.vouch,
            tenant_id=tenant_id,
            vouches=VouchStore(database, tenant_id),
            people=self._people,
            factors=self._factors,
            sessions=self._sessions,
            recorder=self._recorder,
            clock=clock,
        )
        self._login = Login(
            settings,
            directory=directory,
            people=self._people,
            logins=self._logins,
            factors=self._factors,
            progress=LoginProgress(
                people=self._people,
                logins=self._logins,
                factors=self._factors,
                sessions=self._sessions,
                gate=self._gate,
                recorder=self._recorder,
                clock=clock,
                login_seconds=settings.web_session.login_seconds,
            ),
            gate=self._gate,
            degraded=self._degraded,
            temporary=self._temporary,
            recorder=self._recorder,
            clock=clock,
            turns=turns,
        )
        self._printer = CardPrinter()
        self._step_ups = StepUps(
            settings,
            tenant_name=tenant_name,
            factors=self._factors,
            sessions=self._sessions,
            printer=self._printer,
            recorder=self._recorder,
            clock=clock,
        )
        self._refresh = Refresh(
            directory=directory,
            watch=self._watch,
            people=self._people,
            sessions=self._sessions,
            recorder=self._recorder,
            bus=bus,
            clock=clock,
            every=timedelta(seconds=settings.refresh_seconds),
            holders_every=timedelta(minutes=settings.degraded.recheck_minutes),
            degraded=self._degraded,
        )
        self._tasks = TaskScope()

    @classmethod
    def create(
        cls,
        settings: AuthSettings,
        *,
        tenant_id: TenantId,
        tenant_name: str,
        database: Database,
        keyring: Keyring,
        audit: AuditSink,
        bus: EventBus,
        clock: Clock,
        emergency: Callable[[], bool] = _no_emergency,
        rehearsing: Callable[[Identity], str | None] = _no_drill,
    ) -> Self:
        """With the LDAP directory of the settings. Raises ConfigError when a certificate file cannot be read.

        `emergency` is asked at each login without the directory: is a declaration of level 警戒 or above in force?
        """
        return cls(
            settings,
            tenant_id=tenant_id,
            tenant_name=tenant_name,
            database=database,
            directory=LdapDirectory(settings.ldap, clock),
            keyring=keyring,
            audit=audit,
            bus=bus,
            clock=clock,
            emergency=emergency,
            rehearsing=rehearsing,
        )

    async def start(self) -> None:
        """Start the background work: directory probes, refresh of signed-in people, sweep of what ran out."""
        await self._directory.start()
        self._tasks.spawn(
            self._every(self._settings.refresh_seconds, self.refresh), name="auth refresh of signed-in people"
        )
        self._tasks.spawn(self._every(_SWEEP_SECONDS, self.sweep), name="auth sweep")
        self._tasks.spawn(self._every(_WATCH_SECONDS, self.watch_directory), name="auth outage watch")

    async def close(self) -> None:
        """Stop it, close directory connections and threads."""
        await self._tasks.close()
        await self._degraded.close()
        self._printer.close()
        await self._directory.close()

    # -- login in progress

    async def state(self, login_cookie: str | None) -> LoginView:
        """GET /login: where this browser's login stands."""
        return await self._login.state(login_cookie)

    async def submit_password(
        self, login_cookie: str | None, username: str, password: str, client: Client
    ) -> LoginOutcome:
        """POST /login: begin from nothing."""
        return await self._login.submit_password(login_cookie, username, password, client)

    async def submit_totp(self, login_cookie: str | None, code: str, client: Client) -> LoginOutcome:
        """POST /login/totp."""
        return await self._login.submit_totp(login_cookie, code, client)

    async def submit_recovery(self, login_cookie: str | None, code: str, client: Client) -> LoginOutcome:
        """POST /login/recovery."""
        return await self._login.submit_recovery(login_cookie, code, client)

    async def submit_activation(self, login_cookie: str | None, code: str, client: Client) -> LoginOutcome:
        """POST /login/activation."""
        return await self._login.submit_activation(login_cookie, code, client)

    async def start_enrolment(self, login_cookie: str | None, client: Client) -> Enrolment | LoginOutcome:
        """POST /login/enrol: what to show, or where the login stands instead."""
        return await self._login.start_enrolment(login_cookie, client)

    async def confirm_enrolment(self, login_cookie: str | None, code: str, client: Client) -> LoginOutcome:
        """POST /login/enrol/confirm: the view carries the ten recovery codes, this once."""
        return await self._login.confirm_enrolment(login_cookie, code, client)

    async def finish_enrolment(self, login_cookie: str | None, client: Client) -> LoginOutcome:
        """POST /login/enrol/done."""
        return await self._login.finish_enrolment(login_cookie, client)

    async def change_password(self, login_cookie: str | None, new_password: str, client: Client) -> LoginOutcome:
        """POST /login/password: for an expired or reset password."""
        return await self._login.change_password(login_cookie, new_password, client)

    async def restart(self, login_cookie: str | None) -> LoginOutcome:
        """DELETE /login."""
        return await self._login.restart(login_cookie)

    # -- signed-in browser

    async def identity_for_cookie(self, session_cookie: str | None, *, activity: bool = True) -> WebSession | None:
        """The live web session of this cookie; counts as activity (written at most every 30 s) unless told not to."""
        return await self._sessions.by_cookie(session_cookie, activity=activity)

    async def web_session(self, web_session_id: WebSessionId) -> WebSession | None:
        """A live session with its person as now known; counts as no activity."""
        return await self._sessions.get(web_session_id)

    async def reread(self, session: WebSession) -> WebSession | None:
        """The session with its person as the directory describes them at this moment; None when they are gone. Without
        the directory, what was known before counts."""
        known = await self._refresh.one(session.identity.user_id)
        return await self.web_session(session.id) if known else None

    def csrf_token(self, session_cookie: str) -> str:
        """Derived from the cookie, so nothing is stored."""
        return csrf_token(session_cookie)

    def csrf_matches(self, session_cookie: str, presented: str | None) -> bool:
        """Constant time."""
        return csrf_matches(session_cookie, presented)

    async def touch(self, web_session_id: WebSessionId) -> bool:
        """Activity that is not an HTTP request (a viewer's input). False when the session is over: cut the viewer."""
        return await self._sessions.touch(web_session_id)

    async def logout(self, session_cookie: str | None, client: Client) -> None:
        """POST /logout. The session has ended even when the event cannot be recorded."""
        ended = await self._sessions.end_by_cookie(session_cookie)
        if ended is not None:
            await self._recorder.record(
                AuthAudit.LOG_OUT, actor=ended.identity.user_id, subject=ended.id, client=client
            )

    async def list_web_sessions(self, user_id: UserId) -> list[WebSession]:
        """GET /me/web-sessions: newest first."""
        return await self._sessions.of_person(user_id)

    async def revoke_web_session(self, user_id: UserId, web_session_id: WebSessionId, client: Client) -> bool:
        """DELETE /me/web-sessions/{id}. False when this person has no such session (answer as not found)."""
        if not await self._sessions.end(web_session_id, user_id):
            return False
        await self._recorder.record(AuthAudit.REVOKE_WEB_SESSION, actor=user_id, subject=web_session_id, client=client)
        return True

    async def revoke_all(self, user_id: UserId, *, actor: str) -> int:
        """End all sessions of a person; how many there were."""
        ended = await self._sessions.end_all(user_id)
        for web_session_id in ended:
            await self._recorder.record(AuthAudit.REVOKE_WEB_SESSION, actor=actor, subject=web_session_id)
        return len(ended)

    async def recovery_codes_left(self, user_id: UserId) -> int:
        """Unused recovery codes."""
        return await self._factors.codes_left(user_id)

    async def step_up(self, session_cookie: str, code: str, client: Client) -> StepUp:
        """A fresh TOTP code inside a session: new `totp_at`, new cookie."""
        return await self._step_ups.prove(session_cookie, code, client)

    async def regenerate_recovery_codes(self, session_cookie: str, code: str, client: Client) -> StepUp:
        """Step-up that also replaces the recovery codes by ten new ones."""
        return await self._step_ups.renew_codes(session_cookie, code, client)

    async def issue_emergency_card(
        self, session_cookie: str, code: str, url: str, client: Client
    ) -> tuple[StepUp, Secret[bytes] | None]:
        """Step-up that prints a card with ten new recovery codes; the PDF, this once. `url` is the gateway's address.

        Raises ConfigError when there is no Japanese font."""
        return await self._step_ups.issue_card(session_cookie, code, url, client)

    async def emergency_card(self, user_id: UserId) -> EmergencyCard | None:
        """Number and date of the card in force."""
        return await self._step_ups.card(user_id)

    async def revoke_emergency_card(self, user_id: UserId, *, actor: str, client: Client | None = None) -> bool:
        """A lost card: its codes are worth nothing from now on. False when there is none."""
        return await self._step_ups.void_card(user_id, actor=actor, client=client)

    async def cards_since(self, since: datetime) -> list[HeldCard]:
        """Emergency cards in force that were issued from then on."""
        return await self._leftovers.cards(since)

    async def cached_verifiers(self) -> int:
        """How many people could sign in without the directory."""
        return await self._leftovers.verifiers()

    # -- help after a lost authenticator

    async def open_vouch(self, official: WebSession, username: str, check: IdentityCheck, client: Client) -> VouchStep:
        """The first of two officials names a person without authenticator."""
        return await self._temporary.open(official, username, check, client)

    async def confirm_vouch(
        self, official: WebSession, vouch_id: str, check: IdentityCheck, client: Client
    ) -> VouchStep:
        """The second one confirms; the step carries the activation code, this once."""
        return await self._temporary.confirm(official, vouch_id, check, client)

    async def vouches(self) -> list[Vouch]:
        """All that run: waiting for the second official, for the person, and temporary authenticators."""
        return await self._temporary.running()

    async def end_vouch(self, vouch_id: str, *, actor: str, client: Client | None = None) -> bool:
        """End one at whatever step, and the sessions that rest on it. False when it does not run."""
        vouch = await self._temporary.get(vouch_id)
        if vouch is None:
            return False
        return await self._temporary.end(vouch.user_id, actor=actor, reason="revoked", client=client)

    # -- administration

    async def find_user(self, username: str) -> UserId | None:
        """The id of a person known here; also accepts a UserId."""
        return await self._residents.find(username)

    async def know(self, username: str) -> UserId | None:
        """The id, for good, of whoever has this name now; None: nobody has it."""
        return await self._residents.know(username)

    async def lookup(self, username: str) -> Identity | None:
        """A person as the directory knows them now, signed in or not. None also when no server answers."""
        return await self._residents.look_up(username)

    async def everyone(self) -> tuple[Identity, ...] | None:
        """All people who may sign in; None when no directory server answers."""
        return await self._residents.everyone()

    async def reset_factors(self, user_id: UserId, *, actor: str, source: str | None = None) -> bool:
        """Remove authenticator and recovery codes, end all sessions and logins; False when there is no such person."""
        person = await self._people.person(user_id)
        if person is None:
            return False
        client = Client(source) if source else None
        await self._recorder.record(
            AuthAudit.RESET_FACTORS, actor=actor, subject=person.identity.username, client=client, user_id=user_id
        )
        await self._factors.reset(user_id)
        await self._degraded.forget(user_id, "reset", actor=actor)
        await self._temporary.end(user_id, actor=actor, reason="reset", client=client)
        await self.revoke_all(user_id, actor=actor)
        return True

    async def purge_verifiers(self, *, actor: str, source: str | None = None) -> int:
        """For 復旧: nobody can sign in without the directory before the next good login. How many could."""
        return await self._degraded.purge_all(actor=actor, source=source)

    async def directory_ready(self) -> bool:
        """For /readyz: does any directory server answer?"""
        return await self._directory.ready()

    # -- background

    async def refresh(self) -> None:
        """One round of reading signed-in people again; publishes `user:changed`."""
        await self._refresh.run()

    async def sweep(self) -> None:
        """End sessions that ran out (published and recorded), remove old logins and counters."""
        for web_session_id in await self._sessions.sweep():
            await self._recorder.record(AuthAudit.EXPIRE_WEB_SESSION, subject=web_session_id)
        await self._temporary.sweep()
        await self._degraded.sweep()
        await self._logins.drop_expired(self._clock.now())
        await self._gate.sweep()

    async def watch_directory(self) -> None:
        """One look at a directory that seems to be out of reach; asks nobody otherwise."""
        await self._watch.keep_looking()

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """A failed round is logged and the next one tried; the work must not end silently."""
        name = getattr(work, "__name__", "work")
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except KakehashiError as error:
                _log.error("background round failed", work=name, code=error.code, detail=error.detail)
            except Exception:  # noqa: BLE001 - rounds must outlive any single fault
                _log.exception("background round failed", work=name)
