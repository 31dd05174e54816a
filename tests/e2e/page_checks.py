"""What must hold of every page in every state: no finding of axe-core, nothing cut off. Takes a picture of each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from playwright.async_api import CDPSession, expect

from tests.e2e.visitor import Visitor

_AXE: Final = Path(__file__).resolve().parents[2] / "web_client" / "node_modules" / "axe-core" / "axe.min.js"
_CONTRAST: Final = "color-contrast"
_RUN: Final = """async (options) => {
    // Behind an open dialog the page is out of reach for everybody.
    const seen = document.querySelector('[role=dialog], [role=alertdialog]') ?? document;
    const found = await axe.run(seen, {resultTypes: ['violations'], ...options});
    return found.violations.map(rule => ({rule: rule.id, places: rule.nodes.map(node => node.target.join(' '))}));
}"""
_CUT: Final = """() => {
    const cut = [];
    for (const element of document.querySelectorAll('button, a, input, textarea, h1, h2, h3, p, li, dt, dd, label')) {
        const box = element.getBoundingClientRect();
        const style = getComputedStyle(element);
        if (!box.width || !box.height || style.visibility === 'hidden' || element.closest('.visually-hidden')) continue;
        if (element.closest('.skip-link') || element.closest('[data-testid=soft-keyboard]')) continue;
        if (box.left < -1 || box.right > innerWidth + 1) {
            cut.push(`${element.tagName} outside the window: ${element.innerText.slice(0, 40)}`);
        } else if (style.overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1) {
            cut.push(`${element.tagName} cut: ${element.innerText.slice(0, 40)}`);
        }
    }
    return cut;
}"""
_BURIED: Final = """() => {
    const stage = document.querySelector('.viewer-stage[role=main]');
    return stage && stage.clientHeight < innerHeight / 4 ? ['the desktop is out of sight'] : [];
}"""
_AT_REST: Final = """() => document.getAnimations().every(
    animation => animation.playState !== 'running' || animation.effect?.getComputedTiming().iterations === Infinity)"""
_SMALL: Final = """() => [...document.querySelectorAll('button, a[href], input, [role=button], [role=radio]')]
    .filter(element => {
        const box = element.getBoundingClientRect();
        const reached = element.tabIndex >= 0 && !element.closest('.visually-hidden, .skip-link, label');
        return reached && box.width > 1 && box.height > 1 && (box.width < 24 || box.height < 24);
    })
    .map(element => `smaller than 24 px: ${element.tagName} ${element.innerText.slice(0, 40)}`)"""


_colours_seen: Final[set[str]] = set()
"""States whose colours were examined in this run: languages and screens share them."""


class PageFaults(AssertionError):
    """What was found on the states of a tour, by their names."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What a person looks at the page on."""

    width: int
    height: int
    touch: bool = False
    dark: bool = False


SCREENS: Final = {
    "desktop": Screen(1440, 900),
    "tablet": Screen(768, 1024, touch=True),
    "zoomed": Screen(640, 400),
}
"""The last one is a small laptop at 200 %: half as many CSS pixels each way (WCAG 1.4.10 by way of 1.4.4)."""

PHONE: Final = {"phone": Screen(390, 844, touch=True)}
"""Besides, for pages that people use in a shelter."""
NIGHT: Final = {"night": Screen(390, 844, touch=True, dark=True)}
"""Besides, for the console: the power is out, and the phone shows dark pages. In one language: colours are the same."""

_TABLET: Final = 600
_DESKTOP: Final = 1000


class Tour:
    """A walk through states of the pages in one language. Faults are gathered: one walk tells of all of them."""

    def __init__(
        self,
        visitor: Visitor,
        language: str,
        *,
        pictures: bool = True,
        screens: Mapping[str, Screen] = SCREENS,
    ) -> None:
        self._visitor = visitor
        self._language = language
        self._pictures = pictures
        self._screens = screens
        self._dark = False
        self._device: CDPSession | None = None
        self._faults: dict[str, list[Any]] = {}

    async def look(self, state: str) -> None:
        """Examine what is on the page now, on every screen."""
        for screen in self._screens:
            await self.turn(screen)
            await self.examine(state)
        await self.turn("desktop")

    async def look_in_both(self, state: str) -> None:
        """The same in this language, and at its widest and its narrowest in the other."""
        await self.look(state)
        await self._switch()
        for screen in [name for name in ("desktop", "phone") if name in self._screens]:
            await self.turn(screen)
            await self.examine(state)
        await self.turn("desktop")
        await self._switch()

    async def examine_in_both(self, state: str) -> None:
        """Examine what is on this screen now, in this language and in the other."""
        for _language in range(2):
            await self.examine(state)
            await self._switch()

    async def _switch(self) -> None:
        """Go over to the other language, by the button that is on the page."""
        self._language = "en" if self._language == "ja" else "ja"
        await self._visitor.part("language").click()
        await expect(self._visitor.page.locator("html")).to_have_attribute("lang", self._language)

    async def turn(self, screen: str) -> None:
        """Go over to another screen."""
        wanted = self._screens[screen]
        page = self._visitor.page
        self._dark = wanted.dark
        await page.set_viewport_size({"width": wanted.width, "height": wanted.height})
        await page.emulate_media(color_scheme="dark" if wanted.dark else "light")
        if self._device is None:  # what it emulates lasts as long as the connection
            self._device = await page.context.new_cdp_session(page)
        await self._device.send("Emulation.setTouchEmulationEnabled", {"enabled": wanted.touch, "maxTouchPoints": 5})

    async def examine(self, state: str) -> None:
        """Examine what is on this screen now, and keep a picture of it."""
        page = self._visitor.page
        await page.wait_for_function(_AT_REST)
        faults: list[Any] = [*await page.evaluate(_CUT), *await page.evaluate(_SMALL), *await page.evaluate(_BURIED)]
        if (wider := await self._visitor.overflow()) > 0:
            faults.append(f"{wider} px wider than the window")
        if (screen := self._screen()) != "zoomed":
            if not await page.evaluate("'axe' in window"):
                await page.evaluate(_AXE.read_text("utf-8"))
            faults += await page.evaluate(_RUN, self._rules(state))
            if self._pictures:
                await self._visitor.shoot(f"{state}-{self._language}-{screen}")
        if faults:
            self._faults[f"{state} ({self._language}, {screen})"] = faults

    def _screen(self) -> str:
        """What the window is, or is about as wide as: a picture never says that it is a telephone's and is not."""
        size = self._visitor.page.viewport_size or {"width": 0, "height": 0}
        shown = Screen(size["width"], size["height"], dark=self._dark)
        for name, known in self._screens.items():
            if replace(known, touch=False) == shown:
                return name
        return "phone" if shown.width < _TABLET else "tablet" if shown.width < _DESKTOP else "desktop"

    def _rules(self, state: str) -> dict[str, Any]:
        """Colours take nine tenths of axe-core's time; they are the same in every language and on every screen, and
        others only by night."""
        if self._dark:
            return {"runOnly": [_CONTRAST]}
        if state in _colours_seen:
            return {"rules": {_CONTRAST: {"enabled": False}}}
        _colours_seen.add(state)
        return {}

    def finish(self) -> None:
        """Raises PageFaults when anything was found."""
        if self._faults:
            raise PageFaults("\n".join(f"{state}: {faults}" for state, faults in self._faults.items()))
