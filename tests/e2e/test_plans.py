"""Plans in real browsers: written as a form, checked while typed, proposed by one person, adopted by another."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from playwright.async_api import Route, expect

from tests.e2e.page_checks import NIGHT, PHONE, SCREENS, Tour
from tests.e2e.visitor import AUTHENTICATORS, Visitor, Visits

pytestmark = pytest.mark.asyncio(loop_scope="session")

WRITER: Final = "hashimoto.rei"
ADOPTER: Final = "yamazaki.jun"
EVERY_SCREEN: Final = {"ja": SCREENS | PHONE | NIGHT, "en": SCREENS}


async def _console(visits: Visits, uid: str, **profile: Any) -> Visitor:
    """On the list of plans, in a log-in of its own: a fresh code renews the cookie."""
    visitor = await visits.arrive(**profile)
    await visitor.log_in(uid)
    await visitor.part("nav-bcp").click()
    await visitor.part("bcp-tab-plans").click()
    await expect(visitor.part("plan-quake")).to_be_visible()
    return visitor


async def _fresh(visitor: Visitor, field: str, uid: str) -> None:
    await visitor.part(field).fill(await AUTHENTICATORS[visitor.city.url, uid].fresh())


async def _checked(visitor: Visitor, *, ok: bool) -> None:
    await expect(visitor.part("plan-check")).to_have_attribute("data-ok", str(ok).lower(), timeout=15_000)


async def _written(writer: Visitor, tour: Tour) -> int:
    """A new version of the earthquake plan: a longer grace, and one line with a fault that is corrected. Its number."""
    await writer.part("plan-quake").get_by_role("button").first.click()
    await expect(writer.part("plan-standing")).to_be_visible()
    await tour.look("plan")
    await writer.part("plan-edit").click()
    await _checked(writer, ok=True)
    await tour.look("plan-form")
    await writer.part("line-first-0-fold").click()
    await expect(writer.part("line-first-0-groups")).to_be_visible()
    await tour.look("plan-form-line")
    line = f"line-second-{await writer.page.get_by_test_id(re.compile(r'^line-second-[0-9]+$')).count()}"
    await writer.part("plan-add-second").click()
    await _checked(writer, ok=False)
    await expect(writer.part(line).get_by_test_id("plan-problems")).to_be_visible()
    await tour.look("plan-form-faulty")
    await writer.part(f"{line}-name-ja").fill("応援に来た職員")
    await writer.part(f"{line}-name-en").fill("Staff who came to help")
    await writer.part(f"{line}-groups").fill("night-shift、trainee")
    await writer.part(f"{line}-approval-ja").fill("所属長の承認")
    await writer.part(f"{line}-approval-en").fill("Approval of the head")
    await writer.part(f"bcp-{line}-days-a-week-3").click()
    await writer.part(f"bcp-{line}-pools-office-desktop").click()
    await _checked(writer, ok=True)
    await _named(writer)
    await writer.part("plan-propose-submit").click()
    await expect(writer.page.locator("#plan-note-error")).to_be_visible()
    await writer.part("plan-note").fill("年次の見直し")
    await _fresh(writer, "plan-propose-code", WRITER)
    await tour.look("plan-propose")
    await writer.part("plan-propose-submit").click()
    await expect(writer.part("plan-standing")).to_have_attribute("data-standing", "proposed")
    await expect(writer.part("plan-adopt-submit")).to_have_count(0)
    return int(writer.page.url.rpartition("/bcp/plans/quake.")[2])


async def _named(writer: Visitor) -> None:
    """Of a pool two people are named, as two hundred are in a bigger city; the others come where one was reading."""
    few = 2

    async def first_names(route: Route) -> None:
        answer = await route.fetch()
        effect = await answer.json()
        asked: dict[str, Any] = route.request.post_data_json or {}
        for gain in () if asked["all_names"] else effect["gains"]:
            gain["more"], gain["named"] = len(gain["named"]) - few, gain["named"][:few]
        await route.fulfill(response=answer, json=effect)

    await writer.page.route("**/what-if", first_names)
    await writer.part("plan-effect-ask").click()
    await expect(writer.part("bcp-gain-people")).to_be_visible(timeout=30_000)
    gain = writer.part("bcp-gain-office-desktop")
    await gain.locator("summary").click()
    names = gain.locator(".named > li")
    await expect(names).to_have_count(few + 1)
    await writer.part("bcp-names-office-desktop").focus()
    await writer.page.keyboard.press("Enter")
    await expect(writer.part("bcp-names-office-desktop")).to_have_count(0)
    await expect(names.nth(few)).to_be_focused()
    await expect(gain.locator("details")).to_have_attribute("open", "")
    await expect(writer.part("bcp-names-said-office-desktop")).to_contain_text(str(await names.count()))
    await gain.locator("summary").click()
    await writer.page.unroute_all(behavior="wait")


async def _adopted(adopter: Visitor, tour: Tour, version: int) -> None:
    await tour.look("plans-waiting")
    await adopter.part(f"plan-open-quake.{version}").click()
    await expect(adopter.part("plan-adopt-submit")).to_be_enabled(timeout=30_000)
    await tour.look("plan-adopt")
    await _fresh(adopter, "plan-adopt-code", ADOPTER)
    await adopter.part("plan-adopt-submit").click()
    await expect(adopter.part("plan-standing")).to_have_attribute("data-standing", "in_force")
    await expect(adopter.part("bcp-done")).to_be_visible()


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_a_plan_is_written_proposed_and_adopted(visits: Visits, language: str, tmp_path: Path) -> None:
    writer = await _console(visits, WRITER, language=language)
    adopter = await _console(visits, ADOPTER, language=language, width=390, height=844)
    tours = [Tour(one, language, screens=EVERY_SCREEN[language]) for one in (writer, adopter)]
    await tours[0].look("plans")
    version = await _written(writer, tours[0])
    await adopter.page.reload()
    await expect(adopter.part(f"plan-open-quake.{version}")).to_be_visible()
    await _adopted(adopter, tours[1], version)
    async with adopter.page.expect_download() as handed:
        await adopter.part("plan-export").click()
    file = tmp_path / "plan.yaml"
    await (await handed.value).save_as(file)
    (plan,) = yaml.safe_load(file.read_text("utf-8"))["plans"]
    assert (plan["id"], plan["version"]) == ("quake", version)
    assert plan["second"][-1]["who"]["groups"] == ["night-shift", "trainee"]
    assert plan["second"][-1]["days_a_week"] == 3
    assert "days_a_week" not in plan["first"][0]
    # and what is declared next is this one
    listed = await (await writer.context.request.get(f"{visits.city.url}/api/v1/bcp/plans")).json()
    assert {item["id"]: item["version"] for item in listed["items"]}["quake"] == version
    for tour in tours:
        tour.finish()
