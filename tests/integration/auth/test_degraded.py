"""Degraded login on a real slapd that is stopped, hung or answers strangely; on both databases where rows decide."""

import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

import pytest
import trustme

from auth.models import Client, LoginErrorCode, LoginOutcome, LoginStep
from auth.store.verifiers import VerifierStore
from common.db import Database
from common.errors import AuditUnavailable
from tests.integration.auth.conftest import endpoint
from tests.integration.auth.service import HOME, PASSWORD, TENANT, Browser, Setup, error_of, running
from tests.support.slapd import PEOPLE_DN, Slapd, group_dn, person_dn, run_slapd

ROSTER: dict[str, Any] = {"degraded": {"groups": ["telework"]}}
QUICK: dict[str, Any] = {"server_timeout_seconds": 0.3}
STRANGER = Client("198.51.100.9")


async def _sign_up(setup: Setup, username: str = "sato", password: str = PASSWORD) -> Browser:
    browser = setup.browser()
    assert (await browser.sign_up(username, password)).view.step is LoginStep.DONE
    return browser


async def _try(setup: Setup, like: Browser, username: str, password: str, client: Client = HOME) -> LoginOutcome:
    """A password from a fresh browser with the same authenticator."""
    browser = setup.browser(client)
    browser.secret = like.secret
    return await browser.password(username, password)


async def _holds(setup: Setup, database: Database, username: str = "sato") -> bool:
    return await VerifierStore(database, TENANT).holder(username) is not None


async def _settled(setup: Setup, database: Database, *, holds: bool, username: str = "sato") -> None:
    """Refusals purge in the background."""
    for _ in range(100):
        if await _holds(setup, database, username) is holds:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"verifier of {username}: expected {holds}")


async def test_an_outage_lets_roster_members_in_with_password_and_totp(own: Slapd, database: Database) -> None:
    async with running(own, database, settings=ROSTER) as setup:
        browser = await _sign_up(setup)
        setup.emergency = True
        own.stop()
        outcome = await browser.password("ＳＡＴＯ", "sato-pw-2026")
        assert outcome.view.step is LoginStep.TOTP
        assert outcome.view.degraded
        assert (await setup.auth.state(browser.login_cookie)).degraded
        outcome = await browser.totp()
        assert outcome.view.step is LoginStep.DONE
        session = await browser.session()
        assert session is not None
        assert session.degraded
        assert session.identity.groups == {"telework", "zeimu", "honcho"}
        assert session.totp_at == session.password_at == setup.clock.now()
        assert setup.audit.names()[-5:] == [
            "lose-directory", "accept-password", "accept-totp", "accept-login", "degraded-login",
        ]  # fmt: skip
        assert setup.audit.events[-1].details["degraded"] is True
        assert [event.details["normal_allowed"] for event in setup.audit.events[-2:]] == [False, False]
        assert setup.audit.events[-4].details["result"] == "Degraded"


async def test_without_an_emergency_it_opens_after_five_minutes_of_proven_outage(
    own: Slapd, sqlite_database: Database
) -> None:
    async with running(own, sqlite_database, settings=ROSTER, ldap=QUICK) as setup:
        browser = await _sign_up(setup)
        own.hang()
        assert error_of(await browser.password("sato", "sato-pw-2026")) is LoginErrorCode.DIRECTORY_UNAVAILABLE
        for _ in range(5):
            setup.clock.advance(59)
            await setup.auth.watch_directory()
        assert error_of(await browser.password("sato", "sato-pw-2026")) is LoginErrorCode.DIRECTORY_UNAVAILABLE
        setup.clock.advance(5)
        outcome = await browser.password("sato", "sato-pw-2026")
        assert outcome.view.step is LoginStep.TOTP
        assert outcome.view.degraded


