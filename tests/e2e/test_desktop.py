"""Work on a real desktop through the browser: it starts, it shows, keys arrive as what is printed on them, it fits."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import expect

from tests.e2e.keyboards import JIS, US, Keyboard
from tests.e2e.terminal import GREEN, Terminal, shows
from tests.e2e.visitor import Visitor, Visits, differing_pixels

pytestmark = pytest.mark.asyncio(loop_scope="session")

OFFICE: Final = "office-desktop"
UID: Final = "satou.hanako"
STAGES: Final = ("使えることを確認", "席を確保", "デスクトップを起動", "画面に接続")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def window(staying: Visits) -> Terminal:
    """Somebody signed in, with the office desktop in front of them and a terminal on it."""
    visitor = await staying.signed_in(UID)
    await visitor.open_desktop(OFFICE)
    return await Terminal.open(visitor)


@pytest_asyncio.fixture(loop_scope="session")
async def terminal(window: Terminal) -> AsyncIterator[Terminal]:
    """That terminal, left behind as it was: an empty prompt, an American keyboard."""
    american = window.keyboard
    yield window
    if window.keyboard is not american:
        await window.visitor.choose("auto")
        window.keyboard = american
    await window.visitor.page.keyboard.press("Control+c")


@pytest_asyncio.fixture(loop_scope="session")
async def jis(terminal: Terminal) -> Keyboard:
    """A Japanese keyboard in front of the terminal, and the viewer told so."""
    await terminal.visitor.choose("jis")
    terminal.keyboard = await Keyboard.at(terminal.visitor.page, JIS)
    return terminal.keyboard


async def test_the_way_to_the_picture_is_told_in_stages(visits: Visits) -> None:
    visitor = await visits.signed_in("matsumoto.ryou")
    card = visitor.part(f"desktop-{OFFICE}")
    await expect(card).to_contain_text("庁内業務デスクトップ")
    await expect(card).to_contain_text("LGWAN")
    await visitor.page.evaluate(
        """() => {
            window.seen = new Set();
            new MutationObserver(() => {
                const step = document.querySelector('[aria-current=step]');
                if (step) window.seen.add(step.innerText.split('\\n')[0]);
            }).observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
        }"""
    )
    await visitor.part(f"desktop-open-{OFFICE}").click()
    await visitor.picture_shows()
    seen = await visitor.page.evaluate("[...window.seen]")
    assert seen == [stage for stage in STAGES if stage in seen]  # a quick machine leaves some out
    assert seen[-1] == STAGES[-1]
    await expect(visitor.part("viewer-status")).to_contain_text("接続しました")
    await expect(visitor.part("viewer-canvas")).to_be_focused()
    assert "庁内業務デスクトップ" in await visitor.page.title()


async def test_who_may_only_look_cannot_touch(visits: Visits) -> None:
    visitor = await visits.signed_in("fujita.sora")
    await expect(visitor.part(f"desktop-{OFFICE}")).to_contain_text("閲覧のみ")
    await visitor.open_desktop(OFFICE)
    await expect(visitor.page.locator(".viewer-bar .badge")).to_have_text("閲覧のみ")
    for tool in ("clipboard", "keys", "type"):
        await expect(visitor.part(f"{tool}-open")).to_have_count(0)
    before = await visitor.desktop_stands()
    await visitor.part("viewer-canvas").focus()
    await visitor.page.keyboard.press("Meta+t")
    box = await visitor.part("viewer-canvas").bounding_box()
    assert box
    await visitor.page.mouse.click(box["x"] + 20, box["y"] + box["height"] - 15)  # the menu
    await asyncio.sleep(2)  # nothing happens, which nothing announces
    assert differing_pixels(before, await visitor.picture()) < 5_000


async def test_what_is_typed_changes_the_picture(terminal: Terminal) -> None:
    assert not shows(await terminal.visitor.picture(), GREEN)
    await terminal.show(GREEN)


async def test_a_japanese_keyboard_types_what_is_printed_on_it(terminal: Terminal, jis: Keyboard) -> None:
    printed = "@[]^\\_:;`{}~|=+*\"'&!#$%()-,./<>? aZ09"
    await terminal.take_down("jis.txt")
    await jis.type(printed + "\n")
    await jis.press("¥", "IntlYen")  # as macOS names the key beside ^: it types a backslash everywhere else
    await jis.press("\\", "IntlYen")  # and as all other systems name it
    await jis.type("\n")
    await terminal.visitor.page.keyboard.press("Control+d")
    assert await terminal.run("cat jis.txt") == f"{printed}\n\\\\\n"


async def test_an_american_keyboard_types_what_is_printed_on_it(terminal: Terminal) -> None:
    printed = "".join(sorted(set(US) - {"\n"}))
    await terminal.take_down("us.txt")
    await terminal.keyboard.type(printed + "\n")
    await terminal.visitor.page.keyboard.press("Control+d")
    assert await terminal.run("cat us.txt") == f"{printed}\n"


async def test_a_held_key_repeats_and_stops_when_released(terminal: Terminal) -> None:
    await terminal.take_down("held.txt")
    await terminal.keyboard.down("x", "KeyX")
    for _ in range(9):
        await terminal.keyboard.down("x", "KeyX", repeat=True)
    await terminal.keyboard.up("x", "KeyX")
    await terminal.keyboard.type("y\n")
    await terminal.visitor.page.keyboard.press("Control+d")
    assert await terminal.run("cat held.txt") == "x" * 10 + "y\n"


@pytest.mark.parametrize("way", ["key bar", "Zenkaku key", "nameless key"])
async def test_japanese_is_written_with_the_desktops_own_input_method(
    terminal: Terminal, jis: Keyboard, way: str
) -> None:
    visitor = terminal.visitor
    await terminal.take_down("kana.txt")
    await _toggle(visitor, jis, way)
    await jis.type("nihongo")
    before = await visitor.picture()
    await jis.press(" ", "Space")  # convert
    await visitor.until(lambda now: differing_pixels(before, now) > 100)
    await jis.press("Enter", "Enter")
    await jis.type("desu.\n")  # with the full stop of the input method; Enter takes it
    await _toggle(visitor, jis, way)
    await jis.type("\nabc\n")
    await visitor.page.keyboard.press("Control+d")
    assert await terminal.run("cat kana.txt") == "日本語です。\nabc\n"


async def _toggle(visitor: Visitor, jis: Keyboard, way: str) -> None:
    """Switch the input method; wait until its sign in the desktop's panel has changed."""
    before = _sign(await visitor.picture())
    if way == "key bar":
        await visitor.part("keys-open").click()
        await visitor.part("key-zenkaku-hankaku").click()
        await visitor.part("panel-close").click()
        await visitor.part("viewer-focus-canvas").click()
    elif way == "Zenkaku key":
        await jis.press("Zenkaku", "Backquote")
    else:
        await jis.press("Process", "Backquote")
    await visitor.until(lambda now: differing_pixels(before, _sign(now)) > 10)


