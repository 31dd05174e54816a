"""The database goes away under a person at work in a real browser: the picture and the keys go on, every page says what
is the matter, and all of them are back by themselves.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from common.ids import new_id
from tests.e2e.visitor import SCREENSHOTS, Visitor, pixels_like
from tests.integration.gateway.test_database_outage import Office, open_office, server
from tests.support.browser import chromium, new_profile
from tests.support.city import CHECKOUT, City
from tests.support.line import Line, run_line
from tests.support.postgres import Postgres
from tests.support.slapd import Slapd

__all__ = ["server"]  # a fixture
PAGES: Final = CHECKOUT / "web_client" / "dist"
BLUE: Final = (0x33, 0x66, 0x99)


@dataclass
class Seen:
    """An office, the browser of the person in it, and the line between."""

    office: Office
    line: Line
    visitor: Visitor

    async def another(self, path: str) -> Page:
        """One more tab."""
        page = await self.visitor.context.new_page()
        await page.goto(self.office.running.url + path)
        return page


@pytest.fixture
async def seen(tmp_path: Path, directory: Slapd, server: Postgres) -> AsyncIterator[Seen]:
    """Signed in already: her cookie is taken over."""
    name = new_id("test")
    server.sql(f"create database {name}")
    async with AsyncExitStack() as stack:
        office = await stack.enter_async_context(
            open_office(tmp_path / "gateway", directory, server.url(name), web=PAGES)
        )
        url = office.running.url
        port = urlsplit(url).port
        assert port
        line = await stack.enter_async_context(run_line(port))
        browser = await stack.enter_async_context(
            chromium(f"--host-resolver-rules=MAP 127.0.0.1:{port} 127.0.0.1:{line.port}")
        )
        context = await new_profile(browser, width=1280, height=800)
        for cookie in office.sato.client.cookie_jar:
            await context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url, "secure": True}])
        city = City(url, tmp_path, None)  # type: ignore[arg-type]  # no demo here
        yield Seen(office, line, Visitor(city, context, await context.new_page()))


async def test_the_picture_goes_on_and_every_page_says_what_is_the_matter(seen: Seen, server: Postgres) -> None:
    office, visitor = seen.office, seen.visitor
    await visitor.page.goto(office.running.url + "/desktops")
    await visitor.part("desktop-open-section").click()
    await visitor.picture_shows()
    listed = await seen.another("/desktops")
    await expect(listed.get_by_test_id("desktop-section")).to_be_visible()
    server.stop()
    try:
        await visitor.page.bring_to_front()
        await visitor.part("viewer-canvas").click(position={"x": 50, "y": 50})
        await visitor.page.keyboard.type("during\n")
        office.screen.start("xsetroot", "-solid", f"#{bytes(BLUE).hex()}")
        await visitor.until(lambda now: pixels_like(now, BLUE) > now.width * now.height / 2)
        assert "during" in office.typed.read_text()

        await listed.get_by_test_id("logout").click()
        refused = listed.get_by_test_id("error").first
        await expect(refused).to_contain_text("ログアウトできませんでした")
        fresh = await seen.another("/desktops")
        await expect(fresh.get_by_test_id("error")).to_contain_text("いまは利用できません")
        await fresh.screenshot(path=_picture("outage-page"))

        await seen.line.break_off()
        curtain = visitor.part("viewer-reconnect")
        await expect(curtain).to_contain_text("回線が戻ると")
        await seen.line.mend()
        await expect(curtain).to_contain_text("庁内のシステムの一部が応答していません", timeout=15_000)
        await visitor.page.screenshot(path=_picture("outage-viewer"))
    finally:
        server.start()
    await office.until_ready()
    await expect(curtain).to_have_count(0, timeout=20_000)
    await visitor.until(lambda now: pixels_like(now, BLUE) > now.width * now.height / 2)
    await fresh.bring_to_front()
    await expect(fresh.get_by_test_id("desktop-section")).to_be_visible(timeout=20_000)
    await listed.bring_to_front()
    await expect(listed.get_by_test_id("error")).to_have_count(1, timeout=20_000)  # that of the log-out alone
    await listed.get_by_test_id("logout").click()
    await expect(listed.get_by_test_id("login-notice")).to_be_visible()


def _picture(name: str) -> Path:
    SCREENSHOTS.mkdir(exist_ok=True)
    return SCREENSHOTS / f"{name}.png"
