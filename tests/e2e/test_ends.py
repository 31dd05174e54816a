"""How a viewer ends: taken over, ended by an administrator, by a new rule, by nobody being there, by logging off."""

import asyncio
import re
import time
from typing import Final

import pytest
from playwright.async_api import expect

from common.tasks import spawn
from tests.e2e.administrator import Administrator
from tests.e2e.page_checks import Tour
from tests.e2e.policy_file import PolicyFile
from tests.e2e.terminal import BLUE, GREEN, Terminal, shows
from tests.e2e.visitor import Visits
from tests.support.city import City

pytestmark = pytest.mark.asyncio(loop_scope="session")

OFFICE: Final = "office-desktop"
TOLD_WITHIN_SECONDS: Final = 2.0
POLICY_POLL_SECONDS: Final = 2.5
"""How often the gateway looks at the policy file, and the moment it waits for the file to be whole."""
IDLE_SECONDS: Final = 10


async def test_a_second_browser_takes_over_and_the_first_does_not_steal_back(visits: Visits) -> None:
    uid = "hashimoto.rei"
    first = await visits.signed_in(uid)
    await first.open_desktop(OFFICE)
    await (await Terminal.open(first)).show(GREEN)

    second = await visits.arrive()
    await second.log_in(uid)
    await expect(second.part(f"desktop-{OFFICE}")).to_contain_text("別の画面で使用中")
    for language in ("en", "ja"):
        await second.part("language").click()
        await second.part(f"desktop-open-{OFFICE}").click()
        tour = Tour(second, language)
        await tour.look("takeover")
        tour.finish()
        await second.page.keyboard.press("Escape")
    await second.part(f"desktop-open-{OFFICE}").click()
    await second.part("takeover-confirm").click()
    await second.picture_shows()
    await second.until(lambda now: shows(now, GREEN))

    assert await first.ended() == "taken_over"
    await expect(first.part("viewer-end")).to_contain_text("別の画面に切り替わりました")
    asked: list[str] = []
    first.page.on("request", lambda request: asked.append(request.url))
    first.page.on("websocket", lambda socket: asked.append(socket.url))
    await asyncio.sleep(3)  # longer than the first tries of a reconnect take
    assert not [url for url in asked if "/ticket" in url or "/rfb" in url]
    await expect(second.part("viewer-canvas")).to_be_focused()

    await first.part("end-again").click()
    await first.picture_shows()
    await first.until(lambda now: shows(now, GREEN))
    assert await second.ended() == "taken_over"


async def test_an_administrator_ends_a_session_and_the_person_is_told_at_once(visits: Visits, city: City) -> None:
    visitor = await visits.signed_in("mori.ayumi")
    await visitor.open_desktop(OFFICE)
    session = visitor.session_id()
    listed = await asyncio.to_thread(city.command, "session", "list")
    assert session in listed.stdout
    assert "mori.ayumi" in listed.stdout

    async def end() -> float:
        await asyncio.to_thread(city.command, "session", "end", session)
        return time.monotonic()

    ending = spawn(end(), name="administrator")
    await expect(visitor.part("viewer-end")).to_be_visible(timeout=30_000)
    seen = time.monotonic()
    assert seen - await ending < TOLD_WITHIN_SECONDS
    assert await visitor.ended() == "admin"
    await expect(visitor.part("viewer-end-reason")).to_contain_text("管理者")
    await expect(visitor.part("viewer-worked")).to_have_text(re.compile("^[1-9]"))
    await visitor.part("end-desktops").click()
    await expect(visitor.part(f"desktop-{OFFICE}")).not_to_contain_text("続きから使う")


async def test_the_end_page_is_there_within_two_seconds(visits: Visits, administrator: Administrator) -> None:
    visitor = await visits.signed_in("mori.ayumi")
    await visitor.open_desktop(OFFICE)
    began = time.monotonic()
    await administrator.end(visitor.session_id())
    assert await visitor.ended() == "admin"
    assert time.monotonic() - began < TOLD_WITHIN_SECONDS


