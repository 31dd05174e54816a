"""Two officials help a person who lost the authenticator, on a real directory and on both databases."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from auth import temporary_factor
from auth.directory import Entry
from auth.models import (
    Client,
    Enrolment,
    IdentityCheck,
    LoginErrorCode,
    LoginOutcome,
    LoginStep,
    VouchRefusal,
    VouchState,
    VouchStep,
    WebSession,
)
from auth.store import PeopleStore, VouchStore
from common.audit import AuditEvent
from common.db import Database
from common.errors import AuditUnavailable
from tests.integration.auth.service import HOME, PASSWORD, TENANT, Browser, Setup, error_of, running
from tests.support.audit import MemoryAudit
from tests.support.clock import FakeClock
from tests.support.slapd import STAFF, Slapd, group, person, person_dn, run_slapd

OFFICE = Client("192.0.2.10")
CHECK = IdentityCheck.CALL_BACK
SETTINGS: dict[str, Any] = {
    "vouch": {"groups": ["officials"]},
    "second_factor": {"enrolment_networks": ["192.0.2.0/24"]},
}
OFFICIALS = (
    person("mori", "mori-pw-2026", surname="森")
    + person("hara", "hara-pw-2026", surname="原")
    + group("officials", person_dn("mori"), person_dn("hara"), person_dn("suzuki"))
)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The sample staff and three officials: mori, hara, suzuki."""
    with run_slapd(tmp_path_factory.mktemp("slapd") / "city", STAFF + OFFICIALS) as slapd:
        yield slapd


async def _signed_in(setup: Setup, username: str, password: str | None = None) -> Browser:
    browser = setup.browser(OFFICE)
    assert (await browser.sign_up(username, password or f"{username}-pw-2026")).view.step is LoginStep.DONE
    return browser


async def _session(browser: Browser) -> WebSession:
    session = await browser.session()
    assert session is not None
    return session


async def _fresh(browser: Browser) -> WebSession:
    """The official's session just after a step-up."""
    browser.setup.clock.advance(30)
    assert (await browser.step_up()).error is None
    return await _session(browser)


async def _code(setup: Setup, mori: Browser, hara: Browser, username: str = "sato") -> str:
    """Both officials agree: the activation code."""
    opened = await setup.auth.open_vouch(await _fresh(mori), username, CHECK, OFFICE)
    assert opened.vouch is not None, opened.refusal
    confirmed = await setup.auth.confirm_vouch(await _fresh(hara), opened.vouch.id, CHECK, OFFICE)
    assert confirmed.activation_code is not None, confirmed.refusal
    return confirmed.activation_code.reveal()


async def _set_up(setup: Setup, code: str) -> Browser:
    """The person types the code at home and sets the temporary authenticator up."""
    browser = setup.browser(HOME)
    assert (await browser.password("sato", PASSWORD)).view.step is LoginStep.TOTP
    outcome = await browser.activation(code)
    assert outcome.view.step is LoginStep.ENROL
    assert outcome.view.temporary_factor
    await browser.scan()
    outcome = await browser.confirm()
    assert outcome.view.step is LoginStep.DONE
    assert outcome.view.recovery_codes is None
    return browser