async def test_a_break_in_the_outage_or_in_the_looking_starts_the_count_again(
    own: Slapd, sqlite_database: Database
) -> None:
    async with running(own, sqlite_database, settings=ROSTER, ldap=QUICK) as setup:
        browser = await _sign_up(setup)
        own.hang()
        for _ in range(6):
            await setup.auth.watch_directory()
            assert error_of(await browser.password("sato", "sato-pw-2026")) is LoginErrorCode.DIRECTORY_UNAVAILABLE
            setup.clock.advance(61)  # nobody looked in between: nothing is known of this time
        for _ in range(5):
            await setup.auth.watch_directory()
            setup.clock.advance(55)
        own.resume()
        await asyncio.sleep(1.1)
        assert isinstance(await setup.auth.directory_ready(), bool)
        await setup.auth.watch_directory()
        own.hang()
        for _ in range(2):
            setup.clock.advance(55)
            assert error_of(await browser.password("sato", "sato-pw-2026")) is LoginErrorCode.DIRECTORY_UNAVAILABLE


async def test_everybody_who_does_not_get_in_reads_the_same(own: Slapd, sqlite_database: Database) -> None:
    """Wrong password, nobody, never cached, not in the roster, without authenticator."""
    async with running(own, sqlite_database, settings=ROSTER) as setup:
        sato = await _sign_up(setup)
        await _sign_up(setup, "takahashi", "パスワード・漢字🔑")  # signs in, but is in no roster group
        await setup.browser().password("suzuki", "suzuki-pw-2026")  # in the roster, never enrolled
        assert await _holds(setup, sqlite_database, "suzuki")
        assert not await _holds(setup, sqlite_database, "takahashi")
        setup.emergency = True
        own.stop()
        tries = [
            ("sato", "wrong", "wrong_password"),
            ("nobody", "wrong", "no_verifier"),
            ("takahashi", "パスワード・漢字🔑", "no_verifier"),
            ("suzuki", "suzuki-pw-2026", "no_authenticator"),
            ("s*", "wrong", "no_verifier"),
            ("sato", "", "wrong_password"),
        ]
        outcomes = [await _try(setup, sato, name, password) for name, password, _ in tries]
        assert len(set(outcomes)) == 1
        assert error_of(outcomes[0]) is LoginErrorCode.DEGRADED_LOGIN_FAILED
        refused = [event.details["cause"] for event in setup.audit.events if event.name == "refuse-password"]
        assert refused == [cause for _, _, cause in tries]
        for impossible in ("\ud800", "x" * 300, ""):
            assert (await _try(setup, sato, impossible, "\ud800")).view.step is LoginStep.PASSWORD


async def test_refusals_take_the_same_time_with_and_without_a_verifier(own: Slapd, sqlite_database: Database) -> None:
    """The hash dominates: a name without a verifier costs one as well."""
    open_throttle = {"throttle": {"answer_floor_milliseconds": 0, "free_tries": 20, "directory_lockout_tries": 0}}
    async with running(own, sqlite_database, settings=ROSTER | open_throttle) as setup:
        sato = await _sign_up(setup)
        setup.emergency = True
        own.stop()
        await _try(setup, sato, "sato", "wrong")
        known: list[float] = []
        unknown: list[float] = []
        for number in range(9):
            for name, times in (("sato", known), (f"nobody-{number}", unknown)):
                began = time.perf_counter()
                await _try(setup, sato, name, "wrong")
                times.append(time.perf_counter() - began)
        assert 0.5 < statistics.median(unknown) / statistics.median(known) < 2.0
        assert statistics.median(unknown) > 0.03


