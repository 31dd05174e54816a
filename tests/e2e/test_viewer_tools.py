"""What surrounds the picture: the watermark that comes back, the key bar, size and quality, the line, fingers."""

import asyncio
import base64
import re
import struct
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import expect

from gateway.rfb.encodings import JPEG_QUALITY
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
_FITS: Final = """() => {
    const { width, height } = document.querySelector('[data-testid=viewer-canvas]').getBoundingClientRect();
    const stage = document.querySelector('.viewer-stage');
    return width <= stage.clientWidth && height <= stage.clientHeight && width > stage.clientWidth - 2;
}"""
_PIXEL_BY_PIXEL: Final = """() => {
    const canvas = document.querySelector('[data-testid=viewer-canvas]');
    return canvas.getBoundingClientRect().width === canvas.width && canvas.width > window.innerWidth;
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
    await terminal.take_down("keys.txt")
    await worker.part("keys-open").click()
    for name in ("esc", "tab", "f5", "f9", "up", "home", "delete", "enter"):
        await worker.part(f"key-{'del' if name == 'delete' else name}").click()
    await worker.part("sticky-ctrl").click()
    await expect(worker.part("sticky-ctrl")).to_have_attribute("aria-pressed", "true")
    await worker.part("panel-close").click()
    await worker.part("viewer-focus-canvas").click()
    await terminal.keyboard.type("d")  # with the held Ctrl: the end of the file
    assert await terminal.run("cat keys.txt") == "\x1b\t\x1b[15~\x1b[20~\x1b[A\x1b[H\x1b[3~\n"


async def test_the_picture_fits_the_window_or_is_shown_pixel_by_pixel(worker: Visitor) -> None:
    """The desktop itself keeps its size in both."""
    await worker.choose("fit")
    try:
        own = await worker.part("viewer-canvas").evaluate("c => [c.width, c.height]")
        await worker.page.set_viewport_size({"width": 900, "height": 700})
        await worker.page.wait_for_function(_FITS)
        assert await worker.part("viewer-canvas").evaluate("c => [c.width, c.height]") == own

        await worker.choose("one")
        await worker.page.wait_for_function(_PIXEL_BY_PIXEL)
        assert await worker.part("viewer-canvas").evaluate("c => [c.width, c.height]") == own
    finally:
        await worker.page.set_viewport_size({"width": 1280, "height": 800})
        await worker.choose("follow")


async def test_a_slow_line_gets_a_coarser_picture(worker: Visitor) -> None:
    device = await worker.page.context.new_cdp_session(worker.page)
    levels: asyncio.Queue[int] = asyncio.Queue()

    def sent(event: dict[str, Any]) -> None:
        for level in _asked_quality(base64.b64decode(event["response"]["payloadData"])):
            levels.put_nowait(level)

    device.on("Network.webSocketFrameSent", sent)
    await device.send("Network.enable")
    async with asyncio.timeout(10):
        for preset, level in (("slow", 2), ("standard", 6)):
            await worker.choose(preset)
            while await levels.get() != level:  # noVNC says it once for the quality, once for the compression
                pass
    await worker.part("display-open").click()
    await expect(worker.part("choice-high").locator("input")).to_be_disabled()  # beyond the grant
    await worker.part("panel-close").click()
    await device.detach()


async def test_the_line_is_told_in_figures(worker: Visitor) -> None:
    await worker.part("line-open").click()
    await expect(worker.part("line-rtt")).to_have_text(re.compile(r"^\d+ ミリ秒$"), timeout=15_000)
    await expect(worker.part("line-rate")).to_have_text(re.compile(r"^\d+(\.\d)? Mbps$"))
    await worker.part("panel-close").click()


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


def _asked_quality(message: bytes) -> list[int]:
    """The quality levels in a SetEncodings message; nothing in any other."""
    if message[:1] != b"\2":
        return []
    (count,) = struct.unpack_from(">H", message, 2)
    return [JPEG_QUALITY.index(one) for one in struct.unpack_from(f">{count}i", message, 4) if one in JPEG_QUALITY]


async def _changes(visitor: Visitor, before: Image.Image) -> None:
    """Wait until a menu has opened or closed."""
    await visitor.until(lambda now: differing_pixels(before, now) > _MENU_PIXELS)