async def test_two_officials_give_a_day_with_a_temporary_authenticator(city: Slapd, database: Database) -> None:
    async with running(city, database, settings=SETTINGS) as setup:
        sato, mori, hara = [await _signed_in(setup, name) for name in ("sato", "mori", "hara")]
        opened = await setup.auth.open_vouch(await _fresh(mori), "SATO", CHECK, OFFICE)
        assert opened.vouch is not None
        assert opened.activation_code is None
        assert (opened.vouch.state, opened.vouch.username, opened.vouch.opened_by) == (VouchState.OPEN, "sato", "mori")
        confirmed = await setup.auth.confirm_vouch(await _fresh(hara), opened.vouch.id, CHECK, OFFICE)
        assert confirmed.vouch is not None
        assert confirmed.activation_code is not None
        assert confirmed.vouch.state is VouchState.CONFIRMED
        assert confirmed.vouch.expires_at == setup.clock.now() + timedelta(minutes=15)
        temporary = await _set_up(setup, f" {confirmed.activation_code.reveal().lower()} ")
        begun = setup.clock.now()
        session = await _session(temporary)
        assert session.temporary_factor
        assert session.totp_at == begun
        (login,) = [e for e in setup.audit.events if e.name == "accept-login" and e.details["temporary_factor"]]
        assert login.details["normal_allowed"] is False
        assert [vouch.state for vouch in await setup.auth.vouches()] == [VouchState.ENROLLED]
        # both authenticators work, each code once, and a session says which one it rests on
        setup.clock.advance(30)
        again = setup.browser()
        again.secret = temporary.secret
        assert (await again.sign_in()).view.step is LoginStep.DONE
        assert (await _session(again)).temporary_factor
        await again.password("sato", PASSWORD)
        assert error_of(await again.totp()) is LoginErrorCode.CODE_REUSED
        again.secret = sato.secret
        assert (await again.totp()).view.step is LoginStep.DONE
        assert not (await _session(again)).temporary_factor
        # it ends by itself after a day, to the second
        setup.clock.set(begun + timedelta(hours=24, seconds=-1))
        late = setup.browser()
        late.secret = temporary.secret
        assert (await late.sign_in()).view.step is LoginStep.DONE
        assert (await _session(late)).expires_at == begun + timedelta(hours=24)
        setup.clock.advance(1)
        assert await late.session() is None
        await late.password("sato", PASSWORD)
        assert error_of(await late.totp()) is LoginErrorCode.CODE_WRONG
        await setup.auth.sweep()
        assert await setup.auth.vouches() == []
        ended = [event for event in setup.audit.events if event.name == "end-temporary-totp"]
        assert [event.details["reason"] for event in ended] == ["expired:enrolled"]
        for name in ("open-vouch", "confirm-vouch", "use-activation-code", "enrol-temporary-totp"):
            assert name in setup.audit.names()
        checks = [event.details.get("check") for event in setup.audit.events if event.name.endswith("-vouch")]
        assert checks == [CHECK, CHECK]


async def test_one_official_answers_for_a_few_at_a_time(
    city: Slapd, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporary_factor, "MOST_VOUCHES", 1)
    async with running(city, sqlite_database, settings=SETTINGS) as setup:
        _sato, mori, hara, suzuki = [await _signed_in(setup, name) for name in ("sato", "mori", "hara", "suzuki")]
        await _fresh(mori)
        sessions = [await _session(mori), await _session(mori)]
        opened = await asyncio.gather(
            *(
                setup.auth.open_vouch(session, name, CHECK, OFFICE)
                for session, name in zip(sessions, ("sato", "suzuki"), strict=True)
            )
        )
        assert [step.refusal for step in opened] == [None, VouchRefusal.TOO_MANY]
        second = await setup.auth.open_vouch(await _fresh(suzuki), "mori", CHECK, OFFICE)
        assert second.vouch is not None
        await _fresh(hara)
        confirmed = [
            await setup.auth.confirm_vouch(await _session(hara), step.vouch.id, CHECK, OFFICE)
            for step in (opened[0], second)
            if step.vouch is not None
        ]
        assert [step.refusal for step in confirmed] == [None, VouchRefusal.TOO_MANY]
        assert confirmed[1].activation_code is None
        refusals = [e.details["reason"] for e in setup.audit.events if e.name == "refuse-vouch"]
        assert refusals == [VouchRefusal.TOO_MANY] * 2
        assert await setup.auth.end_vouch(opened[0].vouch.id if opened[0].vouch else "", actor="mori", client=OFFICE)
        setup.clock.advance(30)
        assert (await setup.auth.open_vouch(await _session(mori), "sato", CHECK, OFFICE)).refusal is None


