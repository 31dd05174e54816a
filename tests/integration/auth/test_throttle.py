"""Guessing against a real directory: who is slowed down, who is not, and that the directory never locks anybody."""

import asyncio
import time
from pathlib import Path

from auth.directory import DirectoryResult, Entry
from auth.ldap_directory import LdapDirectory
from auth.ldap_pool import Connection
from auth.models import Client, LoginErrorCode, LoginStep
from common.db import Database
from tests.integration.auth.service import PASSWORD, error_of, running
from tests.support.slapd import DECOY_DN, Slapd, person_dn, run_slapd


async def test_five_free_tries_then_waits_that_double_up_to_an_hour(staff: Slapd, database: Database) -> None:
    settings = {"throttle": {"answer_floor_milliseconds": 0, "directory_lockout_tries": 0}}
    async with running(staff, database, settings=settings) as setup:
        browser = setup.browser()
        for _ in range(5):
            assert error_of(await browser.password("sato", "wrong")) is LoginErrorCode.LOGIN_FAILED
        for wait in (30, 60, 120, 240, 480, 960, 1920, 3600, 3600):
            outcome = await browser.password("SATO ", PASSWORD)  # the right one does not help, nor another spelling
            assert error_of(outcome) is LoginErrorCode.THROTTLED
            assert outcome.view.error is not None
            assert outcome.view.error.retry_after_seconds == wait
            setup.clock.advance(wait - 0.5)
            assert error_of(await browser.password("sato", PASSWORD)) is LoginErrorCode.THROTTLED
            setup.clock.advance(0.5)
            assert error_of(await browser.password("sato", "wrong")) is LoginErrorCode.LOGIN_FAILED
        setup.clock.advance(3600)
        assert (await browser.password("sato", PASSWORD)).view.step is LoginStep.ENROL
        assert error_of(await browser.password("sato", "wrong")) is LoginErrorCode.LOGIN_FAILED


async def test_other_people_and_other_addresses_are_not_slowed_down(staff: Slapd, sqlite_database: Database) -> None:
    async with running(staff, sqlite_database) as setup:
        attacker = setup.browser(Client("198.51.100.1"))
        for _ in range(6):
            await attacker.password("sato", "wrong")
        assert error_of(await attacker.password("sato", PASSWORD)) is LoginErrorCode.THROTTLED
        assert (await attacker.password("suzuki", "suzuki-pw-2026")).view.step is LoginStep.ENROL
        assert (await setup.browser().password("sato", PASSWORD)).view.step is LoginStep.ENROL


async def test_unknown_names_are_slowed_down_alike(staff: Slapd, sqlite_database: Database) -> None:
    async with running(staff, sqlite_database) as setup:
        browser = setup.browser()
        answers = [error_of(await browser.password("nobody", "wrong")) for _ in range(6)]
        assert answers == [LoginErrorCode.LOGIN_FAILED] * 5 + [LoginErrorCode.THROTTLED]


async def test_a_hundred_addresses_cannot_make_the_directory_lock_an_account(
    tmp_path: Path, database: Database
) -> None:
    policy = {"pwdLockout": "TRUE", "pwdMaxFailure": "10", "pwdFailureCountInterval": "1800"}
    with run_slapd(tmp_path / "slapd", policy=policy) as slapd:
        async with running(slapd, database) as setup:
            answers = [
                error_of(await setup.browser(Client(f"198.51.100.{n}")).password("sato", "wrong")) for n in range(30)
            ]
            assert answers.count(LoginErrorCode.LOGIN_FAILED) == 6
            assert answers.count(LoginErrorCode.THROTTLED) == 24
            entry = slapd.read(person_dn("sato"), "pwdAccountLockedTime", "pwdFailureTime")
            assert "pwdAccountLockedTime" not in entry
            assert entry.count("pwdFailureTime:") == 6
            setup.clock.advance(1799)
            assert error_of(await setup.browser().password("sato", PASSWORD)) is LoginErrorCode.THROTTLED
            setup.clock.advance(1)
            assert (await setup.browser().password("sato", PASSWORD)).view.step is LoginStep.ENROL


