"""A lost telephone in real browsers: two officials help, the person works for a day; the card is printed and voided."""

import asyncio
import base64
import re
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from playwright.async_api import expect

from common.clock import SystemClock
from tests.e2e.authenticator import Authenticator
from tests.e2e.page_checks import PHONE, SCREENS, Tour
from tests.e2e.visitor import AUTHENTICATORS, Visitor, Visits

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOST: Final = "takahashi.shou"
FIRST: Final = "tanaka.misaki"
SECOND: Final = "nakamura.takumi"
INTERNET: Final = "internet-desktop"
OFFICE: Final = "office-desktop"
_NOTE_REVOKED: Final = """() => {
    window.revoked = [];
    const revoke = URL.revokeObjectURL.bind(URL);
    URL.revokeObjectURL = address => { window.revoked.push(address); revoke(address); };
}"""
EVERY_SCREEN: Final = {**SCREENS, **PHONE}


async def _prove(visitor: Visitor, field: str, uid: str) -> None:
    await visitor.part(field).fill(await AUTHENTICATORS[visitor.city.url, uid].fresh())


async def _signed_in(visits: Visits, uid: str, **profile: Any) -> Visitor:
    """A log-in of its own: a fresh code renews its cookie, so nobody else may rest on it."""
    if (visits.city.url, uid) not in AUTHENTICATORS:
        await visits.newcomer(uid)
    visitor = await visits.arrive(**profile)
    await visitor.log_in(uid)
    return visitor


async def _vouching(visits: Visits, uid: str, language: str) -> Visitor:
    """An official with a telephone, on the page for officials."""
    visitor = await _signed_in(visits, uid, width=390, height=844, language=language)
    await visitor.part("nav-vouch").click()
    await expect(visitor.part("vouch-username")).to_be_visible()
    return visitor


async def _named(official: Visitor, tour: Tour) -> None:
    """The first official names the person."""
    await tour.look("vouch")
    await official.part("vouch-open-submit").click()
    await expect(official.page.locator(".field-error").first).to_be_visible()
    await tour.look("vouch-empty")
    await official.part("vouch-username").fill("nobody.here")
    await official.part("bcp-vouch-open-check-call_back").click()
    await _prove(official, "vouch-open-code", FIRST)
    await official.part("vouch-open-submit").click()
    await expect(official.part("vouch-open-error")).to_be_visible()
    await tour.look("vouch-unknown")
    await official.part("vouch-username").fill(LOST)
    await official.part("vouch-open-submit").click()  # the code of a moment ago still counts
    await expect(official.part("vouch-done")).to_be_visible()
    await expect(official.part(f"vouch-{LOST}")).to_have_attribute("data-state", "open")
    await expect(official.part(f"vouch-confirm-{LOST}")).to_have_count(0)
    await tour.look("vouch-opened")


async def _confirmed(official: Visitor, tour: Tour) -> str:
    """The second one confirms: the activation code."""
    await tour.look("vouch-waiting")
    await official.part(f"vouch-confirm-{LOST}").click()
    await expect(official.part("vouch-confirm-submit")).to_be_visible()
    await tour.look("vouch-confirm")
    await official.part("bcp-vouch-confirm-check-in_person").click()
    await _prove(official, "vouch-confirm-code", SECOND)
    await official.part("vouch-confirm-submit").click()
    await expect(official.part("vouch-code")).to_be_visible()
    await tour.look("vouch-code")
    return await official.part("vouch-code").inner_text()