class Meanwhile(MemoryAudit):
    """Lets another node be faster between the count and the step that was recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, Callable[[], Awaitable[VouchStep]]] = {}
        self.done: list[VouchStep] = []

    async def record(self, event: AuditEvent) -> None:
        await super().record(event)
        if event.name in self.first:
            self.done.append(await self.first.pop(event.name)())


async def test_two_nodes_at_once_let_one_official_answer_for_no_more(
    city: Slapd, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporary_factor, "MOST_VOUCHES", 1)
    meanwhile = Meanwhile()
    async with (
        running(city, database, settings=SETTINGS, audit=meanwhile) as setup,
        running(city, database, settings=SETTINGS, clock=setup.clock) as other,
    ):
        _sato, mori, hara, suzuki = [await _signed_in(setup, name) for name in ("sato", "mori", "hara", "suzuki")]
        official = await _fresh(mori)
        meanwhile.first["open-vouch"] = lambda: other.auth.open_vouch(official, "suzuki", CHECK, OFFICE)
        late = await setup.auth.open_vouch(official, "sato", CHECK, OFFICE)
        assert (late.refusal, late.vouch) == (VouchRefusal.TOO_MANY, None)
        (first,) = meanwhile.done
        second = await setup.auth.open_vouch(await _fresh(suzuki), "mori", CHECK, OFFICE)
        assert first.vouch is not None
        assert second.vouch is not None
        official, first_id = await _fresh(hara), first.vouch.id
        meanwhile.first["confirm-vouch"] = lambda: other.auth.confirm_vouch(official, first_id, CHECK, OFFICE)
        late = await setup.auth.confirm_vouch(official, second.vouch.id, CHECK, OFFICE)
        assert (late.refusal, late.activation_code) == (VouchRefusal.TOO_MANY, None)
        assert meanwhile.done[1].activation_code is not None


async def test_count_and_step_are_one(database: Database, clock: FakeClock) -> None:
    people, store, now = PeopleStore(database, TENANT), VouchStore(database, TENANT), clock.now()
    entries = [Entry(f"key-{n}", f"cn={n}", f"s{n}", f"職員{n}") for n in range(7)]
    official, *lost = [
        (await people.remember_person(entry, now, groups_known=False)).identity.user_id for entry in entries
    ]
    opened = await asyncio.gather(
        *(store.open(f"vch_{one}", one, official, now, now + timedelta(hours=1), most=2) for one in lost)
    )
    assert sorted(opened, key=str) == [None] * 2 + [VouchRefusal.TOO_MANY] * 4


async def test_who_may_not_vouch(city: Slapd, sqlite_database: Database) -> None:
    async with running(city, sqlite_database, settings=SETTINGS) as setup:
        sato, mori, hara, suzuki = [await _signed_in(setup, name) for name in ("sato", "mori", "hara", "suzuki")]

        async def refused(browser: Browser, username: str) -> VouchRefusal | None:
            return (await setup.auth.open_vouch(await _session(browser), username, CHECK, OFFICE)).refusal

        await _fresh(sato)
        assert await refused(sato, "suzuki") is VouchRefusal.NOT_ENTITLED
        await _fresh(mori)
        assert await refused(mori, "mori") is VouchRefusal.ONESELF
        assert await refused(mori, "nobody") is VouchRefusal.UNKNOWN_PERSON
        await setup.browser().password("takahashi", "パスワード・漢字🔑")
        assert await refused(mori, "takahashi") is VouchRefusal.NO_AUTHENTICATOR
        setup.clock.advance(timedelta(minutes=5, seconds=1))
        assert await refused(mori, "sato") is VouchRefusal.TOTP_NOT_FRESH
        opened = (await setup.auth.open_vouch(await _fresh(mori), "suzuki", CHECK, OFFICE)).vouch
        assert opened is not None
        assert await refused(mori, "suzuki") is VouchRefusal.ONE_RUNS_ALREADY
        for browser, refusal in (
            (mori, VouchRefusal.SAME_OFFICIAL), (suzuki, VouchRefusal.ONESELF), (sato, VouchRefusal.NOT_ENTITLED),
        ):  # fmt: skip
            step = await setup.auth.confirm_vouch(await _fresh(browser), opened.id, CHECK, OFFICE)
            assert step.refusal is refusal
            assert step.activation_code is None
        setup.clock.advance(timedelta(minutes=6))
        step = await setup.auth.confirm_vouch(await _session(hara), opened.id, CHECK, OFFICE)
        assert step.refusal is VouchRefusal.TOTP_NOT_FRESH
        # a second person must come within half an hour; then the first may begin again
        setup.clock.advance(timedelta(minutes=12))
        for browser in (mori, hara):
            assert await browser.session() is not None  # not idle
        setup.clock.set(opened.expires_at)
        assert (
            await setup.auth.confirm_vouch(await _fresh(hara), opened.id, CHECK, OFFICE)
        ).refusal is VouchRefusal.OVER
        assert (await setup.auth.open_vouch(await _fresh(mori), "suzuki", CHECK, OFFICE)).vouch is not None
        refusals = [event for event in setup.audit.events if event.name == "refuse-vouch"]
        assert len(refusals) == 11
        assert all(event.outcome == "denied" for event in refusals)
        assert "nobody" not in {event.subject for event in refusals}


async def test_of_two_confirmations_at_once_one_gets_the_code(city: Slapd, database: Database) -> None:
    async with running(city, database, settings=SETTINGS) as setup:
        _, mori, hara, suzuki = [await _signed_in(setup, name) for name in ("sato", "mori", "hara", "suzuki")]
        opening = [setup.auth.open_vouch(await _fresh(mori), "sato", CHECK, OFFICE) for _ in range(2)]
        opened = [step.vouch for step in await asyncio.gather(*opening) if step.vouch]
        assert len(opened) == 1
        sessions = [await _fresh(hara), await _fresh(suzuki)]
        steps = await asyncio.gather(*(setup.auth.confirm_vouch(s, opened[0].id, CHECK, OFFICE) for s in sessions))
        assert len([step for step in steps if step.activation_code]) == 1
        assert {step.refusal for step in steps} == {None, VouchRefusal.OVER}


async def test_an_activation_code_is_one_persons_once_and_for_a_quarter_of_an_hour(
    city: Slapd, database: Database
) -> None:
    async with running(city, database, settings=SETTINGS) as setup:
        _, mori, hara, _ = [await _signed_in(setup, name) for name in ("sato", "mori", "hara", "suzuki")]
        code = await _code(setup, mori, hara)
        other = setup.browser()
        await other.password("suzuki", "suzuki-pw-2026")
        assert error_of(await other.activation(code)) is LoginErrorCode.ACTIVATION_CODE_WRONG
        assert error_of(await other.recovery(code)) is LoginErrorCode.ACTIVATION_CODE_WRONG
        browser = setup.browser()
        assert error_of(await browser.activation(code)) is LoginErrorCode.LOGIN_EXPIRED  # a password comes first
        await browser.password("sato", PASSWORD)
        assert error_of(await browser.activation("AAAA-AAAA-AAAA")) is LoginErrorCode.ACTIVATION_CODE_WRONG
        assert (await browser.recovery(code)).view.step is LoginStep.ENROL  # the field for codes from paper takes it
        assert await browser.session() is None  # the code is no login
        assert error_of(await browser.done()) is LoginErrorCode.WRONG_STEP
        await browser.password("sato", PASSWORD)
        assert error_of(await browser.activation(code)) is LoginErrorCode.ACTIVATION_CODE_WRONG
        assert await setup.auth.end_vouch((await setup.auth.vouches())[0].id, actor="test")
        code = await _code(setup, mori, hara)
        setup.clock.advance(timedelta(minutes=15))
        await browser.password("sato", PASSWORD)
        assert error_of(await browser.activation(code)) is LoginErrorCode.ACTIVATION_CODE_WRONG
        for _ in range(4):
            await browser.activation("BBBB-BBBB-BBBB")
        assert error_of(await browser.activation("CCCC-CCCC-CCCC")) is LoginErrorCode.THROTTLED


async def test_ending_it_ends_what_rests_on_it_and_nothing_else(city: Slapd, database: Database) -> None:
    async with running(city, database, settings=SETTINGS) as setup:
        sato, mori, hara = [await _signed_in(setup, name) for name in ("sato", "mori", "hara")]
        temporary = await _set_up(setup, await _code(setup, mori, hara))
        setup.clock.advance(30)
        half = setup.browser()
        half.secret = temporary.secret
        await half.password("sato", PASSWORD)
        (vouch,) = await setup.auth.vouches()
        assert await setup.auth.end_vouch(vouch.id, actor="mori")
        assert not await setup.auth.end_vouch(vouch.id, actor="mori")
        assert await temporary.session() is None
        assert await sato.session() is not None
        assert error_of(await half.totp()) is LoginErrorCode.CODE_WRONG
        assert setup.audit.names().count("end-temporary-totp") == 1


async def test_a_temporary_factor_makes_no_lasting_one(city: Slapd, sqlite_database: Database) -> None:
    async with running(city, sqlite_database, settings=SETTINGS) as setup:
        sato, mori, hara = [await _signed_in(setup, name) for name in ("sato", "mori", "hara")]
        temporary = await _set_up(setup, await _code(setup, mori, hara))
        setup.clock.advance(30)
        assert temporary.session_cookie is not None
        assert sato.session_cookie is not None
        for cookie in (temporary.session_cookie, sato.session_cookie):  # also a temporary code in an older session
            setup.clock.advance(30)
            stepped = await setup.auth.regenerate_recovery_codes(cookie, temporary.code(), HOME)
            assert stepped.error is not None
            assert stepped.error.code is LoginErrorCode.NOT_WITH_TEMPORARY_FACTOR
            assert stepped.recovery_codes is None
        # a step-up with a temporary code marks the session for good
        setup.clock.advance(30)
        sato.secret, own = temporary.secret, sato.secret
        assert (await sato.step_up()).error is None
        marked = await _session(sato)
        assert marked.temporary_factor
        (vouch,) = await setup.auth.vouches()
        assert marked.expires_at <= vouch.expires_at
        setup.clock.advance(30)
        sato.secret = own
        await sato.step_up()
        assert (await _session(sato)).temporary_factor
        # and an official in such a session helps nobody
        temp_official = await _set_up_official(setup, hara)
        step = await setup.auth.open_vouch(temp_official, "sato", CHECK, OFFICE)
        assert step.refusal is VouchRefusal.OWN_FACTOR_NEEDED


async def _set_up_official(setup: Setup, hara: Browser) -> WebSession:
    suzuki = await _signed_in(setup, "suzuki")
    code = await _code(setup, hara, suzuki, "mori")
    browser = setup.browser()
    await browser.password("mori", "mori-pw-2026")
    await browser.activation(code)
    await browser.scan()
    assert (await browser.confirm()).view.step is LoginStep.DONE
    return await _session(browser)


async def test_an_own_new_authenticator_ends_the_temporary_one(city: Slapd, sqlite_database: Database) -> None:
    async with running(city, sqlite_database, settings=SETTINGS) as setup:
        sato, mori, hara = [await _signed_in(setup, name) for name in ("sato", "mori", "hara")]
        temporary = await _set_up(setup, await _code(setup, mori, hara))
        browser = setup.browser(OFFICE)
        await browser.password("sato", PASSWORD)
        assert (await browser.recovery(sato.codes[0])).view.step is LoginStep.ENROL
        await browser.enrol()
        assert await setup.auth.vouches() == []
        assert await temporary.session() is None
        session = await _session(browser)
        assert not session.temporary_factor
        assert await setup.auth.reset_factors(session.identity.user_id, actor="it")


async def test_the_enrolment_network_binds_everybody_else(city: Slapd, sqlite_database: Database) -> None:
    async with running(city, sqlite_database, settings=SETTINGS) as setup:
        browser = setup.browser(HOME)
        await browser.password("sato", PASSWORD)
        shown = await setup.auth.start_enrolment(browser.login_cookie, HOME)
        assert not isinstance(shown, Enrolment)
        assert isinstance(shown, LoginOutcome)
        assert error_of(shown) is LoginErrorCode.ENROLMENT_NOT_HERE


async def test_what_cannot_be_recorded_is_not_vouched(city: Slapd, sqlite_database: Database) -> None:
    async with running(city, sqlite_database, settings=SETTINGS) as setup:
        _, mori, hara = [await _signed_in(setup, name) for name in ("sato", "mori", "hara")]
        opened = (await setup.auth.open_vouch(await _fresh(mori), "sato", CHECK, OFFICE)).vouch
        assert opened is not None
        confirming = await _fresh(hara)
        setup.audit.broken = True
        with pytest.raises(AuditUnavailable):
            await setup.auth.confirm_vouch(confirming, opened.id, CHECK, OFFICE)
        setup.audit.broken = False
        assert [vouch.state for vouch in await setup.auth.vouches()] == [VouchState.OPEN]
