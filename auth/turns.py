"""How many passwords of one address are checked at once, so that no address keeps the directory's threads from others.

Counterpart: `auth/login.py` takes a turn around each check. Counts only what this node does now, in memory; how often
one may guess is decided by `auth/throttle.py`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

TRY_AGAIN_SECONDS: Final = 5
"""For whom no turn came: the crowd may be gone by then."""


@dataclass(slots=True)
class _Line:
    """Those of one source who have a turn or queue for one."""

    places: asyncio.Semaphore
    people: int = 0


class Turns:
    """At most `at_once` for each source; whoever queues longer than `queue_seconds` goes away without."""

    def __init__(self, at_once: int, queue_seconds: float) -> None:
        self._at_once = at_once
        self._queue_seconds = queue_seconds
        self._lines: dict[str, _Line] = {}

    @property
    def lines(self) -> int:
        """Sources that have a turn or queue for one now."""
        return len(self._lines)

    @asynccontextmanager
    async def taken(self, source: str) -> AsyncIterator[bool]:
        """Hold a turn of this source, first come first served. False: there was none in time, do not go on."""
        line = self._lines.setdefault(source, _Line(asyncio.Semaphore(self._at_once)))
        line.people += 1
        try:
            got = await self._wait(line.places)
            try:
                yield got
            finally:
                if got:
                    line.places.release()
        finally:
            line.people -= 1
            if not line.people:
                del self._lines[source]

    async def _wait(self, places: asyncio.Semaphore) -> bool:
        try:
            async with asyncio.timeout(self._queue_seconds):
                return await places.acquire()
        except TimeoutError:
            return False
