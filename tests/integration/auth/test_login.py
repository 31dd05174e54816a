"""Whole logins against a real directory, on SQLite and PostgreSQL: what leads in, and what does not."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from auth.models import Client, CookieChange, Enrolment, LoginErrorCode, LoginOutcome, LoginStep
from auth.store.tables import auth_login
from common.db import Database
from common.errors import AuditUnavailable, SecretUnreadable, StoreUnavailable
from tests.integration.auth.service import HOME, error_of, running
from tests.support.slapd import Slapd, person_dn, run_slapd


async def test_first_login_enrols_and_later_ones_use_the_code(staff: Slapd, database: Database) -> None:
    async with running(staff, database) as setup:
        browser = setup.browser()
        assert (await setup.auth.state(None)).step is LoginStep.PASSWORD
        outcome = await browser.password("sato", "sato-pw-2026")
        assert outcome.view.step is LoginStep.ENROL
        assert outcome.view.display_name == "佐藤 花子"
        await browser.scan()
        outcome = await browser.confirm()
        assert outcome.view.step is LoginStep.RECOVERY_CODES
        assert outcome.view.recovery_codes is not None
        assert len(set(outcome.view.recovery_codes)) == 10
        assert (await setup.auth.state(browser.login_cookie)).recovery_codes is None
        outcome = await browser.done()
        assert outcome.view.step is LoginStep.DONE
        assert outcome.login_cookie is CookieChange.CLEAR
        session = await setup.auth.identity_for_cookie(browser.session_cookie)
        assert session is not None
        assert session == outcome.web_session
        assert session.identity.groups == {"telework", "zeimu", "honcho"}
        assert session.totp_at == session.password_at == setup.clock.now()
        assert await setup.auth.recovery_codes_left(session.identity.user_id) == 10
        setup.clock.advance(30)
        other = setup.browser()
        other.secret = browser.secret
        assert (await other.password("SATO", "sato-pw-2026")).view.step is LoginStep.TOTP
        assert (await other.totp()).view.step is LoginStep.DONE
        again = await setup.auth.identity_for_cookie(other.session_cookie)
        assert again is not None
        assert again.identity.user_id == session.identity.user_id
        assert again.id != session.id
        assert setup.audit.names() == [
            "accept-password", "enrol-totp", "accept-login", "accept-password", "accept-totp", "accept-login",
        ]  # fmt: skip


async def test_every_refusal_looks_the_same_and_the_audit_knows(tmp_path: Path, sqlite_database: Database) -> None:
    policy = {"pwdLockout": "TRUE", "pwdMaxFailure": "20"}
    with run_slapd(tmp_path / "slapd", policy=policy) as slapd:
        slapd.set(person_dn("takahashi"), "pwdAccountLockedTime", "000001010000Z", relax=True)
        ldap = {"disabled_filter": "(employeeType=退職)"}
        slapd.set(person_dn("suzuki"), "employeeType", "退職")
        async with running(slapd, sqlite_database, ldap=ldap) as setup:
            outcomes = [
                await setup.browser().password(name, password)
                for name, password in [
                    ("sato", "wrong"),
                    ("nobody", "wrong"),
                    ("takahashi", "パスワード・漢字🔑"),
                    ("suzuki", "suzuki-pw-2026"),
                    ("sa*", "wrong"),
                    ("sato", ""),
                ]
            ]
            assert len(set(outcomes)) == 1
            assert error_of(outcomes[0]) is LoginErrorCode.LOGIN_FAILED
            seen = [(event.details["result"], event.details["ldap_code"]) for event in setup.audit.events]
            assert seen[:5] == [
                ("WrongPassword", 49), ("NotFound", 0), ("Locked", 49), ("Disabled", 0), ("NotFound", 0),
            ]  # fmt: skip
            assert setup.audit.events[2].details["sub_code"] == "ppolicy:1"
            assert setup.audit.events[0].subject == "sato"


async def test_refusals_are_answered_no_sooner_than_the_floor(staff: Slapd, sqlite_database: Database) -> None:
    async with running(staff, sqlite_database, settings={"throttle": {"answer_floor_milliseconds": 300}}) as setup:
        for name in ("sato", "nobody", "*"):
            began = asyncio.get_running_loop().time()
            await setup.browser().password(name, "wrong")
            assert 0.29 < asyncio.get_running_loop().time() - began < 1.5


async def test_directory_down_is_said_and_costs_no_try(own: Slapd, sqlite_database: Database) -> None:
    async with running(own, sqlite_database) as setup:
        own.stop()
        for _ in range(12):
            outcome = await setup.browser().password("sato", "sato-pw-2026")
            assert error_of(outcome) is LoginErrorCode.DIRECTORY_UNAVAILABLE
        own.start()
        await asyncio.sleep(1.1)  # the breaker's shortest wait
        assert (await setup.browser().password("sato", "sato-pw-2026")).view.step is LoginStep.ENROL


async def test_login_state_confusion_a_password_starts_from_nothing(staff: Slapd, database: Database) -> None:
    """Wrong password for one, right one for oneself; a code of one in the login of another; old cookies."""
    async with running(staff, database) as setup:
        sato, suzuki = setup.browser(), setup.browser()
        await sato.sign_up()
        await suzuki.sign_up("suzuki", "suzuki-pw-2026")
        mixed = setup.browser()
        await mixed.password("sato", "wrong")
        await mixed.password("suzuki", "suzuki-pw-2026")
        assert error_of(await mixed.totp(sato.code())) is LoginErrorCode.CODE_WRONG
        sato_login = setup.browser()
        await sato_login.password("sato", "sato-pw-2026")
        stale = sato_login.login_cookie
        await sato_login.password("suzuki", "suzuki-pw-2026")
        assert sato_login.login_cookie != stale
        sato_login.login_cookie = stale
        assert error_of(await sato_login.totp(sato.code())) is LoginErrorCode.LOGIN_EXPIRED
        # a failed password ends the login in progress too
        half = setup.browser()
        await half.password("sato", "sato-pw-2026")
        kept = half.login_cookie
        await half.password("suzuki", "wrong")
        half.login_cookie = kept
        assert error_of(await half.totp(sato.code())) is LoginErrorCode.LOGIN_EXPIRED
        done = setup.browser()
        await done.password("suzuki", "suzuki-pw-2026")
        outcome = await done.totp(suzuki.code())
        assert outcome.web_session is not None
        assert outcome.web_session.identity.username == "suzuki"


async def test_login_state_confusion_no_step_can_be_skipped_or_repeated(staff: Slapd, database: Database) -> None:
    async with running(staff, database) as setup:
        fresh = setup.browser()
        for step in (
            fresh.totp("123456"),
            fresh.recovery("x"),
            fresh.confirm("123456"),
            fresh.done(),
            fresh.change("x"),
        ):
            assert error_of(await step) is LoginErrorCode.LOGIN_EXPIRED
        await fresh.password("sato", "sato-pw-2026")
        assert error_of(await fresh.totp("123456")) is LoginErrorCode.WRONG_STEP
        assert error_of(await fresh.done()) is LoginErrorCode.WRONG_STEP
        assert error_of(await fresh.confirm("123456")) is LoginErrorCode.WRONG_STEP
        await fresh.scan()
        await fresh.confirm()
        assert error_of(await fresh.confirm()) is LoginErrorCode.WRONG_STEP
        cookie = fresh.login_cookie
        await fresh.done()
        fresh.login_cookie = cookie
        assert error_of(await fresh.done()) is LoginErrorCode.LOGIN_EXPIRED


async def test_enrolled_people_cannot_enrol_again_with_the_password_alone(staff: Slapd, database: Database) -> None:
    async with running(staff, database) as setup:
        await setup.browser().sign_up()
        thief = setup.browser()
        await thief.password("sato", "sato-pw-2026")
        shown = await setup.auth.start_enrolment(thief.login_cookie, HOME)
        assert isinstance(shown, LoginOutcome)
        assert error_of(shown) is LoginErrorCode.WRONG_STEP


async def test_a_login_from_before_an_enrolment_replaces_nothing(staff: Slapd, database: Database) -> None:
    """Who knows the password begins to enrol too, and waits until the owner has confirmed."""
    async with running(staff, database) as setup:
        owner, thief = setup.browser(), setup.browser()
        await thief.password("sato", "sato-pw-2026")
        await thief.scan()
        await owner.password("sato", "sato-pw-2026")
        await owner.enrol()
        assert error_of(await thief.confirm()) is LoginErrorCode.LOGIN_EXPIRED
        assert thief.login_cookie is None
        assert (await owner.sign_in()).view.step is LoginStep.DONE, "the owner's authenticator is in force"


async def test_of_two_first_enrolments_at_once_one_wins(staff: Slapd, database: Database) -> None:
    async with running(staff, database) as setup:
        browsers = [setup.browser(), setup.browser()]
        for browser in browsers:
            await browser.password("sato", "sato-pw-2026")
            await browser.scan()
        outcomes = await asyncio.gather(*(browser.confirm() for browser in browsers))
        steps = sorted((outcome.view.step for outcome in outcomes), key=str)
        assert steps == [LoginStep.PASSWORD, LoginStep.RECOVERY_CODES]
        (winner,) = (browser for browser in browsers if browser.login_cookie is not None)
        assert (await winner.done()).view.step is LoginStep.DONE
        setup.clock.advance(30)
        assert (await winner.sign_in()).view.step is LoginStep.DONE


async def test_a_login_that_was_being_begun_during_an_enrolment_replaces_nothing(
    staff: Slapd, sqlite_database: Database
) -> None:
    """Its row is written after the owner's confirmation dropped the others: what it believes is out of date."""
    async with running(staff, sqlite_database) as setup:
        owner, thief = setup.browser(), setup.browser()
        await thief.password("sato", "sato-pw-2026")
        async with sqlite_database.transaction() as connection:
            row = (await connection.execute(select(auth_login))).one()
        await owner.password("sato", "sato-pw-2026")
        await owner.enrol()
        async with sqlite_database.transaction() as connection:
            await connection.execute(insert(auth_login).values(row._asdict()))
        await thief.scan()
        assert error_of(await thief.confirm()) is LoginErrorCode.LOGIN_EXPIRED
        assert (await owner.sign_in()).view.step is LoginStep.DONE


