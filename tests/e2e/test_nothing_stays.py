"""Nothing lands on the person's device: not while they work, not after they have logged out, not on its disk."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Page, expect

from tests.e2e.administrator import Administrator
from tests.e2e.terminal import Terminal
from tests.e2e.visitor import AUTHENTICATORS, Visitor, Visits
from tests.support.browser import profile_on_disk
from tests.support.city import City, password

pytestmark = pytest.mark.asyncio(loop_scope="session")

UID: Final = "gotou.emi"
INTERNET: Final = "internet-desktop"
TYPED: Final = "kyuuyo-meisai-77031"
PASTED: Final = "給与明細 後藤恵美 312,400円"
NOTHING: Final = {"local": 0, "session": 0, "databases": 0, "caches": 0, "workers": 0, "files": 0, "cookies": ""}
_STORES: Final = """async () => {
    let files = 0;
    for await (const _ of (await navigator.storage.getDirectory()).keys()) files += 1;
    return {
        local: localStorage.length,
        session: sessionStorage.length,
        databases: (await indexedDB.databases()).length,
        caches: (await caches.keys()).length,
        workers: (await navigator.serviceWorker.getRegistrations()).length,
        files,
        cookies: document.cookie,
    };
}"""
_CACHES: Final = (
    "Cache",
    "Code Cache",
    "Service Worker",
    "IndexedDB",
    "Local Storage",
    "Session Storage",
    "File System",
)
"""Folders of a profile where a page's own contents would lie."""


async def _stored(page: Page) -> Any:
    return await page.evaluate(_STORES)


def _found(folder: Path, secrets: dict[str, str]) -> set[tuple[str, str]]:
    """Which secrets lie in which files, in any of the encodings a browser writes."""
    found = set()
    for path in (path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        for name, secret in secrets.items():
            for coded in (secret.encode(), secret.encode("utf-16-le")):
                # A code of six digits is one only when no further digit touches it.
                if re.search(rb"(?<![0-9])" + re.escape(coded) + rb"(?![0-9])", content):
                    found.add((name, str(path.relative_to(folder))))
    return found


async def test_nothing_of_a_working_day_stays_on_the_device(
    city: City, administrator: Administrator, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    async with profile_on_disk(profile) as context:
        page = context.pages[0]
        visitor = Visitor(city, context, page)
        await page.goto(city.url)
        await visitor.submit_password(UID)
        codes = await visitor.enrol(UID)
        await visitor.arrived(UID)
        assert await _stored(page) == NOTHING
        csrf = (await visitor.me())["csrf_token"]
        cookies = await context.cookies()
        assert [(cookie["name"], cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) for cookie in cookies] == [
            ("__Host-kakehashi", True, True, "Strict")
        ]
        assert cookies[0]["expires"] == -1  # ends with the browser

        await visitor.open_desktop(INTERNET)
        terminal = await Terminal.open(visitor)
        await terminal.run(f"echo {TYPED}")
        await visitor.part("clipboard-open").click()
        await visitor.part("clipboard-in-text").fill(PASTED)
        await visitor.part("clipboard-in-send").click()
        await visitor.part("panel-close").click()
        assert await _stored(page) == NOTHING

        await visitor.part("viewer-leave").click()
        await visitor.part("viewer-disconnect").click()
        await visitor.part("end-desktops").click()
        async with page.expect_response("**/api/v1/logout") as answer:
            await visitor.part("logout").click()
        sent = await (await answer.value).all_headers()
        assert sent["clear-site-data"] == '"cache", "cookies", "storage"'
        await expect(visitor.part("login-notice")).to_contain_text("ログアウトしました")
        assert await context.cookies() == []
        assert await _stored(page) == NOTHING
        assert visitor.faults == []
    await administrator.end_all(UID)

    app = AUTHENTICATORS[city.url, UID]
    secrets = {
        "password": password(UID),
        "code": app.last(),
        "authenticator": app.secret,
        "recovery code": codes[0],
        "token": csrf,
        "cookie": cookies[0]["value"],
        "typed": TYPED,
        "pasted": PASTED,
        "name": "後藤",
    }
    assert _found(profile, secrets) == set()
    kept = [path for name in _CACHES for path in profile.rglob(f"{name}/**/*") if path.is_file()]
    origin = city.url.encode() + rb"(/[\w./-]*)"
    pages = {page for path in kept for page in re.findall(origin, path.read_bytes())}
    # Chromium keeps compiled program code of its own; the program is public and the same for everybody.
    assert [page for page in pages if not re.fullmatch(rb"/assets/[\w-]+\.js", page)] == []


async def test_after_logging_out_the_way_back_shows_nothing(visits: Visits) -> None:
    visitor = await visits.arrive()
    await visitor.log_in("suzuki.ichirou")
    await visitor.part("nav-account").click()
    await expect(visitor.page.get_by_text("総務部総務課").first).to_be_visible()
    await visitor.part("logout").click()
    await expect(visitor.part("login-notice")).to_be_visible()
    for _ in range(2):
        await visitor.page.go_back()
        await expect(visitor.page.get_by_text("総務部総務課")).to_have_count(0)
        await expect(visitor.page.get_by_text("鈴木")).to_have_count(0)
    assert (await visitor.me())["code"] == "not_signed_in"


async def test_logging_out_in_one_tab_ends_the_other(visits: Visits) -> None:
    visitor = await visits.arrive()
    await visitor.log_in("tanaka.misaki")
    other = await visitor.context.new_page()
    await other.goto(f"{visits.city.url}/account")
    await expect(other.get_by_test_id("logout")).to_be_visible()
    await visitor.part("logout").click()
    await expect(visitor.part("login-notice")).to_be_visible()
    await other.get_by_test_id("nav-desktops").click()
    await expect(other.get_by_test_id("login-submit")).to_be_visible()
    await expect(other.get_by_text("田中")).to_have_count(0)


async def test_the_picture_is_gone_once_the_viewer_has_ended(visits: Visits, administrator: Administrator) -> None:
    visitor = await visits.signed_in("mori.ayumi")
    await visitor.open_desktop("office-desktop")
    await administrator.end(visitor.session_id())
    assert await visitor.ended() == "admin"
    assert await visitor.page.locator("canvas").count() == 0
