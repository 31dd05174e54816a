"""The coordinator's records in a real browser: who was reached, reports, the calendar of drills, what is left to take
back; staff who answer.

One drill serves both languages: it needs one signature, and every page has to carry its mark.
"""

from typing import Final

import pytest
from playwright.async_api import Route, expect

from tests.e2e.page_checks import NIGHT, PHONE, SCREENS, Tour
from tests.e2e.test_bcp import STEPS, call
from tests.e2e.visitor import AUTHENTICATORS, Visitor, Visits

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARK: Final = {"ja": "【訓練】", "en": "[DRILL]"}
STAFF: Final = "shimizu.kaito"
DRILL: Final = {
    "scope": {"kind": "tenant", "ids": []},
    "level": "first",
    "plan_id": "quake",
    "cause": "other",
    "reason": "年間計画にもとづく訓練",
    "drill": True,
}


async def look_marked(tour: Tour, coordinator: Visitor, state: str, language: str) -> None:
    """Nobody may take what is on this page for the real thing."""
    await expect(coordinator.page.get_by_role("main")).to_contain_text(MARK[language])
    await tour.look(state)


async def go(visitor: Visitor, path: str, part: str) -> None:
    """Open a page by its address and wait for a part of it."""
    await visitor.page.goto(visitor.city.url + path)
    await expect(visitor.part(part).first).to_be_visible()


async def test_who_was_reached_what_they_say_and_what_is_kept_of_it(visits: Visits) -> None:
    coordinator = await visits.signed_in("yamazaki.jun")
    windows = {language: await visits.signed_in("yamazaki.jun", language=language) for language in ("en", "ja")}
    drill = (await call(coordinator, "/bcp/declarations", {"proposal": DRILL}))["id"]
    try:
        await _answered(visits, drill)
        for language, window in windows.items():
            await _looked_at(window, language, drill)
        await _read_only(await visits.signed_in("kobayashi.aoi"), drill)
    finally:
        await call(coordinator, f"/bcp/declarations/{drill}/lift", {"text": "訓練の終わり"})
    for language, window in windows.items():
        await _taken_back(window, language, drill)


async def _answered(visits: Visits, drill: str) -> None:
    staff = await visits.signed_in(STAFF, width=390, height=844)
    tour = Tour(staff, "ja")
    notice = staff.part("notices").locator("[data-owed=answer]")
    await expect(notice).to_be_visible()
    await expect(notice).to_contain_text("【訓練】")
    await tour.examine_in_both("notice-asks")
    await notice.locator(".ability-partly").tap()
    await expect(notice).to_have_count(0)
    card = staff.part("notices").locator("[data-owed=nothing]").first
    await card.get_by_label("ひとこと").fill("停電のため午後から")
    await card.get_by_role("button", name="伝える").tap()
    await expect(staff.part("notices")).to_contain_text("「一部可」と伝えました")
    await tour.examine_in_both("notice-answered")
    tour.finish()
    await call(staff, "/me/emergency-card", {"code": await AUTHENTICATORS[staff.city.url, STAFF].fresh()})


async def _looked_at(coordinator: Visitor, language: str, drill: str) -> None:
    tour = Tour(coordinator, language, screens=SCREENS | PHONE | (NIGHT if language == "ja" else {}))
    await go(coordinator, "/bcp", f"bcp-people-open-{drill}")
    await expect(coordinator.part(f"bcp-reach-{drill}").get_by_test_id("bcp-tile-can")).to_be_visible()
    await look_marked(tour, coordinator, "bcp-board-drill", language)
    await _asked(coordinator, tour, drill)
    await coordinator.part(f"bcp-people-open-{drill}").click()
    await expect(coordinator.part("bcp-calls")).to_be_visible()
    await expect(coordinator.part("bcp-tile-partly")).to_contain_text("1")
    await coordinator.part("bcp-call-limited").click()
    await expect(coordinator.part("bcp-people-limited")).to_contain_text("停電のため午後から")
    await look_marked(tour, coordinator, "bcp-people", language)
    await coordinator.part("bcp-back").click()
    await coordinator.part(f"bcp-detail-{drill}").click()
    await expect(coordinator.part("bcp-freeze")).to_be_visible()
    await look_marked(tour, coordinator, "bcp-declaration", language)
    await coordinator.part("bcp-freeze").click()
    await expect(coordinator.part("bcp-done")).to_be_visible()
    await coordinator.part("bcp-tab-reports").click()
    await tour.look("bcp-reports")
    await coordinator.page.locator("[data-testid^=bcp-report-open-]").first.click()
    await expect(coordinator.part("bcp-report-checked")).to_be_visible()
    async with coordinator.page.expect_download() as saved:
        await coordinator.page.locator("[data-testid^=bcp-report-csv-]").click()
    assert (await (await saved.value).path()).read_bytes().startswith(b"\xef\xbb\xbf")
    await look_marked(tour, coordinator, "bcp-report", language)
    await coordinator.part("bcp-tab-drills").click()
    await expect(coordinator.part("bcp-year-0").locator("[data-state=done]")).to_have_count(1)
    await tour.look("bcp-drills")
    await _declared(coordinator, tour)
    coordinator.tolerated.append(r"status of 404")
    await go(coordinator, "/bcp/plans/quake.9999", "error")
    await tour.examine("plan-unknown")
    tour.finish()


