"""What surrounds the picture: the watermark that comes back, the key bar, full screen, fingers on a tablet."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import expect

from tests.e2e.terminal import Terminal
from tests.e2e.visitor import Visitor, Visits, differing_pixels

pytestmark = pytest.mark.asyncio(loop_scope="session")

OFFICE: Final = "office-desktop"
_REASSERTED_WITHIN_MS: Final = 3_000
_LONG_PRESS_SECONDS: Final = 1.4
_MENU_PIXELS: Final = 3_000
_INTACT: Final = """() => {
    const layers = document.querySelectorAll('[data-testid=viewer-watermark]');
    if (layers.length !== 1) return false;
    const style = getComputedStyle(layers[0]);
    if (style.display === 'none' || style.visibility !== 'visible' || style.opacity !== '1') return false;
    const { width, height } = layers[0];
    return layers[0].getContext('2d').getImageData(0, 0, width, height).data.some((value, at) => at % 4 === 3 && value);
}"""
_TAMPERINGS: Final = {
    "removed": "layer => layer.remove()",
    "hidden": "layer => layer.style.setProperty('display', 'none', 'important')",
    "made clear": "layer => layer.style.setProperty('opacity', '0', 'important')",
    "pushed away": "layer => layer.style.setProperty('transform', 'translateX(9999px)', 'important')",
    "moved elsewhere": "layer => document.body.append(layer)",
    "out of a style sheet": "() => document.styleSheets[0].insertRule('.watermark { opacity: 0 !important }')",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def worker(staying: Visits) -> AsyncIterator[Visitor]:
    """At a running desktop."""
    visitor = await staying.signed_in("nakamura.takumi")
    await visitor.open_desktop(OFFICE)
    yield visitor


@pytest.mark.parametrize("tampering", _TAMPERINGS)
async def test_the_watermark_comes_back(worker: Visitor, tampering: str) -> None:
    layer = worker.part("viewer-watermark")
    await worker.page.wait_for_function(_INTACT)
    await layer.evaluate(_TAMPERINGS[tampering])
    await worker.page.wait_for_function(_INTACT, timeout=_REASSERTED_WITHIN_MS)
    assert await worker.page.locator("body > [data-testid=viewer-watermark]").count() == 0


async def test_the_key_bar_sends_what_it_says(worker: Visitor) -> None:
    terminal = await Terminal.open(worker)
    await terminal.start("cat > keys.txt")
    await worker.part("keys-open").click()
    for name in ("esc", "tab", "f5", "f9", "up", "home", "delete", "enter"):
        await worker.part(f"key-{'del' if name == 'delete' else name}").click()
    await worker.part("sticky-ctrl").click()
    await expect(worker.part("sticky-ctrl")).to_have_attribute("aria-pressed", "true")
    await worker.part("panel-close").click()
    await worker.part("viewer-focus-canvas").click()
    await terminal.keyboard.type("d")  # with the held Ctrl: the end of the file
    assert await terminal.run("cat keys.txt") == "\x1b\t\x1b[15~\x1b[20~\x1b[A\x1b[H\x1b[3~\n"


async def test_full_screen_and_back(worker: Visitor) -> None:
    button = worker.part("fullscreen-toggle")
    await button.click()
    await worker.page.wait_for_function("() => document.fullscreenElement !== null")
    await worker.desktop_stands()
    await button.click()
    await worker.page.wait_for_function("() => document.fullscreenElement === null")


async def test_fingers_click_with_the_right_button(visits: Visits) -> None:
    visitor = await visits.signed_in("saitou.megumi", width=768, height=1024)
    await visitor.open_desktop(OFFICE)
    device = await visitor.page.context.new_cdp_session(visitor.page)
    box = await visitor.part("viewer-canvas").bounding_box()
    assert box
    middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    beside = {"x": middle["x"] + 60, "y": middle["y"]}

    for fingers, held in (([middle], _LONG_PRESS_SECONDS), ([middle, beside], 0.1)):
        before = await visitor.desktop_stands()
        await device.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": fingers})
        await asyncio.sleep(held)
        await device.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        await _changes(visitor, before)
        open_menu = await visitor.picture()
        await visitor.page.keyboard.press("Escape")
        await _changes(visitor, open_menu)


async def _changes(visitor: Visitor, before: Image.Image) -> None:
    """Wait until a menu has opened or closed."""
    await visitor.until(lambda now: differing_pixels(before, now) > _MENU_PIXELS)