async def test_the_second_factor_is_never_skipped_and_nothing_is_enrolled(own: Slapd, database: Database) -> None:
    async with running(own, database, settings=ROSTER) as setup:
        browser = await _sign_up(setup)
        setup.emergency = True
        own.stop()
        await browser.password("sato", "sato-pw-2026")
        assert error_of(await browser.totp("000000")) is LoginErrorCode.CODE_WRONG
        left = len(browser.codes)
        assert error_of(await browser.recovery(browser.codes[0])) is LoginErrorCode.NOT_WHILE_DEGRADED
        assert error_of(await browser.activation("AAAA-BBBB-CCCC")) is LoginErrorCode.NOT_WHILE_DEGRADED
        shown = await setup.auth.start_enrolment(browser.login_cookie, HOME)
        assert isinstance(shown, LoginOutcome)
        assert error_of(shown) is LoginErrorCode.WRONG_STEP
        assert error_of(await browser.change("another-pw-2026")) is LoginErrorCode.WRONG_STEP
        assert error_of(await browser.done()) is LoginErrorCode.WRONG_STEP
        assert await browser.session() is not None  # the one from before the outage
        assert not (await browser.session() or pytest.fail("gone")).degraded
        assert (await browser.totp()).view.step is LoginStep.DONE
        session = await browser.session()
        assert session is not None
        assert session.degraded
        assert await setup.auth.recovery_codes_left(session.identity.user_id) == left


