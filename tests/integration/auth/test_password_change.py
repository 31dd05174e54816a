"""Passwords that the directory wants changed: after a reset, on grace logins, expired for good."""

from pathlib import Path

import pytest

from auth.directory import (
    Changed,
    ChangeRefusal,
    ChangeRefused,
    Entry,
    MustChange,
    PasswordExpired,
    Unreachable,
    Verified,
    WrongPassword,
)
from auth.models import LoginErrorCode, LoginStep
from common.db import Database
from common.secret import Secret
from tests.integration.auth.conftest import Opener
from tests.integration.auth.service import error_of, running
from tests.support.slapd import DEFAULT_POLICY, PEOPLE_DN, Slapd, person_dn, run_slapd

OLD = Secret("sato-pw-2026")
NEW = Secret("新しい合言葉-2026")
LONG_AGO = "20200101000000Z"
EXPIRES = DEFAULT_POLICY | {"pwdMaxAge": "86400", "pwdMustChange": "FALSE"}


async def test_after_a_reset_the_bind_succeeds_and_a_new_password_is_wanted(own: Slapd, directory: Opener) -> None:
    own.set(person_dn("sato"), "pwdReset", "TRUE")
    opened = directory(own)
    result = await opened.authenticate("sato", OLD)
    assert isinstance(result, MustChange)
    assert result.can_change
    assert result.cause.sub_code == "ppolicy:2"
    assert isinstance(await opened.authenticate("sato", Secret("wrong")), WrongPassword)
    assert isinstance(await opened.change_password(result.entry, OLD, NEW), Changed)
    assert isinstance(await opened.authenticate("sato", NEW), Verified)
    assert isinstance(await opened.authenticate("sato", OLD), WrongPassword)


async def test_grace_logins_let_the_person_change_it(tmp_path: Path, directory: Opener) -> None:
    with run_slapd(tmp_path / "slapd", policy=EXPIRES | {"pwdGraceAuthNLimit": "5"}) as slapd:
        slapd.set(person_dn("sato"), "pwdChangedTime", LONG_AGO, relax=True)
        opened = directory(slapd)
        result = await opened.authenticate("sato", OLD)
        assert isinstance(result, PasswordExpired)
        assert result.can_change
        assert isinstance(await opened.change_password(result.entry, OLD, NEW), Changed)
        assert isinstance(await opened.authenticate("sato", NEW), Verified)


@pytest.mark.parametrize("who", ["none", "user", "service"])
async def test_expired_for_good_is_changed_by_the_service_account_alone(
    tmp_path: Path, directory: Opener, who: str
) -> None:
    with run_slapd(tmp_path / "slapd", policy=EXPIRES, service_may_change_passwords=True) as slapd:
        slapd.set(person_dn("sato"), "pwdChangedTime", LONG_AGO, relax=True)
        opened = directory(slapd, password_change=who)
        assert isinstance(await opened.authenticate("sato", Secret("wrong")), WrongPassword)
        result = await opened.authenticate("sato", OLD)
        assert isinstance(result, PasswordExpired)
        assert result.can_change == (who == "service")
        wrong_old = await opened.change_password(result.entry, Secret("wrong"), NEW)
        assert isinstance(wrong_old, ChangeRefused)
        changed = await opened.change_password(result.entry, OLD, NEW)
        if who == "service":
            assert isinstance(changed, Changed)
            assert isinstance(await opened.authenticate("sato", NEW), Verified)
        else:
            assert isinstance(changed, ChangeRefused)
            assert changed.reason is ChangeRefusal.NOT_ALLOWED


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("short", ChangeRefusal.TOO_SHORT),
        ("", ChangeRefusal.TOO_SHORT),
        ("sato-pw-2026", ChangeRefusal.USED_BEFORE),
        ("x" * 2000, ChangeRefusal.TOO_LONG),
    ],
)
async def test_refused_new_passwords_say_why(own: Slapd, directory: Opener, new: str, reason: ChangeRefusal) -> None:
    own.set(person_dn("sato"), "pwdReset", "TRUE")
    entry = Entry("k", person_dn("sato"), "sato", "sato")
    result = await directory(own).change_password(entry, OLD, Secret(new))
    assert isinstance(result, ChangeRefused)
    assert result.reason is reason


