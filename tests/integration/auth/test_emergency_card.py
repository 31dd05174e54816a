"""The emergency card: printed for real, read back with poppler and a QR reader; its codes are the only ones."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from auth.emergency_card import CardFacts, draw_card, new_card_number
from auth.models import LoginErrorCode, LoginStep
from auth.recovery import new_codes, normalise
from common.db import Database
from common.paper import find_fonts
from tests.integration.auth.service import HOME, PASSWORD, Browser, Setup, error_of, running
from tests.support.slapd import Slapd

URL = "https://telework.city.example.test"


def _text(pdf: bytes, folder: Path) -> str:
    (folder / "card.pdf").write_bytes(pdf)
    return _run("pdftotext", "-layout", str(folder / "card.pdf"), "-")


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, timeout=30, check=True)
    return done.stdout.decode()


async def _printed(setup: Setup, browser: Browser) -> bytes:
    setup.clock.advance(30)
    assert browser.session_cookie is not None
    stepped, pdf = await setup.auth.issue_emergency_card(browser.session_cookie, browser.code(), URL, HOME)
    assert stepped.error is None
    assert stepped.session_value is not None
    assert pdf is not None
    browser.session_cookie = stepped.session_value.reveal()
    return pdf.reveal()


def _codes(text: str) -> list[str]:
    return [word for word in text.split() if word.count("-") == 3 and normalise(word)]


async def test_a_card_carries_the_only_codes_that_work(staff: Slapd, database: Database, tmp_path: Path) -> None:
    async with running(staff, database, settings={"emergency_card": {"contact_ja": "情報課 0123-45-6789"}}) as setup:
        browser = setup.browser()
        await browser.sign_up()
        session = await browser.session()
        assert session is not None
        user_id = session.identity.user_id
        assert await setup.auth.emergency_card(user_id) is None
        text = _text(await _printed(setup, browser), tmp_path)
        codes = _codes(text)
        assert len(set(codes)) == 10
        card = await setup.auth.emergency_card(user_id)
        assert card is not None
        assert card.issued_at == setup.clock.now()
        for shown in ("緊急カード", "佐藤 花子", "税務課", card.number, "情報課 0123-45-6789", "令和8年4月1日", URL):
            assert shown in text
        assert "sato" not in text  # whoever finds it lacks the user name
        issued = next(event for event in setup.audit.events if event.name == "issue-emergency-card")
        assert issued.details["number"] == card.number
        # the codes from the enrolment are void, those of the card work, once
        login = setup.browser()
        await login.password("sato", PASSWORD)
        assert error_of(await login.recovery(browser.codes[0])) is LoginErrorCode.RECOVERY_CODE_WRONG
        assert (await login.recovery(codes[3])).view.step is LoginStep.ENROL
        await login.password("sato", PASSWORD)
        assert error_of(await login.recovery(codes[3])) is LoginErrorCode.RECOVERY_CODE_WRONG
        # a lost card
        assert await setup.auth.revoke_emergency_card(user_id, actor="it")
        assert not await setup.auth.revoke_emergency_card(user_id, actor="it")
        assert await setup.auth.recovery_codes_left(user_id) == 0
        assert error_of(await login.recovery(codes[4])) is LoginErrorCode.RECOVERY_CODE_WRONG
        assert setup.audit.names().count("revoke-emergency-card") == 1


async def test_new_codes_on_the_screen_make_the_card_void_and_a_new_card_the_old_one(
    staff: Slapd, database: Database, tmp_path: Path
) -> None:
    async with running(staff, database) as setup:
        browser = setup.browser()
        await browser.sign_up()
        session = await browser.session()
        assert session is not None
        first = _codes(_text(await _printed(setup, browser), tmp_path))
        second = _codes(_text(await _printed(setup, browser), tmp_path))
        assert not set(first) & set(second)
        setup.clock.advance(30)
        assert browser.session_cookie is not None
        stepped = await setup.auth.regenerate_recovery_codes(browser.session_cookie, browser.code(), HOME)
        assert stepped.recovery_codes is not None
        assert await setup.auth.emergency_card(session.identity.user_id) is None
        login = setup.browser()
        await login.password("sato", PASSWORD)
        assert error_of(await login.recovery(first[0])) is LoginErrorCode.RECOVERY_CODE_WRONG
        assert error_of(await login.recovery(second[0])) is LoginErrorCode.RECOVERY_CODE_WRONG
        assert (await login.recovery(stepped.recovery_codes[0])).view.step is LoginStep.ENROL


async def test_no_card_without_a_fresh_code_or_a_font_and_the_old_codes_stay(
    staff: Slapd, sqlite_database: Database, tmp_path: Path
) -> None:
    async with running(staff, sqlite_database) as setup:
        browser = setup.browser()
        await browser.sign_up()
        assert browser.session_cookie is not None
        stepped, pdf = await setup.auth.issue_emergency_card(browser.session_cookie, "000000", URL, HOME)
        assert stepped.error is not None
        assert stepped.error.code is LoginErrorCode.CODE_WRONG
        assert pdf is None
        login = setup.browser()
        await login.password("sato", PASSWORD)
        assert (await login.recovery(browser.codes[0])).view.step is LoginStep.ENROL


def test_the_page_stays_one_page_and_the_font_is_inside_whatever_the_names(tmp_path: Path) -> None:
    facts = CardFacts(
        number=new_card_number(),
        issued_at=datetime(2026, 11, 22, tzinfo=UTC),
        tenant_name="架" * 60,
        holder="𠮷" * 256,
        department="総務部" * 80,
        url="https://" + "a" * 60 + ".example.test:8443",
        codes=new_codes(),
        contact_ja="連絡" * 50,
        contact_en="contact " * 12,
    )
    text = _text(draw_card(find_fonts(), facts), tmp_path)
    card = str(tmp_path / "card.pdf")
    assert "Pages:           1" in _run("pdfinfo", card)
    assert _codes(text) == sorted(facts.codes, key=_codes(text).index)
    fonts = _run("pdffonts", card).splitlines()[2:]
    assert [line.split()[-5:-2] for line in fonts] == [["yes"] * 3] * 2  # embedded, subset, mapped to Unicode
    _run("pdftoppm", "-r", "110", "-png", card, str(tmp_path / "card"))
    read = subprocess.run(["zbarimg", "-q", "--raw", tmp_path / "card-1.png"], capture_output=True, timeout=30)
    assert read.stdout.decode().strip() == facts.url
