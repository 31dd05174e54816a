"""A terminal window inside the desktop, used through the viewer alone; what it wrote is read from the person's home."""

import asyncio
import contextlib
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import expect

from tests.e2e.keyboards import US, Keyboard
from tests.e2e.visitor import Visitor, differing_pixels, pixels_like

_WINDOW_PIXELS: Final = 100_000
_PROMPT_PIXELS: Final = 200
_MARK_PIXELS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Colour:
    """One of the terminal's colours (lxterminal.conf of the desktop)."""

    number: int
    rgb: tuple[int, int, int]


GREEN: Final = Colour(2, (129, 199, 132))
BLUE: Final = Colour(4, (100, 181, 246))


class Terminal:
    """One open terminal. Commands are typed on an American keyboard, the layout that the viewer detects in tests."""

    def __init__(self, visitor: Visitor, home: Path, keyboard: Keyboard) -> None:
        self.visitor = visitor
        self.home = home
        self.keyboard = keyboard
        self._count = 0

    @classmethod
    async def open(cls, visitor: Visitor) -> "Terminal":
        """Press Super+T, wait for the window and for its shell to answer."""
        terminal = cls(visitor, await visitor.home(), await Keyboard.at(visitor.page, US))
        before = await visitor.desktop_stands()
        await expect(visitor.part("viewer-canvas")).to_be_focused()
        window = await cls._window(visitor, before)
        window = await visitor.still(window)
        while differing_pixels(window, await visitor.picture()) < _PROMPT_PIXELS:
            await terminal.keyboard.type("\n")
        await terminal.run("PS1='$ '; clear")
        return terminal

    @staticmethod
    async def _window(visitor: Visitor, before: Image.Image) -> Image.Image:
        """A key in a desktop's first second may meet a window manager that does not know it yet: then once more."""
        for within in (15.0, 40.0):
            await visitor.page.keyboard.press("Meta+t")
            with contextlib.suppress(TimeoutError):
                return await visitor.until(lambda now: differing_pixels(before, now) > _WINDOW_PIXELS, within=within)
        raise AssertionError("no terminal came up")

    async def start(self, command: str) -> None:
        """Type a command and do not wait for its end."""
        await self.keyboard.type(f"{command}\n")

    async def take_down(self, name: str) -> None:
        """Have what is typed from now on, up to Ctrl+D, written to a file of the home.

        Waits for the file: what is typed while the shell still reads its own line is not sure to reach the program.
        """
        await self.start(f"cat > {name}")
        await self.written(name)

    async def run(self, command: str, *, within: float = 30.0) -> str:
        """Run a command to its end: what it printed."""
        self._count += 1
        name = f".ran-{self._count}"
        await self.start(f"{{ {command}; }} > {name}.part; mv {name}.part {name}")
        text = await self.written(name, within=within)
        (self.home / name).unlink()
        return text

    async def written(self, name: str, *, within: float = 30.0) -> str:
        """Wait until there is such a file in the home: its text."""
        path = self.home / name
        async with asyncio.timeout(within):
            while not path.exists():  # noqa: ASYNC110 - another machine's file, as it were: no event for it
                await asyncio.sleep(0.05)
        return path.read_text("utf-8")

    async def show(self, colour: Colour) -> None:
        """Fill a good part of the window and wait until the person sees it."""
        bar = f"\\033[4{colour.number}m{' ' * 60}\\033[0m\\n"
        await self.start(f"clear; for i in 1 2 3 4 5 6 7 8; do printf {shlex.quote(bar)}; done")
        await self.visitor.until(lambda now: shows(now, colour))


def shows(picture: Image.Image, colour: Colour) -> bool:
    """Whether the picture holds what `Terminal.show` paints."""
    return pixels_like(picture, colour.rgb) > _MARK_PIXELS