async def test_too_young_says_so(tmp_path: Path, directory: Opener) -> None:
    with run_slapd(tmp_path / "slapd", policy=DEFAULT_POLICY | {"pwdMinAge": "86400"}) as slapd:
        entry = Entry("k", person_dn("sato"), "sato", "sato")
        result = await directory(slapd).change_password(entry, OLD, NEW)
    assert isinstance(result, ChangeRefused)
    assert result.reason is ChangeRefusal.TOO_YOUNG


async def test_a_change_is_never_tried_twice(own: Slapd, directory: Opener) -> None:
    opened = directory(own)
    own.hang()
    entry = Entry("k", f"uid=sato,{PEOPLE_DN}", "sato", "sato")
    assert isinstance(await opened.change_password(entry, OLD, NEW), Unreachable)


async def test_a_new_employee_changes_the_first_password_then_enrols(own: Slapd, sqlite_database: Database) -> None:
    own.set(person_dn("sato"), "pwdReset", "TRUE")
    async with running(own, sqlite_database) as setup:
        browser = setup.browser()
        assert (await browser.password("sato", "sato-pw-2026")).view.step is LoginStep.CHANGE_PASSWORD
        assert error_of(await browser.confirm("000000")) is LoginErrorCode.WRONG_STEP
        assert error_of(await browser.change("short")) is LoginErrorCode.PASSWORD_TOO_SHORT
        assert error_of(await browser.change("sato-pw-2026")) is LoginErrorCode.PASSWORD_USED_BEFORE
        assert (await browser.change(NEW.reveal())).view.step is LoginStep.ENROL
        outcome = await browser.enrol()
        assert outcome.web_session is not None
        assert outcome.web_session.identity.groups == {"telework", "zeimu", "honcho"}


async def test_the_second_factor_comes_before_the_change(own: Slapd, sqlite_database: Database) -> None:
    """A stolen expired password alone changes nothing."""
    async with running(own, sqlite_database) as setup:
        browser = setup.browser()
        await browser.sign_up()
        own.set(person_dn("sato"), "pwdReset", "TRUE")
        thief = setup.browser()
        assert (await thief.password("sato", "sato-pw-2026")).view.step is LoginStep.TOTP
        assert error_of(await thief.change(NEW.reveal())) is LoginErrorCode.WRONG_STEP
        assert (await browser.password("sato", "sato-pw-2026")).view.step is LoginStep.TOTP
        assert (await browser.totp()).view.step is LoginStep.CHANGE_PASSWORD
        assert (await browser.change(NEW.reveal())).view.step is LoginStep.DONE


async def test_where_it_cannot_be_changed_here_the_person_is_told(tmp_path: Path, sqlite_database: Database) -> None:
    with run_slapd(tmp_path / "slapd", policy=EXPIRES) as slapd:
        slapd.set(person_dn("sato"), "pwdChangedTime", LONG_AGO, relax=True)
        async with running(slapd, sqlite_database) as setup:
            browser = setup.browser()
            outcome = await browser.password("sato", "sato-pw-2026")
            assert outcome.view.step is LoginStep.CHANGE_PASSWORD
            assert error_of(outcome) is LoginErrorCode.PASSWORD_CHANGE_UNAVAILABLE
            assert error_of(await browser.change(NEW.reveal())) is LoginErrorCode.PASSWORD_CHANGE_UNAVAILABLE


async def test_the_old_password_is_kept_only_sealed_with_the_browsers_cookie(own: Slapd, database: Database) -> None:
    own.set(person_dn("sato"), "pwdReset", "TRUE")
    async with running(own, database) as setup:
        browser = setup.browser()
        await browser.password("sato", "sato-pw-2026")
        async with database.transaction() as connection:
            rows = (await connection.exec_driver_sql("select * from auth_login")).all()
        assert len(rows) == 1
        assert "sato-pw-2026" not in repr(rows)
        assert browser.login_cookie is not None
        assert browser.login_cookie not in repr(rows)
        await browser.change(NEW.reveal())
        async with database.transaction() as connection:
            kept = (await connection.exec_driver_sql("select sealed_password from auth_login")).all()
        assert [row[0] for row in kept] == [None]
