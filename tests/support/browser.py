"""Real Chromium, driven by Playwright: the system's browser, an empty profile for each person."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, BrowserContext, StorageState, async_playwright

CHROMIUM: Final = "/usr/bin/chromium"
_WITHOUT: Final = (
    # A browser window keeps pages for its own address bar: most of a second of processor time for each person's.
    "WebUIOmniboxPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxAimPopup",
    # Of two lists Chromium takes the last, so this one stands for Playwright's: what would ask the network, or wait.
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
)
ARGUMENTS: Final = (
    "--no-sandbox",  # the tests run as root
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(_WITHOUT)}",
)


@asynccontextmanager
async def chromium(*arguments: str) -> AsyncIterator[Browser]:
    """One browser, with further arguments; people get contexts of their own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *arguments])
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def profile_on_disk(folder: Path, *, language: str = "ja-JP") -> AsyncIterator[BrowserContext]:
    """A browser of its own with an ordinary profile in `folder`, as it is on a person's device; closed at the end."""
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            folder,
            executable_path=CHROMIUM,
            args=list(ARGUMENTS),
            ignore_https_errors=True,
            locale=language,
            timezone_id="Asia/Tokyo",
            viewport={"width": 1440, "height": 900},
        )
        try:
            yield context
        finally:
            await context.close()


async def new_profile(
    browser: Browser,
    *,
    language: str = "ja-JP",
    width: int = 1440,
    height: int = 900,
    touch: bool = False,
    scale: float = 1.0,
    state: StorageState | None = None,
) -> BrowserContext:
    """A profile: own cookies, own storage, empty but for `state`. The sample city's CA is unknown to it."""
    return await browser.new_context(
        ignore_https_errors=True,
        locale=language,
        timezone_id="Asia/Tokyo",
        viewport={"width": width, "height": height},
        has_touch=touch,
        device_scale_factor=scale,
        storage_state=state,
    )
