"""A person at a browser: the steps that the tests have in common, by what is on the page."""

import asyncio
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageChops
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, StorageState, expect

from tests.e2e.administrator import Administrator
from tests.e2e.authenticator import Authenticator
from tests.support.browser import new_profile
from tests.support.city import City, password

SCREENSHOTS: Final = Path(__file__).parent / "screenshots"
AUTHENTICATORS: Final[dict[tuple[str, str], Authenticator]] = {}
"""The apps of people who enrolled in this run, by city and user name."""
_SIGNED_IN: Final[dict[tuple[str, str], StorageState]] = {}
"""Cookies of people who are signed in and stay so."""
_ANONYMOUS: Final = r"status of 401"
"""The page's first question is who is there; "nobody" is no fault."""
_OVERFLOW: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Visitor:
    """One browser profile."""

    def __init__(self, city: City, context: BrowserContext, page: Page) -> None:
        self.city = city
        self.context = context
        self.page = page
        self.uid: str | None = None
        self.tolerated: list[str] = [_ANONYMOUS]
        """Patterns of console errors that a test provokes on purpose."""
        self._faults: list[str] = []
        page.on("pageerror", lambda error: self._faults.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._faults.append(message.text)

    @property
    def faults(self) -> list[str]:
        """What the browser complained about (errors, policy violations), but for what the test provoked."""
        return [fault for fault in self._faults if not any(re.search(known, fault) for known in self.tolerated)]

    def part(self, name: str) -> Locator:
        """The element with that test id."""
        return self.page.get_by_test_id(name)

    async def submit_password(self, uid: str, given: str | None = None) -> None:
        """Fill in and send the first step."""
        await self.part("login-username").fill(uid)
        await self.part("login-password").fill(given if given is not None else password(uid))
        await self.part("login-submit").click()

    async def submit_code(self, code: str) -> None:
        """Fill in and send the second step."""
        await self.part("totp-code").fill(code)
        await self.part("totp-submit").click()

    async def log_in(self, uid: str) -> None:
        """Through all steps to the list of desktops, enrolling on the first visit."""
        await self.submit_password(uid)
        app = AUTHENTICATORS.get((self.city.url, uid))
        if app is None:
            await self.enrol(uid)
        else:
            await self.submit_code(await app.fresh())
        await self.arrived(uid)

    async def arrived(self, uid: str) -> None:
        """Wait for the list of desktops."""
        await expect(self.part("desktops-reload")).to_be_visible()
        self.uid = uid

    async def enrol(self, uid: str) -> list[str]:
        """Link an authenticator and put the recovery codes away: those codes."""
        app = Authenticator(re.sub(r"\s", "", await self.part("enrol-secret").inner_text()))
        AUTHENTICATORS[self.city.url, uid] = app
        await self.part("enrol-code").fill(await app.fresh())
        await self.part("enrol-submit").click()
        shown = self.part("recovery-codes").locator("li")
        await expect(shown).to_have_count(10)
        codes = await shown.all_inner_texts()
        await self.part("recovery-codes-confirm").locator("input").check(force=True)
        await self.part("recovery-codes-done").click()
        return codes

    async def me(self) -> dict[str, Any]:
        """What the gateway says of the person."""
        answer = await self.context.request.get(f"{self.city.url}/api/v1/me")
        found: dict[str, Any] = await answer.json()
        return found

    async def home(self) -> Path:
        """The folder of the person's own files, on the desktops' machine."""
        return self.city.folder / "agent" / "homes" / str((await self.me())["user"]["id"])

    async def open_desktop(self, pool_id: str) -> None:
        """Start or continue the desktop of a pool and wait for its picture."""
        await self.part(f"desktop-open-{pool_id}").click()
        await self.picture_shows()

    async def choose(self, value: str) -> None:
        """Choose something in the display panel and go back to the picture."""
        await self.part("display-open").click()
        await self.part(f"choice-{value}").click()
        await self.part("panel-close").click()
        await self.part("viewer-focus-canvas").click()
        await expect(self.part("viewer-canvas")).to_be_focused()

    def session_id(self) -> str:
        """The desktop session on the page."""
        return self.page.url.rsplit("/", 1)[-1]

    async def picture_shows(self) -> None:
        """Wait until the desktop's own pixels are on the canvas."""
        canvas = self.part("viewer-canvas-host").locator("canvas").first
        await expect(canvas).to_be_visible(timeout=30_000)
        await self.until(lambda picture: len(picture.getcolors(1_000_000) or ()) > 20)

    async def picture(self) -> Image.Image:
        """What the person sees of the desktop now."""
        shot = await self.part("viewer-canvas-host").screenshot()
        return Image.open(io.BytesIO(shot)).convert("RGB")

    async def until(self, holds: Callable[[Image.Image], bool], *, within: float = 40.0) -> Image.Image:
        """Look until a picture satisfies the question."""
        async with asyncio.timeout(within):
            while not holds(picture := await self.picture()):  # noqa: ASYNC110 - a picture has no event to wait for
                await asyncio.sleep(0.25)
        return picture

    async def still(self, before: Image.Image) -> Image.Image:
        """Wait until two looks in a row see the same."""
        async with asyncio.timeout(40):
            while differing_pixels(before, now := await self.picture()) > 0:
                before = now
                await asyncio.sleep(0.25)
        return now

    async def desktop_stands(self) -> Image.Image:
        """Wait until the desktop has all it starts with and nothing moves any more."""
        return await self.still(await self.until(_has_panel))

    async def ended(self) -> str:
        """Wait for the end page: which kind of end it shows."""
        await expect(self.part("viewer-end")).to_be_visible(timeout=15_000)
        return await self.part("viewer-end").get_attribute("data-end") or ""

    async def overflow(self) -> int:
        """Pixels by which the page is wider than its window."""
        return int(await self.page.evaluate(_OVERFLOW))

    async def shoot(self, name: str) -> None:
        """Keep a screenshot for people to look at."""
        SCREENSHOTS.mkdir(exist_ok=True)
        await self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    async def leave(self) -> None:
        """Close the profile."""
        await self.context.close()


class Visits:
    """The people of one test: opens profiles, closes them, and sees that no desktop and no complaint is left."""

    def __init__(self, city: City, browser: Browser, administrator: Administrator) -> None:
        self.city = city
        self._browser = browser
        self._administrator = administrator
        self._visitors: list[Visitor] = []

    async def arrive(
        self,
        *,
        language: str = "ja-JP",
        width: int = 1280,
        height: int = 800,
        scale: float = 1.0,
        browser: Browser | None = None,
        state: StorageState | None = None,
        path: str = "/",
    ) -> Visitor:
        """A new profile, empty but for `state`, on the log-in page or another."""
        context = await new_profile(
            browser or self._browser,
            language=language,
            width=width,
            height=height,
            touch=width < 1000 and scale == 1.0,
            scale=scale,
            state=state,
        )
        visitor = Visitor(self.city, context, await context.new_page())
        self._visitors.append(visitor)
        await visitor.page.goto(self.city.url + path)
        return visitor

    async def signed_in(self, uid: str, **profile: Any) -> Visitor:
        """A new profile of a person who has logged in before in this run (or does so now), on the list of desktops."""
        if (self.city.url, uid) not in AUTHENTICATORS:
            await self.newcomer(uid)  # a test's own client may have enrolled for them
        known = _SIGNED_IN.get((self.city.url, uid))
        visitor = await self.arrive(state=known, path="/desktops", **profile)
        if known is None:
            await visitor.log_in(uid)
            _SIGNED_IN[self.city.url, uid] = await visitor.context.storage_state()
        else:
            await visitor.arrived(uid)
        return visitor

    async def newcomer(self, uid: str) -> None:
        """Somebody who has no authenticator yet, whoever used the account before in this run."""
        await self._administrator.forget_factors(uid)
        AUTHENTICATORS.pop((self.city.url, uid), None)
        _SIGNED_IN.pop((self.city.url, uid), None)

    async def shoot(self, name: str) -> None:
        """Keep a screenshot of everybody."""
        for number, visitor in enumerate(self._visitors, 1):
            await visitor.shoot(f"{name}-{number}")

    async def close(self) -> list[str]:
        """Close all profiles, end all their desktops: what the browsers complained about."""
        for visitor in self._visitors:
            await visitor.leave()
        for uid in {visitor.uid for visitor in self._visitors if visitor.uid}:
            await self._administrator.end_all(uid)
        return [fault for visitor in self._visitors for fault in visitor.faults]


def _has_panel(picture: Image.Image) -> bool:
    """Whether the desktop's panel lies along the lower edge: the last thing that shows after a start."""
    strip = picture.crop((0, picture.height - 30, picture.width, picture.height)).convert("L")
    return sum(strip.histogram()[200:]) > strip.width * strip.height / 2


def differing_pixels(one: Image.Image, other: Image.Image) -> int:
    """How many pixels differ clearly; pictures of different size differ everywhere."""
    if one.size != other.size:
        return one.width * one.height
    histogram = ImageChops.difference(one, other).convert("L").histogram()
    return sum(histogram[48:])


def pixels_like(picture: Image.Image, colour: tuple[int, int, int], *, tolerance: int = 24) -> int:
    """How many pixels have about this colour: the stream is compressed with loss, a watermark lies over it."""
    plain = Image.new("RGB", picture.size, colour)
    bands = ImageChops.difference(picture, plain).split()
    worst = ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2])
    return sum(worst.histogram()[: tolerance + 1])