async def test_restart_forgets(staff: Slapd, sqlite_database: Database) -> None:
    async with running(staff, sqlite_database) as setup:
        browser = setup.browser()
        await browser.password("sato", "sato-pw-2026")
        cookie = browser.login_cookie
        browser.take(await setup.auth.restart(cookie))
        assert browser.login_cookie is None
        assert (await setup.auth.state(cookie)).step is LoginStep.PASSWORD


async def test_a_login_runs_out(staff: Slapd, database: Database) -> None:
    async with running(staff, database) as setup:
        browser = setup.browser()
        await browser.password("sato", "sato-pw-2026")
        setup.clock.advance(599)
        assert (await setup.auth.state(browser.login_cookie)).step is LoginStep.ENROL
        setup.clock.advance(1)
        assert (await setup.auth.state(browser.login_cookie)).step is LoginStep.PASSWORD
        await setup.auth.sweep()


async def test_token_time_and_replay_each_code_is_good_once(staff: Slapd, database: Database) -> None:
    async with running(staff, database) as setup:
        browser = setup.browser()
        await browser.sign_up()
        code, older = browser.code(), browser.code(-1)
        assert (await browser.sign_in()).view.step is LoginStep.DONE
        await browser.password("sato", "sato-pw-2026")
        assert error_of(await browser.totp(code)) is LoginErrorCode.CODE_REUSED
        assert error_of(await browser.totp(older)) is LoginErrorCode.CODE_REUSED
        setup.clock.advance(30)
        assert error_of(await browser.totp(code)) is LoginErrorCode.CODE_REUSED
        assert (await browser.totp()).view.step is LoginStep.DONE