def _sign(picture: Image.Image) -> Image.Image:
    """Where the panel shows the state of the input method, left of the clock."""
    return picture.crop((picture.width - 150, picture.height - 40, picture.width - 90, picture.height))


async def test_text_written_here_is_sent_as_keys(terminal: Terminal) -> None:
    text = "令和8年度 予算(案)を﨑村さんへ: \\1,234 𠮷野家 ☕"
    visitor = terminal.visitor
    await terminal.take_down("sent.txt")
    await visitor.part("type-open").click()
    await visitor.part("type-text").fill(text + "\n")
    await visitor.part("type-send").click()
    await expect(visitor.part("type-status")).to_have_text("送りました。", timeout=20_000)
    await visitor.part("panel-close").click()
    await visitor.part("viewer-focus-canvas").click()
    await visitor.page.keyboard.press("Control+d")
    assert await terminal.run("cat sent.txt") == f"{text}\n"


async def test_the_desktop_follows_the_size_of_the_window(terminal: Terminal) -> None:
    page = terminal.visitor.page
    for width, height in [(1100, 700), (1280, 800)]:
        await page.set_viewport_size({"width": width, "height": height})
        room = await page.evaluate(
            "() => { const s = document.querySelector('.viewer-stage'); return [s.clientWidth, s.clientHeight]; }"
        )
        async with asyncio.timeout(10):
            while (await _geometry(terminal)) != tuple(room):
                pass
        assert room[0] == width
        canvas = await terminal.visitor.part("viewer-canvas").evaluate("c => [c.width, c.height]")
        assert canvas == room


async def _geometry(terminal: Terminal) -> tuple[int, int]:
    """The size of the desktop as its own programs see it."""
    size = await terminal.run("xrandr | sed -n 's/.* current \\([0-9]*\\) x \\([0-9]*\\),.*/\\1 \\2/p'")
    width, height = size.split()
    return int(width), int(height)
