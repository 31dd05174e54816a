"""Real key events of a Japanese and of an American keyboard: place of the key, what it types, Shift held or not.

Playwright's own keyboard is American and never holds Shift; here the browser gets what a person's keyboard gives it.
"""

from collections.abc import Mapping
from typing import Final

from playwright.async_api import CDPSession, Page

_SHIFT: Final = 8
_VIRTUAL_KEYS: Final = {"Enter": 13, "Tab": 9, "Escape": 27, "Space": 32, "Backspace": 8}

Layout = Mapping[str, tuple[str, bool]]
"""Character to the code of its key and whether Shift is held."""


def _layout(plain: Mapping[str, str], shifted: Mapping[str, str]) -> Layout:
    letters = {chr(number): (f"Key{chr(number).upper()}", False) for number in range(ord("a"), ord("z") + 1)}
    capitals = {letter.upper(): (code, True) for letter, (code, _) in letters.items()}
    digits = {digit: (f"Digit{digit}", False) for digit in "0123456789"}
    return {
        **letters,
        **capitals,
        **digits,
        " ": ("Space", False),
        "\n": ("Enter", False),
        **{character: (code, False) for code, character in plain.items()},
        **{character: (code, True) for code, character in shifted.items()},
    }


_DIGITS: Final = tuple(f"Digit{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 0))

JIS: Final = _layout(
    {
        "Minus": "-",
        "Equal": "^",
        "BracketLeft": "@",
        "BracketRight": "[",
        "Semicolon": ";",
        "Quote": ":",
        "Backslash": "]",
        "Comma": ",",
        "Period": ".",
        "Slash": "/",
        "IntlRo": "\\",
    },
    {
        **dict(zip(_DIGITS, "!\"#$%&'()", strict=False)),
        "Minus": "=",
        "Equal": "~",
        "IntlYen": "|",
        "BracketLeft": "`",
        "BracketRight": "{",
        "Semicolon": "+",
        "Quote": "*",
        "Backslash": "}",
        "Comma": "<",
        "Period": ">",
        "Slash": "?",
        "IntlRo": "_",
    },
)

US: Final = _layout(
    {
        "Minus": "-",
        "Equal": "=",
        "BracketLeft": "[",
        "BracketRight": "]",
        "Backslash": "\\",
        "Semicolon": ";",
        "Quote": "'",
        "Backquote": "`",
        "Comma": ",",
        "Period": ".",
        "Slash": "/",
    },
    {
        **dict(zip(_DIGITS, "!@#$%^&*()", strict=True)),
        "Minus": "_",
        "Equal": "+",
        "BracketLeft": "{",
        "BracketRight": "}",
        "Backslash": "|",
        "Semicolon": ":",
        "Quote": '"',
        "Backquote": "~",
        "Comma": "<",
        "Period": ">",
        "Slash": "?",
    },
)


class Keyboard:
    """One keyboard in front of a page."""

    def __init__(self, session: CDPSession, layout: Layout) -> None:
        self._session = session
        self._layout = layout

    @classmethod
    async def at(cls, page: Page, layout: Layout) -> "Keyboard":
        """Plug it in."""
        return cls(await page.context.new_cdp_session(page), layout)

    async def type(self, text: str) -> None:
        """Type a text with presses and releases, Shift held over runs that need it. KeyError: no such key."""
        held = False
        for character in text:
            code, shift = self._layout[character]
            if shift != held:
                await self._event("keyDown" if shift else "keyUp", "Shift", "ShiftLeft", shift=shift)
                held = shift
            key = "Enter" if character == "\n" else character
            await self.down(key, code, shift=shift)
            await self.up(key, code, shift=shift)
        if held:
            await self._event("keyUp", "Shift", "ShiftLeft", shift=False)

    async def press(self, key: str, code: str) -> None:
        """One key that types nothing, such as Zenkaku."""
        await self.down(key, code)
        await self.up(key, code)

    async def down(self, key: str, code: str, *, shift: bool = False, repeat: bool = False) -> None:
        """A key goes down, or is held long enough to repeat."""
        await self._event("keyDown", key, code, shift=shift, repeat=repeat)

    async def up(self, key: str, code: str, *, shift: bool = False) -> None:
        """A key comes up."""
        await self._event("keyUp", key, code, shift=shift)

    async def _event(self, kind: str, key: str, code: str, *, shift: bool, repeat: bool = False) -> None:
        await self._session.send(
            "Input.dispatchKeyEvent",
            {
                "type": kind,
                "key": key,
                "code": code,
                "modifiers": _SHIFT if shift else 0,
                "autoRepeat": repeat,
                "windowsVirtualKeyCode": _VIRTUAL_KEYS.get(code, 0),
            },
        )
