"""An AuthService on a real directory and a real database, with a clock to turn, and a person who types."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from auth.ldap_directory import LdapDirectory
from auth.models import Client, CookieChange, Enrolment, LoginErrorCode, LoginOutcome, LoginStep, StepUp, WebSession
from auth.service import AuthService
from auth.settings import AuthSettings
from auth.totp import code_at, counter_at
from common.bus import LocalBus
from common.db import Database
from common.ids import TenantId
from common.secret import Keyring
from tests.integration.auth.conftest import ldap_settings
from tests.support.audit import MemoryAudit
from tests.support.clock import FakeClock
from tests.support.slapd import Slapd

TENANT = TenantId("city")
PASSWORD = "sato-pw-2026"
HOME = Client("203.0.113.7", "Chromium / Linux")
KEYRING = Keyring({"test": bytes(range(32))}, "test")


@dataclass
class Setup:
    """What a test looks at."""

    auth: AuthService
    audit: MemoryAudit
    clock: FakeClock
    bus: LocalBus
    events: list[tuple[str, str]] = field(default_factory=list)
    emergency: bool = False
    """What the service is told of declarations in force."""

    def browser(self, client: Client = HOME) -> "Browser":
        """A fresh browser."""
        return Browser(self, client)


@dataclass
class Browser:
    """Keeps the two cookies as a browser does."""

    setup: Setup
    client: Client
    login_cookie: str | None = None
    session_cookie: str | None = None
    secret: str = ""
    codes: tuple[str, ...] = ()

    def take(self, outcome: LoginOutcome) -> LoginOutcome:
        """Apply the cookies of an answer."""
        if outcome.login_cookie is not CookieChange.KEEP:
            self.login_cookie = outcome.login_value.reveal() if outcome.login_value else None
        if outcome.session_cookie is not CookieChange.KEEP:
            self.session_cookie = outcome.session_value.reveal() if outcome.session_value else None
        self.codes = outcome.view.recovery_codes or self.codes
        return outcome

    async def password(self, username: str, password: str) -> LoginOutcome:
        """Type name and password."""
        return self.take(await self.setup.auth.submit_password(self.login_cookie, username, password, self.client))

    async def totp(self, code: str | None = None) -> LoginOutcome:
        """Type a code; none: the authenticator's present one."""
        return self.take(await self.setup.auth.submit_totp(self.login_cookie, code or self.code(), self.client))

    async def recovery(self, code: str) -> LoginOutcome:
        """Type a recovery code."""
        return self.take(await self.setup.auth.submit_recovery(self.login_cookie, code, self.client))

    async def activation(self, code: str) -> LoginOutcome:
        """Type an activation code."""
        return self.take(await self.setup.auth.submit_activation(self.login_cookie, code, self.client))

    async def step_up(self, code: str | None = None) -> StepUp:
        """Prove the second factor again, inside the session."""
        assert self.session_cookie is not None
        stepped = await self.setup.auth.step_up(self.session_cookie, code or self.code(), self.client)
        if stepped.session_value is not None:
            self.session_cookie = stepped.session_value.reveal()
        return stepped

    async def session(self) -> WebSession | None:
        """The session that this browser has."""
        return await self.setup.auth.identity_for_cookie(self.session_cookie)

    async def change(self, new_password: str) -> LoginOutcome:
        """Type a new password."""
        return self.take(await self.setup.auth.change_password(self.login_cookie, new_password, self.client))

    async def scan(self) -> None:
        """Open the enrolment page and scan the code."""
        shown = await self.setup.auth.start_enrolment(self.login_cookie, self.client)
        assert isinstance(shown, Enrolment), shown
        self.secret = shown.secret.reveal().replace(" ", "")

    async def confirm(self, code: str | None = None) -> LoginOutcome:
        """Type the first code of the new authenticator."""
        return self.take(await self.setup.auth.confirm_enrolment(self.login_cookie, code or self.code(), self.client))

    async def done(self) -> LoginOutcome:
        """Say that the codes are kept."""
        return self.take(await self.setup.auth.finish_enrolment(self.login_cookie, self.client))

    async def enrol(self) -> LoginOutcome:
        """The whole enrolment; then time passes, so that the next code is a new one."""
        await self.scan()
        assert (await self.confirm()).view.step is LoginStep.RECOVERY_CODES
        outcome = await self.done()
        self.setup.clock.advance(30)
        return outcome

    def code(self, steps: int = 0) -> str:
        """What the authenticator shows now, or some steps away."""
        return code_at(self.secret, counter_at(self.setup.clock.now()) + steps)

    async def sign_up(self, username: str = "sato", password: str = PASSWORD) -> LoginOutcome:
        """First login, through enrolment."""
        await self.password(username, password)
        return await self.enrol()

    async def sign_in(self, username: str = "sato", password: str = PASSWORD) -> LoginOutcome:
        """A later login."""
        await self.password(username, password)
        return await self.totp()


def error_of(outcome: LoginOutcome) -> LoginErrorCode | None:
    """The code of the answer's error."""
    return outcome.view.error.code if outcome.view.error else None


@asynccontextmanager
async def running(
    slapd: Slapd,
    database: Database,
    *,
    settings: dict[str, Any] | None = None,
    ldap: dict[str, Any] | None = None,
    keyring: Keyring = KEYRING,
    audit: MemoryAudit | None = None,
    clock: FakeClock | None = None,
    directory: type[LdapDirectory] = LdapDirectory,
) -> AsyncIterator[Setup]:
    """Open an AuthService; answers come without the floor unless `settings` say so."""
    over: dict[str, Any] = {"throttle": {"answer_floor_milliseconds": 0}} | (settings or {})
    chosen = AuthSettings.model_validate({"ldap": ldap_settings(slapd, **(ldap or {}))} | over)
    sink, turned, bus = audit or MemoryAudit(), clock or FakeClock(), LocalBus()
    told: list[Setup] = []
    auth = AuthService(
        chosen,
        tenant_id=TENANT,
        tenant_name="架け橋市",
        database=database,
        directory=directory(chosen.ldap, turned),
        keyring=keyring,
        audit=sink,
        bus=bus,
        clock=turned,
        emergency=lambda: told[0].emergency,
    )
    setup = Setup(auth, sink, turned, bus)
    told.append(setup)
    for topic in ("user:changed", "web_session:ended"):

        async def keep(key: str, topic: str = topic) -> None:
            setup.events.append((topic, key))

        bus.subscribe(topic, keep)
    try:
        yield setup
    finally:
        await auth.close()
        await bus.close()