async def test_guesses_at_the_same_moment_all_count(own: Slapd, database: Database) -> None:
    async with running(own, database) as setup:
        outcomes = await asyncio.gather(*(setup.browser().password("sato", f"guess-{n}") for n in range(20)))
        codes = [error_of(outcome) for outcome in outcomes]
        assert codes.count(LoginErrorCode.LOGIN_FAILED) == 5
        assert codes.count(LoginErrorCode.THROTTLED) == 15


async def test_codes_are_guessed_slowly_from_wherever(staff: Slapd, database: Database) -> None:
    async with running(staff, database) as setup:
        browser = setup.browser()
        await browser.sign_up()
        for number in range(5):
            guesser = setup.browser(Client(f"198.51.100.{number}"))
            await guesser.password("sato", PASSWORD)
            assert error_of(await guesser.totp("000000")) is LoginErrorCode.CODE_WRONG
        await browser.password("sato", PASSWORD)
        outcome = await browser.totp()
        assert error_of(outcome) is LoginErrorCode.THROTTLED
        assert outcome.view.error is not None
        assert outcome.view.error.retry_after_seconds == 30
        setup.clock.advance(30)
        assert (await browser.totp()).view.step is LoginStep.DONE


async def test_recovery_codes_are_guessed_slowly(staff: Slapd, sqlite_database: Database) -> None:
    async with running(staff, sqlite_database) as setup:
        browser = setup.browser()
        await browser.sign_up()
        await browser.password("sato", PASSWORD)
        for _ in range(5):
            assert error_of(await browser.recovery("AAAA-AAAA-AAAA-AAAA")) is LoginErrorCode.RECOVERY_CODE_WRONG
        assert error_of(await browser.recovery(browser.codes[0])) is LoginErrorCode.THROTTLED
        # the authenticator itself is not held up by it
        assert (await browser.totp()).view.step is LoginStep.DONE


async def test_a_flood_of_throttled_tries_does_not_flood_the_audit(staff: Slapd, sqlite_database: Database) -> None:
    async with running(staff, sqlite_database) as setup:
        browser = setup.browser()
        for _ in range(50):
            await browser.password("sato", "wrong")
        assert setup.audit.names().count("refuse-password") == 5
        assert setup.audit.names().count("throttle-login") == 1
        setup.clock.advance(30)
        await browser.password("sato", "wrong")
        await browser.password("sato", "wrong")
        assert setup.audit.events[-1].name == "throttle-login"
        assert setup.audit.events[-1].details["not_recorded"] == 44
        setup.clock.advance(86_400)
        await setup.auth.sweep()
        async with sqlite_database.transaction() as connection:
            assert (await connection.exec_driver_sql("select * from auth_throttle")).all() == []


async def test_strangers_cannot_keep_a_person_off_from_the_usual_address(tmp_path: Path, database: Database) -> None:
    policy = {"pwdLockout": "TRUE", "pwdMaxFailure": "10", "pwdFailureCountInterval": "1800"}
    with run_slapd(tmp_path / "slapd", policy=policy) as slapd:
        async with running(slapd, database) as setup:
            home = setup.browser()
            await home.sign_up()
            for number in range(30):
                await setup.browser(Client(f"198.51.100.{number}")).password("sato", "wrong")
            away = setup.browser(Client("192.0.2.99"))
            assert error_of(await away.password("sato", PASSWORD)) is LoginErrorCode.THROTTLED
            assert error_of(await home.password("sato", "a slip")) is LoginErrorCode.LOGIN_FAILED
            assert (await home.password("sato", PASSWORD)).view.step is LoginStep.TOTP
            assert "pwdAccountLockedTime" not in slapd.read(person_dn("sato"), "pwdAccountLockedTime")


async def test_a_known_address_is_forgotten_after_a_month(staff: Slapd, sqlite_database: Database) -> None:
    async with running(staff, sqlite_database) as setup:
        home = setup.browser()
        await home.sign_up()
        setup.clock.advance(30 * 86_400 + 1)
        for number in range(6):
            await setup.browser(Client(f"198.51.100.{number}")).password("sato", "wrong")
        assert error_of(await home.password("sato", PASSWORD)) is LoginErrorCode.THROTTLED


