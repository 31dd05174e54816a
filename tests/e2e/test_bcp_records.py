"""The coordinator's records in a real browser: who was reached, reports, the calendar of drills; staff who answer.

One drill serves both languages: it needs one signature, and every page has to carry its mark.
"""

from typing import Any, Final

import pytest
from playwright.async_api import expect

from tests.e2e.page_checks import PHONE, SCREENS, Tour
from tests.e2e.visitor import Visitor, Visits

pytestmark = pytest.mark.asyncio(loop_scope="session")

DRILL: Final = {
    "scope": {"kind": "tenant", "ids": []},
    "level": "first",
    "plan_id": "quake",
    "cause": "other",
    "reason": "年間計画にもとづく訓練",
    "drill": True,
}


async def call(visitor: Visitor, path: str, content: object) -> Any:
    """A request of the signed-in person, as their page would send it."""
    csrf = (await visitor.me())["csrf_token"]
    answer = await visitor.context.request.post(
        f"{visitor.city.url}/api/v1{path}",
        data=content,
        headers={"Origin": visitor.city.origin, "X-CSRF-Token": csrf},
    )
    assert answer.ok, await answer.text()
    return await answer.json()


async def go(visitor: Visitor, path: str, part: str) -> None:
    """Open a page by its address and wait for a part of it."""
    await visitor.page.goto(visitor.city.url + path)
    await expect(visitor.part(part).first).to_be_visible()


async def test_who_was_reached_what_they_say_and_what_is_kept_of_it(visits: Visits) -> None:
    coordinator = await visits.signed_in("yamazaki.jun")
    drill = (await call(coordinator, "/bcp/declarations", {"proposal": DRILL}))["id"]
    try:
        await _answered(visits, drill)
        for language in ("ja", "en"):
            await _looked_at(await visits.signed_in("yamazaki.jun", language=language), language, drill)
        await _read_only(await visits.signed_in("kobayashi.aoi"), drill)
    finally:
        await call(coordinator, f"/bcp/declarations/{drill}/lift", {"text": "訓練の終わり"})


async def _answered(visits: Visits, drill: str) -> None:
    staff = await visits.signed_in("shimizu.kaito", width=390, height=844)
    tour = Tour(staff, "ja", screen="phone")
    notice = staff.part("notices").locator("[data-owed=answer]")
    await expect(notice).to_be_visible()
    await expect(notice).to_contain_text("【訓練】")
    await tour.examine("notice-asks")
    await notice.locator(".ability-partly").tap()
    await expect(notice).to_have_count(0)
    card = staff.part("notices").locator("[data-owed=nothing]").first
    await card.get_by_label("ひとこと").fill("停電のため午後から")
    await card.get_by_role("button", name="伝える").tap()
    await expect(staff.part("notices")).to_contain_text("「一部可」と伝えました")
    await tour.examine("notice-answered")
    tour.finish()


async def _looked_at(coordinator: Visitor, language: str, drill: str) -> None:
    tour = Tour(coordinator, language, screens=SCREENS | PHONE)
    await go(coordinator, "/bcp", f"bcp-people-open-{drill}")
    await expect(coordinator.part(f"bcp-reach-{drill}").get_by_test_id("bcp-tile-can")).to_be_visible()
    await tour.look("bcp-board-drill")
    await coordinator.part(f"bcp-people-open-{drill}").click()
    await expect(coordinator.part("bcp-calls")).to_be_visible()
    await expect(coordinator.part("bcp-tile-partly")).to_contain_text("1")
    await coordinator.part("bcp-call-limited").click()
    await expect(coordinator.part("bcp-people-limited")).to_contain_text("停電のため午後から")
    await tour.look("bcp-people")
    await coordinator.part("bcp-back").click()
    await coordinator.part(f"bcp-detail-{drill}").click()
    await coordinator.part("bcp-freeze").click()
    await expect(coordinator.part("bcp-done")).to_be_visible()
    await coordinator.part("bcp-tab-reports").click()
    await tour.look("bcp-reports")
    await coordinator.page.locator("[data-testid^=bcp-report-open-]").first.click()
    await expect(coordinator.part("bcp-report-checked")).to_be_visible()
    async with coordinator.page.expect_download() as saved:
        await coordinator.page.locator("[data-testid^=bcp-report-csv-]").click()
    assert (await (await saved.value).path()).read_bytes().startswith(b"\xef\xbb\xbf")
    await tour.look("bcp-report")
    await coordinator.part("bcp-tab-drills").click()
    await expect(coordinator.part("bcp-year-0").locator("[data-state=done]")).to_have_count(1)
    await tour.look("bcp-drills")
    tour.finish()


async def _read_only(auditor: Visitor, drill: str) -> None:
    """An auditor sees all of it and has nothing to press that changes anything."""
    await go(auditor, f"/bcp/d/{drill}", "bcp-reports-of")
    await expect(auditor.part("bcp-read-only")).to_be_visible()
    for part in ("bcp-freeze", f"bcp-lift-{drill}", f"bcp-narrow-{drill}"):
        await expect(auditor.part(part)).to_have_count(0)
    await go(auditor, "/bcp", "bcp-situation")
    await expect(auditor.part("bcp-begin-declare")).to_have_count(0)
    await go(auditor, f"/bcp/d/{drill}/people", "bcp-calls")
