"""Real Chromium, driven by Playwright: the system's browser, an empty profile for each person."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import Browser, BrowserContext, async_playwright

CHROMIUM: Final = "/usr/bin/chromium"
_ARGUMENTS: Final = (
    "--no-sandbox",  # the tests run as root
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """One browser; people get contexts of their own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()


async def new_profile(
    browser: Browser, *, language: str = "ja-JP", width: int = 1440, height: int = 900, touch: bool = False
) -> BrowserContext:
    """An empty profile: own cookies, own storage. The sample city's CA is unknown to it."""
    return await browser.new_context(
        ignore_https_errors=True,
        locale=language,
        timezone_id="Asia/Tokyo",
        viewport={"width": width, "height": height},
        has_touch=touch,
    )
