"""Every page in every state, in both languages and on three screens: accessible, whole, and worth looking at.

The pictures lie in `screenshots/` afterwards, for people to look at.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from playwright.async_api import Route, expect

from tests.e2e.administrator import Administrator
from tests.e2e.authenticator import Authenticator
from tests.e2e.page_checks import PHONE, SCREENS, PageFaults, Tour
from tests.e2e.terminal import Terminal
from tests.e2e.visitor import Visitor, Visits

pytestmark = pytest.mark.asyncio(loop_scope="session")

UID: Final = "watanabe.yui"
INTERNET: Final = "internet-desktop"
PANELS: Final = ("display", "clipboard", "keys", "type", "help", "line")

_LINES_OF_WORDS: Final = """() => [...document.querySelectorAll('.viewer-name .name')]
    .flatMap(name => [...name.childNodes].filter(node => node.nodeType === Node.TEXT_NODE))
    .map(word => {
        const range = document.createRange();
        range.selectNodeContents(word);
        return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size;
    })"""


async def _enrolment(visitor: Visitor, tour: Tour) -> Authenticator:
    await expect(visitor.part("login-submit")).to_be_visible()
    await tour.look("login")
    await visitor.part("login-submit").click()
    await expect(visitor.page.locator(".field-error").first).to_be_visible()
    await tour.look("login-empty")
    await visitor.submit_password(UID, "wrong-password")
    await expect(visitor.part("login-error")).to_be_visible()
    await tour.look("login-refused")
    await visitor.submit_password(UID)
    app = Authenticator(re.sub(r"\s", "", await visitor.part("enrol-secret").inner_text()))
    await tour.look("enrol")
    await visitor.part("enrol-code").fill(await app.fresh())
    await visitor.part("enrol-submit").click()
    await expect(visitor.part("recovery-codes")).to_be_visible()
    await tour.look("recovery-codes")
    await visitor.part("recovery-codes-confirm").locator("input").check(force=True)
    await visitor.part("recovery-codes-done").click()
    await visitor.arrived(UID)
    return app


async def _account(visitor: Visitor, tour: Tour) -> None:
    await visitor.part("nav-account").click()
    await expect(visitor.part("new-codes-open")).to_be_visible()
    await tour.look("account")
    await visitor.part("new-codes-open").click()
    await expect(visitor.part("new-codes-dialog")).to_be_visible()
    await tour.look("account-new-codes")
    await expect(visitor.part("new-codes-dialog")).to_be_visible()
    await visitor.page.keyboard.press("Escape")
    await visitor.part("nav-desktops").click()


async def _on_a_phone(visitor: Visitor, language: str) -> None:
    """What staff in a shelter look at, besides the notices."""
    tour = Tour(visitor, language, screens=SCREENS | PHONE)
    await tour.turn("phone")
    await visitor.part("nav-account").click()
    await expect(visitor.part("new-codes-open")).to_be_visible()
    await tour.examine("account")
    await visitor.part("nav-desktops").click()
    await expect(visitor.part("desktops-reload")).to_be_visible()
    await tour.examine("desktops")
    await tour.turn("desktop")
    tour.finish()


@asynccontextmanager
async def _slow_start(visitor: Visitor) -> AsyncIterator[None]:
    """Meanwhile the viewer gets no ticket, as if the line were slow."""
    looked = asyncio.Event()

    async def later(route: Route) -> None:
        await looked.wait()
        await route.continue_()

    await visitor.page.route("**/ticket", later)
    try:
        yield
    finally:
        looked.set()
        await visitor.page.unroute_all(behavior="wait")


async def _viewer(visitor: Visitor, tour: Tour) -> None:
    async with _slow_start(visitor):  # on a quick machine the page would be gone before anybody saw it
        await visitor.part(f"desktop-open-{INTERNET}").click()
        await expect(visitor.part("viewer-progress")).to_be_visible()
        await tour.look("starting")
    for screen in SCREENS:
        await tour.turn(screen)
        await visitor.desktop_stands()
        await tour.examine("viewer")
        for name in PANELS:
            await visitor.part(f"{name}-open").click()
            await expect(visitor.part(f"{name}-panel")).to_be_visible()
            await tour.examine(f"viewer-{name}")
            await visitor.part("panel-close").click()
        await visitor.part("viewer-bar-toggle").click()
        await tour.examine("viewer-folded")
        await visitor.part("viewer-bar-toggle").click()
        await visitor.part("viewer-leave").click()
        await expect(visitor.part("viewer-leave-dialog")).to_be_visible()
        await tour.examine("viewer-leave")
        await visitor.part("viewer-stay").click()
    await visitor.part("viewer-leave").click()
    await visitor.part("viewer-disconnect").click()
    await visitor.ended()
    await tour.look("end")
    await visitor.part("end-desktops").click()


async def _log_off(visitor: Visitor, tour: Tour) -> None:
    await expect(visitor.part(f"desktop-logoff-{INTERNET}")).to_be_visible()
    await tour.look("desktops-resume")
    await visitor.part(f"desktop-logoff-{INTERNET}").click()
    await expect(visitor.part("logoff-confirm")).to_be_visible()
    await tour.look("desktops-logoff")
    await visitor.part("logoff-confirm").click()
    await expect(visitor.part("logoff-confirm")).to_have_count(0)
    await tour.look("desktops-logged-off")


async def _second_factor(visitor: Visitor, tour: Tour, app: Authenticator) -> None:
    await visitor.part("logout").click()
    await expect(visitor.part("login-notice")).to_be_visible()
    await tour.look("logged-out")
    await visitor.submit_password(UID)
    await expect(visitor.part("totp-code")).to_be_visible()
    await tour.look("totp")
    await visitor.submit_code(app.wrong())
    await expect(visitor.part("login-error")).to_be_visible()
    await tour.look("totp-refused")
    await visitor.part("totp-use-recovery").click()
    await expect(visitor.part("recovery-code")).to_be_visible()
    await tour.look("recovery")


async def test_the_checks_find_what_they_look_for(visits: Visits) -> None:
    visitor = await visits.arrive()
    await expect(visitor.part("login-submit")).to_be_visible()
    await visitor.page.evaluate(
        """() => {
            const main = document.querySelector('main');
            main.append(document.createElement('img'));
            const wide = document.createElement('p');
            wide.style.width = '9999px';
            wide.textContent = 'wide';
            const small = document.createElement('button');
            small.style.cssText = 'all: unset; width: 9px; height: 9px; display: block';
            small.textContent = 'tiny';
            const stage = document.createElement('div');
            stage.className = 'viewer-stage';
            stage.setAttribute('role', 'main');
            main.append(wide, small, stage);
        }"""
    )
    tour = Tour(visitor, "ja", pictures=False)
    await tour.examine("broken")
    with pytest.raises(PageFaults) as found:
        tour.finish()
    for expected in (
        "image-alt",
        "outside the window: wide",
        "smaller than 24 px: BUTTON tiny",
        "px wider than",
        "out of sight",
    ):
        assert expected in str(found.value)


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_every_page_is_accessible_and_whole(visits: Visits, administrator: Administrator, language: str) -> None:
    await administrator.forget_factors(UID)
    visitor = await visits.arrive(language=language)
    tour = Tour(visitor, language)
    app = await _enrolment(visitor, tour)
    await tour.look("desktops")
    await _account(visitor, tour)
    await _on_a_phone(visitor, language)
    await _viewer(visitor, tour)
    await _log_off(visitor, tour)
    await visitor.page.goto(f"{visits.city.url}/no-such-page")
    await expect(visitor.part("logout")).to_be_visible()
    await tour.look("not-found")
    await _second_factor(visitor, tour, app)
    tour.finish()


async def test_a_tablet_writes_with_its_own_keyboard(visits: Visits) -> None:
    visitor = await visits.signed_in("yoshida.kenta", width=768, height=1024)
    await visitor.open_desktop(INTERNET)
    terminal = await Terminal.open(visitor)
    await terminal.take_down("soft.txt")
    await visitor.part("soft-keyboard-open").tap()
    await expect(visitor.part("soft-keyboard")).to_be_focused()
    await visitor.page.keyboard.insert_text("公民館")  # as an input method of the tablet does
    await visitor.page.keyboard.type("A4")
    await visitor.page.keyboard.press("Enter")
    await visitor.part("viewer-canvas").tap()
    await visitor.page.keyboard.press("Control+d")
    assert await terminal.run("cat soft.txt") == "公民館A4\n"

    assert await visitor.page.evaluate(_LINES_OF_WORDS) == [1, 1]  # インターネット用 | デスクトップ
    tour = Tour(visitor, "ja")
    await tour.examine("viewer-touch")
    tour.finish()
