"""A person at a browser: the steps that the tests have in common, by what is on the page."""

import asyncio
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pyotp
from PIL import Image, ImageChops
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from tests.support.browser import new_profile
from tests.support.city import City, password

SCREENSHOTS: Final = Path(__file__).parent / "screenshots"
_SECRETS: Final[dict[tuple[str, str], str]] = {}
"""TOTP secrets of people who enrolled in this run, by city and user name."""
_USED: Final[dict[str, str]] = {}
"""The last code each person used: each is good once, so the next one may have to be waited for."""


async def next_code(secret: str) -> str:
    """A code that was not used before; waits for the next half-minute when it must."""
    while True:
        code = pyotp.TOTP(secret).now()
        if _USED.get(secret) != code:
            _USED[secret] = code
            return code
        await asyncio.sleep(1)


class Visitor:
    """One browser profile."""

    def __init__(self, city: City, context: BrowserContext, page: Page) -> None:
        self.city = city
        self.context = context
        self.page = page
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)

    @classmethod
    async def arrive(
        cls, city: City, browser: Browser, *, language: str = "ja-JP", width: int = 1440, height: int = 900
    ) -> "Visitor":
        """A new, empty profile on the log-in page."""
        context = await new_profile(browser, language=language, width=width, height=height, touch=width < 1000)
        page = await context.new_page()
        visitor = cls(city, context, page)
        await page.goto(city.url)
        return visitor

    def part(self, name: str) -> Locator:
        """The element with that test id."""
        return self.page.get_by_test_id(name)

    async def submit_password(self, uid: str, given: str | None = None) -> None:
        """Fill in and send the first step."""
        await self.part("login-username").fill(uid)
        await self.part("login-password").fill(given if given is not None else password(uid))
        await self.part("login-submit").click()

    async def log_in(self, uid: str) -> None:
        """Through all steps to the list of desktops, enrolling on the first visit."""
        await self.submit_password(uid)
        known = _SECRETS.get((self.city.url, uid))
        if known is None:
            await self.enrol(uid)
        else:
            await self.part("totp-code").fill(await next_code(known))
            await self.part("totp-submit").click()
        await expect(self.part("desktops-reload")).to_be_visible()

    async def enrol(self, uid: str) -> None:
        """Link an authenticator and put the recovery codes away."""
        secret = re.sub(r"\s", "", await self.part("enrol-secret").inner_text())
        _SECRETS[self.city.url, uid] = secret
        await self.part("enrol-code").fill(await next_code(secret))
        await self.part("enrol-submit").click()
        await expect(self.part("recovery-codes").locator("li")).to_have_count(10)
        await self.part("recovery-codes-confirm").locator("input").check(force=True)
        await self.part("recovery-codes-done").click()

    async def open_desktop(self, pool_id: str) -> None:
        """Start or continue the desktop of a pool and wait for its picture."""
        await self.part(f"desktop-open-{pool_id}").click()
        await self.picture_shows()

    async def picture_shows(self) -> None:
        """Wait until the desktop's own pixels are on the canvas."""
        canvas = self.part("viewer-canvas-host").locator("canvas").first
        await expect(canvas).to_be_visible(timeout=30_000)
        await self.until(lambda picture: len(picture.convert("RGB").getcolors(1_000_000) or ()) > 20)

    async def picture(self) -> Image.Image:
        """What the person sees of the desktop now."""
        shot = await self.part("viewer-canvas-host").screenshot()
        return Image.open(io.BytesIO(shot)).convert("RGB")

    async def until(self, holds: Callable[[Image.Image], bool], *, within: float = 20.0) -> Image.Image:
        """Look until a picture satisfies the question."""
        async with asyncio.timeout(within):
            while not holds(picture := await self.picture()):  # noqa: ASYNC110 - a picture has no event to wait for
                await asyncio.sleep(0.2)
        return picture

    async def changes_from(self, before: Image.Image, *, within: float = 10.0) -> Image.Image:
        """Wait for a picture that differs in a good number of pixels (a blinking cursor does not count)."""
        return await self.until(lambda now: differing_pixels(before, now) > 400, within=within)

    async def shoot(self, name: str) -> None:
        """Keep a screenshot for people to look at."""
        SCREENSHOTS.mkdir(exist_ok=True)
        await self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    async def leave(self) -> None:
        """Close the profile."""
        await self.context.close()


def differing_pixels(one: Image.Image, other: Image.Image) -> int:
    """How many pixels differ clearly; pictures of different size differ everywhere."""
    if one.size != other.size:
        return one.width * one.height
    histogram = ImageChops.difference(one, other).convert("L").histogram()
    return sum(histogram[48:])