async def test_token_time_and_replay_at_the_same_moment(staff: Slapd, database: Database) -> None:
    """One code, ten logins at once: one of them gets in."""
    async with running(staff, database) as setup:
        first = setup.browser()
        await first.sign_up()
        browsers = [setup.browser() for _ in range(4)]
        for browser in browsers:
            await browser.password("sato", "sato-pw-2026")
        code = first.code()
        outcomes = await asyncio.gather(*(browser.totp(code) for browser in browsers))
        assert [outcome.view.step for outcome in outcomes].count(LoginStep.DONE) == 1
        # and one login cannot become two sessions
        setup.clock.advance(60)
        await first.password("sato", "sato-pw-2026")
        cookie = first.login_cookie
        twice = await asyncio.gather(*(setup.auth.submit_totp(cookie, first.code(steps), HOME) for steps in (0, 1)))
        assert [outcome.view.step for outcome in twice].count(LoginStep.DONE) == 1


async def test_codes_one_step_off_are_accepted_and_two_are_not(staff: Slapd, sqlite_database: Database) -> None:
    async with running(staff, sqlite_database) as setup:
        browser = setup.browser()
        await browser.sign_up()
        setup.clock.advance(120)
        await browser.password("sato", "sato-pw-2026")
        assert error_of(await browser.totp(browser.code(-2))) is LoginErrorCode.CODE_WRONG
        assert error_of(await browser.totp(browser.code(2))) is LoginErrorCode.CODE_WRONG
        assert (await browser.totp(browser.code(-1))).view.step is LoginStep.DONE
        await browser.password("sato", "sato-pw-2026")
        assert (await browser.totp(browser.code(1))).view.step is LoginStep.DONE


