"""Degraded login under any order of logins, outages, answers, clock steps and changes in the directory.

The login is the real one on a real database; the directory is a scripted one, because a slapd that is stopped and
started for every step would take hours (tests/integration/auth/test_degraded.py has the real one). The model next to it
knows nothing of the code: it only keeps what the directory said last about each person, and when it was silent.
"""

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from auth import slow_hash
from auth.directory import (
    Budget,
    Cause,
    Changed,
    ChangeResult,
    DirectoryResult,
    Disabled,
    Entry,
    Found,
    LookupResult,
    NotFound,
    Unreachable,
    Verified,
    WrongPassword,
)
from auth.models import Client, CookieChange, Enrolment, LoginOutcome, LoginStep
from auth.service import AuthService
from auth.settings import AuthSettings
from auth.totp import code_at, counter_at
from common.bus import LocalBus
from common.db import Database
from common.ids import TenantId
from common.secret import Keyring, Secret
from tests.support.audit import MemoryAudit
from tests.support.clock import FakeClock

NAMES = ("sato", "suzuki", "mori")
ROSTER = "roster"
HOME = Client("192.0.2.1")
Server = Literal["up", "silent", "refusing"]
"""`refusing` answers, but not about people: a wrong certificate, a refused service account."""
CAUSE = Cause("scripted")


@dataclass
class Staff:
    """One person in the scripted directory, and what the model knows."""

    password: str
    roster: bool
    gone: bool = False
    accepted: str | None = None
    """The password that the directory accepted last, unless something spoke against it since."""
    accepted_at: datetime | None = None
    was_in_roster: bool = False
    doubtful: bool = False
    """The background may or may not have read meanwhile that this person is gone or out of the roster."""
    secret: str | None = None
    codes: tuple[str, ...] = ()


@dataclass
class Scripted:
    """Two servers. A server that is up or refusing counts as an answer whenever it is asked."""

    staff: dict[str, Staff]
    clock: FakeClock
    servers: list[Server] = field(default_factory=lambda: ["up", "up"])
    answers: int = 0
    heard_at: float = 0.0
    """When anybody last got any answer (monotonic). A server that came and went unasked is nothing to know of."""

    @property
    def suspect(self) -> bool:
        return self.servers[0] != "up"

    def budget(self) -> Budget:
        return Budget(0.0)

    async def find(self, username: str, budget: Budget | None = None) -> Found | NotFound | Unreachable:
        if not self._reach():
            return Unreachable(CAUSE)
        person = self.staff.get(username)
        return NotFound(CAUSE) if person is None or person.gone else Found(self._entry(username), CAUSE)

    async def verify(self, entry: Entry | None, password: Secret[str], budget: Budget | None = None) -> DirectoryResult:
        if not self._reach():
            return Unreachable(CAUSE)
        if entry is None:
            return NotFound(CAUSE)
        if self.staff[entry.username].password != password.reveal():
            return WrongPassword(entry, CAUSE)
        return Verified(self._entry(entry.username), CAUSE)

    async def authenticate(self, username: str, password: Secret[str]) -> DirectoryResult:
        raise AssertionError("a login asks in two steps: find, verify")

    async def everyone(self) -> tuple[Entry, ...] | Unreachable:
        """See Directory."""
        return Unreachable(Cause("nobody asks for everyone here"))

    async def lookup(self, key: str) -> LookupResult:
        if not self._reach():
            return Unreachable(CAUSE)
        if self.staff[key].gone:
            return Disabled(self._entry(key), CAUSE)
        return Verified(self._entry(key), CAUSE)

    async def change_password(self, entry: Entry, old: Secret[str], new: Secret[str]) -> ChangeResult:
        return Changed(CAUSE)

    async def ready(self) -> bool:
        return self._reach()

    async def silent_everywhere(self) -> bool:
        for server in self.servers:
            self._ask(server)
        return self.all_silent

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    @property
    def all_silent(self) -> bool:
        return all(server == "silent" for server in self.servers)

    def _reach(self) -> bool:
        """Failover in order; a refusing server answers and helps nobody."""
        for server in self.servers:
            self._ask(server)
            if server == "up":
                return True
        return False

    def _ask(self, server: Server) -> None:
        if server != "silent":
            self.answers += 1
            self.heard_at = self.clock.monotonic()

    def _entry(self, username: str) -> Entry:
        groups = frozenset({ROSTER} if self.staff[username].roster else {"others"})
        return Entry(username, f"uid={username}", username, username, groups=groups)


