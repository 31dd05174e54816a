"""Turns for work that keeps processor or database busy for long: effects, lists of everybody, scores, reports.

Counterparts: the routes marked `slow`, the middleware that takes a turn for them. What they do off the event loop
shares the threads of everything else (files, certificates, the audit's spool), so only a few of them run at once, and
fewer of one person: nobody keeps the others waiting by asking again and again. What somebody needs before signing a
declaration has turns of its own: it waits neither for reports nor for plans, whose texts may be as heavy as one likes.
A thread cannot be stopped from outside: a request that runs into its time-out ends, its turn is kept until its threads
have ended.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, suppress
from contextvars import ContextVar
from enum import StrEnum
from typing import Any, Final, TypeVar

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


T = TypeVar("T")
_turn: Final[ContextVar["_Turn | None"]] = ContextVar("turn", default=None)


class _Turn:
    """What is given back once the block and all threads that were started in it have ended."""

    def __init__(self, held: ExitStack) -> None:
        self._held: Final = held
        self._busy = 1  # the block itself
        self._loop: Final = asyncio.get_running_loop()

    def watch(self, work: "Future[Any]") -> None:
        """Of a task that outlives everything else in the turn only what it started before counts."""
        if self._busy:
            self._busy += 1
            work.add_done_callback(self._thread_ended)

    def one_ended(self) -> None:
        """The block or a thread. In the event loop."""
        self._busy -= 1
        if not self._busy:
            self._held.close()

    def _thread_ended(self, _work: "Future[Any]") -> None:
        with suppress(RuntimeError):  # the loop has closed: nobody waits for a turn any more
            self._loop.call_soon_threadsafe(self.one_ended)


class WatchedThreads(ThreadPoolExecutor):
    """The event loop's threads (`asyncio.to_thread`), which know in whose turn they work."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        """As usual. Called in the event loop."""
        work = super().submit(fn, *args, **kwargs)
        if turn := _turn.get():
            turn.watch(work)
        return work


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
        """Wait for a turn, keep it for the block and its threads. Raises KakehashiError(BUSY): none came in time."""
        own = self._own[who]
        if own.asking >= MOST_OF_ONE:
            raise KakehashiError("one person asks for too much slow work at once", code=ErrorCode.BUSY)
        own.asking += 1
        with ExitStack() as held:
            held.callback(self._leave, who)
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    for turns in (own.turns, self._all):
                        await turns.acquire()
                        held.callback(turns.release)
            except TimeoutError:
                raise KakehashiError("no turn for slow work in time", code=ErrorCode.BUSY) from None
            turn = _Turn(held.pop_all())
        before = _turn.set(turn)
        try:
            yield
        finally:
            _turn.reset(before)
            turn.one_ended()

    def _leave(self, who: str) -> None:
        own = self._own[who]
        own.asking -= 1
        if own.asking == 0:
            del self._own[who]