async def test_recovery_code_is_good_once_and_asks_for_a_new_authenticator(staff: Slapd, database: Database) -> None:
    async with running(staff, database) as setup:
        browser = setup.browser()
        await browser.sign_up()
        old_codes = browser.codes
        await browser.password("sato", "sato-pw-2026")
        outcome = await browser.recovery(old_codes[3].lower().replace("-", " "))
        assert outcome.view.step is LoginStep.ENROL
        used = next(event for event in setup.audit.events if event.name == "use-recovery-code")
        assert used.details["codes_left"] == 9
        again = setup.browser()
        await again.password("sato", "sato-pw-2026")
        assert error_of(await again.recovery(old_codes[3])) is LoginErrorCode.RECOVERY_CODE_WRONG
        session = (await browser.enrol()).web_session
        assert session is not None
        assert await setup.auth.recovery_codes_left(session.identity.user_id) == 10
        await again.password("sato", "sato-pw-2026")
        assert error_of(await again.recovery(old_codes[4])) is LoginErrorCode.RECOVERY_CODE_WRONG


async def test_recovery_without_enrolment_where_the_settings_say_so(staff: Slapd, sqlite_database: Database) -> None:
    settings = {"second_factor": {"recovery_requires_enrolment": False}}
    async with running(staff, sqlite_database, settings=settings) as setup:
        browser = setup.browser()
        await browser.sign_up()
        await browser.password("sato", "sato-pw-2026")
        outcome = await browser.recovery(browser.codes[0])
        assert outcome.view.step is LoginStep.DONE
        assert outcome.web_session is not None
        assert outcome.web_session.totp_at is None


async def test_another_persons_recovery_code_is_worth_nothing(staff: Slapd, sqlite_database: Database) -> None:
    async with running(staff, sqlite_database) as setup:
        sato, suzuki = setup.browser(), setup.browser()
        await sato.sign_up()
        await suzuki.sign_up("suzuki", "suzuki-pw-2026")
        await suzuki.password("suzuki", "suzuki-pw-2026")
        assert error_of(await suzuki.recovery(sato.codes[0])) is LoginErrorCode.RECOVERY_CODE_WRONG


async def test_a_sealed_secret_copied_to_another_person_does_not_open(staff: Slapd, database: Database) -> None:
    async with running(staff, database) as setup:
        sato, suzuki = setup.browser(), setup.browser()
        await sato.sign_up()
        await suzuki.sign_up("suzuki", "suzuki-pw-2026")
        async with database.transaction() as connection:
            rows = (await connection.exec_driver_sql("select user_id, sealed_secret from auth_totp")).all()
            assert sato.secret not in repr(rows)
            one, secret = rows[0].user_id, rows[1].sealed_secret
            await connection.exec_driver_sql(
                f"update auth_totp set sealed_secret = '{secret}' where user_id = '{one}'"  # noqa: S608 - our own rows
            )
        await sato.password("sato", "sato-pw-2026")
        await suzuki.password("suzuki", "suzuki-pw-2026")
        attempts = await asyncio.gather(sato.totp(), suzuki.totp(), return_exceptions=True)
        assert sum(isinstance(attempt, SecretUnreadable) for attempt in attempts) == 1


async def test_enrolment_only_from_the_networks_of_the_settings(staff: Slapd, sqlite_database: Database) -> None:
    settings = {"second_factor": {"enrolment_networks": ("10.1.0.0/16",)}}
    async with running(staff, sqlite_database, settings=settings) as setup:
        browser = setup.browser()
        await browser.password("sato", "sato-pw-2026")
        shown = await setup.auth.start_enrolment(browser.login_cookie, HOME)
        assert isinstance(shown, LoginOutcome)
        assert error_of(shown) is LoginErrorCode.ENROLMENT_NOT_HERE
        office = Client("10.1.2.3")
        assert isinstance(await setup.auth.start_enrolment(browser.login_cookie, office), Enrolment)


async def test_what_cannot_be_recorded_does_not_begin(staff: Slapd, database: Database) -> None:
    async with running(staff, database) as setup:
        browser = setup.browser()
        await browser.password("sato", "sato-pw-2026")
        await browser.scan()
        await browser.confirm()
        setup.audit.broken = True
        with pytest.raises(AuditUnavailable):
            await browser.done()
        async with database.transaction() as connection:
            assert (await connection.exec_driver_sql("select * from auth_web_session")).all() == []
        with pytest.raises(AuditUnavailable):
            await setup.browser().password("suzuki", "suzuki-pw-2026")


