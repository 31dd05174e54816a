"""Whole logins against a real directory, on SQLite and PostgreSQL."""


from auth.models import CookieChange, LoginStep
from common.db import Database
from tests.integration.auth.service import running
from tests.support.slapd import Slapd


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
