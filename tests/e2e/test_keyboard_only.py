"""A person without a mouse: log in, work, come out of the picture, leave. Every press is a real key."""

from typing import Final

import pytest
from playwright.async_api import Locator, expect

from tests.e2e.authenticator import Authenticator
from tests.e2e.visitor import AUTHENTICATORS, Visitor, Visits
from tests.support.city import password

pytestmark = pytest.mark.asyncio(loop_scope="session")

OFFICE: Final = "office-desktop"
UID: Final = "tanaka.misaki"
_LONGEST_WAY: Final = 40


async def _tab_to(visitor: Visitor, wanted: Locator, *, key: str = "Tab") -> None:
    """Press Tab until it is there, as a person does; the focus must be seen on the way."""
    await expect(wanted).to_be_visible()
    for _ in range(_LONGEST_WAY):
        if await wanted.evaluate("element => element === document.activeElement"):
            outline = await wanted.evaluate("e => getComputedStyle(e).outlineStyle + getComputedStyle(e).boxShadow")
            assert outline != "nonenone", "the focus cannot be seen"
            return
        await visitor.page.keyboard.press(key)
    raise AssertionError("not reached by keyboard")


async def _enrolled(visits: Visits) -> Authenticator:
    """Somebody with an authenticator."""
    known = AUTHENTICATORS.get((visits.city.url, UID))
    if known is None:
        visitor = await visits.arrive()
        await visitor.log_in(UID)
        known = AUTHENTICATORS[visits.city.url, UID]
    return known


async def test_the_whole_way_by_keyboard(visits: Visits) -> None:
    app = await _enrolled(visits)
    visitor = await visits.arrive()
    keyboard = visitor.page.keyboard
    await expect(visitor.part("login-username")).to_be_focused()
    await _tab_to(visitor, visitor.page.get_by_text("本文へ移動"), key="Shift+Tab")
    await keyboard.press("Enter")
    await keyboard.press("Tab")
    await expect(visitor.part("login-username")).to_be_focused()
    await keyboard.type(UID)
    await keyboard.press("Tab")
    await keyboard.type(password(UID))
    await keyboard.press("Enter")
    await expect(visitor.part("totp-code")).to_be_focused()
    await keyboard.type(await app.fresh())
    await keyboard.press("Enter")
    await visitor.arrived(UID)

    await _tab_to(visitor, visitor.part(f"desktop-open-{OFFICE}"))
    await keyboard.press("Enter")
    await visitor.picture_shows()
    await expect(visitor.part("viewer-canvas")).to_be_focused()

    await keyboard.press("Tab")  # belongs to the desktop
    await expect(visitor.part("viewer-canvas")).to_be_focused()
    await keyboard.press("Control+Alt+Shift+Enter")
    await expect(visitor.part("display-open")).to_be_focused()
    await keyboard.press("ArrowRight")
    await expect(visitor.part("clipboard-open")).to_be_focused()
    await keyboard.press("Enter")
    await expect(visitor.part("clipboard-panel")).to_be_focused()
    await keyboard.press("Escape")
    await expect(visitor.part("clipboard-panel")).to_have_count(0)
    await expect(visitor.part("clipboard-open")).to_be_focused()

    await _tab_to(visitor, visitor.part("viewer-focus-canvas"))
    await keyboard.press("Enter")
    await expect(visitor.part("viewer-canvas")).to_be_focused()
    await keyboard.press("Control+Alt+Shift+Enter")
    await _tab_to(visitor, visitor.part("viewer-leave"))
    await keyboard.press("Enter")
    await _tab_to(visitor, visitor.part("viewer-logoff"))
    await keyboard.press("Enter")
    assert await visitor.ended() == "logged_off"
    await _tab_to(visitor, visitor.part("end-desktops"))
    await keyboard.press("Enter")
    await visitor.arrived(UID)
    await _tab_to(visitor, visitor.part("logout"))
    await keyboard.press("Enter")
    await expect(visitor.part("login-notice")).to_be_visible()


async def test_a_dialog_keeps_the_focus_and_gives_it_back(visits: Visits) -> None:
    visitor = await visits.signed_in("mori.ayumi")
    await visitor.part("nav-account").focus()
    await visitor.page.keyboard.press("Enter")
    await _tab_to(visitor, visitor.part("new-codes-open"))
    await visitor.page.keyboard.press("Enter")
    dialog = visitor.part("new-codes-dialog")
    await expect(dialog).to_be_visible()
    for _ in range(6):
        await visitor.page.keyboard.press("Tab")
        assert await dialog.evaluate("element => element.contains(document.activeElement)")
    await visitor.page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(visitor.part("new-codes-open")).to_be_focused()
