"""The line drops and comes back: the person sees it, waits, and goes on at the same desktop without doing anything."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.e2e.page_checks import Tour
from tests.e2e.terminal import BLUE, GREEN, Terminal, shows
from tests.e2e.visitor import Visitor, Visits
from tests.support.browser import chromium
from tests.support.city import City
from tests.support.line import Line, run_line

pytestmark = pytest.mark.asyncio(loop_scope="session")

OFFICE: Final = "office-desktop"
BACK_WITHIN_SECONDS: Final = 3.0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def line(city: City) -> AsyncIterator[Line]:
    """What lies between the person and the gateway."""
    port = urlsplit(city.url).port
    assert port
    async with run_line(port) as carrying:
        yield carrying


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def far_browser(city: City, line: Line) -> AsyncIterator[Browser]:
    """A browser that reaches the gateway over that line only."""
    rule = f"MAP {urlsplit(city.url).netloc} 127.0.0.1:{line.port}"
    async with chromium(f"--host-resolver-rules={rule}") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def window(staying: Visits, far_browser: Browser) -> Terminal:
    """Somebody at work at the far end of the line."""
    visitor = await staying.signed_in("sasaki.yuuta", browser=far_browser)
    visitor.tolerated += [r"net::ERR_", r"WebSocket connection to"]
    await visitor.open_desktop(OFFICE)
    return await Terminal.open(visitor)


@pytest_asyncio.fixture(loop_scope="session")
async def terminal(window: Terminal, line: Line) -> AsyncIterator[Terminal]:
    """The same with a mark on the screen; the line works again afterwards."""
    await window.show(GREEN)
    yield window
    await line.mend()


async def _back(visitor: Visitor, since: float) -> float:
    """Wait until the picture is there again: seconds since the line was mended."""
    await expect(visitor.part("viewer-reconnect")).to_have_count(0, timeout=15_000)
    await visitor.until(lambda now: shows(now, GREEN))
    return time.monotonic() - since


async def _goes_on(terminal: Terminal) -> None:
    """What is typed now arrives at the same desktop, and its answer is seen."""
    await expect(terminal.visitor.part("viewer-canvas")).to_be_focused()
    await terminal.show(BLUE)


async def _looked_at(visitor: Visitor, language: str) -> None:
    tour = Tour(visitor, language)
    await tour.look("reconnect")
    tour.finish()


@pytest.mark.parametrize("seconds_down", [1.0, 6.0])
async def test_after_a_drop_the_same_desktop_is_back_within_three_seconds(
    terminal: Terminal, line: Line, seconds_down: float, capsys: pytest.CaptureFixture[str]
) -> None:
    visitor, session = terminal.visitor, terminal.visitor.session_id()
    await line.break_off()
    await expect(visitor.part("viewer-reconnect")).to_be_visible()
    await expect(visitor.part("viewer-reconnect")).to_contain_text("接続が切れました")
    await asyncio.sleep(seconds_down)  # the length of the outage is what is tested

    await line.mend()
    seconds = await _back(visitor, time.monotonic())

    with capsys.disabled():
        print(f"\n[line] down {seconds_down:.0f} s: back {seconds:.2f} s after the line")  # noqa: T201 - a measurement
    assert seconds < BACK_WITHIN_SECONDS
    assert visitor.session_id() == session
    await _goes_on(terminal)


async def test_a_line_that_falls_silent_is_noticed_and_left_behind(terminal: Terminal, line: Line) -> None:
    """No reset and no close tells of it: the viewer's own questions stay unanswered."""
    visitor = terminal.visitor
    line.silence()
    await expect(visitor.part("viewer-reconnect")).to_be_visible(timeout=25_000)
    await line.mend()
    seconds = await _back(visitor, time.monotonic())
    assert seconds < BACK_WITHIN_SECONDS
    await _goes_on(terminal)


async def test_the_person_may_leave_while_the_line_is_down(terminal: Terminal, line: Line) -> None:
    visitor = terminal.visitor
    await line.break_off()
    await expect(visitor.part("viewer-reconnect")).to_be_visible()
    await _looked_at(visitor, "ja")
    await visitor.part("viewer-reconnect").get_by_role("button", name="終了").click()
    await visitor.part("viewer-disconnect").click()
    assert await visitor.ended() == "disconnected"
    await line.mend()
    await visitor.part("end-desktops").click()
    await expect(visitor.part(f"desktop-{OFFICE}")).to_contain_text("続きから使う")

    await visitor.part("language").click()
    await visitor.open_desktop(OFFICE)
    await line.break_off()
    await expect(visitor.part("viewer-reconnect")).to_be_visible()
    await _looked_at(visitor, "en")