async def test_a_rule_that_takes_access_away_cuts_the_live_viewer(visits: Visits, policy: PolicyFile) -> None:
    """Bug class stale_grant: a changed rule reaches live sessions."""
    uid = "saitou.megumi"
    visitor = await visits.signed_in(uid)
    await visitor.open_desktop(OFFICE)
    began = time.monotonic()
    await policy.add(f"effect: forbid, when: {{users: [{uid}]}}, message: {{ja: 今日は使えません。, en: Not today.}}")

    assert await visitor.ended() == "denied"

    assert time.monotonic() - began < TOLD_WITHIN_SECONDS + POLICY_POLL_SECONDS
    await expect(visitor.part("viewer-end-reason")).not_to_be_empty()
    await visitor.part("end-desktops").click()
    card = visitor.part(f"desktop-{OFFICE}")
    await expect(card).to_contain_text("今日は使えません。")


async def test_an_idle_person_is_warned_and_one_key_goes_on(visits: Visits, policy: PolicyFile) -> None:
    uid = "ikeda.nobuo"
    await policy.add(f"effect: limit, when: {{users: [{uid}]}}, oblige: {{idle_limit: {IDLE_SECONDS}s}}")
    visitor = await visits.signed_in(uid)
    await expect(visitor.part(f"desktop-{OFFICE}")).to_contain_text("無操作 10秒")
    await visitor.open_desktop(OFFICE)
    opened = time.monotonic()

    dialog = visitor.part("viewer-idle-dialog")
    await expect(dialog).to_be_visible(timeout=IDLE_SECONDS * 1000)
    await expect(dialog).to_have_attribute("role", "alertdialog")
    tour = Tour(visitor, "ja")
    await tour.look("idle")
    await visitor.page.keyboard.press("Shift")
    await expect(dialog).to_have_count(0)

    await expect(dialog).to_be_visible(timeout=IDLE_SECONDS * 1000)
    assert time.monotonic() - opened > IDLE_SECONDS  # the key has moved the end
    assert await visitor.ended() == "idle"
    await tour.look("end-idle")
    tour.finish()
    await expect(visitor.part("viewer-end")).to_contain_text(re.compile("作業は(しばらく)?残っています"))
    await visitor.part("language").click()
    tour = Tour(visitor, "en")
    await tour.look("end-idle")
    await visitor.part("end-again").click()
    await visitor.picture_shows()
    await expect(dialog).to_be_visible(timeout=IDLE_SECONDS * 1000)
    await tour.look("idle")
    tour.finish()


async def test_leaving_keeps_the_desktop_and_logging_off_ends_it(visits: Visits) -> None:
    visitor = await visits.signed_in("mori.ayumi")
    await visitor.open_desktop(OFFICE)
    await (await Terminal.open(visitor)).show(BLUE)
    await visitor.part("viewer-leave").click()
    await visitor.part("viewer-disconnect").click()
    assert await visitor.ended() == "disconnected"
    await visitor.part("end-desktops").click()
    await expect(visitor.part(f"desktop-open-{OFFICE}")).to_have_text("続きから使う")
    await visitor.open_desktop(OFFICE)
    await visitor.until(lambda now: shows(now, BLUE))

    await visitor.part("viewer-leave").click()
    await visitor.part("viewer-logoff").click()
    assert await visitor.ended() == "logged_off"
    await visitor.part("end-desktops").click()
    await expect(visitor.part(f"desktop-open-{OFFICE}")).to_have_text("開く", timeout=10_000)
    await visitor.open_desktop(OFFICE)
    assert not shows(await visitor.picture(), BLUE)


async def test_who_is_signed_out_from_elsewhere_is_told_that_the_work_is_still_there(visits: Visits) -> None:
    uid = "kobayashi.aoi"
    first = await visits.arrive()
    await first.log_in(uid)
    await first.open_desktop(OFFICE)
    await (await Terminal.open(first)).show(GREEN)
    second = await visits.arrive()
    await second.log_in(uid)
    await second.part("nav-account").click()
    await second.page.get_by_role("button", name=re.compile("を取り消す$")).first.click()  # the newest other one

    assert await first.ended() == "signed_out"

    await expect(first.part("viewer-end-reason")).to_contain_text("続きから使えます")
    await expect(first.part("logout")).to_have_count(0)
    for language in ("ja", "en"):
        tour = Tour(first, language)
        await tour.look("end-signed-out")
        tour.finish()
        await first.part("language").click()
    await first.part("end-desktops").click()
    await first.log_in(uid)
    await first.open_desktop(OFFICE)
    await first.until(lambda now: shows(now, GREEN))
