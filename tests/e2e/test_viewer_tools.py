"""What surrounds the picture: the watermark that comes back, the key bar, size and quality, the line, fingers."""

import asyncio
import base64
import re
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Route, expect

from common.clock import TOKYO, SystemClock
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
_NOTE_WRITTEN: Final = """() => {
    window.written = [];
    const write = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
        window.written.push(text);
        write.call(this, text, ...place);
    };
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
_MEASURE: Final = "() => document.dispatchEvent(new Event('visibilitychange'))"
"""The line is measured when the page comes into sight again, not in seconds only."""
_SLOW_SECONDS: Final = 0.25
_KEYS: Final = {
    # What X calls each key (keysymdef.h), and where it lies on a keyboard (QEMU's key numbers).
    "zenkaku-hankaku": [(0xFF2A, 0x29)],
    "henkan": [(0xFF23, 0x79)],
    "muhenkan": [(0xFF22, 0x7B)],
    "kana": [(0xFF27, 0x70)],
    "esc": [(0xFF1B, 0x01)],
    "tab": [(0xFF09, 0x0F)],
    "enter": [(0xFF0D, 0x1C)],
    "del": [(0xFFFF, 0xD3)],
    "home": [(0xFF50, 0xC7)],
    "end": [(0xFF57, 0xCF)],
    "pgup": [(0xFF55, 0xC9)],
    "pgdn": [(0xFF56, 0xD1)],
    "win": [(0xFFEB, 0xDB)],
    "alt-tab": [(0xFFE9, 0x38), (0xFF09, 0x0F)],
    "ctrl-alt-del": [(0xFFE3, 0x1D), (0xFFE9, 0x38), (0xFFFF, 0xD3)],
    "left": [(0xFF51, 0xCB)],
    "up": [(0xFF52, 0xC8)],
    "down": [(0xFF54, 0xD0)],
    "right": [(0xFF53, 0xCD)],
    "f1": [(0xFFBE, 0x3B)],
    "f2": [(0xFFBF, 0x3C)],
    "f3": [(0xFFC0, 0x3D)],
    "f4": [(0xFFC1, 0x3E)],
    "f5": [(0xFFC2, 0x3F)],
    "f6": [(0xFFC3, 0x40)],
    "f7": [(0xFFC4, 0x41)],
    "f8": [(0xFFC5, 0x42)],
    "f9": [(0xFFC6, 0x43)],
    "f10": [(0xFFC7, 0x44)],
    "f11": [(0xFFC8, 0x57)],
    "f12": [(0xFFC9, 0x58)],
}
_STICKY: Final = {"ctrl": (0xFFE3, 0x1D), "alt": (0xFFE9, 0x38), "shift": (0xFFE1, 0x2A), "win": (0xFFEB, 0xDB)}
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


async def test_the_watermark_names_the_person_the_time_and_the_session(worker: Visitor) -> None:
    session = await worker.context.request.get(f"{worker.city.url}/api/v1/sessions/{worker.session_id()}")
    person, code = (await worker.me())["user"], (await session.json())["short_code"]
    await worker.page.evaluate(_NOTE_WRITTEN)
    await worker.part("viewer-watermark").evaluate("layer => layer.remove()")
    await worker.page.wait_for_function("() => window.written.length > 0")

    written = set(await worker.page.evaluate("() => window.written"))

    assert code
    assert person["display_name"] != person["username"] == "nakamura.takumi"
    name = f"{person['display_name']} ({person['username']})"
    now = SystemClock().now().astimezone(TOKYO)
    times = [f"{now - age:%Y-%m-%d %H:%M}  {code}" for age in (timedelta(0), timedelta(minutes=1))]
    assert written in [{name, time} for time in times]


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
    async with _sent(worker) as messages, asyncio.timeout(10):
        for preset, level in (("slow", 2), ("standard", 6)):
            await worker.choose(preset)
            await _asks(messages, level)
    await worker.part("display-open").click()
    await expect(worker.part("choice-high").locator("input")).to_be_disabled()  # beyond the grant
    await worker.part("panel-close").click()


async def test_the_line_is_told_in_figures_and_a_slow_one_with_advice(worker: Visitor) -> None:
    async def late(route: Route) -> None:
        await asyncio.sleep(_SLOW_SECONDS)
        await route.continue_()

    await worker.part("line-open").click()
    await expect(worker.part("line-rtt")).to_have_text(re.compile(r"^\d+ ミリ秒$"), timeout=15_000)
    await expect(worker.part("line-rate")).to_have_text(re.compile(r"^\d+(\.\d)? Mbps$"))
    await worker.page.route("**/healthz", late)
    async with _sent(worker) as messages, asyncio.timeout(20):
        while await worker.part("line-open").get_attribute("data-grade") != "poor":
            async with worker.page.expect_request_finished(lambda request: request.url.endswith("/healthz")):
                await worker.page.evaluate(_MEASURE)
        await expect(worker.part("line-panel")).to_contain_text("操作が遅れやすい状態です。")
        await worker.part("line-use-slow").click()
        await _asks(messages, 2)
    await expect(worker.part("line-use-slow")).to_have_count(0)
    await worker.page.unroute("**/healthz", late)
    await worker.part("panel-close").click()
    await worker.choose("standard")


async def test_full_screen_and_back(worker: Visitor) -> None:
    button = worker.part("fullscreen-toggle")
    await button.click()
    await worker.page.wait_for_function("() => document.fullscreenElement !== null")
    await worker.desktop_stands()
    await button.click()
    await worker.page.wait_for_function("() => document.fullscreenElement === null")


async def test_every_key_of_the_bar_is_pressed_and_released(worker: Visitor) -> None:
    """Last of all at this desktop: what its windows make of the keys does not matter here."""
    await worker.part("keys-open").click()
    bar = worker.part("keys-panel").locator("[data-testid^=key-], [data-testid^=sticky-]")
    names = {await one.get_attribute("data-testid") for one in await bar.all()}
    assert names == {f"key-{name}" for name in _KEYS} | {f"sticky-{name}" for name in _STICKY}
    wrong: dict[str, list[tuple[int, int, int]]] = {}
    async with _sent(worker) as messages, asyncio.timeout(30):
        for name, keys in _KEYS.items():
            await worker.part(f"key-{name}").click()
            sent = [await _next_key(messages) for _ in range(2 * len(keys))]
            if sent != [(1, *key) for key in keys] + [(0, *key) for key in reversed(keys)]:
                wrong[name] = sent
        for name, key in _STICKY.items():
            for down in (1, 0):
                await worker.part(f"sticky-{name}").click()
                if (sent_one := await _next_key(messages)) != (down, *key):
                    wrong[name] = [sent_one]
    assert not wrong
    await worker.part("panel-close").click()


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


@asynccontextmanager
async def _sent(visitor: Visitor) -> AsyncIterator[asyncio.Queue[bytes]]:
    """What goes out on the person's WebSocket meanwhile."""
    device = await visitor.page.context.new_cdp_session(visitor.page)
    messages: asyncio.Queue[bytes] = asyncio.Queue()

    def sent(event: dict[str, Any]) -> None:
        messages.put_nowait(base64.b64decode(event["response"]["payloadData"]))

    device.on("Network.webSocketFrameSent", sent)
    await device.send("Network.enable")
    yield messages
    await device.detach()


async def _asks(messages: asyncio.Queue[bytes], level: int) -> None:
    """Wait until that quality is asked for: noVNC says it once for the quality, once for the compression."""
    while level not in _asked_quality(await messages.get()):
        pass


async def _next_key(messages: asyncio.Queue[bytes]) -> tuple[int, int, int]:
    """The next key event, in the form that our own desktops take: down or up, what X calls it, where it lies."""
    while (message := await messages.get())[:2] != b"\xff\0":
        assert message[:1] != b"\4", "a key without its place"
    down, keysym, place = struct.unpack_from(">HII", message, 2)
    return down, keysym, place


def _asked_quality(message: bytes) -> list[int]:
    """The quality levels in a SetEncodings message; nothing in any other."""
    if message[:1] != b"\2":
        return []
    (count,) = struct.unpack_from(">H", message, 2)
    return [JPEG_QUALITY.index(one) for one in struct.unpack_from(f">{count}i", message, 4) if one in JPEG_QUALITY]


async def _changes(visitor: Visitor, before: Image.Image) -> None:
    """Wait until a menu has opened or closed."""
    await visitor.until(lambda now: differing_pixels(before, now) > _MENU_PIXELS)
