"""Clipboard between a real browser and a real X selection: as far as the policy goes, each direction on its own."""

import asyncio
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.attacker import desktop, ticket, viewer
from tests.e2e.policy_file import PolicyFile
from tests.e2e.terminal import BLUE, GREEN, Terminal
from tests.e2e.visitor import Visitor, Visits
from tests.support.city import City
from tests.support.person import Person

pytestmark = pytest.mark.asyncio(loop_scope="session")

OFFICE: Final = "office-desktop"
INTERNET: Final = "internet-desktop"
CAP: Final = 2_000
READ: Final = "timeout 5 xclip -selection clipboard -out"
MARKUP: Final = "<img src=x onerror=alert(1)>"
"""Bug class target_text_to_dom: it must be shown as it is written."""
SECRET: Final = "住民 太郎 090-0000-0000"
_CAPABILITIES: Final = 1 << 24 | 1 << 25 | 1 << 26 | 1 << 27 | 1 << 28 | 1
"""Extended Clipboard: text, with every action."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def internet(staying: Visits) -> Terminal:
    """Somebody on the internet desktop: pasting up to 2,000 characters is allowed, copying out is not."""
    visitor = await staying.signed_in("inoue.haruka")
    await visitor.open_desktop(INTERNET)
    return await Terminal.open(visitor)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(staying: Visits) -> Terminal:
    """Somebody on the office desktop: nothing is allowed."""
    visitor = await staying.signed_in("kimura.naoki")
    await visitor.open_desktop(OFFICE)
    return await Terminal.open(visitor)


async def _panel(visitor: Visitor) -> None:
    if not await visitor.part("clipboard-panel").is_visible():
        await visitor.part("clipboard-open").click()


async def _back_to_desktop(visitor: Visitor) -> None:
    await visitor.part("panel-close").click()
    await visitor.part("viewer-focus-canvas").click()


async def _paste(visitor: Visitor, text: str) -> None:
    """Send a text through the panel."""
    await _panel(visitor)
    await visitor.part("clipboard-in-text").fill(text)
    await visitor.part("clipboard-in-send").click()
    await expect(visitor.page.get_by_text("送りました。デスクトップの中で貼り付け")).to_be_visible()
    await _back_to_desktop(visitor)


async def _copy(terminal: Terminal, text: str) -> None:
    """A program of the desktop copies a text. What the desktop sends of it comes before the pixels seen last here."""
    (terminal.home / "secret.txt").write_text(text, "utf-8")
    (terminal.home / "secret.txt").chmod(0o644)
    await terminal.run("xclip -selection clipboard -in secret.txt >/dev/null 2>&1")
    await terminal.show(GREEN)
    await terminal.show(BLUE)


async def test_pasting_in_is_allowed_up_to_the_cap(internet: Terminal) -> None:
    visitor = internet.visitor
    await _panel(visitor)
    await expect(visitor.part("clipboard-policy")).to_contain_text("所属の決まり")
    text = "令和8年度 𠮷田\n" + "あ" * (CAP - 9)
    await visitor.part("clipboard-in-text").fill(text + "い")
    await expect(visitor.part("clipboard-in-send")).to_be_disabled()
    await expect(visitor.page.get_by_text("2,000文字までです。1文字減らしてください。")).to_be_visible()
    await _paste(visitor, text)
    assert await internet.run(READ) == text


async def test_copying_out_is_refused_where_only_pasting_is_allowed(internet: Terminal) -> None:
    visitor = internet.visitor
    await _panel(visitor)
    await expect(visitor.part("clipboard-out-forbidden")).to_be_visible()
    await _back_to_desktop(visitor)
    await _copy(internet, SECRET)
    assert await internet.run(READ) == SECRET  # inside the desktop it works as ever
    await _panel(visitor)
    await expect(visitor.page.get_by_text(SECRET)).to_have_count(0)
    await _back_to_desktop(visitor)


async def test_neither_way_is_open_where_the_policy_says_so(office: Terminal) -> None:
    visitor = office.visitor
    await _panel(visitor)
    await expect(visitor.part("clipboard-in-forbidden")).to_be_visible()
    await expect(visitor.part("clipboard-out-forbidden")).to_be_visible()
    await expect(visitor.part("clipboard-in-text")).to_have_count(0)
    await expect(visitor.part("clipboard-out-text")).to_have_count(0)
    await _back_to_desktop(visitor)


async def test_a_modified_client_gets_no_text_either_way(city: City, staying: Visits) -> None:
    """On the wire: the desktop copies and asks, the client offers in both dialects, nothing passes."""
    async with Person(city.url, "hayashi.akane") as person:
        await person.log_in()
        session = await desktop(person, OFFICE)
        async with viewer(person, session["id"], await ticket(person, session["id"])) as opened:
            await opened.start()
            picture = await opened.until_quiet()
            await opened.key(0xFFEB, down=True)
            await opened.key(ord("t"))
            await opened.key(0xFFEB, down=False)
            while (await opened.until_quiet()).tobytes() == picture.tobytes():
                pass
            await opened.extended_text(_CAPABILITIES.to_bytes(4, "big") + (1 << 20).to_bytes(4, "big"))
            await opened.cut_text(b"smuggled in")
            await opened.extended_text((1 << 27 | 1).to_bytes(4, "big"))
            home = city.folder / "agent" / "homes" / (await person.call("GET", "/me"))[1]["user"]["id"]
            await opened.type(f"{READ} > in.txt 2>&1; printf taken | xclip -selection clipboard; touch done.txt\n")
            async with asyncio.timeout(20):
                while not (home / "done.txt").exists():
                    await opened.until_quiet(seconds=0.3)
            await opened.until_quiet(seconds=1.0)
            assert "smuggled" not in (home / "in.txt").read_text()
            assert opened.seen.cut_texts == []
            assert opened.seen.extended_texts == []
        await person.call("DELETE", f"/sessions/{session['id']}")


async def test_a_new_rule_opens_and_closes_the_way_out_while_the_viewer_runs(
    internet: Terminal, policy: PolicyFile
) -> None:
    visitor, session = internet.visitor, internet.visitor.session_id()
    await policy.replace(
        "terms: {clipboard_in_chars: 2000}", "terms: {clipboard_in_chars: 2000, clipboard_out_chars: 40}"
    )
    await _panel(visitor)
    await expect(visitor.part("clipboard-out-text")).to_be_visible(timeout=10_000)
    await _back_to_desktop(visitor)

    for text in ("議事録 令和8年4月1日", MARKUP):
        await _copy(internet, text)
        await _panel(visitor)
        await expect(visitor.part("clipboard-out-text")).to_have_value(text)
        await expect(visitor.page.locator("img[src=x]")).to_have_count(0)
        await _back_to_desktop(visitor)
    await _copy(internet, "長" * 41)
    await _panel(visitor)
    await expect(visitor.part("clipboard-out-text")).not_to_have_value("長" * 41)

    await policy.restore()
    await expect(visitor.part("clipboard-out-forbidden")).to_be_visible(timeout=10_000)
    await _back_to_desktop(visitor)
    await _copy(internet, SECRET)
    await _panel(visitor)
    await expect(visitor.page.get_by_text(SECRET)).to_have_count(0)
    assert visitor.session_id() == session
    await expect(visitor.part("viewer-reconnect")).to_have_count(0)
