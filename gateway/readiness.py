"""Whether new work can start here: asked by load balancers and by anybody, so the answer is shared for a moment.

Without that, a stranger could make this gateway ask directory and database as fast as they can send requests.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from common.clock import Clock

FRESH_SECONDS: Final = 2.0
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
                self._found = {name: await check() for name, check in self._checks.items()}
                self._found_at = now
            return dict(self._found)