@dataclass
class Visit:
    """A login that reached the second factor."""

    name: str
    cookie: str | None
    degraded: bool


class DegradedLogin(RuleBasedStateMachine):
    """Logins and what happens around them."""

    template: Path
    emergency = False

    @initialize()
    def begin(self) -> None:
        """A city of three, all servers up."""
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(prefix="kakehashi-"))
        shutil.copy(self.template, self.folder / "city.db")
        self.clock = FakeClock()
        self.emergency = False
        self.visits: list[Visit] = []
        self.admitted = 0
        self.refreshed_at = self.clock.now()
        staff = {name: Staff(f"{name}-1", roster=name != "mori") for name in NAMES}
        self.directory = Scripted(staff, self.clock)
        self.audit = MemoryAudit()
        self.run(self._open())
        for name in NAMES:
            self.run(self._sign_up(name))

    def teardown(self) -> None:
        """Close all."""
        if hasattr(self, "auth"):
            self.run(self.auth.close())
            self.run(self.database.close())
            self.loop.close()
            shutil.rmtree(self.folder)

    def run(self, work: Any) -> Any:
        """On the machine's own loop."""
        return self.loop.run_until_complete(work)

    @rule(place=st.integers(0, 1), to=st.sampled_from(["up", "silent", "silent", "silent", "refusing"]))
    def change_server(self, place: int, to: Server) -> None:
        """A server goes, comes back, or answers nonsense."""
        self.directory.servers[place] = to

    @rule(declared=st.booleans())
    def lose_the_directory(self, declared: bool) -> None:
        """The case that this is for."""
        for place in range(2):
            self.change_server(place, "silent")
        self.emergency = self.emergency or declared

    @rule()
    def regain_the_directory(self) -> None:
        """And its end."""
        self.change_server(0, "up")

    @rule(seconds=st.sampled_from([1, 20, 55, 400, 4000, 20 * 3600, 60 * 3600]), looks=st.booleans())
    def wait(self, seconds: int, looks: bool) -> None:
        """Time passes; the background looks at the directory or does not get to it."""
        self.clock.advance(seconds)
        if looks:
            self.run(self.auth.watch_directory())

    @rule(on=st.booleans())
    def declare(self, on: bool) -> None:
        """A declaration begins or ends."""
        self.emergency = on

    @rule(name=st.sampled_from(NAMES))
    def change_password(self, name: str) -> None:
        """Elsewhere, behind our back."""
        person = self.directory.staff[name]
        person.password = f"{name}-{int(person.password.partition('-')[2]) + 1}"

    @rule(
        name=st.sampled_from(NAMES),
        roster=st.sampled_from([True, True, False]),
        gone=st.sampled_from([False, False, True]),
    )
    def change_person(self, name: str, roster: bool, gone: bool) -> None:
        """The directory's administrators at work."""
        person = self.directory.staff[name]
        person.roster, person.gone = roster, gone

    @rule()
    def refresh(self) -> None:
        """The background reads people again."""
        now = self.clock.now()
        self.run(self.auth.refresh())
        if self.directory.all_silent:
            return
        everybody = now - self.refreshed_at > timedelta(minutes=15)  # due, whoever was read when in between
        self.refreshed_at = now
        for person in self.directory.staff.values():
            if "up" in self.directory.servers and (person.gone or not person.roster):
                person.doubtful = True
                if everybody and person.accepted_at is not None and now - person.accepted_at > timedelta(minutes=15):
                    person.accepted = None

    @rule()
    def purge(self) -> None:
        """復旧."""
        self.run(self.auth.purge_verifiers(actor="test"))
        for person in self.directory.staff.values():
            person.accepted = None

    @rule(
        name=st.sampled_from(NAMES),
        declared=st.booleans(),
        minutes=st.sampled_from([0, 4, 6]),
        hours=st.sampled_from([0, 0, 71, 72]),
        before=st.sampled_from(["good", "good", "wrong", "nothing"]),
    )
    def outage_morning(self, name: str, declared: bool, minutes: int, hours: int, before: str) -> None:
        """Some time after the last login the directory goes; the gateway looks every minute, somebody tries."""
        self.regain_the_directory()
        if before != "nothing":
            self._log_in(name, self.directory.staff[name].password if before == "good" else "wrong")
        self.wait(hours * 3600, looks=True)
        self.lose_the_directory(declared)
        self.emergency = declared
        for _ in range(minutes):
            self.wait(60, looks=True)
        self._log_in(name, self.directory.staff[name].accepted or self.directory.staff[name].password)

    @rule(name=st.sampled_from([*NAMES, "nobody"]), age=st.sampled_from([0, 0, 0, 1, 2]))
    def log_in(self, name: str, age: int) -> None:
        """With the present password, an older one, or none that ever was."""
        person = self.directory.staff.get(name)
        number = int(person.password.partition("-")[2]) if person else 0
        self._log_in(name, f"{name}-{max(0, number - age)}")

    def _log_in(self, name: str, password: str) -> None:
        person = self.directory.staff.get(name)
        outcome: LoginOutcome = self.run(self.auth.submit_password(None, name, password, HOME))
        self.run(self._settle())
        if outcome.view.step is LoginStep.TOTP:
            assert person is not None
            assert outcome.login_value is not None
            self.visits.append(Visit(name, outcome.login_value.reveal(), outcome.view.degraded))
        if outcome.view.degraded:
            self._check_admitted(person, password)
        elif person is not None:
            self._check_not_admitted(person, password, outcome)

    def _check_admitted(self, person: Staff | None, password: str) -> None:
        """Every condition, as the model knows it."""
        assert person is not None
        assert self.directory.all_silent, "a server answers"
        assert self.emergency or self.clock.monotonic() - self.directory.heard_at >= 300, "too early"
        assert person.accepted == password, "not what the directory accepted last"
        assert person.accepted_at is not None
        assert self.clock.now() - person.accepted_at < timedelta(hours=72), "too old"
        assert person.was_in_roster, "not in the roster"
        self.admitted += 1

    def _check_not_admitted(self, person: Staff, password: str, outcome: LoginOutcome) -> None:
        now, up = self.clock.now(), "up" in self.directory.servers
        if up and not person.gone and password == person.password:
            person.accepted, person.accepted_at = password, now
            person.was_in_roster, person.doubtful = person.roster, False
        elif up and not person.gone:
            person.accepted = None  # the directory said no, to somebody at the owner's address
        elif not up and self.directory.all_silent and self.emergency:
            age = now - person.accepted_at if person.accepted_at else None
            valid = person.accepted == password and age is not None and age < timedelta(hours=72)
            assert not (valid and person.was_in_roster and not person.doubtful), f"shut out: {outcome.view.error}"

    @precondition(lambda self: self.visits)
    @rule(how=st.sampled_from(["right", "right", "wrong", "recovery", "activation", "enrol", "done"]))
    def second_factor(self, how: str) -> None:
        """Whatever is typed at the second step."""
        visit = self.visits.pop()
        person = self.directory.staff[visit.name]
        assert person.secret is not None
        self.clock.advance(30)  # each code is good once
        code = code_at(person.secret, counter_at(self.clock.now()))
        outcome: LoginOutcome | Enrolment
        if how in ("right", "wrong"):
            wrong = f"{(int(code) + 1) % 10**6:06}"
            outcome = self.run(self.auth.submit_totp(visit.cookie, code if how == "right" else wrong, HOME))
        elif how == "recovery":
            outcome = self.run(self.auth.submit_recovery(visit.cookie, person.codes[0], HOME))
        elif how == "activation":
            outcome = self.run(self.auth.submit_activation(visit.cookie, "AAAA-AAAA-AAAA", HOME))
        elif how == "enrol":
            outcome = self.run(self.auth.start_enrolment(visit.cookie, HOME))
        else:
            outcome = self.run(self.auth.finish_enrolment(visit.cookie, HOME))
        assert isinstance(outcome, LoginOutcome)
        if outcome.session_cookie is CookieChange.SET:
            assert how == "right"
            assert outcome.web_session is not None
            assert outcome.web_session.degraded is visit.degraded
            assert outcome.web_session.totp_at == self.clock.now()

    @invariant()
    def every_degraded_login_is_in_the_audit(self) -> None:
        """Neither more nor fewer than sessions that began so."""
        if not hasattr(self, "audit"):
            return
        logins = [e for e in self.audit.events if e.name == "accept-login" and e.details["degraded"]]
        assert len(logins) == self.audit.names().count("degraded-login")
        assert all(e.details["factors"] == "password,totp" for e in logins)

    async def _open(self) -> None:
        chosen = AuthSettings.model_validate(
            {
                "ldap": {"servers": [{"host": "x"}], "bind_dn": "x", "bind_password": "x", "base_dn": "x"},
                "throttle": {"answer_floor_milliseconds": 0, "free_tries": 20, "directory_lockout_tries": 0,
                             "forget_after_seconds": 60, "longest_wait_seconds": 1, "first_wait_seconds": 1},
                "degraded": {"groups": [ROSTER]},
                "second_factor": {"recovery_requires_enrolment": True},
            }
        )  # fmt: skip
        self.database = Database(f"sqlite:///{self.folder / 'city.db'}")
        self.auth = AuthService(
            chosen,
            tenant_id=TenantId("city"),
            tenant_name="city",
            database=self.database,
            directory=self.directory,
            keyring=Keyring({"test": bytes(32)}, "test"),
            audit=self.audit,
            bus=LocalBus(),
            clock=self.clock,
            emergency=lambda: self.emergency,
            rehearsing=lambda _identity: None,
        )

    async def _sign_up(self, name: str) -> None:
        person, auth = self.directory.staff[name], self.auth
        outcome = await auth.submit_password(None, name, person.password, HOME)
        assert outcome.login_value is not None
        cookie = outcome.login_value.reveal()
        shown = await auth.start_enrolment(cookie, HOME)
        assert isinstance(shown, Enrolment)
        person.secret = shown.secret.reveal().replace(" ", "")
        outcome = await auth.confirm_enrolment(cookie, code_at(person.secret, counter_at(self.clock.now())), HOME)
        person.codes = outcome.view.recovery_codes or ()
        assert (await auth.finish_enrolment(cookie, HOME)).view.step is LoginStep.DONE
        person.accepted, person.accepted_at = person.password, self.clock.now()
        person.was_in_roster = person.roster

    async def _settle(self) -> None:
        """Purges run in the background."""
        await asyncio.gather(*self.auth._degraded._tasks._tasks)