async def test_a_server_that_says_anything_keeps_it_shut(own: Slapd, sqlite_database: Database, tmp_path: Path) -> None:
    """Wrong certificate, refused service account, another protocol, another server that lives: all are answers."""
    async with running(own, sqlite_database, settings=ROSTER) as setup:
        sato = await _sign_up(setup)
        own.stop()
    greeter = await asyncio.start_server(_greet, "127.0.0.1", 0)
    with run_slapd(tmp_path / "other") as other:
        strange: list[dict[str, Any]] = [
            {"servers": (endpoint(other),)},  # another CA
            {"servers": (endpoint(own), endpoint(other)), "ca_file": other.ca_file, "bind_password": "changed"},
            {"servers": (endpoint(other, "starttls"), endpoint(own))},
            {"servers": ({"host": "127.0.0.1", "port": greeter.sockets[0].getsockname()[1]},)},
        ]
        for ldap in strange:
            async with running(own, sqlite_database, settings=ROSTER, ldap=ldap) as setup:
                setup.emergency = True
                outcome = await _try(setup, sato, "sato", "sato-pw-2026")
                assert error_of(outcome) is LoginErrorCode.DIRECTORY_UNAVAILABLE, ldap
        # the same rows, and really nobody there
        async with running(own, sqlite_database, settings=ROSTER) as setup:
            setup.emergency = True
            assert (await _try(setup, sato, "sato", "sato-pw-2026")).view.step is LoginStep.TOTP
    greeter.close()
    await greeter.wait_closed()


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Something is there, but no directory."""
    writer.write(b"220 mail.example.test ESMTP\r\n")
    await reader.read(1)
    writer.close()


async def test_one_living_replica_is_a_directory(tmp_path: Path, sqlite_database: Database) -> None:
    ca = trustme.CA()
    with run_slapd(tmp_path / "a", ca=ca) as first, run_slapd(tmp_path / "b", ca=ca) as second:
        # what is the same in both is the name only: entryUUID differs, so each has its own person
        ldap = {"servers": (endpoint(first), endpoint(second)), "server_timeout_seconds": 0.5}
        async with running(first, sqlite_database, settings=ROSTER, ldap=ldap) as setup:
            sato = await _sign_up(setup)
            setup.emergency = True
            first.hang()
            outcome = await _try(setup, sato, "sato", "sato-pw-2026")
            assert not outcome.view.degraded
            assert outcome.view.step is LoginStep.ENROL
            assert error_of(await _try(setup, sato, "sato", "wrong")) is LoginErrorCode.LOGIN_FAILED
            first.resume()


async def test_a_directory_that_answered_the_search_and_hangs_in_the_bind_is_not_replaced(
    own: Slapd, sqlite_database: Database
) -> None:
    async with running(own, sqlite_database, settings=ROSTER, ldap=QUICK) as setup:
        sato = await _sign_up(setup)
        setup.emergency = True
        directory = setup.auth._directory  # the moment between search and bind has no public door
        find = directory.find

        async def find_then_hang(*arguments: Any) -> Any:
            found = await find(*arguments)
            own.hang()
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(directory, "find", find_then_hang)
            outcome = await _try(setup, sato, "sato", "sato-pw-2026")
        assert error_of(outcome) is LoginErrorCode.DIRECTORY_UNAVAILABLE
        assert (await _try(setup, sato, "sato", "sato-pw-2026")).view.degraded


async def test_a_verifier_ends_after_72_hours_to_the_second(own: Slapd, database: Database) -> None:
    async with running(own, database, settings=ROSTER) as setup:
        sato = await _sign_up(setup)
        begun = setup.clock.now()
        setup.clock.advance(30)
        await _try(setup, sato, "sato", "sato-pw-2026")  # a good bind renews
        renewed = setup.clock.now()
        assert renewed > begun
        setup.emergency = True
        own.stop()
        setup.clock.advance(72 * 3600 - 1)
        assert (await _try(setup, sato, "sato", "sato-pw-2026")).view.degraded
        setup.clock.advance(1)
        assert error_of(await _try(setup, sato, "sato", "sato-pw-2026")) is LoginErrorCode.DEGRADED_LOGIN_FAILED
        setup.clock.set(begun)  # stepping the clock back makes it no younger than the directory's yes
        assert (await _try(setup, sato, "sato", "sato-pw-2026")).view.degraded
        setup.clock.set(begun.replace(year=2025))
        assert error_of(await _try(setup, sato, "sato", "sato-pw-2026")) is LoginErrorCode.DEGRADED_LOGIN_FAILED
        setup.clock.set(renewed)
        setup.clock.advance(72 * 3600)
        await setup.auth.sweep()
        assert not await _holds(setup, database)


async def test_wrong_passwords_wait_as_in_a_normal_login(own: Slapd, sqlite_database: Database) -> None:
    async with running(own, sqlite_database, settings=ROSTER) as setup:
        sato = await _sign_up(setup)
        setup.emergency = True
        own.stop()
        for _ in range(5):
            assert error_of(await _try(setup, sato, "sato", "wrong")) is LoginErrorCode.DEGRADED_LOGIN_FAILED
        outcome = await _try(setup, sato, "sato", "sato-pw-2026")
        assert error_of(outcome) is LoginErrorCode.THROTTLED
        assert outcome.view.error is not None
        assert outcome.view.error.retry_after_seconds == 30
        setup.clock.advance(30)
        assert (await _try(setup, sato, "sato", "sato-pw-2026")).view.degraded
        # strangers' tries count per account, whatever their address, and its owner keeps a reserve
        for number in range(6):
            await _try(setup, sato, "sato", "wrong", Client(f"198.51.100.{number}"))
        blocked = await _try(setup, sato, "sato", "sato-pw-2026", STRANGER)
        assert error_of(blocked) is LoginErrorCode.THROTTLED
        assert (await _try(setup, sato, "sato", "sato-pw-2026")).view.degraded


async def test_a_hundred_guesses_at_once_are_a_handful(own: Slapd, sqlite_database: Database) -> None:
    async with running(own, sqlite_database, settings=ROSTER) as setup:
        sato = await _sign_up(setup)
        setup.emergency = True
        own.stop()
        outcomes = await asyncio.gather(*(_try(setup, sato, "sato", f"guess-{n}") for n in range(40)))
        checked = [o for o in outcomes if error_of(o) is LoginErrorCode.DEGRADED_LOGIN_FAILED]
        assert len(checked) == 5
        assert {error_of(o) for o in outcomes} == {
            LoginErrorCode.DEGRADED_LOGIN_FAILED, LoginErrorCode.THROTTLED,
        }  # fmt: skip


async def test_the_owners_wrong_password_purges_and_a_strangers_guess_does_not(own: Slapd, database: Database) -> None:
    async with running(own, database, settings=ROSTER) as setup:
        sato = await _sign_up(setup)
        assert error_of(await _try(setup, sato, "sato", "guess", STRANGER)) is LoginErrorCode.LOGIN_FAILED
        await asyncio.sleep(0.6)
        assert await _holds(setup, database)
        assert error_of(await _try(setup, sato, "sato", "guess")) is LoginErrorCode.LOGIN_FAILED
        await _settled(setup, database, holds=False)
        assert setup.audit.names()[-1] == "purge-verifier"
        await _try(setup, sato, "sato", "sato-pw-2026")
        assert await _holds(setup, database)
        # the directory no longer takes the cached password: proof from anywhere
        own.set(person_dn("sato"), "userPassword", "changed-elsewhere-2026")
        assert error_of(await _try(setup, sato, "sato", "sato-pw-2026", STRANGER)) is LoginErrorCode.LOGIN_FAILED
        await _settled(setup, database, holds=False)
        setup.emergency = True
        own.stop()
        assert error_of(await _try(setup, sato, "sato", "sato-pw-2026")) is LoginErrorCode.DEGRADED_LOGIN_FAILED


async def test_locked_expired_reset_and_left_people_lose_their_verifier(tmp_path: Path, database: Database) -> None:
    policy = {"pwdLockout": "TRUE", "pwdMaxFailure": "20", "pwdMustChange": "TRUE"}
    with run_slapd(tmp_path / "slapd", policy=policy) as slapd:
        async with running(slapd, database, settings=ROSTER) as setup:
            sato = await _sign_up(setup)
            slapd.set(person_dn("sato"), "pwdAccountLockedTime", "000001010000Z", relax=True)
            await _try(setup, sato, "sato", "sato-pw-2026")
            await _settled(setup, database, holds=False)
            slapd.set(person_dn("sato"), "pwdAccountLockedTime", relax=True)
            await _try(setup, sato, "sato", "sato-pw-2026")
            assert await _holds(setup, database)
            slapd.set(person_dn("sato"), "pwdReset", "TRUE", relax=True)
            assert (await _try(setup, sato, "sato", "sato-pw-2026")).view.step is LoginStep.TOTP
            assert not await _holds(setup, database)
            slapd.set(person_dn("sato"), "pwdReset", relax=True)
            # nobody signed in: holders are read again by themselves, and whoever left the roster or the city goes
            for change in (_leave_roster, _leave_city):
                assert await _holds(setup, database, "suzuki") is False
                suzuki = await _sign_up(setup, "suzuki", "suzuki-pw-2026")
                session = await suzuki.session()
                assert session is not None
                await setup.auth.revoke_all(session.identity.user_id, actor="test")
                assert await _holds(setup, database, "suzuki")
                change(slapd)
                setup.clock.advance(14 * 60)
                await setup.auth.refresh()
                assert await _holds(setup, database, "suzuki")
                setup.clock.advance(61)
                await setup.auth.refresh()
                assert not await _holds(setup, database, "suzuki")
                slapd.set(group_dn("telework"), "member", person_dn("sato"), person_dn("suzuki"))
                await setup.auth.reset_factors(session.identity.user_id, actor="test")


def _leave_roster(slapd: Slapd) -> None:
    slapd.set(group_dn("telework"), "member", person_dn("sato"))


def _leave_city(slapd: Slapd) -> None:
    slapd.modify(f"dn: {person_dn('suzuki')}\nchangetype: delete\n")


async def test_reset_and_recovery_purge(own: Slapd, database: Database) -> None:
    async with running(own, database, settings=ROSTER) as setup:
        sato = await _sign_up(setup)
        session = await sato.session()
        assert session is not None
        await setup.auth.reset_factors(session.identity.user_id, actor="it")
        assert not await _holds(setup, database)
        sato = await _sign_up(setup)
        await _sign_up(setup, "suzuki", "suzuki-pw-2026")
        assert await setup.auth.purge_verifiers(actor="coordinator") == 2
        assert (setup.audit.events[-1].name, setup.audit.events[-1].details["count"]) == ("purge-all-verifiers", 2)
        setup.emergency = True
        own.stop()
        assert error_of(await _try(setup, sato, "sato", "sato-pw-2026")) is LoginErrorCode.DEGRADED_LOGIN_FAILED


async def test_the_first_round_after_the_outage_ends_sessions_of_those_who_are_gone(
    own: Slapd, database: Database
) -> None:
    """Disabled, deleted and changed in the directory while it was out of our reach."""
    ldap = {"disabled_filter": "(employeeType=退職)"}
    async with running(own, database, settings=ROSTER, ldap=ldap) as setup:
        sato = await _sign_up(setup)
        suzuki = await _sign_up(setup, "suzuki", "suzuki-pw-2026")
        setup.emergency = True
        own.stop()
        for browser, name in ((sato, "sato"), (suzuki, "suzuki")):
            await browser.password(name, f"{name}-pw-2026")
            assert (await browser.totp()).view.step is LoginStep.DONE
        setup.clock.advance(61)
        await setup.auth.refresh()  # still out of reach: nothing changes
        assert await sato.session() is not None
        own.start()
        own.set(person_dn("suzuki"), "employeeType", "退職")
        own.set(group_dn("zeimu"), "member", f"uid=takahashi,{PEOPLE_DN}")
        await asyncio.sleep(1.1)  # the breaker's shortest wait
        setup.clock.advance(61)
        await setup.auth.refresh()
        assert await suzuki.session() is None
        session = await sato.session()
        assert session is not None
        assert session.degraded
        assert session.identity.groups == {"telework"}
        assert not await _holds(setup, database, "suzuki")
        await setup.auth.watch_directory()
        assert "regain-directory" in setup.audit.names()


async def test_what_cannot_be_recorded_does_not_begin(own: Slapd, sqlite_database: Database) -> None:
    async with running(own, sqlite_database, settings=ROSTER) as setup:
        sato = await _sign_up(setup)
        before = await sato.session()
        setup.emergency = True
        own.stop()
        await _try(setup, sato, "sato", "sato-pw-2026")
        setup.audit.broken = True
        with pytest.raises(AuditUnavailable):
            await _try(setup, sato, "sato", "sato-pw-2026")
        setup.audit.broken = False
        assert before is not None
        assert len(await setup.auth.list_web_sessions(before.identity.user_id)) == 1


async def test_off_by_default_and_the_row_alone_is_worth_nothing(own: Slapd, sqlite_database: Database) -> None:
    async with running(own, sqlite_database) as setup:
        sato = await _sign_up(setup)
        assert not await _holds(setup, sqlite_database)
        setup.emergency = True
        own.stop()
        assert error_of(await _try(setup, sato, "sato", "sato-pw-2026")) is LoginErrorCode.DIRECTORY_UNAVAILABLE
        own.start()
    async with running(own, sqlite_database, settings=ROSTER) as setup:
        await _try(setup, sato, "sato", "sato-pw-2026")
        await _sign_up(setup, "suzuki", "suzuki-pw-2026")
        store = VerifierStore(sqlite_database, TENANT)
        holder, other = await store.holder("sato"), await store.holder("suzuki")
        assert holder is not None
        assert other is not None
        assert "argon2" not in holder.sealed_verifier
        assert "argon2" not in repr(holder)
        # a row copied to somebody else does not open
        await store.put(other.identity.user_id, holder.sealed_verifier, holder.verified_at)
        setup.emergency = True
        own.stop()
        outcome = await _try(setup, sato, "suzuki", "sato-pw-2026")
        assert error_of(outcome) is LoginErrorCode.DEGRADED_LOGIN_FAILED
