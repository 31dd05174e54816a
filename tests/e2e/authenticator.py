"""A person's authenticator app, kept for the whole run: each code of it is good once."""

import asyncio
from typing import Final

import pyotp

from common.clock import SystemClock

_STEP_SECONDS: Final = 30
_AHEAD: Final = 1
"""The gateway takes the code of the next half-minute too, for clocks that are off; so two log-ins need no wait."""


class Authenticator:
    """Gives codes that nobody has typed yet."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self._app = pyotp.TOTP(secret)
        self._clock = SystemClock()
        self._last = -1

    async def fresh(self) -> str:
        """A code that was not given before; waits for the next half-minute when it must."""
        step = max(self._now(), self._last + 1)
        while step > self._now() + _AHEAD:  # noqa: ASYNC110 - the clock on the wall has no event
            await asyncio.sleep(0.5)
        self._last = step
        return self.last()

    def last(self) -> str:
        """The code that was given last."""
        return str(self._app.generate_otp(self._last))

    def wrong(self) -> str:
        """Six digits that are no code anywhere near now."""
        near = {self._app.generate_otp(self._now() + away) for away in range(-3, 4)}
        return next(code for number in range(1_000_000) if (code := f"{number:06}") not in near)

    def _now(self) -> int:
        return int(self._clock.now().timestamp()) // _STEP_SECONDS