@pytest.fixture
def machine(migrated_file: Path, monkeypatch: pytest.MonkeyPatch) -> type[DegradedLogin]:
    """With a cheap hash: what it costs is tested elsewhere."""
    monkeypatch.setattr(slow_hash, "MEMORY_KIB", 64)
    monkeypatch.setattr(slow_hash, "DECOY", slow_hash.DECOY.replace("m=47104", "m=64"))
    return type("Machine", (DegradedLogin,), {"template": migrated_file})


@pytest.mark.slow
def test_degraded_login_keeps_its_promises(machine: type[DegradedLogin]) -> None:
    """Not shrunk: that takes minutes, and the steps of a failure are printed as they are."""
    machine.TestCase.settings = settings(
        max_examples=50,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )
    machine.TestCase("runTest").runTest()


def test_the_machine_does_let_people_in(machine: type[DegradedLogin]) -> None:
    """The property would hold in a city where nobody ever gets in."""
    city = machine()
    city.begin()
    city.outage_morning("sato", declared=True, minutes=0, hours=71, before="good")
    city.second_factor("right")
    city.outage_morning("suzuki", declared=False, minutes=6, hours=0, before="nothing")
    city.outage_morning("mori", declared=True, minutes=6, hours=0, before="good")
    assert city.admitted == 2
    city.every_degraded_login_is_in_the_audit()
    city.teardown()