async def test_predictable_secret_cookies_are_random_and_only_hashes_are_stored(
    staff: Slapd, database: Database
) -> None:
    async with running(staff, database) as setup:
        browser = setup.browser()
        await browser.password("sato", "sato-pw-2026")
        login_cookie = browser.login_cookie
        outcome = await browser.enrol()
        cookie = browser.session_cookie
        assert cookie is not None
        assert login_cookie is not None
        assert len(cookie) == len(login_cookie) == 43  # 256 bits in base64
        stored = ""
        async with database.transaction() as connection:
            for table in ("auth_web_session", "auth_login", "auth_recovery_code", "auth_user", "auth_throttle"):
                stored += repr((await connection.exec_driver_sql(f"select * from {table}")).all())  # noqa: S608
        secrets = (cookie, login_cookie, browser.secret, *browser.codes, *(c.replace("-", "") for c in browser.codes))
        assert not [secret for secret in secrets if secret in stored]
        told = repr(setup.audit.events) + repr(outcome)
        assert not [secret for secret in (*secrets, "sato-pw-2026") if secret in told]


async def test_log_flood_by_input(staff: Slapd, sqlite_database: Database) -> None:
    """What strangers type reaches neither the audit nor the database, however long it is."""
    async with running(staff, sqlite_database) as setup:
        for typed in ("x" * 1_000_000, "my-password-in-the-wrong-field", "a\nb\x1b[2J", "\ud800", "ﷺ" * 250):
            outcome = await setup.browser().password(typed, "y" * 100_000)
            assert error_of(outcome) is LoginErrorCode.LOGIN_FAILED
        for event in setup.audit.events:
            assert len(repr(event)) < 1_000
            assert "wrong-field" not in repr(event)
        assert len({event.subject for event in setup.audit.events}) == 5


async def test_a_disabled_persons_login_in_progress_ends(own: Slapd, sqlite_database: Database) -> None:
    async with running(own, sqlite_database, ldap={"disabled_filter": "(employeeType=退職)"}) as setup:
        browser = setup.browser()
        await browser.sign_up()
        await browser.password("sato", "sato-pw-2026")
        own.set(person_dn("sato"), "employeeType", "退職")
        setup.clock.advance(61)
        await setup.auth.refresh()
        assert error_of(await browser.totp()) is LoginErrorCode.LOGIN_EXPIRED


async def test_a_broken_counter_table_lets_nobody_try(own: Slapd, sqlite_database: Database) -> None:
    """The throttle fails closed: the directory is not even asked."""
    async with running(own, sqlite_database) as setup:
        async with sqlite_database.transaction() as connection:
            await connection.exec_driver_sql("drop table auth_throttle")
        own.set(person_dn("sato"), "pwdFailureTime", relax=True)
        with pytest.raises(StoreUnavailable):
            await setup.browser().password("sato", "wrong")
        assert "pwdFailureTime" not in own.read(person_dn("sato"), "pwdFailureTime")


async def test_reset_factors_ends_everything_and_the_next_login_enrols(staff: Slapd, database: Database) -> None:
    async with running(staff, database) as setup:
        browser = setup.browser()
        session = (await browser.sign_up()).web_session
        assert session is not None
        half = setup.browser()
        await half.password("sato", "sato-pw-2026")
        user_id = await setup.auth.find_user("SATO")
        assert user_id == session.identity.user_id
        assert await setup.auth.reset_factors(user_id, actor="admin")
        assert await setup.auth.identity_for_cookie(browser.session_cookie) is None
        assert (await setup.auth.state(half.login_cookie)).step is LoginStep.PASSWORD
        assert (await browser.password("sato", "sato-pw-2026")).view.step is LoginStep.ENROL
        await asyncio.sleep(0)
        assert ("web_session:ended", session.id) in setup.events


async def test_a_person_can_be_looked_up_without_ever_having_signed_in(staff: Slapd, sqlite_database: Database) -> None:
    async with running(staff, sqlite_database) as setup:
        found = await setup.auth.lookup("sato")
        assert found is not None
        assert found.user_id == "never-signed-in"
        assert found.groups == {"telework", "zeimu", "honcho"}
        session = (await setup.browser().sign_up()).web_session
        assert session is not None
        again = await setup.auth.lookup("sato")
        assert again == session.identity
        assert await setup.auth.lookup("nobody") is None
