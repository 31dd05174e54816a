"""Signed-in browsers on SQLite and PostgreSQL: when they end, who may end them, and what the directory changes."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from auth.ldap_directory import LdapDirectory
from auth.models import LoginErrorCode, WebSession
from auth.store.sessions import SessionStore
from common.audit import AuditEvent
from common.db import Database
from common.errors import AuditUnavailable
from common.ids import TenantId, WebSessionId, token_hash
from tests.integration.auth.service import HOME, PASSWORD, Browser, running
from tests.support.slapd import STAFF, Slapd, group_dn, person, person_dn, run_slapd


async def _signed_in(browser: Browser, *who: str) -> WebSession:
    session = (await browser.sign_up(*who)).web_session
    assert session is not None
    return session


async def test_a_session_ends_after_half_an_hour_of_nothing(staff: Slapd, database: Database) -> None:
    async with running(staff, database) as setup:
        browser = setup.browser()
        session = await _signed_in(browser)
        setup.clock.advance(1769 - 30)
        seen = await setup.auth.identity_for_cookie(browser.session_cookie)
        assert seen is not None
        assert seen.idle_expires_at == setup.clock.now() + timedelta(minutes=30)
        setup.clock.advance(1799)
        assert await setup.auth.touch(session.id)
        setup.clock.advance(1800)
        assert not await setup.auth.touch(session.id)
        assert await setup.auth.identity_for_cookie(browser.session_cookie) is None
        assert await setup.auth.list_web_sessions(session.identity.user_id) == []
        await setup.auth.sweep()
        await asyncio.sleep(0)
        assert setup.events == [("web_session:ended", session.id)]
        assert setup.audit.names()[-1] == "expire-web-session"


async def test_a_session_ends_after_twelve_hours_whatever_happens(staff: Slapd, sqlite_database: Database) -> None:
    async with running(staff, sqlite_database) as setup:
        browser = setup.browser()
        session = await _signed_in(browser)
        end = session.created_at + timedelta(hours=12)
        while setup.clock.now() < end - timedelta(minutes=10):
            assert await setup.auth.identity_for_cookie(browser.session_cookie) is not None
            setup.clock.advance(600)
        last = await setup.auth.identity_for_cookie(browser.session_cookie)
        assert last is not None
        assert last.idle_expires_at == end
        setup.clock.set(end)
        assert await setup.auth.identity_for_cookie(browser.session_cookie) is None


async def test_activity_is_written_at_most_every_half_minute(staff: Slapd, sqlite_database: Database) -> None:
    async with running(staff, sqlite_database) as setup:
        browser = setup.browser()
        session = await _signed_in(browser)
        store = SessionStore(sqlite_database, TenantId("city"))

        async def written() -> timedelta:
            row = await store.session(session.id)
            assert row is not None
            return row[0].last_seen_at - session.created_at

        setup.clock.set(session.created_at + timedelta(seconds=29))
        await setup.auth.identity_for_cookie(browser.session_cookie)
        assert await written() == timedelta(0)
        setup.clock.set(session.created_at + timedelta(seconds=30))
        await setup.auth.identity_for_cookie(browser.session_cookie)
        assert await written() == timedelta(seconds=30)


async def test_looking_at_a_session_is_no_activity(staff: Slapd, sqlite_database: Database) -> None:
    async with running(staff, sqlite_database) as setup:
        session = await _signed_in(setup.browser())
        for _ in range(17):
            setup.clock.advance(100)
            assert await setup.auth.web_session(session.id) is not None
        setup.clock.advance(100)
        assert await setup.auth.web_session(session.id) is None


async def test_step_up_gives_a_new_cookie_and_the_old_one_dies(staff: Slapd, database: Database) -> None:
    async with running(staff, database) as setup:
        browser = setup.browser()
        session = await _signed_in(browser)
        old = browser.session_cookie
        assert old is not None
        setup.clock.advance(300)
        wrong = await setup.auth.step_up(old, "000000", HOME)
        assert wrong.error is not None
        assert wrong.error.code is LoginErrorCode.CODE_WRONG
        stepped = await setup.auth.step_up(old, browser.code(), HOME)
        assert stepped.web_session is not None
        assert stepped.session_value is not None
        assert stepped.web_session.id == session.id
        assert stepped.web_session.totp_at == setup.clock.now()
        assert stepped.web_session.expires_at == session.expires_at
        assert await setup.auth.identity_for_cookie(old) is None
        assert await setup.auth.identity_for_cookie(stepped.session_value.reveal()) is not None
        replayed = await setup.auth.step_up(stepped.session_value.reveal(), browser.code(), HOME)
        assert replayed.error is not None
        assert replayed.error.code is LoginErrorCode.CODE_REUSED
        gone = await setup.auth.step_up(old, browser.code(1), HOME)
        assert gone.error is not None
        assert gone.error.code is LoginErrorCode.LOGIN_EXPIRED


async def test_new_recovery_codes_replace_the_old_ones(staff: Slapd, sqlite_database: Database) -> None:
    async with running(staff, sqlite_database) as setup:
        browser = setup.browser()
        session = await _signed_in(browser)
        assert browser.session_cookie is not None
        renewed = await setup.auth.regenerate_recovery_codes(browser.session_cookie, browser.code(), HOME)
        assert renewed.recovery_codes is not None
        assert not set(renewed.recovery_codes) & set(browser.codes)
        assert await setup.auth.recovery_codes_left(session.identity.user_id) == 10
        await browser.password("sato", PASSWORD)
        assert (await browser.recovery(browser.codes[0])).view.error is not None
        assert (await browser.recovery(renewed.recovery_codes[0])).view.error is None


async def test_people_see_and_revoke_their_own_sessions_only(staff: Slapd, database: Database) -> None:
    async with running(staff, database) as setup:
        sato, suzuki = setup.browser(), setup.browser()
        mine = await _signed_in(sato)
        theirs = await _signed_in(suzuki, "suzuki", "suzuki-pw-2026")
        user_id = mine.identity.user_id
        assert [s.id for s in await setup.auth.list_web_sessions(user_id)] == [mine.id]
        assert not await setup.auth.revoke_web_session(user_id, theirs.id, HOME)
        assert not await setup.auth.revoke_web_session(user_id, WebSessionId("web_x"), HOME)
        assert await setup.auth.identity_for_cookie(suzuki.session_cookie) is not None
        assert await setup.auth.revoke_web_session(user_id, mine.id, HOME)
        assert await setup.auth.identity_for_cookie(sato.session_cookie) is None
        await asyncio.sleep(0)
        assert setup.events == [("web_session:ended", mine.id)]


async def test_logout_ends_the_session_even_when_it_cannot_be_recorded(staff: Slapd, sqlite_database: Database) -> None:
    async with running(staff, sqlite_database) as setup:
        browser = setup.browser()
        await _signed_in(browser)
        setup.audit.broken = True
        with pytest.raises(AuditUnavailable):
            await setup.auth.logout(browser.session_cookie, HOME)
        assert await setup.auth.identity_for_cookie(browser.session_cookie) is None
        await setup.auth.logout(browser.session_cookie, HOME)
        await setup.auth.logout(None, HOME)


async def test_revoke_all(staff: Slapd, sqlite_database: Database) -> None:
    async with running(staff, sqlite_database) as setup:
        browser = setup.browser()
        session = await _signed_in(browser)
        await browser.sign_in()
        assert await setup.auth.revoke_all(session.identity.user_id, actor="admin") == 2
        assert await setup.auth.identity_for_cookie(browser.session_cookie) is None


async def test_strange_cookies_are_nobodys(staff: Slapd, sqlite_database: Database) -> None:
    async with running(staff, sqlite_database) as setup:
        for cookie in (None, "", "x", "x" * 100_000, "\0", "ａ", "\udc80", token_hash("x")):
            assert await setup.auth.identity_for_cookie(cookie) is None
            assert (await setup.auth.state(cookie)).error is None


async def test_csrf_token_belongs_to_the_cookie(staff: Slapd, sqlite_database: Database) -> None:
    async with running(staff, sqlite_database) as setup:
        token = setup.auth.csrf_token("cookie-a")
        assert setup.auth.csrf_matches("cookie-a", token)
        for presented in (None, "", token[:-1], "\udc80", setup.auth.csrf_token("cookie-b"), "あ"):
            assert not setup.auth.csrf_matches("cookie-a", presented)


async def test_another_tenants_sessions_do_not_exist(staff: Slapd, database: Database) -> None:
    async with running(staff, database) as setup:
        browser = setup.browser()
        session = await _signed_in(browser)
        assert browser.session_cookie is not None
        elsewhere = SessionStore(database, TenantId("town"))
        assert await elsewhere.session_by_token(token_hash(browser.session_cookie)) is None
        assert await elsewhere.session(session.id) is None
        assert await elsewhere.sessions_of(session.identity.user_id) == []
        assert not await elsewhere.drop_session(session.id, session.identity.user_id)


async def test_stale_grant_a_lost_group_is_known_within_a_round(own: Slapd, database: Database) -> None:
    async with running(own, database) as setup:
        browser = setup.browser()
        session = await _signed_in(browser)
        own.modify(f"dn: {group_dn('telework')}\nchangetype: modify\ndelete: member\nmember: {person_dn('sato')}\n")
        await setup.auth.refresh()  # too early: read a moment ago
        assert setup.events == []
        setup.clock.advance(61)
        await setup.auth.refresh()
        await asyncio.sleep(0)
        assert setup.events == [("user:changed", session.identity.user_id)]
        seen = await setup.auth.web_session(session.id)
        assert seen is not None
        assert seen.identity.groups == {"zeimu", "honcho"}
        assert _last(setup.audit.events).details["groups_lost"] == "telework"
        setup.clock.advance(61)
        await setup.auth.refresh()
        await asyncio.sleep(0)
        assert len(setup.events) == 1


async def test_stale_grant_a_disabled_or_deleted_person_is_out(own: Slapd, database: Database) -> None:
    async with running(own, database, ldap={"disabled_filter": "(employeeType=退職)"}) as setup:
        sato, suzuki = setup.browser(), setup.browser()
        first = await _signed_in(sato)
        second = await _signed_in(suzuki, "suzuki", "suzuki-pw-2026")
        own.set(person_dn("sato"), "employeeType", "退職")
        own.modify(f"dn: {person_dn('suzuki')}\nchangetype: delete\n")
        setup.clock.advance(61)
        await setup.auth.refresh()
        await asyncio.sleep(0)
        assert await setup.auth.identity_for_cookie(sato.session_cookie) is None
        assert await setup.auth.identity_for_cookie(suzuki.session_cookie) is None
        assert {("web_session:ended", first.id), ("web_session:ended", second.id)} <= set(setup.events)
        assert ("user:changed", first.identity.user_id) in setup.events
        assert setup.audit.names().count("disable-person") == 2


async def test_an_unreachable_directory_signs_nobody_out(own: Slapd, sqlite_database: Database) -> None:
    async with running(own, sqlite_database) as setup:
        browser = setup.browser()
        await _signed_in(browser)
        own.stop()
        setup.clock.advance(61)
        await setup.auth.refresh()
        assert setup.events == []
        assert await setup.auth.identity_for_cookie(browser.session_cookie) is not None


async def test_people_missing_in_numbers_are_doubted(tmp_path: Path, sqlite_database: Database) -> None:
    more = "".join(person(f"staff{n}", "staff-pw-2026") for n in range(4))
    with run_slapd(tmp_path / "slapd", STAFF + more) as slapd:
        async with running(slapd, sqlite_database) as setup:
            browsers = [setup.browser() for _ in range(4)]
            for number, browser in enumerate(browsers):
                await browser.sign_up(f"staff{number}", "staff-pw-2026")
            for number in range(4):
                slapd.modify(f"dn: {person_dn(f'staff{number}')}\nchangetype: delete\n")
            setup.clock.advance(61)
            await setup.auth.refresh()
            assert setup.audit.names()[-1] == "doubt-directory"
            for browser in browsers:
                assert await setup.auth.identity_for_cookie(browser.session_cookie) is not None


async def test_background_work_refreshes_and_stops(own: Slapd, sqlite_database: Database) -> None:
    async with running(own, sqlite_database, settings={"refresh_seconds": 5}) as setup:
        await _signed_in(setup.browser())
        await setup.auth.start()
        assert await setup.auth.directory_ready()


class _Faulty(LdapDirectory):
    """Fails in a way that nobody foresaw, and counts how often it was asked."""

    asked = 0
    often = asyncio.Event()

    @property
    def suspect(self) -> bool:
        _Faulty.asked += 1
        if _Faulty.asked >= 3:
            _Faulty.often.set()
        raise RuntimeError("nobody foresaw this")


async def test_background_rounds_outlive_any_fault(
    staff: Slapd, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth.service._WATCH_SECONDS", 0.01)
    async with running(staff, sqlite_database, directory=_Faulty) as setup:
        await setup.auth.start()
        async with asyncio.timeout(10):
            await _Faulty.often.wait()


def _last(events: list[AuditEvent]) -> AuditEvent:
    return events[-1]
