"""Turns for work that keeps processor or database busy for long: effects, lists of everybody, scores, reports.

Counterparts: the routes marked `slow`, the middleware that takes a turn for them. What they do off the event loop
shares the threads of everything else (files, certificates, the audit's spool), so only a few of them run at once, and
fewer of one person: nobody keeps the others waiting by asking again and again. What somebody needs before signing a
declaration has turns of its own: it waits neither for reports nor for plans, whose texts may be as heavy as one likes.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from enum import StrEnum
from typing import Final

from common.errors import ErrorCode, KakehashiError


class Slow(StrEnum):
    """Kinds of such work; the turns of one are not those of the other."""

    DECIDING = "deciding"
    """Needed before a declaration is signed: its effect."""
    PLANNING = "planning"
    """Plans as somebody writes them: checks, effects, what is proposed and adopted."""
    LOOKING = "looking"
    """Who was reached, scores, reports, papers."""


AT_ONCE: Final = {Slow.DECIDING: 2, Slow.PLANNING: 1, Slow.LOOKING: 3}
"""Six threads are there on two cores, and most of this work waits for the database in between."""
OF_ONE: Final = {Slow.DECIDING: 1, Slow.PLANNING: 1, Slow.LOOKING: 2}
MOST_OF_ONE: Final = 12
"""Running and waiting; a page of the console asks for three at once."""
WAIT_SECONDS: Final = 10.0


class _Own:
    def __init__(self, most: int) -> None:
        self.turns: Final = asyncio.Semaphore(most)
        self.asking = 0


class SlowTurns:
    """Of one kind and gateway."""

    def __init__(self, kind: Slow) -> None:
        self._all: Final = asyncio.Semaphore(AT_ONCE[kind])
        self._own: Final[defaultdict[str, _Own]] = defaultdict(lambda: _Own(OF_ONE[kind]))

    @asynccontextmanager
    async def take(self, who: str) -> AsyncIterator[None]:
        """Wait for a turn, keep it for the block. Raises KakehashiError(BUSY) when there is none in time."""
        own = self._own[who]
        if own.asking >= MOST_OF_ONE:
            raise KakehashiError("one person asks for too much slow work at once", code=ErrorCode.BUSY)
        own.asking += 1
        try:
            async with AsyncExitStack() as held:
                try:
                    async with asyncio.timeout(WAIT_SECONDS):
                        await held.enter_async_context(own.turns)
                        await held.enter_async_context(self._all)
                except TimeoutError:
                    raise KakehashiError("no turn for slow work in time", code=ErrorCode.BUSY) from None
                yield
        finally:
            own.asking -= 1
            if own.asking == 0:
                del self._own[who]