async def test_spraying_one_password_over_many_names_is_throttled(staff: Slapd, database: Database) -> None:
    async with running(staff, database) as setup:
        home = setup.browser()
        await home.sign_up()
        sprayer = setup.browser(home.client)
        codes = [error_of(await sprayer.password(f"nobody-{number}", "Spring2026!")) for number in range(70)]
        assert codes == [LoginErrorCode.LOGIN_FAILED] * 60 + [LoginErrorCode.THROTTLED] * 10
        outcome = await sprayer.password("suzuki", "suzuki-pw-2026")
        assert error_of(outcome) is LoginErrorCode.THROTTLED, "the right one of a stranger there does not help"
        assert outcome.view.error is not None
        assert outcome.view.error.retry_after_seconds == 30
        assert (await home.password("sato", PASSWORD)).view.step is LoginStep.TOTP, "who is known there gets in"
        assert error_of(await sprayer.password("nobody-0", "Summer2026!")) is LoginErrorCode.THROTTLED, "still"
        elsewhere = setup.browser(Client("198.51.100.77"))
        assert (await elsewhere.password("suzuki", "suzuki-pw-2026")).view.step is LoginStep.ENROL
        setup.clock.advance(30)
        assert error_of(await sprayer.password("nobody-1", "Summer2026!")) is LoginErrorCode.LOGIN_FAILED
        assert error_of(await sprayer.password("nobody-2", "Summer2026!")) is LoginErrorCode.THROTTLED
        assert setup.audit.names().count("throttle-login") == 2
        assert setup.audit.events[-1].details["scope"] == "address"


async def test_an_office_that_signs_in_is_not_counted(staff: Slapd, sqlite_database: Database) -> None:
    over = {"throttle": {"answer_floor_milliseconds": 0, "address_tries": 2}}
    async with running(staff, sqlite_database, settings=over) as setup:
        for _ in range(5):
            assert (await setup.browser().password("suzuki", "suzuki-pw-2026")).view.step is LoginStep.ENROL
        await setup.browser().password("suzuki", "slip")
        assert (await setup.browser().password("suzuki", "suzuki-pw-2026")).view.step is LoginStep.ENROL


async def test_a_crowd_from_one_address_holds_up_nobody_elsewhere(staff: Slapd, sqlite_database: Database) -> None:
    """The crowd has half of the directory's threads at most, and goes away when it has queued long enough."""
    over = {"throttle": {"answer_floor_milliseconds": 0, "check_queue_seconds": 0.5}}
    async with running(staff, sqlite_database, settings=over, ldap={"worker_threads": 4}, directory=_Slow) as setup:
        _Slow.most = 0
        stranger = Client("198.51.100.9")
        crowd = [asyncio.ensure_future(setup.browser(stranger).password(f"nobody-{n}", "x")) for n in range(40)]
        await asyncio.sleep(0)  # the crowd is first in every queue
        assert (await setup.browser().password("sato", PASSWORD)).view.step is LoginStep.ENROL
        assert not all(login.done() for login in crowd), "the legitimate one did not wait for the crowd"
        codes = [error_of(outcome) for outcome in await asyncio.gather(*crowd)]
        assert _Slow.most == 2
        assert set(codes) == {LoginErrorCode.LOGIN_FAILED, LoginErrorCode.THROTTLED}
        assert setup.audit.names().count("throttle-login") == 1


class _Slow(LdapDirectory):
    """The real directory, where unknown names take a thread for a quarter of a second more."""

    now = most = 0

    def _bind(self, connection: Connection, endpoint: str, entry: Entry, password: str) -> DirectoryResult:
        if entry.dn != DECOY_DN:
            return super()._bind(connection, endpoint, entry, password)
        _Slow.now += 1
        _Slow.most = max(_Slow.most, _Slow.now)
        time.sleep(0.25)
        _Slow.now -= 1
        return super()._bind(connection, endpoint, entry, password)