async def _set_up(visitor: Visitor, code: str, tour: Tour) -> None:
    """The person at home types the code and sets a temporary authenticator up."""
    await visitor.submit_password(LOST)
    await visitor.part("totp-use-recovery").click()
    await visitor.part("recovery-code").fill(code.lower())
    await visitor.part("recovery-submit").click()
    await expect(visitor.part("enrol-temporary")).to_be_visible()
    app = Authenticator(re.sub(r"\s", "", await visitor.part("enrol-secret").inner_text()))
    await tour.look("enrol-temporary")
    await visitor.part("enrol-code").fill(await app.fresh())
    await visitor.part("enrol-submit").click()
    await visitor.arrived(LOST)


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_two_officials_open_a_day_in_low_privilege_pools(visits: Visits, language: str) -> None:
    await _signed_in(visits, LOST)
    first, second = [await _vouching(visits, uid, language) for uid in (FIRST, SECOND)]
    tours = [Tour(one, language, screens=EVERY_SCREEN) for one in (first, second)]
    await _named(first, tours[0])
    await second.part("vouch-refresh").click()
    code = await _confirmed(second, tours[1])
    await second.part("vouch-code-done").click()
    await expect(second.part("vouch-code")).to_have_count(0)

    home = await visits.arrive(language=language)
    tour = Tour(home, language)
    await _set_up(home, code, tour)
    me = await home.me()
    assert me["web_session"]["temporary_factor"] is True
    await expect(home.part(f"desktop-open-{OFFICE}")).to_have_count(0)
    await tour.look("desktops-temporary")
    await first.part("vouch-refresh").click()
    await expect(first.part(f"vouch-{LOST}")).to_have_attribute("data-state", "enrolled")
    listed = await (await first.context.request.get(f"{visits.city.url}/api/v1/vouches")).json()
    left = datetime.fromisoformat(listed["items"][0]["expires_at"]) - SystemClock().now()
    assert timedelta(hours=23, minutes=50) < left <= timedelta(hours=24)
    if language == "ja":
        await home.open_desktop(INTERNET)

    await first.part(f"vouch-end-{LOST}").click()
    await expect(first.part("vouch-end-submit")).to_be_visible()
    await tours[0].look("vouch-end")
    await first.part("vouch-end-submit").click()
    await expect(first.part(f"vouch-{LOST}")).to_have_count(0)
    if language == "ja":  # whoever is at a desktop is shown out at once
        assert await home.ended() == "signed_out"
    for each in (*tours, tour):
        each.finish()


async def _text(pdf: bytes) -> str:
    pipe = asyncio.subprocess.PIPE
    reader = await asyncio.create_subprocess_exec("pdftotext", "-", "-", stdin=pipe, stdout=pipe)
    text, _ = await asyncio.wait_for(reader.communicate(pdf), 15)
    return text.decode()


async def _opened(visitor: Visitor) -> str:
    """Open the card in its own tab, look at it, close it: its address."""
    async with visitor.context.expect_page() as coming:
        await visitor.part("card-open").click()
    tab = await coming.value
    address = tab.url
    await tab.close()
    return address


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_a_card_is_printed_and_voided(visits: Visits, language: str) -> None:
    uid = {"ja": "matsumoto.ryou", "en": "hayashi.akane"}[language]
    visitor = await _signed_in(visits, uid, language=language)
    tour = Tour(visitor, language)
    await visitor.part("nav-account").click()
    await expect(visitor.part("card-none")).to_be_visible()
    await tour.look("card-none")
    await visitor.part("card-print").click()
    await expect(visitor.part("card-code")).to_be_visible()
    await tour.look("card-ask")
    await _prove(visitor, "card-code", uid)
    async with visitor.page.expect_response("**/me/emergency-card") as answered:
        await visitor.part("card-submit").click()
    answer = await answered.value
    assert answer.headers["cache-control"] == "no-store"
    assert "緊急カード" in await _text(base64.b64decode((await answer.json())["pdf"]))
    await expect(visitor.part("card-open")).to_be_visible(timeout=30_000)
    await tour.look("card-ready")
    address = await _opened(visitor)
    assert address.startswith(f"blob:{visits.city.url}")
    await visitor.page.evaluate(_NOTE_REVOKED)
    await visitor.part("card-close").click()
    await expect(visitor.part("card-dialog")).to_have_count(0)
    assert await visitor.page.evaluate("window.revoked") == [address]
    await expect(visitor.part("card-in-force")).to_be_visible()
    await tour.look("card-in-force")
    await visitor.part("card-void").click()
    await expect(visitor.part("card-void-confirm")).to_be_visible()
    await tour.look("card-void")
    await visitor.part("card-void-confirm").click()
    await expect(visitor.part("card-voided")).to_be_visible()
    await expect(visitor.part("card-none")).to_be_visible()
    tour.finish()
