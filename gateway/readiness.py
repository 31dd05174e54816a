"""Whether new work can start here: asked by load balancers and by anybody, so the answer is shared for a moment.

Without that, a stranger could make this gateway ask directory and database as fast as they can send requests. A check
that hangs is a dependency that does not answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from common.clock import Clock

FRESH_SECONDS: Final = 2.0
CHECK_SECONDS: Final = 6.0
"""Long enough to find that the first directory server hangs and the second answers."""
Check = Callable[[], Awaitable[bool]]


class Readiness:
    """Runs all checks at most once every two seconds, however many ask."""

    def __init__(self, checks: Mapping[str, Check], clock: Clock) -> None:
        self._checks = checks
        self._clock = clock
        self._found: dict[str, bool] = {}
        self._found_at: float | None = None
        self._turn = asyncio.Lock()

    async def look(self) -> Mapping[str, bool]:
        """Every check's name and finding."""
        async with self._turn:
            now = self._clock.monotonic()
            if self._found_at is None or now - self._found_at >= FRESH_SECONDS:
                answers = await asyncio.gather(*(_in_time(check) for check in self._checks.values()))
                self._found = dict(zip(self._checks, answers, strict=True))
                self._found_at = self._clock.monotonic()
            return dict(self._found)


async def _in_time(check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return False
