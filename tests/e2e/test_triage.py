"""Not enough seats, in real browsers: the queue, the held seat, making room for the emergency headquarters."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from playwright.async_api import expect

from tests.e2e.administrator import Administrator
from tests.e2e.bcp_plan import PlanFile
from tests.e2e.page_checks import PHONE, SCREENS, Tour
from tests.e2e.terminal import Terminal
from tests.e2e.test_bcp import declare, lift, sign
from tests.e2e.visitor import Visitor, Visits
from tests.support.city import City

pytestmark = pytest.mark.asyncio(loop_scope="session")

OFFICE: Final = "office-desktop"
EVERYWHERE: Final = {**SCREENS, **PHONE}
WIDE_AND_NARROW: Final = {"desktop": SCREENS["desktop"], **PHONE}
_HIDE: Final = "Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true})"
_SHOW: Final = """() => {
    delete document.visibilityState;
    document.dispatchEvent(new Event('visibilitychange'));
}"""


@asynccontextmanager
async def one_seat(administrator: Administrator) -> AsyncIterator[None]:
    """The pool has a single seat meanwhile."""
    await administrator.end_everything()
    before = await administrator.resize(OFFICE, 1)
    try:
        yield
    finally:
        await administrator.resize(OFFICE, before)


def let_pass(city: City, session_id: str, column: str, moment: datetime) -> None:
    """Let minutes pass for one session, where they are kept: no test waits for a quarter of an hour."""
    with closing(sqlite3.connect(city.folder / "gateway" / "kakehashi.db", timeout=10)) as database, database:
        done = database.execute(
            f"update desktop_session set {column} = ? where id = ?",  # noqa: S608 - a column's name of this file
            (moment.strftime("%Y-%m-%d %H:%M:%S.%f"), session_id),
        )
        assert done.rowcount == 1


async def opens(visitor: Visitor) -> None:
    """Ask for the desktop and come to the page that waits."""
    await visitor.part(f"desktop-open-{OFFICE}").click()
    await expect(visitor.part("viewer-progress")).to_be_visible()


async def come_back(visitor: Visitor, *, language: str) -> None:
    """Leave the desktop and return to it in another language: the viewer itself has no button for it."""
    await visitor.part("viewer-leave").click()
    await visitor.part("viewer-disconnect").click()
    await visitor.ended()
    await visitor.part("language").click()
    await expect(visitor.page.locator("html")).to_have_attribute("lang", language)
    await visitor.part("end-again").click()
    await visitor.picture_shows()


async def test_waiting_in_plain_words_until_the_seat_is_held_and_taken(
    visits: Visits, administrator: Administrator
) -> None:
    async with one_seat(administrator):
        working = await visits.signed_in("gotou.emi")
        await working.open_desktop(OFFICE)
        first = await visits.signed_in("hayashi.akane")
        await opens(first)
        second = await visits.signed_in("yamamoto.sakura", language="en-US")
        await opens(second)

        await expect(first.part("viewer-queue-place")).to_have_text("1番目")
        await expect(second.part("viewer-queue-place")).to_have_text("No. 2")
        await expect(second.part("viewer-queue-said")).to_contain_text("No. 2 in the queue.")
        await expect(first.part("viewer-queue-said")).to_contain_text("1番目です。")
        await expect(first.page).to_have_title("1番目で待っています - Kakehashi")
        tour = Tour(first, "ja", screens=EVERYWHERE)
        await tour.look("queue")
        tour.finish()
        tour = Tour(second, "en", screens=EVERYWHERE)
        await tour.look("queue")
        tour.finish()

        # Somebody more urgent comes: the places change, and are said again.
        urgent = await visits.signed_in("mori.ayumi")
        await opens(urgent)
        await expect(urgent.part("viewer-queue-place")).to_have_text("1番目")
        await expect(first.part("viewer-queue-said")).to_contain_text("2番目です。")
        await administrator.end_all("mori.ayumi")

        # Nobody sees the first one's page when the turn comes: the seat is held, not taken.
        await first.page.evaluate(_HIDE)
        await administrator.end_all("gotou.emi")
        await expect(first.part("viewer-held")).to_be_visible(timeout=30_000)
        await expect(first.part("viewer-held-left")).to_contain_text("席を取っておきます")
        tour = Tour(first, "ja", screens=EVERYWHERE)
        await tour.look_in_both("held")
        tour.finish()
        await expect(second.part("viewer-queue-place")).to_have_text("No. 1")
        await first.page.evaluate(_SHOW)
        await first.picture_shows()


async def test_a_held_seat_that_nobody_takes_goes_to_the_next(
    visits: Visits, administrator: Administrator, city: City
) -> None:
    async with one_seat(administrator):
        working = await visits.signed_in("gotou.emi")
        await working.open_desktop(OFFICE)
        first = await visits.signed_in("hayashi.akane")
        await opens(first)
        await expect(first.part("viewer-queue-place")).to_have_text("1番目")
        second = await visits.signed_in("yamamoto.sakura")
        await opens(second)
        await first.page.evaluate(_HIDE)
        await administrator.end_all("gotou.emi")
        await expect(first.part("viewer-held")).to_be_visible(timeout=30_000)
        let_pass(city, first.session_id(), "hold_until", datetime.now(UTC))  # noqa: TID251 - the gateway's own clock
        assert await first.ended() == "lapsed"
        tour = Tour(first, "ja", screens=EVERYWHERE)
        await tour.look_in_both("hold-lapsed")
        tour.finish()
        await second.picture_shows()
        await first.part("end-again").click()
        await expect(first.part("viewer-queue-place")).to_have_text("1番目")


async def test_the_headquarters_get_a_seat_and_the_work_of_who_made_room_is_kept(
    visits: Visits, administrator: Administrator, city: City, plan: PlanFile
) -> None:
    coordinator = await visits.signed_in("ishikawa.tsubasa")
    await plan.taken(coordinator)
    approver = await visits.signed_in("ikeda.nobuo")
    async with one_seat(administrator):
        working = await visits.signed_in("gotou.emi", width=1280, height=800)
        await working.open_desktop(OFFICE)
        terminal = await Terminal.open(working)
        await terminal.run("UNSAVED=here")
        session = working.session_id()
        declaration = await declare(coordinator)
        await approver.part("nav-bcp").click()
        await approver.part(f"bcp-open-{declaration}").click()
        await sign(approver)

        chief = await visits.signed_in("hashimoto.rei")
        now = datetime.now(UTC)  # noqa: TID251 - the gateway's own clock
        let_pass(city, session, "seated_at", now - timedelta(minutes=20))
        await opens(chief)
        warning = working.part("viewer-preemption")
        await expect(warning).to_be_visible(timeout=15_000)
        await expect(warning).to_contain_text("緊急の業務に席をゆずるため")
        await expect(warning).to_contain_text("内線")
        await expect(warning.get_by_role("button")).to_have_count(0)
        await expect(chief.part("viewer-queue-estimate")).to_contain_text("約3分")
        tour = Tour(working, "ja", screens=EVERYWHERE)
        await tour.look("preemption")
        # With the bar folded away it stays.
        await working.part("viewer-bar-toggle").click()
        await expect(warning).to_be_visible()
        await tour.examine("preemption-folded")
        await working.part("viewer-bar-toggle").click()

        # The one who waited goes: the word is taken back, and given again for the next request.
        await administrator.end_all("hashimoto.rei")
        await expect(warning).to_have_count(0, timeout=15_000)
        await expect(working.part("viewer-status")).to_contain_text("席をゆずる必要がなくなりました。")
        await come_back(working, language="en")
        await chief.ended()
        await chief.part("end-desktops").click()
        await opens(chief)
        await expect(warning).to_be_visible(timeout=15_000)
        await expect(warning).to_contain_text("Your seat is needed for urgent work.")
        english = Tour(working, "en", screens=WIDE_AND_NARROW)
        await english.look("preemption")
        english.finish()

        now = datetime.now(UTC)  # noqa: TID251 - the gateway's own clock
        let_pass(city, session, "leaves_at", now + timedelta(seconds=4))
        assert await working.ended() == "preempted"
        await working.part("language").click()
        await expect(working.part("viewer-end-reason")).to_contain_text("作業中の画面は残っています")
        await tour.look_in_both("preempted")
        await chief.picture_shows()
        await working.part("end-desktops").click()
        await expect(working.part(f"desktop-{OFFICE}")).to_contain_text("緊急の業務に席をゆずっています")
        await tour.look_in_both("preempted-list")
        tour.finish()

        await working.part(f"desktop-open-{OFFICE}").click()
        await expect(working.part("viewer-queue-place")).to_have_text("1番目")
        await administrator.end_all("hashimoto.rei")
        await working.picture_shows()
        assert working.session_id() == session
        assert (await terminal.run("echo $UNSAVED")).strip() == "here"
    await lift(coordinator, declaration)