async def _taken_back(coordinator: Visitor, language: str, drill: str) -> None:
    """The card of the emergency is on the list of what was left behind; a fresh code takes it back."""
    tour = Tour(coordinator, language, screens=SCREENS | PHONE | (NIGHT if language == "ja" else {}))
    await go(coordinator, f"/bcp/d/{drill}", "bcp-restore-submit")
    await expect(coordinator.part("bcp-restore-code")).to_have_count(0)
    await coordinator.part(f"bcp-left-card-{STAFF}").click()
    await expect(coordinator.part("bcp-restore-code")).to_be_visible()
    await tour.look("bcp-restore")
    if language == "en":  # the code is asked for and not spent, so both languages see it; ja takes the card back
        await _not_in_vain(coordinator, tour, drill, "123456")
    if language == "ja":
        code = await AUTHENTICATORS[coordinator.city.url, "yamazaki.jun"].fresh()
        await _not_in_vain(coordinator, tour, drill, code)
        await coordinator.part(f"bcp-left-card-{STAFF}").click()
        await coordinator.part("bcp-restore-code").fill(code)
        await coordinator.part("bcp-restore-submit").click()
        await expect(coordinator.part("bcp-restore-nothing")).to_be_visible()
    tour.finish()


async def _not_in_vain(coordinator: Visitor, tour: Tour, drill: str, code: str) -> None:
    """The directory goes away behind the open page: it says so, and the code is still good afterwards."""
    left = f"**/api/v1/bcp/declarations/{drill}/restore"

    async def away(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, json=await answer.json() | {"may_restore": False, "needs_directory": True})

    await coordinator.page.route(left, away)
    await coordinator.part("bcp-restore-code").fill(code)
    await coordinator.part("bcp-restore-submit").click()
    await expect(coordinator.part("bcp-restore-waits")).to_be_visible()
    await expect(coordinator.part("bcp-restore-submit")).to_have_count(0)
    await tour.look("bcp-restore-waits")
    await coordinator.page.unroute(left)
    await coordinator.part("bcp-restore-again").click()


async def _asked(coordinator: Visitor, tour: Tour, drill: str) -> None:
    """What is asked before a step that takes something away."""
    await tour.turn("phone")
    for step in ("narrow", "lift"):
        await coordinator.part(f"bcp-{step}-{drill}").click()
        await expect(coordinator.page.get_by_role("alertdialog")).to_be_visible()
        await tour.examine(f"bcp-{step}")
        await coordinator.page.keyboard.press("Escape")
        await expect(coordinator.page.get_by_role("alertdialog")).to_have_count(0)
    await tour.turn("desktop")


async def _declared(coordinator: Visitor, tour: Tour) -> None:
    """Every step up to the signature, which is not given."""
    await tour.turn("phone")
    await go(coordinator, "/bcp/declare", "bcp-flow")
    for step, chosen in STEPS:
        await expect(coordinator.part("bcp-flow")).to_have_attribute("data-step", step)
        for name in chosen:
            await coordinator.part(name).click()
        await tour.examine(f"bcp-declare-{step}")
        await coordinator.part("bcp-next").click()
    await expect(coordinator.part("bcp-sign-submit")).to_be_enabled()
    await tour.examine("bcp-declare-sign")
    await tour.turn("desktop")


async def _read_only(auditor: Visitor, drill: str) -> None:
    """An auditor sees all of it and has nothing to press that changes anything."""
    await go(auditor, f"/bcp/d/{drill}", "bcp-reports-of")
    await expect(auditor.part("bcp-read-only")).to_be_visible()
    for part in ("bcp-freeze", f"bcp-lift-{drill}", f"bcp-narrow-{drill}"):
        await expect(auditor.part(part)).to_have_count(0)
    await go(auditor, "/bcp", "bcp-situation")
    await expect(auditor.part("bcp-begin-declare")).to_have_count(0)
    await go(auditor, f"/bcp/d/{drill}/people", "bcp-calls")
